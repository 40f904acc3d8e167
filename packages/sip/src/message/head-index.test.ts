import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId } from "../header/names.ts";
import { indexHead } from "./head-index.ts";
import { DEFAULT_HEAD_LIMITS } from "./limits.ts";
import { FIELD_STRIDE } from "./message.ts";

const head = "OPTIONS sip:b.example SIP/2.0\r\nv: SIP/2.0/TLS a.example\r\nl: 0\r\n\r\n";

function index(text: string, from = 0, end = text.length) {
	return indexHead(Buffer.from(text, "latin1"), from, end, DEFAULT_HEAD_LIMITS);
}

const stops: readonly [string, string, number, number][] = [
	["in the start line", "OPTIONS sip:b.example SIP", 0, 0],
	["in the name of a field", "A sip:b SIP/2.0\r\nl: 0\r\nCont", 1, 23],
	["in the value of a field", "A sip:b SIP/2.0\r\nl: 0\r\nX: 1", 1, 23],
	["in a fold", "A sip:b SIP/2.0\r\nX: 1\r\n two", 0, 17],
	["before the empty line", "A sip:b SIP/2.0\r\nl: 0\r\n", 1, 23],
];
for (const [place, text, fieldsBefore, offset] of stops) {
	test(`RFC 3261 §7.3: a head that stops ${place} is a fault at that line, with the fields before it`, () => {
		const outcome = index(text);
		assert.ok(!outcome.ok);
		assert.equal(outcome.fault.offset, offset);
		assert.equal(outcome.head.fields.length, fieldsBefore * FIELD_STRIDE + 1);
		assert.equal(outcome.head.fields.at(-1), offset);
	});
}

test("RFC 3261 §7.3: offsets count from the start of the head, wherever it stands among the octets", () => {
	const before = "body of another\r\n\r\n";
	const outcome = index(`${before}${head}X: 1\r\n`, before.length, before.length + head.length);
	assert.ok(outcome.ok);
	assert.deepEqual(outcome, index(head));
	assert.equal(outcome.head.text, head);
	assert.equal(outcome.head.fields[FIELD_STRIDE], HeaderId.contentLength);
});
