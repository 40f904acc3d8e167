import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequest, placeOf } from "@causeway/sip";
import { RecordingConnection, SimClock } from "@causeway/sip/testing";
import { Trace } from "./trace.ts";

function message(number: number, bodyBytes: number) {
	return createRequest({
		method: "MESSAGE",
		requestUri: "sip:alice@contoso.example",
		headers: [
			["Via", `SIP/2.0/TLS sip.fabrikam.example;branch=z9hG4bK${number}`],
			["From", "<sip:lena@fabrikam.example>;tag=1"],
			["To", "<sip:alice@contoso.example>;tag=2"],
			["Call-ID", "c1"],
			["CSeq", `${number} MESSAGE`],
			["Content-Type", "text/plain"],
		],
		body: new Uint8Array(bodyBytes),
	});
}

function record(trace: Trace, from: number, to: number, bodyBytes: number): void {
	const connection = new RecordingConnection(1);
	for (let number = from; number <= to; number += 1) {
		trace.record("in", connection, "sip.fabrikam.example", placeOf(message(number, bodyBytes)));
	}
}

function kept(trace: Trace): readonly number[] {
	return trace.list().map(({ message: { cseq } }) => cseq.number);
}

test("[trace] ring: the newest messages are kept, as many as the ring has places", () => {
	const trace = new Trace(3, new SimClock());
	record(trace, 1, 2, 10);
	assert.deepEqual(kept(trace), [1, 2]);
	record(trace, 3, 8, 10);
	assert.deepEqual(kept(trace), [6, 7, 8]);
	assert.deepEqual(
		trace.list(6, 1).map(({ seq }) => seq),
		[7],
	);
});

test("promise 7: a peer that fills its bodies pushes older messages out, and takes no more memory than the ring may", () => {
	const trace = new Trace(1_000, new SimClock(), 10_000);
	record(trace, 1, 5, 10);
	assert.deepEqual(kept(trace), [1, 2, 3, 4, 5]);
	record(trace, 6, 20, 3_000);
	assert.deepEqual(kept(trace), [18, 19, 20]);
	record(trace, 21, 60, 10);
	assert.equal(kept(trace).at(-1), 60);
	assert.ok(kept(trace).length > 20);
	record(trace, 61, 61, 20_000);
	assert.deepEqual(kept(trace), []);
	record(trace, 62, 63, 10);
	assert.deepEqual(kept(trace), [62, 63]);
});
