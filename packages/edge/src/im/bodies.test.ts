import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequest } from "@causeway/sip";
import { type Arrived, LONGEST_MESSAGE_BYTES, readArrived } from "./bodies.ts";

const ACCEPTED = "text/plain, text/html, text/rtf, multipart/alternative, application/im-iscomposing+xml";

function read(type: string, body: string, headers: readonly (readonly [string, string])[] = []): Arrived {
	return readArrived(
		createRequest({
			method: "MESSAGE",
			requestUri: "sip:alice@sip.contoso.example",
			headers: [
				["Via", "SIP/2.0/TLS sip.fabrikam.example;branch=z9hG4bK1"],
				["From", "<sip:lena@fabrikam.example>;tag=1"],
				["To", "<sip:alice@contoso.example>;tag=2"],
				["Call-ID", "call"],
				["CSeq", "2 MESSAGE"],
				...headers,
				["Content-Type", type],
			],
			body: Buffer.from(body),
		}),
	);
}

const parts = (plain: string, html: string): string =>
	["--b", "Content-Type: text/plain", "", plain, "--b", "Content-Type: text/html", "", html, "--b--", ""].join("\r\n");

const cases: readonly (readonly [name: string, type: string, body: string, expected: Arrived])[] = [
	["plain text", "text/plain", "hello", { kind: "text", text: "hello" }],
	["white space is what somebody wrote", "text/plain", " \n", { kind: "text", text: " \n" }],
	["nothing but a byte order mark", "text/plain", "\ufeff", { kind: "nothing" }],
	[
		"control characters, which only a terminal would read",
		"text/plain",
		"a\u0000b\u001b[31mc\u009b\u007f\td\r\ne",
		{ kind: "text", text: "ab[31mc\td\r\ne" },
	],
	[
		"nothing but control characters",
		"text/plain",
		"\u0000\u001b",
		{ kind: "refused", status: 415, code: "no-text", accept: "text/plain" },
	],
	["control characters that HTML spells out", "text/html", "a&#x9b;&#127;b", { kind: "text", text: "ab" }],
	["HTML becomes text", "text/html", "<p>a &amp; b</p>", { kind: "text", text: "a & b" }],
	[
		"HTML without a word",
		"text/html",
		"<img src='x'>",
		{ kind: "refused", status: 415, code: "no-text", accept: "text/plain" },
	],
	["RTF becomes text", "text/rtf", "{\\rtf1 a\\par b}", { kind: "text", text: "a\nb" }],
	["RTF that is none", "application/rtf", "a", { kind: "refused", status: 415, code: "bad-rtf", accept: "text/plain" }],
	[
		"RTF where it is the only part with a word",
		"multipart/alternative;boundary=b",
		"--b\r\nContent-Type: text/rtf\r\n\r\n{\\rtf1 rich}\r\n--b--",
		{ kind: "text", text: "rich" },
	],
	[
		"the plain part of two",
		"multipart/alternative;boundary=b",
		parts("hello", "<b>hello</b>"),
		{ kind: "text", text: "hello" },
	],
	[
		"the other part where the plain one is blank",
		"multipart/alternative;boundary=b",
		parts(" ", "<b>hi</b>"),
		{ kind: "text", text: "hi" },
	],
	["a delivery report", "application/ms-imdn+xml", "<imdn/>", { kind: "nothing" }],
	["a picture", "image/gif", "GIF89a", { kind: "refused", status: 415, code: "content-type", accept: ACCEPTED }],
	[
		"too much",
		"text/plain",
		"x".repeat(LONGEST_MESSAGE_BYTES + 1),
		{ kind: "refused", status: 513, code: "message-too-large" },
	],
];

for (const [name, type, body, expected] of cases) {
	test(`protocol 3.6: ${name}`, () => assert.deepEqual(read(type, body), expected));
}

test("security 1: nothing is unpacked, and identity is no packing", () => {
	const refused = { kind: "refused", status: 415, code: "content-encoding", accept: ACCEPTED };
	assert.deepEqual(read("text/plain", "hello", [["Content-Encoding", "gzip"]]), refused);
	assert.deepEqual(read("text/plain", "hello", [["Content-Encoding", "identity"]]), { kind: "text", text: "hello" });
});
