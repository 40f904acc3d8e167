import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequest, placeOf } from "@causeway/sip";
import { RecordingConnection, SimClock } from "@causeway/sip/testing";
import { Trace } from "../observe/trace.ts";
import { createTraceHandlers } from "./trace-handlers.ts";

const SECRET = "bWVldCBtZSBhdCBub29u";

function traced(bodies: boolean): string {
	const trace = new Trace(10, new SimClock());
	const request = createRequest({
		method: "INVITE",
		requestUri: "sip:alice@contoso.example",
		headers: [
			["Via", "SIP/2.0/TLS sip.fabrikam.example;branch=z9hG4bK1"],
			["From", "<sip:lena@fabrikam.example>;tag=1"],
			["To", "<sip:alice@contoso.example>"],
			["Call-ID", "c1"],
			["CSeq", "1 INVITE"],
			["Ms-Text-Format", `text/plain; charset=UTF-8;ms-body=${SECRET}`],
			["ms-im-format", `text/html;ms-body=${SECRET}`],
			["Subject", "kept"],
			["Content-Type", "application/sdp"],
		],
		body: new TextEncoder().encode("v=0\r\n"),
	});
	trace.record("in", new RecordingConnection(1), "sip.fabrikam.example", placeOf(request));
	const reply = createTraceHandlers(trace).listTrace({
		caller: { kind: "admin" },
		clientAddress: "127.0.0.1",
		params: {},
		headers: {},
		body: undefined,
		query: { bodies },
	} as Parameters<ReturnType<typeof createTraceHandlers>["listTrace"]>[0]);
	assert.ok(!(reply instanceof Promise) && "entries" in reply.body);
	return reply.body.entries[0]?.text ?? "";
}

test("promise 6, protocol 3.7: a text that travels in a header is left out like a body", () => {
	const text = traced(false);
	assert.doesNotMatch(text, new RegExp(`${SECRET}|v=0`));
	assert.match(text, /^Ms-Text-Format: \(\d+ octets left out\)\r$/m);
	assert.match(text, /^Subject: kept\r$/m);
	assert.match(text, /\(5 octets left out\)$/);
});

test("bodies and texts are shown where they are asked for", () => {
	assert.match(traced(true), new RegExp(`${SECRET}[^]*v=0`));
});
