import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rtfToText } from "./rtf-to-text.ts";

function read(rtf: string): string {
	const text = rtfToText(Buffer.from(rtf, "latin1"));
	return text.ok ? text.value : `fault ${text.fault.code} ${text.fault.status}`;
}

const table: readonly (readonly [rtf: string, text: string])[] = [
	[
		"{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 MS Shell Dlg;}}{\\colortbl ;\\red0\\green0\\blue0;}\\viewkind4\\uc1\\pard\\cf1\\f0\\fs20 Hello \\b there\\b0\\par\r\n}",
		"Hello there",
	],
	["{\\rtf1 one\\par two\\line three\\tab four}", "one\ntwo\nthree\tfour"],
	["{\\rtf1 a\\\\b \\{c\\} d\\~e\\_f}", "a\\b {c} d\u00a0e-f"],
	["{\\rtf1 caf\\'e9 \\'80}", "caf\u00e9 \u20ac"],
	["{\\rtf1\\ansicpg1251 \\'ef\\'f0\\'e8}", "\u043f\u0440\u0438"],
	["{\\rtf1\\ansicpg932 \\'93\\'fa}", "\u65e5"],
	["{\\rtf1\\ansicpg99999 \\'e9}", "\u00e9"],
	["{\\rtf1\\uc1 \\u9742? \\u-10179?\\u-8704?}", "\u260e \u{1f600}"],
	["{\\rtf1{\\uc2 \\u233 ??x} \\u233 ?y}", "\u00e9x \u00e9y"],
	["{\\rtf1 \\u55357?lonely}", "\ufffdlonely"],
	["{\\rtf1{\\*\\generator Riched20;}a{\\*\\bkmkstart x}b{\\pict 0011ff}c}", "abc"],
	['{\\rtf1{\\field{\\*\\fldinst HYPERLINK "javascript:x"}{\\fldrslt click}}}', "click"],
	["{\\rtf1 a\\bin3 {}}b}", "ab"],
	["{\\rtf1 <script>alert(1)</script>}", "<script>alert(1)</script>"],
	["{\\rtf1 nul\u0000s and \u0007bells}", "nuls and bells"],
	["{\\rtf1}trailing", ""],
	["hello", "fault bad-rtf 415"],
	["{\\rtf1 open", "fault bad-rtf 415"],
	["{\\rtf1 \\'zz\\}", "fault bad-rtf 415"],
	[`{\\rtf1${"{".repeat(200)}x${"}".repeat(200)}}`, "fault bad-rtf 415"],
	["", "fault bad-rtf 415"],
];

for (const [rtf, text] of table) {
	test(`protocol 3.6: RTF ${JSON.stringify(rtf.slice(0, 48))} becomes what a person would read`, () =>
		assert.equal(read(rtf), text));
}

test("property: no octets make the reader throw, and what it gives is bounded by what it got", () => {
	const pieces = [
		"{",
		"}",
		"\\",
		"\\par ",
		"\\u9742?",
		"\\'e9",
		"\\bin9 ",
		"\\*",
		"\\uc3 ",
		"\\ansicpg932 ",
		"a",
		"\u0080",
	];
	fc.assert(
		fc.property(fc.array(fc.constantFrom(...pieces)), (parts) => {
			const rtf = `{\\rtf1${parts.join("")}}`;
			const text = rtfToText(Buffer.from(rtf, "latin1"));
			if (text.ok) assert.ok(text.value.length <= 2 * rtf.length);
		}),
		{ numRuns: 500 },
	);
});
