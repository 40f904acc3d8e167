import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, type Edit, HeaderId, HeadSplices, placeOf } from "@causeway/sip";
import { lineStart, putEdit } from "./head-edits.ts";
import { messageOf } from "./testing.ts";

const TEXT = [
	"MESSAGE sip:a@b.example SIP/2.0",
	"Via: SIP/2.0/TLS a.example;branch=z9hG4bK1",
	"f: <sip:a@b.example>;tag=1",
	"To:  <sip:b@b.example>;tag=2 ",
	"Call-ID: c",
	"CSeq: 1 MESSAGE",
	"X-Fold: a\r\n b",
	"Content-Length: 0",
	"",
	"",
].join("\r\n");
const message = messageOf(TEXT);
assert.ok(message.kind === "request");
const { head } = message;

function spliced(edits: readonly Edit[]): string {
	const splices = new HeadSplices();
	for (const edit of edits) putEdit(splices, head, edit);
	const octets = Buffer.alloc(TEXT.length + splices.growth);
	splices.write(placeOf(message), octets, 0);
	return octets.toString("latin1");
}

const [, via = "", , , , , fold = ""] = TEXT.split(/\r\n(?! )/);
const viaEnd = TEXT.indexOf("\r\n", TEXT.indexOf("Via:"));
/** Edits, and the text they make of ours. */
const table: readonly (readonly [string, readonly Edit[], string])[] = [
	["no edit", [], TEXT],
	["the first field is removed", [{ kind: "remove", field: 0 }], TEXT.replace(`${via}\r\n`, "")],
	["a folded field is removed whole", [{ kind: "remove", field: 5 }], TEXT.replace(`${fold}\r\n`, "")],
	["the last field is removed", [{ kind: "remove", field: 6 }], TEXT.replace("Content-Length: 0\r\n", "")],
	[
		"octets of a value are replaced",
		[{ kind: "replace", field: 0, start: viaEnd - 1, end: viaEnd, value: "22" }],
		TEXT.replace("z9hG4bK1", "z9hG4bK22"),
	],
	[
		"a field is put before the first",
		[{ kind: "insert", field: 0, id: HeaderId.via, value: "x" }],
		TEXT.replace("Via:", "Via: x\r\nVia:"),
	],
	[
		"a field is put behind the last",
		[{ kind: "insert", field: 7, id: HeaderId.msAssertedVerificationLevel, value: "x" }],
		TEXT.replace("Content-Length: 0", "Content-Length: 0\r\nMs-asserted-verification-level: x"),
	],
	[
		"two at one place stand in their order, whatever comes before them",
		[
			{ kind: "remove", field: 5 },
			{ kind: "insert", field: 1, id: HeaderId.route, value: "one" },
			{ kind: "insert", field: 1, id: HeaderId.route, value: "two" },
			{ kind: "insert", field: 0, id: HeaderId.via, value: "x" },
		],
		TEXT.replace("Via:", "Via: x\r\nVia:")
			.replace("\r\nf:", "\r\nRoute: one\r\nRoute: two\r\nf:")
			.replace(`${fold}\r\n`, ""),
	],
];
for (const [name, edits, expected] of table) {
	test(`a head with its edits made: ${name}`, () => assert.equal(spliced(edits), expected));
}

test("splices make of a message what applyEdits makes of it", () => {
	for (const [name, edits] of table) {
		// What is no message any more has no other form.
		if (name.includes("the first field is removed") || name.includes("before the first") || name.includes("whatever"))
			continue;
		assert.equal(spliced(edits), applyEdits(message, edits).head.text, name);
	}
});

test("an edit of the Request-URI is none of header fields", () => {
	assert.throws(() => spliced([{ kind: "request-uri", uri: "sip:a@b.example" }]), /Request-URI/);
});

test("the line of a field begins with its name, and behind the last stands the empty line", () => {
	const fields = [...head.fields, 1, 2, 3, 4];
	for (const [field, start] of [
		[0, TEXT.indexOf("Via:")],
		[6, TEXT.indexOf("Content-Length:")],
		[7, TEXT.length - 2],
	] as const) {
		assert.equal(lineStart(fields, head.fields.length, field), start);
	}
});
