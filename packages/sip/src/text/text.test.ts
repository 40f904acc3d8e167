import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { equalsIgnoreCase, lowerAscii, upperAscii } from "./ascii.ts";
import { CharClass, isToken, skipEscapedClass, skipEscapedOctets } from "./char-class.ts";
import { dataOf, isFolded, keepHead, loadOctets, noteFolds, octetsOf, octetsOfHead } from "./octet-view.ts";
import { detach, octetsToText, utf8ToOctets } from "./octets.ts";
import { quote, unfold, unquote } from "./quoting.ts";
import { isOneLine, parseDecimal, skipListItem, skipQuoted } from "./scan.ts";
import { createUsualTexts, findUsualText } from "./usual-texts.ts";

const tokens: readonly [string, boolean][] = [
	["INVITE", true],
	["!interesting-Method0123456789_*+`.%indeed'~", true],
	["", false],
	["two words", false],
	["a;b", false],
	["\u00e9", false],
	["\uff21", false],
];
for (const [text, expected] of tokens) {
	test(`RFC 3261 §25.1 token: ${JSON.stringify(text)} is ${expected ? "one" : "none"}`, () => {
		assert.equal(isToken(text), expected);
	});
}

const decimals: readonly [string, number, number | undefined][] = [
	["0", 7, 0],
	["0068", 7, 68],
	["9999999", 7, 9_999_999],
	["10000000", 7, undefined],
	["", 7, undefined],
	["-1", 7, undefined],
	["+1", 7, undefined],
	["0x10", 7, undefined],
	["1e3", 7, undefined],
	[" 1", 7, undefined],
	["1 ", 7, undefined],
	["\u0661", 7, undefined],
	["\uff11", 7, undefined],
];
for (const [text, maxDigits, expected] of decimals) {
	test(`a decimal reader takes digits alone: ${JSON.stringify(text)}`, () => {
		assert.equal(parseDecimal(text, 0, text.length, maxDigits), expected);
	});
}

test("a decimal reader reads between its offsets and nothing beside them", () => {
	assert.equal(parseDecimal("a12b", 1, 3, 7), 12);
	assert.equal(parseDecimal("12", 2, 2, 7), undefined);
});

test("RFC 3261 §25.1 quoted-string: what is quoted comes back whole", () => {
	fc.assert(
		fc.property(fc.string(), (text) => {
			assert.equal(unquote(quote(text)), text);
			assert.equal(skipQuoted(quote(text), 0, quote(text).length), quote(text).length);
		}),
	);
});

test("RFC 3261 §25.1 quoted-string: without a closing quote there is no end", () => {
	assert.equal(skipQuoted('"abc', 0, 4), undefined);
	assert.equal(skipQuoted('"abc\\"', 0, 6), undefined);
	assert.equal(skipQuoted('"a" "', 0, 3), 3);
	assert.equal(unquote('"'), '"');
	assert.equal(unquote("plain"), "plain");
});

const listItems: readonly [string, string][] = [
	["a, b", "a"],
	['"a, b", c', '"a, b"'],
	["<sip:a,b@c>, d", "<sip:a,b@c>"],
	['"x\\", y" <sip:a@b>, d', '"x\\", y" <sip:a@b>'],
	['<sip:a"b@c>, "d', '<sip:a"b@c>'],
	['"open, quote', '"open, quote'],
	["<open, bracket", "<open, bracket"],
	[", b", ""],
];
for (const [text, first] of listItems) {
	test(`RFC 3261 §7.3.1: the first list item of ${text}`, () => {
		assert.equal(text.slice(0, skipListItem(text, 0, text.length)), first);
	});
}

test("RFC 3261 §7.3.1 folding: a fold and the white space around it are one space", () => {
	const text = "one \r\n two\t\r\n\t\r\n  three";
	assert.equal(unfold(text, 0, text.length), "one two three");
	assert.equal(unfold("no fold here", 3, 7), "fold");
});

test("a percent sign without two hexadecimal digits ends a run of escaped characters", () => {
	assert.equal(skipEscapedClass("a%41b", 0, 5, CharClass.user), 5);
	assert.equal(skipEscapedClass("a%4", 0, 3, CharClass.user), 1);
	assert.equal(skipEscapedClass("a%4g", 0, 4, CharClass.user), 1);
	assert.equal(skipEscapedClass("%41", 0, 2, CharClass.user), 0);
});

test("ASCII case does not count, any other difference does", () => {
	assert.equal(equalsIgnoreCase("Content-ID", "content-id"), true);
	assert.equal(equalsIgnoreCase("[a]", "{a}"), false);
	assert.equal(equalsIgnoreCase("\u00c4", "\u00e4"), false);
	assert.equal(equalsIgnoreCase("a", "ab"), false);
	assert.equal(lowerAscii("AbZ\u00c4[@"), "abz\u00c4[@");
	assert.equal(upperAscii("aBz\u00e4`{"), "ABZ\u00e4`{");
});

test("Unicode text goes to UTF-8 octets and back", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme" }), (text) => assert.equal(octetsToText(utf8ToOctets(text)), text)),
	);
	assert.equal(utf8ToOctets("é"), "\u00c3\u00a9");
	assert.equal(octetsToText("\u00ff"), "\ufffd");
});

test("a detached text is equal to its origin", () => {
	fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => assert.equal(detach(text), text)));
	assert.equal(
		detach("a long text \u4f60\u597d with wide characters"),
		"a long text \u4f60\u597d with wide characters",
	);
});

test("a line of a head holds neither CR nor LF, nor NUL save as a quoted pair", () => {
	assert.equal(isOneLine('"\\\0"'), true);
	assert.equal(isOneLine("a\tb \u00ff"), true);
	for (const octet of ["\r", "\n", "\0"]) assert.equal(isOneLine(`a${octet}b`), false);
});

test("a text seen as octets: each character is one, those that are no octet fit no class, and a NUL stands behind", () => {
	assert.deepEqual(Array.from(octetsOf("a\xffz").subarray(0, 4)), [0x61, 0xff, 0x7a, 0]);
	// U+0161 has the low octet of an "a".
	assert.deepEqual(Array.from(octetsOf("\u0161\u{1f600}").subarray(0, 4)), [0x7f, 0x7f, 0x7f, 0]);
	const long = "b".repeat(20_000);
	assert.equal(octetsOf(long)[20_000], 0);
	assert.deepEqual(Array.from(octetsOf("c").subarray(0, 2)), [0x63, 0]);
});

test("a head seen as octets stays seen while other texts are looked at", () => {
	const head = { text: "INVITE sip:a@b SIP/2.0\r\n\r\n" };
	const octets = octetsOfHead(head);
	octetsOf("another text");
	assert.equal(Buffer.from(octets.subarray(0, head.text.length)).toString("latin1"), head.text);
	assert.equal(octetsOf(head.text), octets);
	const other = { text: "BYE sip:a@b SIP/2.0\r\n\r\n" };
	assert.equal(Buffer.from(octetsOfHead(other).subarray(0, 3)).toString("latin1"), "BYE");
	// A head that was given another text is another head.
	other.text = "ACK sip:a@b SIP/2.0\r\n\r\n";
	assert.equal(Buffer.from(octetsOfHead(other).subarray(0, 3)).toString("latin1"), "ACK");
});

test("octets that were loaded are those of the head that is kept, and of none before", () => {
	const source = Buffer.from("xxBYE sip:a@b SIP/2.0\r\n\r\nbody", "latin1");
	const before = { text: "ACK sip:a@b SIP/2.0\r\n\r\n" };
	octetsOfHead(before);
	const { octets, words } = loadOctets(source, 2, source.length);
	assert.equal(octets[source.length - 2], 0);
	assert.equal(words[0], 0x20455942);
	assert.equal(Buffer.from(octetsOf(before.text).subarray(0, 3)).toString("latin1"), "ACK");
	const head = { text: "BYE sip:a@b SIP/2.0\r\n\r\n" };
	noteFolds(true);
	keepHead(head);
	assert.equal(octetsOfHead(head), octets);
	assert.equal(octets[head.text.length], 0);
	assert.equal(isFolded(head), true);
	assert.equal(dataOf(head.text).getInt32(0, true), 0x20455942);
	assert.equal(isFolded(before), false);
	assert.equal(isFolded({ text: "A\r\nB: c\r\n d\r\n\r\n" }), true);
	assert.equal(isFolded({ text: "A\r\nB: c\r\n\td\r\n\r\n" }), true);
});

test("texts that no letter or length tells apart are no table of usual ones", () => {
	assert.throws(() => createUsualTexts(["abcd", "axcy", "abcd"]), /no factor/);
	const usual = createUsualTexts(["abcd", "efgh"]);
	for (const [text, expected] of [
		["abcd", 0],
		["efgh", 1],
		["abce", -1],
		["abcde", -1],
		["ab", -1],
		["", -1],
	] as const) {
		assert.equal(findUsualText(usual, Buffer.from(text), 0, text.length), expected, text);
	}
});

test("RFC 3261 §25.1 escaped octets: as in texts, and nothing behind the end is looked at", () => {
	const cases: [string, number, number][] = [
		["a%41b", 5, 5],
		["a%4", 3, 1],
		["a%4g", 4, 1],
		["a%g4", 4, 1],
		["%41", 0, 0],
		["a%41", 3, 1],
		["%41%42", 6, 6],
	];
	for (const [text, end, expected] of cases) {
		assert.equal(skipEscapedOctets(octetsOf(text), 0, end, CharClass.user), expected, text);
	}
});
