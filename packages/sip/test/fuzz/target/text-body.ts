/** Message bodies: a media type, an empty line, octets. Finds the part for a person and reads it as text. */
import assert from "node:assert/strict";
import { findBodyPart } from "../../../src/body/multipart.ts";
import { decodeTextBody, htmlToText } from "../../../src/body/text-body.ts";
import { parseMediaType } from "../../../src/header/media-type.ts";
import { CORPUS_FOLDER, readCorpusFiles } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";

const HEAD_END = Buffer.from("\r\n\r\n", "latin1");

export function createTextBodyTarget(): FuzzTarget {
	return {
		name: "text-body",
		summary: "message bodies: multipart, charsets, HTML",
		sources: ["/sip/src/body/multipart.ts", "/sip/src/body/text-body.ts", "/sip/src/header/media-type.ts"],
		seeds: readCorpusFiles(CORPUS_FOLDER, ".body"),
		tokens: [
			"multipart/alternative",
			"multipart/mixed;boundary=in",
			";boundary=",
			";charset=utf-16",
			";charset=iso-2022-jp",
			"text/html",
			"--x y\r\n",
			"--x y--",
			"--in\r\n",
			"Content-Type: ",
			"Content-Transfer-Encoding: base64\r\n",
			"\r\n\r\n",
			"<",
			">",
			"</",
			"<!--",
			"-->",
			"<p>",
			"<br/>",
			"<script>",
			"</script>",
			"<style>",
			"&",
			";",
			"&#",
			"&#x110000;",
			"&#55296;",
			"&nbsp;",
			"\xff",
			"\xc3\xa9",
		],
		run: readBody,
	};
}

function readBody(input: Uint8Array): string {
	const octets = Buffer.from(input);
	const end = octets.indexOf(HEAD_END);
	const head = octets.toString("latin1", 0, end === -1 ? octets.length : end);
	const type = parseMediaType(head, 0, head.length);
	if (!type.ok) return type.fault.detail;
	const body = end === -1 ? new Uint8Array(0) : input.subarray(end + HEAD_END.length);
	if (type.value.type !== "multipart")
		return `single ${readText(type.value.subtype, decodeTextBody(type.value, body))}`;
	const part = findBodyPart(type.value, body, ({ type: main }) => main === "text");
	if (!part.ok) return part.fault.detail;
	if (part.value === undefined) return "no part";
	assert.ok(part.value.body.length <= body.length, "a part is longer than its body");
	const { contentType } = part.value;
	return `part ${readText(contentType?.subtype ?? "plain", decodeTextBody(contentType, part.value.body))}`;
}

function readText(subtype: string, decoded: ReturnType<typeof decodeTextBody>): string {
	if (!decoded.ok) return decoded.fault.code;
	const text = htmlToText(decoded.value);
	assert.ok(text.length <= decoded.value.length, "HTML became longer as text");
	return `${subtype === "html"} ${Math.min(text.split("\n").length, 20)} ${text.length === 0}`;
}
