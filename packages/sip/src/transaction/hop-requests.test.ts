import assert from "node:assert/strict";
import { test } from "node:test";
import { createResponse } from "../message/build.ts";
import { createSampleRequest, viaWithBranch } from "../testing/sample-messages.ts";
import { utf8ToOctets } from "../text/octets.ts";
import { createCancel, createFailureAck } from "./hop-requests.ts";

const invite = createSampleRequest({
	method: "INVITE",
	cseq: 7,
	headers: [
		["Via", "SIP/2.0/TLS home.contoso.example;branch=z9hG4bK-below"],
		["Route", "<sip:sip.fabrikam.example:5061;transport=tls;lr;token=abc>, <sip:home.fabrikam.example;lr>"],
		["Contact", "<sip:alice@sip.contoso.example:5061;transport=tls>"],
		["Require", "100rel"],
	],
});

test("§17.1.1.3: the ACK of a failure has the INVITE's Request-URI, top Via, Route, From, Call-ID and number, and the response's To", () => {
	const ack = createFailureAck(invite, createResponse(invite, 486, { toTag: "to-1" }));
	assert.equal(
		ack.head.text,
		[
			"ACK sip:bob@fabrikam.example SIP/2.0",
			`Via: ${viaWithBranch("z9hG4bK-1")}`,
			"Route: <sip:sip.fabrikam.example:5061;transport=tls;lr;token=abc>",
			"Route: <sip:home.fabrikam.example;lr>",
			"Max-Forwards: 70",
			"From: <sip:alice@contoso.example>;tag=from-1",
			"To: <sip:bob@fabrikam.example>;tag=to-1",
			"Call-ID: call-1",
			"CSeq: 7 ACK",
			"Content-Length: 0",
			"",
			"",
		].join("\r\n"),
	);
});

test("§9.1: the CANCEL has the INVITE's Request-URI, top Via, Route, From, To, Call-ID and number, and no Require", () => {
	assert.equal(
		createCancel(invite).head.text,
		[
			"CANCEL sip:bob@fabrikam.example SIP/2.0",
			`Via: ${viaWithBranch("z9hG4bK-1")}`,
			"Route: <sip:sip.fabrikam.example:5061;transport=tls;lr;token=abc>",
			"Route: <sip:home.fabrikam.example;lr>",
			"Max-Forwards: 70",
			"From: <sip:alice@contoso.example>;tag=from-1",
			"To: <sip:bob@fabrikam.example>",
			"Call-ID: call-1",
			"CSeq: 7 CANCEL",
			"Content-Length: 0",
			"",
			"",
		].join("\r\n"),
	);
});

test("REQ-65: octets outside ASCII are copied as they are, also where they are no UTF-8", () => {
	const named = createSampleRequest({
		method: "INVITE",
		headers: [["Route", '"\xe9 \xc3" <sip:a.example;lr>', "octets"]],
	});
	assert.ok(createCancel(named).head.text.includes('Route: "\xe9 \xc3" <sip:a.example;lr>\r\n'));
	const utf8 = createSampleRequest({ method: "INVITE", headers: [["Route", '"Zoë" <sip:a.example;lr>']] });
	assert.ok(createCancel(utf8).head.text.includes(utf8ToOctets('"Zoë" <sip:a.example;lr>')));
});
