import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "@causeway/sip/testing";
import { plainCSeq, plainHops, scanShortRequest } from "./short-request.ts";
import { readShortRequest, type ShortRequest } from "./testing.ts";

const VIA = "Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bK1";
const FIRST = "Route: <sip:sip.contoso.example:5061;transport=tls;lr;fs=1>";
const SECOND = "Route: <sip:sip.contoso.example:5061;transport=tls;lr;fs=2>";
/** A request as it is usually written; each line by its name. */
const USUAL = {
	start: "MESSAGE sip:far@198.51.100.4:5061;x SIP/2.0",
	via: VIA,
	more: "Via: SIP/2.0/TLS 192.0.2.7",
	hops: "Max-Forwards: 69",
	routes: `${FIRST}\r\n${SECOND}`,
	from: '"Lena" <sip:Lena@FABRIKAM.example>;tag=a1;epid=1',
	to: "<sip:ines@corp.contoso.example>;tag=b1",
	callId: "Call-ID: c1",
	cseq: "CSeq: 7 MESSAGE",
	end: "X-Any: a",
};

function textOf(lines: Partial<typeof USUAL>): string {
	const { start, via, more, hops, routes, from, to, callId, cseq, end } = { ...USUAL, ...lines };
	const all = [start, via, more, hops, routes, from && `From: ${from}`, to && `To: ${to}`, callId, cseq, end];
	return [...all.filter((line) => line !== ""), "Content-Length: 0", "", ""].join("\r\n");
}

function read(lines: Partial<typeof USUAL>): ShortRequest | undefined {
	return readShortRequest(frameOf(textOf(lines)), "sip.contoso.example:5061", "sip.contoso.example");
}

test("a request as it is usually written is read from its octets", () => {
	const request = read({});
	assert.ok(request !== undefined);
	const { topVia, ...rest } = request;
	assert.equal(topVia.host, "sip.fabrikam.example");
	assert.deepEqual(rest, {
		branch: "z9hG4bK1",
		maxForwards: 69,
		fromText: USUAL.from,
		toText: USUAL.to,
		fromTag: "a1",
		toTag: "b1",
		fromAor: "Lena@fabrikam.example",
		toAor: "ines@corp.contoso.example",
		fromDomain: "fabrikam.example",
		toDomain: "corp.contoso.example",
		callId: "c1",
		cseqNumber: 7,
		requestUri: "sip:far@198.51.100.4:5061;x",
		firstRoute: FIRST.slice(7),
		secondRoute: SECOND.slice(7),
	});
});

const NOTIFY = { start: "NOTIFY sip:a@b.example SIP/2.0", cseq: "CSeq: 1 NOTIFY" };
const passing: readonly (readonly [string, Partial<typeof USUAL>])[] = [
	["BYE", { start: "BYE sip:a@b.example SIP/2.0", cseq: "CSeq: 1 BYE" }],
	["ACK", { start: "ACK sip:a@b.example SIP/2.0", cseq: "CSeq: 1 ACK" }],
	["INFO", { start: "INFO sip:a@b.example SIP/2.0", cseq: "CSeq: 1 INFO" }],
	["NOTIFY of presence", { ...NOTIFY, end: "Event: presence" }],
	["NOTIFY of presence, by its letter", { ...NOTIFY, end: "o:presence" }],
	["compact names and blanks", { via: VIA.replace("Via:", "v :\t"), callId: "i:c1" }],
	["a folded line of no concern", { end: "X-Any: a\r\n b" }],
	["any known header once", { end: "Subject: a\r\nServer: b\r\nDate: c\r\nReferred-By: <sip:a@b.example>" }],
	["any list header twice", { end: "Supported: a\r\nSupported: b\r\nContact: <sip:a@b.example>" }],
	["an extension required of the far end", { end: "Require: foo" }],
	["a loose router behind ours", { routes: `${FIRST}\r\n${SECOND}\r\nRoute: <sip:10.0.0.5;lr>` }],
	["several of them", { routes: `${FIRST}\r\n${SECOND}\r\nRoute: <sip:10.0.0.5;lr>\r\nRoute: "x" <sip:y;lr=on>;p` }],
	["loose routers apart from ours", { routes: `${FIRST}\r\n${SECOND}`, end: "X-A: b\r\nRoute: <sip:10.0.0.5;lr>" }],
	["one hop left", { hops: "Max-Forwards: 1" }],
	["a Request-URI with a user like our name", { start: "MESSAGE sip:sip.contoso.example@far.example SIP/2.0" }],
	["From without brackets", { from: "sip:lena@fabrikam.example;tag=a1" }],
];
for (const [name, lines] of passing) {
	test(`passes without being parsed: ${name}`, () => assert.notEqual(read(lines), undefined));
}

const usualWay: readonly (readonly [string, Partial<typeof USUAL>])[] = [
	["INVITE", { start: "INVITE sip:a@b.example SIP/2.0", cseq: "CSeq: 1 INVITE" }],
	["SUBSCRIBE", { start: "SUBSCRIBE sip:a@b.example SIP/2.0", cseq: "CSeq: 1 SUBSCRIBE" }],
	["CANCEL", { start: "CANCEL sip:a@b.example SIP/2.0", cseq: "CSeq: 1 CANCEL" }],
	["OPTIONS", { start: "OPTIONS sip:a@b.example SIP/2.0", cseq: "CSeq: 1 OPTIONS" }],
	["a longer method", { start: "MESSAGES sip:a@b.example SIP/2.0" }],
	["a method in small letters", { start: "message sip:a@b.example SIP/2.0" }],
	["another version", { start: "MESSAGE sip:a@b.example SIP/3.0" }],
	["the version in small letters", { start: "MESSAGE sip:a@b.example sip/2.0" }],
	["no Request-URI", { start: "MESSAGE  SIP/2.0" }],
	["two blanks before the version", { start: "MESSAGE sip:a@b.example  SIP/2.0" }],
	["a Request-URI that cannot be read", { start: "MESSAGE sip: SIP/2.0" }],
	["a sips: Request-URI", { start: "MESSAGE sips:a@b.example SIP/2.0" }],
	["a tel: Request-URI", { start: "MESSAGE tel:+123 SIP/2.0" }],
	["a Request-URI with headers", { start: "MESSAGE sip:a@b.example?a=b SIP/2.0" }],
	[
		"our name in the Request-URI, as a strict router writes it",
		{ start: "MESSAGE sip:sip.contoso.example;lr SIP/2.0" },
	],
	["our name in large letters there", { start: "MESSAGE sip:a@SIP.Contoso.example SIP/2.0" }],
	["no Via", { via: "", more: "" }],
	["a Via of ours on top", { via: "Via: SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bK1" }],
	["a Via of ours below", { more: "Via: SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bK1" }],
	["several Vias in a field", { via: `${VIA}, SIP/2.0/TLS 192.0.2.7`, more: "" }],
	["several below in a field", { more: "Via: SIP/2.0/TLS 192.0.2.7, SIP/2.0/TLS 192.0.2.8" }],
	["a folded Via", { via: VIA.replace(";", "\r\n ;") }],
	["a folded Via below", { more: "Via: SIP/2.0/TLS\r\n 192.0.2.7" }],
	["a Via that cannot be read", { via: "Via: SIP/2.0/TLS" }],
	["a Via without branch", { via: "Via: SIP/2.0/TLS sip.fabrikam.example" }],
	["a branch of RFC 2543", { via: "Via: SIP/2.0/TLS sip.fabrikam.example;branch=1234567890" }],
	["the cookie and nothing behind it", { via: "Via: SIP/2.0/TLS sip.fabrikam.example;branch=z9hG4bK" }],
	["no Max-Forwards", { hops: "" }],
	["no hops left", { hops: "Max-Forwards: 0" }],
	["Max-Forwards that is no number", { hops: "Max-Forwards: x" }],
	["Max-Forwards twice", { hops: "Max-Forwards: 9\r\nMax-Forwards: 9" }],
	["no From", { from: "" }],
	["From that cannot be read", { from: "<sip:lena@fabrikam.example;tag=a1" }],
	["From twice", { end: `From: ${USUAL.from}` }],
	["From by its letter as well", { end: `f: ${USUAL.from}` }],
	["From without tag", { from: "<sip:lena@fabrikam.example>" }],
	["a From that is no address of record: numbers", { from: "<sip:lena@192.0.2.1>;tag=a1" }],
	["a From that is no address of record: a port", { from: "<sip:lena@fabrikam.example:5061>;tag=a1" }],
	["a From that is no address of record: tel:", { from: "<tel:+123>;tag=a1" }],
	["no To", { to: "" }],
	["To that cannot be read", { to: "<" }],
	["To without tag", { to: "<sip:ines@corp.contoso.example>" }],
	["a To that is no address of record", { to: "<sip:corp.contoso.example>;tag=b1" }],
	["no Call-ID", { callId: "" }],
	["Call-ID twice", { callId: "Call-ID: c1\r\nCall-ID: c1" }],
	["no CSeq", { cseq: "" }],
	["CSeq of another method", { cseq: "CSeq: 7 INFO" }],
	["CSeq that cannot be read", { cseq: "CSeq: x MESSAGE" }],
	["any other header that stands once, twice", { end: "Subject: a\r\nSubject: a" }],
	["the last of them twice", { end: "User-Agent: a\r\nUser-Agent: b" }],
	["Proxy-Require", { end: "Proxy-Require: foo" }],
	["another event package", { ...NOTIFY, end: "Event: dialog" }],
	["an event package with more behind it", { ...NOTIFY, end: "Event: presence;id=1" }],
	["an event package with less", { ...NOTIFY, end: "Event: presenc" }],
	["an event package of the same length", { ...NOTIFY, end: "Event: Presence" }],
	["a NOTIFY that does not say of what", NOTIFY],
	["another event package in any request", { end: "Event: dialog" }],
	["no Route", { routes: "" }],
	["one Route", { routes: FIRST }],
	["both in one field", { routes: `${FIRST}, ${SECOND.slice(7)}` }],
	["a header between ours", { routes: `${FIRST}\r\nX-A: b\r\n${SECOND}` }],
	["a strict router behind ours", { routes: `${FIRST}\r\n${SECOND}\r\nRoute: <sip:10.0.0.5>` }],
	["a Route behind ours that cannot be read", { routes: `${FIRST}\r\n${SECOND}\r\nRoute: <sip:` }],
	["a Route behind ours of another scheme", { routes: `${FIRST}\r\n${SECOND}\r\nRoute: <tel:+123;lr>` }],
	["a Route behind ours with headers", { routes: `${FIRST}\r\n${SECOND}\r\nRoute: <sip:x;lr?a=b>` }],
	["two Routes behind ours in a field", { routes: `${FIRST}\r\n${SECOND}\r\nRoute: <sip:x;lr>, <sip:y;lr>` }],
];
for (const [name, lines] of usualWay) {
	test(`left to parser and pipeline: ${name}`, () => assert.equal(read(lines), undefined));
}

test("Max-Forwards and CSeq in their plain form are read from the octets", () => {
	const numbers = (lines: Partial<typeof USUAL>): readonly [number, number] => {
		const frame = frameOf(textOf(lines));
		const found = scanShortRequest(frame, "sip.contoso.example:5061");
		assert.ok(found !== undefined);
		return [plainHops(frame, found), plainCSeq(frame, found)];
	};
	assert.deepEqual(numbers({}), [69, 7]);
	assert.deepEqual(numbers({ hops: "Max-Forwards:255", cseq: "CSeq: 999999999 MESSAGE" }), [255, 999_999_999]);
	for (const hops of [
		"Max-Forwards: 256",
		"Max-Forwards: 0000000070",
		"Max-Forwards: 7 0",
		"Max-Forwards:",
		"Max-Forwards: 0",
		"Max-Forwards: :",
	]) {
		assert.deepEqual(numbers({ hops }), [0, 7], hops);
	}
	for (const cseq of [
		"7  MESSAGE",
		"7 INFO",
		"7\tMESSAGE",
		"0000000007 MESSAGE",
		"x MESSAGE",
		" MESSAGE",
		"7 MESSAGES",
		"7 AMESSAGE",
	]) {
		assert.deepEqual(numbers({ cseq: `CSeq: ${cseq}` }), [69, 0], cseq);
	}
});

test("REQ-75: a statement about the sender in our own words is read, in other words or twice it is the boundary's", () => {
	const stated = (end: string) => {
		const found = scanShortRequest(frameOf(textOf({ end })), "sip.contoso.example:5061");
		assert.ok(found !== undefined);
		return [found.level, found.levelAt >= 0, found.isAtBoundary];
	};
	const name = "Ms-asserted-verification-level";
	const say = (level: string): string => `${name}: ms-source-verification-level=${level}`;
	assert.deepEqual(stated("X-Any: a"), [undefined, false, false]);
	assert.deepEqual(stated(say("verified")), ["verified", true, false]);
	assert.deepEqual(stated(say("unverified")), ["unverified", true, false]);
	assert.deepEqual(stated(`${name}: ms-source-verified-user=verified`), [undefined, true, true]);
	assert.deepEqual(stated(`${say("verified")}\r\n${say("verified")}`), ["verified", true, true]);
	assert.deepEqual(stated("P-Asserted-Identity: <sip:a@b.example>"), [undefined, false, true]);
	assert.deepEqual(stated("Reply-To: <sip:a@b.example>"), [undefined, false, true]);
});
