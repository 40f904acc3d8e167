import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import { createRequest, createResponse, type HeaderInput, type ResponseParts } from "../message/build.ts";
import { headerValue, headerValues } from "../message/fields.ts";
import type { SipRequest, SipResponse } from "../message/message.ts";
import {
	applyTargetRefresh,
	confirmUacDialog,
	confirmUasDialog,
	createNotifiedDialog,
	createUacDialog,
	createUasDialog,
	type Dialog,
	matchDialogRequest,
	terminateDialog,
} from "./dialog.ts";
import { requestDialogId, responseDialogId } from "./dialog-id.ts";
import { createAck, createDialogRequest } from "./dialog-request.ts";

const OURS = "<sip:omar@sip.contoso.example:5061;transport=tls;fs=1.k7>";
const VIA = "SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKnext";

function value<Value>(result: Result<Value>): Value {
	assert.ok(result.ok, result.ok ? "" : result.fault.detail);
	return result.value;
}

function code(result: Result<unknown>): string {
	return result.ok ? "ok" : `${result.fault.code} ${result.fault.status}`;
}

/** Our INVITE or SUBSCRIBE. */
function request(method = "INVITE", extra: readonly HeaderInput[] = [["Contact", OURS]]): SipRequest {
	return createRequest({
		method,
		requestUri: "sip:lena@fabrikam.example",
		headers: [
			["Via", "SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKfirst"],
			["From", '"Omar" <sip:omar@contoso.example>;tag=a91c;epid=01'],
			["To", "<sip:lena@fabrikam.example>"],
			["Call-ID", "9f0c@sip.contoso.example"],
			["CSeq", `7 ${method}`],
			...extra,
		],
	});
}

/** A response as the peer's server wrote it: Record-Route and Contact as given. */
function response(to: SipRequest, statusCode: number, headers: readonly HeaderInput[], toTag?: string): SipResponse {
	const parts: ResponseParts = { headers, ...(toTag === undefined ? {} : { toTag }) };
	return createResponse(to, statusCode, parts);
}

const THEIRS: HeaderInput = ["Contact", "<sip:lena@fabrikam.example;opaque=user:epid:Xy;gruu>;proxy=replace"];
const ROUTED: readonly HeaderInput[] = [
	["Record-Route", "<sip:outer.fabrikam.example:5061;transport=tls;lr;ms-route-sig=aB-_AA>;ms-rrsig=qQ;tag=0F"],
	["Record-Route", "<sip:inner.fabrikam.example;LR;opaque=state:T:F>, <sip:core.fabrikam.example;lr>"],
	THEIRS,
];

function uac(headers: readonly HeaderInput[] = ROUTED): Dialog {
	const invite = request();
	return value(createUacDialog(invite, response(invite, 200, headers, "77d2")));
}

/** The peer's request. */
function peerRequest(
	method: string,
	cseqNumber: number,
	extra: readonly HeaderInput[] = [],
	toTag?: string,
): SipRequest {
	return createRequest({
		method,
		requestUri: "sip:omar@sip.contoso.example:5061;transport=tls",
		headers: [
			["Via", "SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKpeer"],
			["From", "<sip:lena@fabrikam.example>;tag=77d2;epid=0a1b"],
			["To", `<sip:omar@contoso.example>${toTag === undefined ? "" : `;tag=${toTag}`}`],
			["Call-ID", "c77@fabrikam.example"],
			["CSeq", `${cseqNumber} ${method}`],
			...extra,
		],
	});
}

function uas(extra: readonly HeaderInput[] = ROUTED): Dialog {
	return value(createUasDialog(peerRequest("INVITE", 30, extra), "ours1", OURS));
}

/** Request-URI and Route of a request. */
function path(message: SipRequest): readonly string[] {
	return [message.requestUri.text, ...headerValues(message, HeaderId.route)];
}

test("§12.1.2: the 2xx makes a confirmed dialog of the caller, its route set is Record-Route reversed", () => {
	const dialog = uac();
	assert.deepEqual(dialog.id, { callId: "9f0c@sip.contoso.example", localTag: "a91c", remoteTag: "77d2" });
	assert.equal(dialog.state, "confirmed");
	assert.equal(dialog.localUri, '"Omar" <sip:omar@contoso.example>;tag=a91c;epid=01');
	assert.equal(dialog.remoteUri, "<sip:lena@fabrikam.example>;tag=77d2");
	assert.equal(dialog.remoteTarget, "sip:lena@fabrikam.example;opaque=user:epid:Xy;gruu");
	assert.equal(dialog.localContact, OURS);
	assert.deepEqual([dialog.localCSeq, dialog.remoteCSeq], [7, undefined]);
	assert.deepEqual(dialog.routeSet, {
		routes: [
			"<sip:core.fabrikam.example;lr>",
			"<sip:inner.fabrikam.example;LR;opaque=state:T:F>",
			"<sip:outer.fabrikam.example:5061;transport=tls;lr;ms-route-sig=aB-_AA>",
		],
		isStrict: false,
	});
});

test("§12.1.1: the dialog of the called side is early, its route set is Record-Route as it stands", () => {
	const dialog = uas();
	assert.deepEqual(dialog.id, { callId: "c77@fabrikam.example", localTag: "ours1", remoteTag: "77d2" });
	assert.equal(dialog.state, "early");
	assert.equal(dialog.localUri, "<sip:omar@contoso.example>;tag=ours1");
	assert.equal(dialog.remoteUri, "<sip:lena@fabrikam.example>;tag=77d2;epid=0a1b");
	assert.deepEqual([dialog.localCSeq, dialog.remoteCSeq], [undefined, 30]);
	assert.deepEqual(dialog.routeSet.routes, [
		"<sip:outer.fabrikam.example:5061;transport=tls;lr;ms-route-sig=aB-_AA>",
		"<sip:inner.fabrikam.example;LR;opaque=state:T:F>",
		"<sip:core.fabrikam.example;lr>",
	]);
	assert.equal(confirmUasDialog(dialog).state, "confirmed");
});

test("§12.1: both sides name a dialog alike when it is their turn", () => {
	const invite = request();
	const ok = response(invite, 200, ROUTED, "77d2");
	assert.deepEqual(responseDialogId(ok), value(createUacDialog(invite, ok)).id);
	assert.deepEqual(requestDialogId(peerRequest("BYE", 31, [], "ours1")), uas().id);
	assert.equal(requestDialogId(peerRequest("MESSAGE", 31)), undefined);
});

test("§12.1: which responses make a dialog", () => {
	const invite = request();
	const cases: readonly [number, string | undefined, string][] = [
		[100, undefined, "no-dialog 400"],
		[180, "77d2", "ok"],
		[200, "77d2", "ok"],
		[302, "77d2", "no-dialog 400"],
		[486, "77d2", "no-dialog 400"],
	];
	for (const [statusCode, toTag, expected] of cases) {
		assert.equal(
			code(createUacDialog(invite, response(invite, statusCode, [THEIRS], toTag))),
			expected,
			String(statusCode),
		);
	}
});

test("§13.2.2.4: the 2xx confirms an early dialog and brings its route set", () => {
	const invite = request();
	const early = value(createUacDialog(invite, response(invite, 180, [], "77d2")));
	assert.deepEqual([early.state, early.remoteTarget], ["early", "sip:lena@fabrikam.example"]);
	const confirmed = value(confirmUacDialog(early, response(invite, 200, ROUTED, "77d2")));
	assert.deepEqual(confirmed, uac());
});

test("a 2xx without Contact can still be acknowledged, at the URI of the INVITE", () => {
	assert.equal(uac([]).remoteTarget, "sip:lena@fabrikam.example");
	assert.equal(uac([["Contact", "<tel:+15550100>"]]).remoteTarget, "sip:lena@fabrikam.example");
});

test("§8.1.1.8: a request that makes a dialog without a SIP Contact is refused", () => {
	for (const extra of [[], [["Contact", "<tel:+15550100>"]], [["Contact", "*"]]] as const satisfies HeaderInput[][]) {
		assert.equal(code(createUasDialog(peerRequest("INVITE", 1, extra), "t", OURS)), "contact-missing 400");
	}
});

test("a Record-Route or Contact that cannot be read is refused", () => {
	const broken: readonly HeaderInput[] = [THEIRS, ["Record-Route", "<sip:a.example"]];
	assert.equal(code(createUasDialog(peerRequest("INVITE", 1, broken), "t", OURS)), "bad-address 400");
});

test("RFC 6665 §4.4.1, protocol sheet 10, row 24: a NOTIFY that overtook the 2xx makes an early dialog, the 2xx gives it its route set", () => {
	const subscribe = request("SUBSCRIBE");
	const notify = createRequest({
		method: "NOTIFY",
		requestUri: "sip:omar@sip.contoso.example",
		headers: [
			["Via", VIA],
			["From", "<sip:lena@fabrikam.example>;tag=77d2"],
			["To", "<sip:omar@contoso.example>;tag=a91c"],
			["Call-ID", "9f0c@sip.contoso.example"],
			["CSeq", "1 NOTIFY"],
			["Contact", "<sip:fe1.fabrikam.example;transport=tls>"],
		],
	});
	const early = value(createNotifiedDialog(subscribe, notify));
	assert.equal(early.state, "early");
	assert.deepEqual([early.routeSet.routes, early.remoteCSeq, early.localCSeq], [[], 1, 7]);
	assert.equal(early.remoteTarget, "sip:fe1.fabrikam.example;transport=tls");
	assert.throws(() => createDialogRequest(early, { method: "SUBSCRIBE", via: VIA }), /needs a confirmed dialog/);
	const confirmed = value(confirmUacDialog(early, response(subscribe, 200, ROUTED, "77d2")));
	assert.equal(confirmed.routeSet.routes.length, 3);
	assert.deepEqual(confirmed.id, early.id);
	assert.equal(confirmed.remoteCSeq, 1);
});

test("REQ-55: a NOTIFY or re-INVITE without Record-Route, or with another, leaves the route set as it was", () => {
	const dialog = confirmUasDialog(uas());
	for (const method of ["NOTIFY", "INVITE"]) {
		for (const extra of [[], [["Record-Route", "<sip:other.example;lr>"]]] as const satisfies HeaderInput[][]) {
			const refreshed = applyTargetRefresh(
				dialog,
				peerRequest(method, 31, [["Contact", "<sip:lena@198.51.100.7:5061;transport=tls>"], ...extra], "ours1"),
			);
			assert.equal(refreshed.routeSet, dialog.routeSet);
			assert.equal(refreshed.remoteTarget, "sip:lena@198.51.100.7:5061;transport=tls");
		}
	}
});

test("§12.2: only INVITE, UPDATE, SUBSCRIBE, NOTIFY and their 2xx move the remote target", () => {
	const dialog = confirmUasDialog(uas());
	const moved: HeaderInput = ["Contact", "<sip:lena@moved.example>"];
	for (const method of ["MESSAGE", "INFO", "BYE"]) {
		assert.equal(applyTargetRefresh(dialog, peerRequest(method, 31, [moved], "ours1")), dialog, method);
	}
	for (const method of ["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY"]) {
		const refresh = peerRequest(method, 31, [moved], "ours1");
		assert.equal(applyTargetRefresh(dialog, refresh).remoteTarget, "sip:lena@moved.example", method);
	}
	const sent = request("SUBSCRIBE");
	const accepted = response(sent, 200, [moved], "77d2");
	assert.equal(applyTargetRefresh(dialog, accepted).remoteTarget, "sip:lena@moved.example");
	assert.equal(applyTargetRefresh(dialog, response(sent, 481, [moved], "77d2")), dialog);
	for (const odd of ["<tel:+15550100>", "*"]) {
		assert.equal(applyTargetRefresh(dialog, peerRequest("NOTIFY", 31, [["Contact", odd]], "ours1")), dialog, odd);
	}
	assert.equal(applyTargetRefresh(dialog, peerRequest("NOTIFY", 31, [], "ours1")), dialog);
});

test("§12.2.2: a request is ordered by its number", () => {
	const dialog = confirmUasDialog(uas());
	const cases: readonly [string, number, string, number | undefined][] = [
		["MESSAGE", 31, "in-order", 31],
		["MESSAGE", 99, "in-order", 99],
		["MESSAGE", 30, "retransmission", undefined],
		["MESSAGE", 29, "out-of-order", undefined],
		["ACK", 30, "in-order", 30],
		["CANCEL", 30, "in-order", 30],
	];
	for (const [method, number, expected, last] of cases) {
		const match = matchDialogRequest(dialog, peerRequest(method, number, [], "ours1"));
		assert.equal(match.kind, expected, `${number} ${method}`);
		assert.equal(match.kind === "in-order" ? match.dialog.remoteCSeq : undefined, last, `${number} ${method}`);
		if (match.kind === "out-of-order") assert.equal(match.statusCode, 500);
	}
	const first = matchDialogRequest(uac(), peerRequest("MESSAGE", 0, [], "a91c"));
	assert.ok(first.kind === "in-order" && first.dialog.remoteCSeq === 0);
});

test("§12.2.1.1: a request goes to the remote target over the route set, byte for byte (REQ-65)", () => {
	const [dialog, message] = createDialogRequest(uac(), {
		method: "MESSAGE",
		via: VIA,
		headers: [["Content-Type", "text/plain"]],
		body: new TextEncoder().encode("Salut"),
	});
	assert.equal(
		message.head.text,
		[
			"MESSAGE sip:lena@fabrikam.example;opaque=user:epid:Xy;gruu SIP/2.0",
			`Via: ${VIA}`,
			"Route: <sip:core.fabrikam.example;lr>",
			"Route: <sip:inner.fabrikam.example;LR;opaque=state:T:F>",
			"Route: <sip:outer.fabrikam.example:5061;transport=tls;lr;ms-route-sig=aB-_AA>",
			"Max-Forwards: 70",
			'From: "Omar" <sip:omar@contoso.example>;tag=a91c;epid=01',
			"To: <sip:lena@fabrikam.example>;tag=77d2",
			"Call-ID: 9f0c@sip.contoso.example",
			"CSeq: 8 MESSAGE",
			"Content-Type: text/plain",
			"Content-Length: 5",
			"\r\n",
		].join("\r\n"),
	);
	assert.equal(dialog.localCSeq, 8);
	assert.equal(createDialogRequest(dialog, { method: "BYE", via: VIA })[1].cseq.number, 9);
});

test("§12.2.1.1: without a route set the remote target stands alone", () => {
	const [, message] = createDialogRequest(uac([THEIRS]), { method: "BYE", via: VIA });
	assert.deepEqual(path(message), ["sip:lena@fabrikam.example;opaque=user:epid:Xy;gruu"]);
});

test("§12.2.1.1: a strict first hop becomes the Request-URI and the remote target the last Route", () => {
	const dialog = uac([
		["Record-Route", "<sip:outer.fabrikam.example;lr>, <sip:old.fabrikam.example;method=INVITE;maddr=a.example?x=1>"],
		["Contact", "<sip:lena@host.fabrikam.example>"],
	]);
	assert.equal(dialog.routeSet.isStrict, true);
	const [, message] = createDialogRequest(dialog, { method: "BYE", via: VIA });
	assert.deepEqual(path(message), [
		"sip:old.fabrikam.example;maddr=a.example",
		"<sip:outer.fabrikam.example;lr>",
		"<sip:lena@host.fabrikam.example>",
	]);
});

test("§19.1.1: what a Request-URI may not hold is left out of a Contact, and nothing else", () => {
	const cases: readonly [string, string][] = [
		["sip:lena@h.example?Subject=hi", "sip:lena@h.example"],
		["sip:lena@h.example;method=BYE;x=1", "sip:lena@h.example;x=1"],
		["sip:a;b?c@h.example;METHOD=BYE?x=1", "sip:a;b?c@h.example"],
		["sip:h.example:5061;Transport=TLS;gruu", "sip:h.example:5061;Transport=TLS;gruu"],
		["sip:le%6Ea@H.Example;a=%41", "sip:le%6Ea@H.Example;a=%41"],
	];
	for (const [contact, expected] of cases) {
		assert.equal(uac([["Contact", `<${contact}>`]]).remoteTarget, expected);
	}
});

test("RFC 3428 §4: MESSAGE and BYE carry no Contact, target refreshes carry ours", () => {
	const dialog = uac();
	const cases: readonly [string, string | undefined][] = [
		["MESSAGE", undefined],
		["INFO", undefined],
		["BYE", undefined],
		["SUBSCRIBE", OURS],
		["NOTIFY", OURS],
		["INVITE", OURS],
	];
	for (const [method, expected] of cases) {
		const [, message] = createDialogRequest(dialog, { method, via: VIA });
		assert.equal(headerValue(message, HeaderId.contact), expected, method);
		assert.equal(headerValue(message, HeaderId.recordRoute), undefined, "REQ-56");
	}
	const [, replaced] = createDialogRequest(dialog, { method: "NOTIFY", via: VIA, contact: "<sip:new.example>" });
	assert.equal(headerValue(replaced, HeaderId.contact), "<sip:new.example>");
});

test("§13.2.2.4: the ACK to a 2xx has the number of the INVITE, the route of the dialog, and no Contact", () => {
	const ack = createAck(uac(), { cseqNumber: 7, via: VIA });
	assert.deepEqual([ack.method, ack.cseq], ["ACK", { number: 7, method: "ACK" }]);
	assert.equal(path(ack).length, 4);
	assert.equal(headerValue(ack, HeaderId.contact), undefined);
});

test("§12.2.1.1: the called side starts its own numbers", () => {
	const [dialog, message] = createDialogRequest(confirmUasDialog(uas()), { method: "MESSAGE", via: VIA });
	assert.deepEqual([message.cseq.number, dialog.localCSeq, dialog.remoteCSeq], [1, 1, 30]);
	assert.equal(headerValue(message, HeaderId.from), "<sip:omar@contoso.example>;tag=ours1");
	assert.equal(headerValue(message, HeaderId.to), "<sip:lena@fabrikam.example>;tag=77d2;epid=0a1b");
});

test("REQ-57: nothing leaves in a dialog that is early or over", () => {
	assert.throws(() => createDialogRequest(uas(), { method: "NOTIFY", via: VIA }), /needs a confirmed dialog/);
	const over = terminateDialog(uac());
	assert.throws(() => createDialogRequest(over, { method: "BYE", via: VIA }), /needs a confirmed dialog/);
	assert.equal(terminateDialog(over), over);
	assert.throws(() => createDialogRequest(uac(), { method: "CANCEL", via: VIA }), /number of their INVITE/);
});

test("REQ-65: octets that are no UTF-8, in names and routes, come back as they came", () => {
	const name = '"Ren\u00e9 \u00c3\u00a9" <sip:lena@fabrikam.example>;tag=77d2';
	const invite = createRequest({
		method: "INVITE",
		requestUri: "sip:omar@contoso.example",
		headers: [
			["Via", VIA],
			["From", name, "octets"],
			["To", "<sip:omar@contoso.example>"],
			["Call-ID", "c\u00e9", "octets"],
			["CSeq", "1 INVITE"],
			THEIRS,
		],
	});
	const dialog = confirmUasDialog(value(createUasDialog(invite, "ours1", OURS)));
	const [, bye] = createDialogRequest(dialog, { method: "BYE", via: VIA });
	assert.equal(headerValue(bye, HeaderId.to), name);
	assert.equal(bye.callId, "c\u00e9");
});

test("RFC 2543: a missing tag of the peer is the null tag", () => {
	const invite = createRequest({
		method: "INVITE",
		requestUri: "sip:omar@contoso.example",
		headers: [
			["Via", VIA],
			["From", "<sip:lena@fabrikam.example>"],
			["To", "<sip:omar@contoso.example>"],
			["Call-ID", "c1"],
			["CSeq", "1 INVITE"],
			THEIRS,
		],
	});
	assert.equal(value(createUasDialog(invite, "ours1", OURS)).id.remoteTag, "");
});
