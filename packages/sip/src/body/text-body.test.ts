import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MediaType } from "../header/media-type.ts";
import { parseMediaType } from "../header/media-type.ts";
import { decodeTextBody, htmlToText } from "./text-body.ts";

function mediaType(text: string): MediaType {
	const read = parseMediaType(text, 0, text.length);
	assert.ok(read.ok, text);
	return read.value;
}

function decode(contentType: string | undefined, octets: readonly number[]): string {
	const type = contentType === undefined ? undefined : mediaType(contentType);
	const text = decodeTextBody(type, new Uint8Array(octets));
	return text.ok ? text.value : `fault ${text.fault.code} ${text.fault.status}`;
}

test("RFC 3428: text is decoded by the charset it names, UTF-8 where it names none", () => {
	const table: readonly (readonly [string | undefined, readonly number[], string])[] = [
		[undefined, [0x63, 0xc3, 0xa9], "c\u00e9"],
		["text/plain", [0xf0, 0x9f, 0x98, 0x80], "\u{1f600}"],
		["text/plain;charset=UTF-8", [0xc3, 0xa9], "\u00e9"],
		['text/plain; charset="utf-8"', [0xc3, 0xa9], "\u00e9"],
		["text/plain;charset=UTF-8;msgr=WABN", [0x61], "a"],
		["text/plain;charset=utf-8", [0xef, 0xbb, 0xbf, 0x61], "a"],
		["text/plain;charset=us-ascii", [0x61], "a"],
		["text/plain;charset=ISO-8859-1", [0xe9], "\u00e9"],
		["text/plain;charset=windows-1251", [0xe9], "\u0439"],
		["text/plain;charset=utf-16le", [0x61, 0x00], "a"],
		["text/plain;charset=utf-16", [0x61, 0x00], "a"],
		["text/plain;charset=utf-16", [0xff, 0xfe, 0x61, 0x00], "a"],
		["text/plain;charset=UTF-16", [0xfe, 0xff, 0x00, 0x61], "a"],
		["text/plain", [], ""],
		["text/plain", [0xc3, 0x28], "fault bad-text 415"],
		["text/plain", [0xed, 0xa0, 0x80], "fault bad-text 415"],
		["text/plain;charset=utf-16", [0x61], "fault bad-text 415"],
		["text/plain;charset=utf-7", [0x61], "fault bad-charset 415"],
		["text/plain;charset=klingon", [0x61], "fault bad-charset 415"],
	];
	for (const [type, octets, text] of table) assert.equal(decode(type, octets), text, `${type} ${octets.join(" ")}`);
});

test("HTML becomes what a person would read", () => {
	const table: readonly (readonly [string, string])[] = [
		["hello", "hello"],
		["<b>hel</b>lo", "hello"],
		["<html><head><title>t</title></head><body>a<br>b<BR/>c</body></html>", "a\nb\nc"],
		["<p>one</p>\r\n<p>two</p>", "one\n\ntwo"],
		["<DIV style=\"font-family:'Segoe UI'\">a  \r\n\t b</DIV>", "a b"],
		[
			"a &lt;b&gt; &amp;amp; &quot;c&quot; &#39;d&#x27; &nbsp;e &euro; &; & f",
			"a <b> &amp; \"c\" 'd'  e &euro; &; & f",
		],
		["&#x1F600;&#0;&#xD800;&#x110000;&#7;", "\u{1f600}&#0;&#xD800;&#x110000;&#7;"],
		["1 < 2 and I <3 you", "1 < 2 and I <3 you"],
		["a<!-- <b>c</b> -->d<!doctype x>e<?pi?>f", "adef"],
		["a<script>alert('<b>')</script >b<style>x{}</style>c", "abc"],
		["a<script>never closed", "a"],
		["a<!-- never closed", "a"],
		["a<b never closed", "a"],
		["&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"],
		["<li>1<li>2", "1\n2"],
		["", ""],
	];
	for (const [html, text] of table) assert.equal(htmlToText(html), text, html);
});

test("property: any text is read as HTML without an exception, and nothing grows", () => {
	const pieces = [
		"<",
		">",
		"/",
		"!",
		"--",
		"<br>",
		"<script>",
		"</script>",
		"&",
		"#",
		"x41",
		";",
		"amp",
		" ",
		"\n",
		"a",
	];
	fc.assert(
		fc.property(fc.array(fc.constantFrom(...pieces)), (parts) => {
			const html = parts.join("");
			assert.ok(htmlToText(html).length <= html.length);
		}),
		{ numRuns: 500 },
	);
});
