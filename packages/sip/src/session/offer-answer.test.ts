import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSdp, parseSdp, type Sdp } from "../body/sdp.ts";
import {
	chooseMessageLine,
	createAnswer,
	createCapabilities,
	createOffer,
	type Describer,
	fallbackProfile,
	type ImProfile,
	judgeReoffer,
	readAnswer,
	readCapabilities,
} from "./offer-answer.ts";

const CONTACT = "sip:omar@sip.contoso.example:5061;transport=tls";
const describer: Describer = {
	originId: 3902411,
	originVersion: 1,
	host: "sip.contoso.example",
	acceptTypes: ["text/plain", "text/html"],
};

function sdp(...media: readonly string[]): Sdp {
	const lines = ["v=0", "o=- 0 0 IN IP4 192.0.2.1", "s=session", "c=IN IP4 192.0.2.1", "t=0 0", ...media];
	const read = parseSdp(`${lines.join("\r\n")}\r\n`);
	assert.ok(read.ok);
	return read.value;
}

function text(description: Sdp): string {
	return Buffer.from(formatSdp(description)).toString("latin1");
}

function mediaLines(description: Sdp): readonly string[] {
	return description.media.map(({ line }) => line);
}

test("REQ-25: our offer holds the message line of the profile", () => {
	assert.equal(
		text(createOffer("profile", CONTACT, describer)),
		[
			"v=0",
			"o=- 3902411 1 IN IP4 sip.contoso.example",
			"s=session",
			"c=IN IP4 sip.contoso.example",
			"t=0 0",
			"m=message 5060 sip/tcp *",
			"a=accept-types:text/plain text/html",
			"",
		].join("\r\n"),
	);
});

test("REQ-26: the other forms of the offer; a URI in it is our Contact", () => {
	assert.deepEqual(mediaLines(createOffer("lync", CONTACT, describer)), ["m=message 5060 sip null"]);
	assert.deepEqual(mediaLines(createOffer("uri", CONTACT, describer)), [`m=message 5060 sip ${CONTACT}`]);
	assert.equal(text(createOffer("lync", CONTACT, { ...describer, acceptTypes: [] })).includes("a="), false);
});

const lines: readonly [string, boolean][] = [
	["m=message 5060 sip/tcp *", true],
	["m=message 5060 SIP/TCP *", true],
	["m=message 5060 sip/tcp", true],
	["m=message 5060 sip sip:lena@fabrikam.example", true],
	["m=message 5060 sip null", true],
	["m=x-ms-message 5060 sip null", true],
	["m=X-MS-Message 15064 sip sip:lena@fabrikam.example", true],
	["m=message 1 sip/tls *", true],
	["m=message 5060 TCP/SIP *", true],
	["m=message 0 sip/tcp *", false],
	["m=message 7313 TCP/MSRP *", false],
	["m=message 7313 TCP/TLS/MSRP *", false],
	["m=message 5060 sip/udp *", false],
	["m=audio 49170 RTP/AVP 0", false],
	["m=x-data 6901 sip *", false],
	["m=applicationsharing 5060 sip *", false],
];

for (const [line, expected] of lines) {
	test(`protocol sheet 3.3: ${line} is ${expected ? "taken" : "rejected"}`, () => {
		assert.equal(chooseMessageLine(sdp(line)) !== undefined, expected);
		const chosen = chooseMessageLine(sdp("m=audio 49170 RTP/AVP 0", line, "m=message 5070 sip *"));
		assert.equal(chosen?.index, expected ? 1 : 2);
	});
}

test("REQ-31: the answer has the lines of the offer in their order, all but one with port 0", () => {
	const offer = sdp(
		"m=audio 49170/2 RTP/AVP 0 8",
		"a=rtpmap:0 PCMU/8000",
		"m=message 7313 TCP/MSRP *",
		"m=message 5060 sip/tcp *",
		"a=accept-types:text/plain",
		"m=message 5070 sip null",
		"m=application  9  UDP/XYZ  *",
	);
	const answer = createAnswer(offer, chooseMessageLine(offer), CONTACT, describer);
	assert.deepEqual(mediaLines(answer), [
		"m=audio 0 RTP/AVP 0 8",
		"m=message 0 TCP/MSRP *",
		"m=message 5060 sip/tcp *",
		"m=message 0 sip null",
		"m=application  0  UDP/XYZ  *",
	]);
	assert.deepEqual(
		answer.media.map(({ attributes }) => attributes.length),
		[0, 0, 1, 0, 0],
	);
});

test("REQ-26, REQ-27: the line taken is answered in its own media name and transport", () => {
	const cases: readonly [string, string][] = [
		["m=message 5060 sip/tcp *", "m=message 5060 sip/tcp *"],
		["m=message 5060 SIP/TCP", "m=message 5060 SIP/TCP *"],
		["m=message 5060 sip null", `m=message 5060 sip ${CONTACT}`],
		["m=x-ms-message 5060 sip null", `m=x-ms-message 5060 sip ${CONTACT}`],
		["m=message 5060 sip sip:lena@fabrikam.example", `m=message 5060 sip ${CONTACT}`],
	];
	for (const [line, expected] of cases) {
		const offer = sdp(line);
		assert.deepEqual(mediaLines(createAnswer(offer, chooseMessageLine(offer), CONTACT, describer)), [expected]);
	}
});

test("RFC 3264 §6: an answer may reject every line", () => {
	const offer = sdp("m=audio 49170 RTP/AVP 0", "m=message 0 sip/tcp *");
	assert.deepEqual(mediaLines(createAnswer(offer, undefined, CONTACT, describer)), [
		"m=audio 0 RTP/AVP 0",
		"m=message 0 sip/tcp *",
	]);
});

test("REQ-32, REQ-33: capabilities carry the literal line, or port 0 where the peer wants RFC 3264 §9", () => {
	assert.equal(
		text(createCapabilities("literal", describer)),
		[
			"v=0",
			"o=- 3902411 1 IN IP4 sip.contoso.example",
			"s=-",
			"c=IN IP4 sip.contoso.example",
			"t=0 0",
			"m=message 5060 sip/tcp *",
			"",
		].join("\r\n"),
	);
	assert.deepEqual(mediaLines(createCapabilities("zero", describer)), ["m=message 0 sip/tcp *"]);
});

test("protocol sheet 10, row 42: port 0 refuses in an answer and supports in a capability body", () => {
	const body = sdp("m=message 0 sip/tcp *");
	assert.deepEqual(readAnswer(body), { kind: "declined" });
	assert.deepEqual(readCapabilities(body), { kind: "message", profile: "profile" });
	assert.deepEqual(readAnswer(sdp()), { kind: "declined" });
	assert.deepEqual(readCapabilities(sdp("m=message 7313 TCP/MSRP *")), { kind: "none" });
});

test("protocol sheet 3.4: an answer names the types its sender takes, or none", () => {
	const named = sdp("m=message 5060 sip sip:lena@fabrikam.example", "a=accept-types:text/plain Text/HTML ");
	assert.deepEqual(readAnswer(named), { kind: "accepted", acceptTypes: ["text/plain", "text/html"] });
	assert.deepEqual(readAnswer(sdp("m=message 5060 sip/tcp *")), { kind: "accepted", acceptTypes: undefined });
});

test("protocol sheet 3.3: a refusal that shows another form of line is followed once", () => {
	const cases: readonly [ImProfile, string | undefined, ImProfile | undefined][] = [
		["profile", "m=message 5060 sip null", "lync"],
		["profile", "m=message 0 sip sip:lena@fabrikam.example", "lync"],
		["profile", "m=message 5060 sip/tcp *", undefined],
		["profile", "m=message 7313 TCP/MSRP *", undefined],
		["profile", undefined, undefined],
		["lync", "m=message 5060 sip/tcp *", undefined],
		["uri", "m=message 5060 sip null", undefined],
	];
	for (const [offered, line, expected] of cases) {
		assert.equal(fallbackProfile(offered, line === undefined ? undefined : sdp(line)), expected, line ?? "no body");
	}
});

test("protocol sheet 3.5: a later offer keeps the stream, takes it away, or is of no use", () => {
	assert.equal(judgeReoffer(sdp("m=audio 1 RTP/AVP 0", "m=message 5060 sip null")), "keeps");
	assert.equal(judgeReoffer(sdp("m=message 0 sip null")), "removes");
	assert.equal(judgeReoffer(sdp("m=audio 1 RTP/AVP 0")), "refused");
});
