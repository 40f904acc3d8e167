/** Odd bodies that say they are text: plain in all charsets, HTML, RTF. */
import { ascii, HIDDEN, join, type Maker, message, type OddBody, repeated, utf8 } from "./odd-body.ts";

type Make = (maker: Maker) => OddBody;

const EXOTIC: readonly string[] = [
	"\u{1f600}",
	"\u{10fffd}",
	"\u202e",
	"\u2066",
	"\u200f",
	"e\u0301\u0323",
	"\ufdd0",
	"\u0915\u094d\u0937",
	"\u3042",
	"<script>",
	"$(x)",
	"'; --",
	"\t",
	"\r\n",
	"\n",
	"&lt;",
	"%0d%0a",
];
const CONTROLS: readonly string[] = [
	"\u0000",
	"\u001b[2J",
	"\u0007",
	"\u009b31m",
	"\u007f",
	"\b",
	"a",
	"\u000c",
	"\u0085",
];
const CHARSETS: readonly string[] = [
	"utf-8",
	"UTF-16",
	"utf-16le",
	"utf-16be",
	"us-ascii",
	"iso-8859-1",
	"windows-1252",
	"shift_jis",
	"gb18030",
	"big5",
	"euc-kr",
	"koi8-r",
	"iso-2022-jp",
	"x-user-defined",
	"replacement",
	'"utf-8"',
	"x-mac-cyrillic",
];
const NO_CHARSETS: readonly string[] = [
	"utf-7",
	"ebcdic-cp-us",
	"x-none",
	"unicode-1-1-utf-7",
	"utf-32",
	"__proto__",
	"constructor",
	'"utf-8; evil"',
	"utf-8-not",
];
/** Each makes the whole body no UTF-8. */
const BROKEN: readonly (readonly number[])[] = [
	[0xc0, 0xaf],
	[0xed, 0xa0, 0x80],
	[0xf5, 0x80, 0x80, 0x80],
	[0xff],
	[0xfe, 0xff],
	[0xe0, 0x80, 0xaf],
	[0xf4, 0x90, 0x80, 0x80],
	[0x80],
	[0xf0, 0x9f, 0x98],
];

const HIDING_MARKUP: readonly string[] = [
	`<script>alert("${HIDDEN}")</script>`,
	`<SCRIPT type=x>${HIDDEN}</SCRIPT >`,
	`<style>${HIDDEN}{}</style>`,
	`<!-- ${HIDDEN} -->`,
	`<img src="${HIDDEN}" onerror='${HIDDEN}'>`,
	`<a href=javascript:${HIDDEN}>x</a>`,
	`<?php ${HIDDEN} ?>`,
	`<!DOCTYPE ${HIDDEN}>`,
	`<title>${HIDDEN}</title>`,
	`<svg onload=${HIDDEN}>`,
];
const MARKUP_FLOODS: readonly string[] = [
	"<div>",
	"<",
	"<!--",
	"&",
	"&#",
	"<a href='",
	"</",
	"<script",
	"&lt;",
	'<b x="',
	"]]>",
];
const RTF_FLOODS: readonly string[] = [
	"{",
	"\\bin99999999 ",
	"\\u-1?",
	"\\u55357?",
	"\\'",
	"\\'zz",
	"{\\*",
	"\\ansicpg99999 ",
	"\\uc999999 ",
	"}",
	"\\par ",
	"\\fonttbl",
	"\\",
];

const plainExotic: Make = (maker) => {
	const length = Math.floor(maker.length() / 8);
	return message(
		maker,
		"plain, exotic",
		"text/plain; charset=UTF-8",
		utf8(maker.word + maker.text(length, EXOTIC)),
		"word",
	);
};

const plainControls: Make = (maker) => {
	const length = Math.floor(maker.length() / 4);
	return message(maker, "plain, controls", "text/plain", utf8(maker.text(length, CONTROLS) + maker.word), "word");
};

const plainBroken: Make = (maker) => {
	const before = utf8(maker.text(Math.floor(maker.length() / 2), ["a", "\u00e9", " "]));
	const body = join(utf8(maker.word), before, Uint8Array.from(maker.pick(BROKEN)));
	return message(
		maker,
		"plain, broken UTF-8",
		maker.pick(["text/plain", "text/plain; charset=utf-8"]),
		body,
		"nothing",
	);
};

const plainAnyCharset: Make = (maker) =>
	message(
		maker,
		"plain, any charset",
		`text/plain; charset=${maker.pick(CHARSETS)}`,
		maker.octets(maker.length()),
		"perhaps",
	);

const plainNoCharset: Make = (maker) => {
	const body = utf8(maker.word + repeated("+ADw-script+AD4-", maker.length()));
	return message(maker, "plain, no charset", `text/plain; charset=${maker.pick(NO_CHARSETS)}`, body, "nothing");
};

const html: Make = (maker) => {
	const hidden = maker.text(Math.floor(maker.length() / 40), [...HIDING_MARKUP, "<p>", "<br/>", "&#x1b;", "&amp;"]);
	return message(maker, "html, hiding", "text/html; charset=utf-8", utf8(`<p>${maker.word}</p>${hidden}`), "word");
};

const htmlFlood: Make = (maker) => {
	const body = maker.text(3, MARKUP_FLOODS) + repeated(maker.pick(MARKUP_FLOODS), maker.length());
	return message(maker, "html, flood", "text/html", utf8(body), "perhaps");
};

const htmlWordless: Make = (maker) =>
	message(
		maker,
		"html, wordless",
		"text/html",
		utf8(repeated(maker.pick(HIDING_MARKUP.slice(0, 5)), maker.length())),
		"nothing",
	);

const rtf: Make = (maker) => {
	const hidden = `{\\*\\x ${HIDDEN}}{\\pict ${HIDDEN}}{\\fonttbl{\\f0 ${HIDDEN};}}{\\object\\objdata ${HIDDEN}}`;
	const body = `{\\rtf1\\ansi ${repeated(hidden, maker.length())}${maker.word}\\par}`;
	return message(maker, "rtf, hiding", maker.pick(["text/rtf", "application/rtf"]), ascii(body), "word");
};

const rtfFlood: Make = (maker) => {
	const flood = maker.text(4, RTF_FLOODS) + repeated(maker.pick(RTF_FLOODS), maker.length());
	return message(maker, "rtf, flood", "text/rtf", ascii(`{\\rtf1 ${flood}}`), "perhaps");
};

const untyped: Make = (maker) =>
	maker.below(2) === 0
		? message(maker, "no type, text", undefined, utf8(maker.word + repeated("text ", maker.length())), "word")
		: message(maker, "no type, octets", undefined, join(maker.octets(maker.length()), Uint8Array.of(0xff)), "nothing");

export const ODD_TEXTS: readonly Make[] = [
	plainExotic,
	plainControls,
	plainBroken,
	plainAnyCharset,
	plainAnyCharset,
	plainNoCharset,
	html,
	htmlFlood,
	htmlWordless,
	rtf,
	rtfFlood,
	untyped,
];
