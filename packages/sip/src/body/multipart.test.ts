import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MediaType } from "../header/media-type.ts";
import { parseMediaType } from "../header/media-type.ts";
import { findBodyPart } from "./multipart.ts";
import { latin1ToOctets, octetsToLatin1 } from "./octets.ts";

function mediaType(text: string): MediaType {
	const read = parseMediaType(text, 0, text.length);
	assert.ok(read.ok, text);
	return read.value;
}

/** What is found, as text; `undefined` for nothing, the fault's code for a refusal. */
function find(contentType: string, body: string, wanted: readonly string[]): string | undefined {
	const octets = latin1ToOctets(body);
	assert.ok(octets);
	const found = findBodyPart(mediaType(contentType), octets, (type) => wanted.includes(`${type.type}/${type.subtype}`));
	if (!found.ok) return `fault ${found.fault.code} ${found.fault.status}`;
	return found.value && octetsToLatin1(found.value.body);
}

const part = (type: string, body: string): string => `Content-Type: ${type}\r\n\r\n${body}`;
const join = (boundary: string, ...parts: readonly string[]): string =>
	`${parts.map((text) => `--${boundary}\r\n${text}\r\n`).join("")}--${boundary}--\r\n`;

const PLAIN = part("text/plain", "hello");
const HTML = part("text/html", "<b>hello</b>");

const table: readonly (readonly [
	name: string,
	type: string,
	body: string,
	wanted: readonly string[],
	found: string | undefined,
])[] = [
	[
		"the first wanted part",
		"multipart/mixed;boundary=x",
		join("x", PLAIN, part("text/plain", "two")),
		["text/plain"],
		"hello",
	],
	[
		"§5.1.4 alternative: the last understood",
		"multipart/alternative;boundary=x",
		join("x", PLAIN, HTML),
		["text/plain", "text/html"],
		"<b>hello</b>",
	],
	[
		"alternative: what is not understood does not count",
		"multipart/alternative;boundary=x",
		join("x", PLAIN, HTML),
		["text/plain"],
		"hello",
	],
	["nothing wanted", "multipart/mixed;boundary=x", join("x", PLAIN, HTML), ["application/sdp"], undefined],
	["a quoted boundary", 'multipart/mixed; boundary="a b?"', join("a b?", PLAIN), ["text/plain"], "hello"],
	[
		"text before the first and behind the last delimiter",
		"multipart/mixed;boundary=x",
		`pre --x\r\n${join("x", PLAIN)}post`,
		["text/plain"],
		"hello",
	],
	[
		"blanks behind the delimiter",
		"multipart/mixed;boundary=x",
		"--x \t\r\n\r\nhello\r\n--x--",
		["text/plain"],
		"hello",
	],
	[
		"§5.1: no Content-Type means text/plain",
		"multipart/mixed;boundary=x",
		"--x\r\n\r\nhello\r\n--x--",
		["text/plain"],
		"hello",
	],
	[
		"other fields, any case, folded",
		"multipart/mixed;boundary=x",
		`--x\r\nX-A: b\r\nCONTENT-TYPE: text/html;\r\n\tcharset=utf-8\r\nX-B: c\r\n\r\nhi\r\n--x--`,
		["text/html"],
		"hi",
	],
	[
		"an empty part",
		"multipart/mixed;boundary=x",
		"--x\r\nContent-Type: text/plain\r\n\r\n\r\n--x--",
		["text/plain"],
		"",
	],
	[
		"a part that is all head",
		"multipart/mixed;boundary=x",
		"--x\r\nContent-Type: text/plain\r\n--x--",
		["text/plain"],
		"",
	],
	[
		"octets as they are",
		"multipart/mixed;boundary=x",
		join("x", part("text/plain", "\u00ff\u0000\r\n\r\n-- x")),
		["text/plain"],
		"\u00ff\u0000\r\n\r\n-- x",
	],
	[
		"an inner multipart",
		"multipart/mixed;boundary=x",
		join("x", part("multipart/alternative;boundary=y", join("y", PLAIN, HTML))),
		["text/html"],
		"<b>hello</b>",
	],
	[
		"an inner boundary that begins like the outer one",
		"multipart/mixed;boundary=x",
		join("x", part("multipart/mixed;\r\n boundary=xy", join("xy", PLAIN)), HTML),
		["text/html"],
		"<b>hello</b>",
	],
	[
		"a part with broken Content-Type is passed over",
		"multipart/mixed;boundary=x",
		join("x", part("text", "a"), PLAIN),
		["text/plain"],
		"hello",
	],
	[
		"a part in base64 is not understood",
		"multipart/mixed;boundary=x",
		join("x", `Content-Transfer-Encoding: base64\r\n${part("text/plain", "aGVsbG8=")}`, HTML),
		["text/plain"],
		undefined,
	],
	[
		"a part in 8bit is",
		"multipart/mixed;boundary=x",
		join("x", `Content-Transfer-Encoding: 8Bit\r\n${PLAIN}`),
		["text/plain"],
		"hello",
	],
	["a last part without its delimiter", "multipart/mixed;boundary=x", `--x\r\n${PLAIN}`, ["text/plain"], undefined],
	["no delimiter at all", "multipart/mixed;boundary=x", "hello", ["text/plain"], undefined],
	["no boundary", "multipart/mixed", join("x", PLAIN), ["text/plain"], "fault bad-multipart 415"],
	[
		"a boundary of 71 characters",
		`multipart/mixed;boundary=${"b".repeat(71)}`,
		"",
		["text/plain"],
		"fault bad-multipart 415",
	],
	[
		"64 parts",
		"multipart/mixed;boundary=x",
		join("x", ...Array.from({ length: 63 }, () => HTML), PLAIN),
		["text/plain"],
		"hello",
	],
	[
		"65 parts",
		"multipart/mixed;boundary=x",
		join("x", ...Array.from({ length: 64 }, () => HTML), PLAIN),
		["text/plain"],
		"fault too-many-parts 415",
	],
];

/** Multiparts around a plain text, `depth` deep. */
function nested(depth: number): readonly [type: string, body: string] {
	let inner = PLAIN;
	for (let level = depth; level > 1; level -= 1) {
		inner = part(`multipart/mixed;boundary=b${level}`, join(`b${level}`, inner));
	}
	return ["multipart/mixed;boundary=b1", join("b1", inner)];
}

test("RFC 2046: the wanted part is found, hostile bodies are refused", () => {
	for (const [name, type, body, wanted, found] of table) assert.equal(find(type, body, wanted), found, name);
	assert.equal(find(...nested(4), ["text/plain"]), "hello");
	assert.equal(find(...nested(5), ["text/plain"]), "fault multipart-too-deep 415");
});

test("the part tells its media type with its parameters", () => {
	const body = new TextEncoder().encode(join("x", part("Text/Plain; charset=latin1", "a"), "\r\nb"));
	const type = mediaType("multipart/mixed;boundary=x");
	const first = findBodyPart(type, body, () => true);
	assert.deepEqual(first.ok && first.value?.contentType, mediaType("text/plain; charset=latin1"));
	let seen = 0;
	const second = findBodyPart(type, body, () => ++seen === 2);
	assert.deepEqual(second.ok && second.value, { contentType: undefined, body: new TextEncoder().encode("b") });
});

test("property: no octets make the search throw", () => {
	const pieces = [
		"--x",
		"--",
		"\r\n",
		"\n",
		"Content-Type:",
		" multipart/mixed;boundary=x",
		"text/plain",
		";",
		":",
		" ",
		"y",
	];
	fc.assert(
		fc.property(fc.array(fc.constantFrom(...pieces)), (parts) => {
			find("multipart/mixed;boundary=x", parts.join(""), ["text/plain"]);
		}),
		{ numRuns: 500 },
	);
});
