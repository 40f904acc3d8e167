import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { latin1ToOctets, octetsToLatin1 } from "./octets.ts";
import type { Sdp } from "./sdp.ts";
import { acceptTypes, createSdp, formatSdp, MAX_SDP_BYTES, parseSdp, rejectMedia } from "./sdp.ts";

const HEAD = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

function read(text: string | Uint8Array): Sdp {
	const result = parseSdp(text);
	assert.ok(result.ok, result.ok ? "" : result.fault.detail);
	return result.value;
}

function faultOf(text: string | Uint8Array): { code: string; offset: number; status: number } {
	const result = parseSdp(text);
	assert.ok(!result.ok);
	return { code: result.fault.code, offset: result.fault.offset, status: result.fault.status };
}

const mediaLines: readonly (readonly [
	line: string,
	media: string,
	port: number,
	ports: number | undefined,
	transport: string,
	formats: readonly string[],
])[] = [
	["m=message 5060 sip/tcp *", "message", 5060, undefined, "sip/tcp", ["*"]],
	["m=message 5060 sip sip:alice@contoso.example", "message", 5060, undefined, "sip", ["sip:alice@contoso.example"]],
	["m=message 5060 sip null", "message", 5060, undefined, "sip", ["null"]],
	["m=message 5060 sip", "message", 5060, undefined, "sip", []],
	["m=x-ms-message 15064 sip sip:alice@a", "x-ms-message", 15064, undefined, "sip", ["sip:alice@a"]],
	["m=message 0 SIP/TCP *", "message", 0, undefined, "SIP/TCP", ["*"]],
	["m=message  5060  TCP/SIP  *", "message", 5060, undefined, "TCP/SIP", ["*"]],
	["m=audio 49170/2 RTP/AVP 0 8 101", "audio", 49170, 2, "RTP/AVP", ["0", "8", "101"]],
];

test("REQ-24, REQ-27: every known shape of m-line is decoded and survives byte for byte", () => {
	for (const [line, media, port, ports, transport, formats] of mediaLines) {
		const text = `${HEAD}${line}\r\n`;
		const sdp = read(text);
		assert.deepEqual(sdp.media, [{ index: 0, line, media, port, ports, transport, formats, attributes: [] }], line);
		assert.equal(octetsToLatin1(formatSdp(sdp)), text);
	}
});

test("REQ-30: unknown lines, unknown attributes, bare LF, empty lines and a missing last line end are kept in order", () => {
	const texts = [
		"v=0\no=- 1 1 IN IP4 a\ns=-\nt=0 0\nm=message 5060 sip/tcp *\n",
		`${HEAD}z=2882844526 -1h\r\nq=what\r\na=x-odd\r\nm=message 5060 sip null\r\nz=0\r\na=b:c:d\r\na=e`,
		`${HEAD}m=message 5060 sip/tcp *\r\n\r\n`,
		"v=0",
		"v=0\r\ns=caf\u00c3\u00a9\r\n",
	];
	for (const text of texts) {
		assert.equal(octetsToLatin1(formatSdp(read(text))), text);
		assert.deepEqual(read(formatSdp(read(text))), read(text));
	}
	assert.deepEqual(read(texts[1] ?? "").attributes, [{ name: "x-odd", value: undefined }]);
	assert.deepEqual(read(texts[1] ?? "").media[0]?.attributes, [
		{ name: "b", value: "c:d" },
		{ name: "e", value: undefined },
	]);
});

test("§5.14: attributes belong to the media line above them", () => {
	const sdp = read(`${HEAD}a=s\r\nm=audio 1 RTP/AVP 0\r\na=one\r\nm=message 5060 sip null\r\na=two\r\n`);
	assert.deepEqual(
		sdp.media.map((media) => [media.index, media.media, media.attributes.map((attribute) => attribute.name)]),
		[
			[0, "audio", ["one"]],
			[1, "message", ["two"]],
		],
	);
});

test("REQ-31: a refused media line keeps everything but its port", () => {
	const refused: readonly (readonly [string, string])[] = [
		["m=audio 49170 RTP/AVP 0 8", "m=audio 0 RTP/AVP 0 8"],
		["m=audio 49170/2 RTP/AVP 0", "m=audio 0 RTP/AVP 0"],
		["m=message 2855 TCP/MSRP *", "m=message 0 TCP/MSRP *"],
		["m=x-data  5060  sip  null", "m=x-data  0  sip  null"],
		["m=5060 5060 5060 5060", "m=5060 0 5060 5060"],
	];
	for (const [line, expected] of refused) {
		const media = read(`${HEAD}${line}\r\n`).media[0];
		assert.ok(media);
		assert.equal(rejectMedia(media), expected);
	}
});

test("§5: what is no session description is refused with its place", () => {
	const bad: readonly (readonly [string, string, number])[] = [
		["empty", "", 0],
		["no version line", "hello", 0],
		["foreign version", "v=1\r\n", 0],
		["line without type letter", "v=0\r\nhello\r\n", 5],
		["NUL", "v=0\r\ns=a\u0000b\r\n", 5],
		["bare CR", "v=0\r\ns=a\rb\r\n", 5],
		["character above U+00FF", "v=0\r\ns=\u20ac\r\n", 5],
		["media line too short", `${HEAD}m=message 5060\r\n`, HEAD.length],
		["port no number", `${HEAD}m=message 0x10 sip *\r\n`, HEAD.length],
		["port negative", `${HEAD}m=message -1 sip *\r\n`, HEAD.length],
		["port too large", `${HEAD}m=message 65536 sip *\r\n`, HEAD.length],
		["count no number", `${HEAD}m=message 5060/a sip *\r\n`, HEAD.length],
		["two counts", `${HEAD}m=message 5060/1/1 sip *\r\n`, HEAD.length],
		["65 media lines", HEAD + "m=message 5060 sip *\r\n".repeat(65), HEAD.length + 64 * 22],
		["1001 lines", `v=0\r\n${"a=b\r\n".repeat(1000)}`, 5 + 999 * 5],
	];
	for (const [name, text, offset] of bad) {
		assert.deepEqual(faultOf(text), { code: "bad-sdp", offset, status: 400 }, name);
	}
	assert.equal(faultOf(`v=0\r\ns=${"x".repeat(MAX_SDP_BYTES)}`).code, "sdp-too-large");
	assert.equal(faultOf(new Uint8Array(MAX_SDP_BYTES + 1)).status, 413);
});

test("limits: 1000 lines, 64 media lines and 64 KiB are still read", () => {
	assert.equal(read(`v=0\r\n${"a=b\r\n".repeat(999)}`).lines.length, 1000);
	assert.equal(read(HEAD + "m=message 5060 sip *\r\n".repeat(64)).media.length, 64);
	assert.equal(read(`v=0\r\ns=${"x".repeat(MAX_SDP_BYTES - 7)}`).lines.length, 2);
});

test("REQ-25: our offer carries the profile's literal media line", () => {
	const sdp = createSdp({
		originId: 3902411,
		originVersion: 1,
		host: "sip.contoso.example",
		sessionName: "session",
		media: [{ line: "message 5060 sip/tcp *", attributes: ["accept-types:text/plain text/html"] }],
		attributes: ["x-test"],
	});
	assert.equal(
		octetsToLatin1(formatSdp(sdp)),
		"v=0\r\no=- 3902411 1 IN IP4 sip.contoso.example\r\ns=session\r\nc=IN IP4 sip.contoso.example\r\nt=0 0\r\n" +
			"a=x-test\r\nm=message 5060 sip/tcp *\r\na=accept-types:text/plain text/html\r\n",
	);
	const other = createSdp({ originId: 1, originVersion: 1, host: "2001:db8::1", sessionName: "caf\u00e9", media: [] });
	assert.equal(
		octetsToLatin1(formatSdp(other)),
		"v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=caf\u00c3\u00a9\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n",
	);
});

test("a value that would break out of its line is our own bug and throws", () => {
	for (const value of ["a\r\nm=audio 1 RTP/AVP 0", "a\nb", "a\rb", "a\u0000b"]) {
		assert.throws(() => createSdp({ originId: 1, originVersion: 1, host: "a", sessionName: value, media: [] }), value);
		assert.throws(() =>
			createSdp({ originId: 1, originVersion: 1, host: "a", media: [{ line: `message 1 sip ${value}` }] }),
		);
	}
	assert.throws(() => createSdp({ originId: 1, originVersion: 1, host: "a", media: [{ line: "message" }] }));
});

test("accept-types: the medium's list wins, then the session's, then none; case, blanks and parameters do not matter", () => {
	const table: readonly (readonly [string, string, readonly string[] | undefined])[] = [
		["", "", undefined],
		["", "a=accept-types:text/plain Text/HTML \r\n", ["text/plain", "text/html"]],
		["a=accept-types:text/plain\r\n", "", ["text/plain"]],
		["a=accept-types:text/plain\r\n", "a=Accept-Types: * text/x;charset=utf-8\r\n", ["*", "text/x"]],
		["", "a=accept-types\r\n", undefined],
		["", "a=accept-types:\r\n", []],
	];
	for (const [session, media, expected] of table) {
		const sdp = read(`${HEAD}${session}m=message 5060 sip/tcp *\r\n${media}`);
		const [line] = sdp.media;
		assert.ok(line);
		assert.deepEqual(acceptTypes(sdp, line), expected);
	}
});

test("property: any octets are read or refused, and what is read is written back unchanged", () => {
	const fragments = fc.array(
		fc.oneof(
			fc.constantFrom("v=0", "\r\n", "\n", "m=", "a=", "message", " ", "5060", "/", "sip/tcp", "*", "\r", "\u0000"),
			fc.string({ unit: "binary-ascii", maxLength: 5 }),
		),
	);
	fc.assert(
		fc.property(
			fc.oneof(
				fc.uint8Array({ maxLength: 300 }),
				fragments.map((parts) => `v=0\r\n${parts.join("")}`),
			),
			(source) => {
				const result = parseSdp(source);
				if (!result.ok) return;
				const octets = typeof source === "string" ? latin1ToOctets(source) : source;
				assert.deepEqual(formatSdp(result.value), octets);
				for (const media of result.value.media) assert.equal(parseSdp(`v=0\n${rejectMedia(media)}`).ok, true);
			},
		),
	);
});
