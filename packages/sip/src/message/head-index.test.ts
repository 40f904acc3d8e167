import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findHeaderId, HeaderId, LAST_SINGLE_ID } from "../header/names.ts";
import { octetsOfHead } from "../text/octet-view.ts";
import { doubledField, firstField, lastField } from "./field-places.ts";
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

/** A line without its end: no CR, no LF, no NUL but behind a backslash. */
const LINE = /(?:[^\r\n\0]|(?<=\\)\0)*/y;
const NAME = /([-.!%*_+`'~0-9A-Za-z]+)[ \t]*:/y;

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
	pattern.lastIndex = at;
	return pattern.exec(text)?.[0];
}

/** Where the line that starts at `at` ends; undefined where none does. */
function lineEndAt(text: string, at: number): number | undefined {
	const end = at + (matchAt(LINE, text, at) ?? "").length;
	return text.startsWith("\r\n", end) ? end : undefined;
}

/** The index of a head as slowly as it can be made; undefined where there is no whole head. */
function slowIndex(text: string): { length: number; fields: number[] } | undefined {
	const fields: number[] = [];
	let end = lineEndAt(text, 0);
	for (let at = (end ?? 0) + 2; end !== undefined; at = end + 2) {
		if (text.startsWith("\r\n", at)) return { length: at + 2, fields: [...fields, at] };
		const name = matchAt(NAME, text, at);
		end = lineEndAt(text, at);
		while (end !== undefined && " \t".includes(text.charAt(end + 2) || "x")) end = lineEndAt(text, end + 2);
		if (name === undefined || end === undefined) return undefined;
		const value = text.slice(at + name.length, end).replace(/^[ \t\r\n]+/, "");
		const id = findHeaderId(text, at, at + name.slice(0, -1).trimEnd().length);
		fields.push(id, at, end - value.length, end - value.length + value.replace(/[ \t\r\n]+$/, "").length);
	}
	return undefined;
}

const piece = fc.oneof(
	{
		weight: 3,
		arbitrary: fc.constantFrom(
			"\r\n",
			"\r\n\r\n",
			"\r",
			"\n",
			"\0",
			"\\\0",
			" ",
			"\t",
			":",
			"\x0e",
			"\x01",
			"\x8a\x8d",
		),
	},
	{
		weight: 5,
		arbitrary: fc.constantFrom("\r\nv: ", "\r\nCall-ID: ", "\r\nX-Y:", "\r\nl :0", "\r\n ", "a,b", ",", "é"),
	},
	{ weight: 1, arbitrary: fc.integer({ min: 0, max: 9 }).map((length) => "z".repeat(length)) },
	{ weight: 1, arbitrary: fc.integer({ min: 2030, max: 2060 }).map((length) => "z".repeat(length)) },
);

test("RFC 3261 §7.3: the index is that of a reader which looks at one octet after the other, whatever stands there", () => {
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 25 }), fc.nat(5), (pieces, before) => {
			const text = `A sip:b SIP/2.0${pieces.join("")}\r\n\r\nbody`;
			const octets = Buffer.from("x".repeat(before) + text, "latin1");
			const limits = { startLineBytes: 1e6, fieldBytes: 1e6, textFieldBytes: 1e6, fields: 1e6, vias: 1e6 };
			const outcome = indexHead(octets, before, octets.length, limits);
			const expected = slowIndex(text);
			assert.equal(outcome.ok, expected !== undefined);
			if (expected === undefined) return;
			const { head } = outcome;
			assert.deepEqual(head.fields, expected.fields);
			assert.equal(head.text, text.slice(0, expected.length));
			const view = octetsOfHead(head);
			assert.deepEqual(Buffer.from(view.subarray(0, head.text.length)).toString("latin1"), head.text);
			assertPlaces(head);
		}),
		{ numRuns: 3000 },
	);
});

/** The places of fields must be those that looking through all of them finds. */
function assertPlaces(head: { readonly text: string; readonly fields: readonly number[] }): void {
	const ids = head.fields.filter((_, at) => at % FIELD_STRIDE === 0).slice(0, -1);
	for (const id of Object.values(HeaderId)) {
		assert.equal(firstField(head, id), ids.includes(id) ? ids.indexOf(id) * FIELD_STRIDE : -1);
		// Another head of the same text is looked through.
		const other = { ...head };
		assert.equal(firstField(other, id), firstField(head, id));
		if (!ids.includes(id)) continue;
		assert.equal(lastField(head, id), ids.lastIndexOf(id) * FIELD_STRIDE);
		assert.ok(lastField(other, id) >= lastField(head, id));
	}
	const twice = ids.findIndex((id, at) => id !== HeaderId.other && id <= LAST_SINGLE_ID && ids.indexOf(id) < at);
	assert.equal(doubledField(), twice < 0 ? -1 : twice * FIELD_STRIDE);
}
