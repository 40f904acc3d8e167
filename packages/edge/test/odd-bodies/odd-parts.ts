/** Odd bodies made of parts, packed ones, and types that are no text. */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { ascii, HIDDEN, join, type Maker, message, type OddBody, repeated, utf8 } from "./odd-body.ts";

type Make = (maker: Maker) => OddBody;

/** 32 MiB each, once they are unpacked; some 32 KiB as they are. */
const LARGE = Buffer.alloc(32 * 1024 * 1024, "a");
const BOMBS: readonly Uint8Array[] = [gzipSync(LARGE), deflateSync(LARGE)];
/** A bomb in a bomb. */
const NESTED_BOMB = gzipSync(gzipSync(LARGE, { level: 1 }));
const SMALL_BOMB = brotliCompressSync(Buffer.alloc(1024 * 1024, "a"));
const ENCODINGS: readonly string[] = [
	"gzip",
	"deflate",
	"br",
	"zstd",
	"x-gzip",
	"gzip, gzip",
	"GZIP",
	"none",
	'"',
	"gzip;q=1",
];
const OTHER_TYPES: readonly string[] = [
	"image/gif",
	"image/png",
	"application/x-ms-ink",
	"text/x-msmsgsinvite",
	"application/octet-stream",
	"application/gzip",
	"application/zip",
	"message/rfc822",
	"message/cpim",
	"message/sipfrag",
	"application/xml",
	"application/pidf+xml",
	"application/sdp",
	"text/xml",
	"text/calendar",
	"text/javascript",
	"application/json",
	"application/x-www-form-urlencoded",
	"text/plainx",
	"x-text/plain",
	"application/pkcs7-mime",
	"application/vnd.ms-excel",
];
/** No media type, or one with something wrong behind it. */
const NO_TYPES: readonly string[] = [
	"text",
	"/",
	"text/",
	"/plain",
	"text plain",
	"text/plain charset=utf-8",
	"text/plain; charset",
	'text/plain; charset="',
	"text/plain;;;",
	"text/plain; =x",
	"text/plain, text/html",
	"text/plain\u0001",
	"*/*",
	`text/plain; x=${"y".repeat(7_000)}`,
	`text/plain; ${"a=b;".repeat(1_500)}c=d`,
	"multipart/",
];

function parts(boundary: string, ...bodies: readonly string[]): string {
	return `${bodies.map((body) => `--${boundary}\r\n${body}\r\n`).join("")}--${boundary}--\r\n`;
}

function plainPart(text: string): string {
	return `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`;
}

const alternative: Make = (maker) => {
	const filler = repeated("text ", maker.length() / 2);
	const html = `Content-Type: text/html\r\n\r\n<script>${HIDDEN}</script><b>${filler}</b>`;
	const body = `${HIDDEN}\r\n${parts("b", plainPart(maker.word + filler), html)}${HIDDEN}`;
	return message(maker, "multipart, with plain", "multipart/alternative; boundary=b", utf8(body), "word");
};

/** The text lies five levels down or more. */
const nested: Make = (maker) => {
	let body = plainPart(maker.word);
	const depth = 5 + maker.below(400);
	for (let level = 1; level <= depth; level += 1) {
		body = `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n${parts(`b${level}`, body)}`;
	}
	const whole = parts("top", body);
	return message(maker, "multipart, nested", "multipart/mixed; boundary=top", ascii(whole.slice(0, 65_000)), "nothing");
};

const manyParts: Make = (maker) => {
	const count = 65 + maker.below(1_500);
	const pictures = Array.from({ length: count }, () => `Content-Type: image/gif\r\n\r\n${HIDDEN}`);
	const body = ascii(parts("b", ...pictures, plainPart(maker.word))).subarray(0, 65_000);
	return message(maker, "multipart, many parts", "multipart/mixed; boundary=b", body, "nothing");
};

const brokenParts: Make = (maker) => {
	const type = maker.pick([
		"multipart/mixed",
		'multipart/mixed; boundary=""',
		`multipart/mixed; boundary=${"b".repeat(71)}`,
		"multipart/alternative; boundary=--",
		"multipart/related; boundary=b; type=text/html",
		"multipart/signed; boundary=b",
	]);
	const broken = maker.pick([
		"--b\r\n",
		"--b--",
		"--b \t\r\n\r\n",
		"--b\n",
		"----\r\n",
		"\r\n--b\r\n\r\n--b",
		"--bb\r\n",
	]);
	return message(maker, "multipart, broken", type, ascii(repeated(broken, maker.length())), "perhaps");
};

/** A text that is only in base64, or packed and in base64: no part that is read. */
const base64Nest: Make = (maker) => {
	let inner = maker.below(2) === 0 ? utf8(HIDDEN.repeat(20)) : SMALL_BOMB;
	const most = maker.length() / 2;
	while (inner.length < most) inner = ascii(Buffer.from(join(inner, ascii(HIDDEN))).toString("base64"));
	const part = `Content-Type: text/plain\r\nContent-Transfer-Encoding: ${maker.pick(["base64", "quoted-printable", "x-uue", "BASE64"])}\r\n\r\n${Buffer.from(inner).toString("latin1")}`;
	return message(maker, "multipart, base64", "multipart/mixed; boundary=b", ascii(parts("b", part)), "nothing");
};

const packed: Make = (maker) => {
	const body = maker.below(4) === 0 ? NESTED_BOMB : maker.pick(BOMBS);
	const encoding = maker.pick(ENCODINGS);
	return message(
		maker,
		"packed",
		maker.pick(["text/plain", "text/html", "application/sdp"]),
		body.subarray(0, 65_000),
		"nothing",
		{
			headers: [`Content-Encoding: ${encoding}`],
		},
	);
};

const otherType: Make = (maker) => {
	const body = maker.below(2) === 0 ? maker.octets(maker.length()) : maker.pick(BOMBS).subarray(0, 65_000);
	return message(maker, "other type", maker.pick(OTHER_TYPES), body, "nothing");
};

const noType: Make = (maker) =>
	message(maker, "broken type", maker.pick(NO_TYPES), utf8(maker.word + repeated("text ", maker.length())), "perhaps");

const COMPOSING = "urn:ietf:params:xml:ns:im-iscomposing";

const composing: Make = (maker) => {
	const length = maker.length();
	const entities = Array.from(
		{ length: 20 },
		(_, index) => `<!ENTITY e${index + 1} "${`&e${index};`.repeat(10)}">`,
	).join("");
	const xml = maker.pick([
		`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "${HIDDEN}">${entities}]><isComposing xmlns="${COMPOSING}"><state>&e20;</state></isComposing>`,
		`<isComposing xmlns="${COMPOSING}">${repeated("<a>", length)}`,
		`<isComposing xmlns="${COMPOSING}" ${Array.from({ length: 2_000 }, (_, index) => `a${index}="b"`).join(" ")}/>`,
		`<?xml version="1.0" encoding="utf-16"?><isComposing xmlns="${COMPOSING}"><state>active</state></isComposing>`,
		`<!DOCTYPE x SYSTEM "file:///etc/passwd"><isComposing xmlns="${COMPOSING}"><state>&x;</state></isComposing>`,
		repeated("&lt;", length),
		repeated("]]>", length),
	]);
	return message(maker, "typing", "application/im-iscomposing+xml", utf8(xml), "nothing", { statuses: [200, 400] });
};

const info: Make = (maker) => {
	const length = maker.length();
	const xml = maker.pick([
		'<KeyboardActivity><status status="type"/></KeyboardActivity>',
		`<KeyboardActivity>${repeated("<status>", length)}`,
		`<!DOCTYPE x [<!ENTITY a "${HIDDEN}">]><KeyboardActivity>&a;</KeyboardActivity>`,
		repeated("<", length),
	]);
	return message(maker, "INFO", "application/xml", utf8(xml), "nothing", { method: "INFO", statuses: [200] });
};

const report: Make = (maker) =>
	message(maker, "delivery report", "application/ms-imdn+xml", maker.octets(maker.length()), "nothing", {
		statuses: [200],
	});

const empty: Make = (maker) =>
	message(maker, "empty", maker.pick([...OTHER_TYPES, "text/plain", "multipart/mixed"]), new Uint8Array(0), "nothing", {
		statuses: [200],
	});

/** Over the limit of a text, under that of a body. */
const large: Make = (maker) => {
	const length = 65_537 + maker.below(196_000);
	const filler = Buffer.alloc(length, maker.pick(["a", "<", "{", "\0", "&", "--b\r\n"]));
	const type = maker.pick(["text/plain", "text/html", "text/rtf", "multipart/mixed; boundary=b", "image/gif"]);
	return message(maker, "large", type, filler, "nothing", { statuses: [513] });
};

const MEDIA = "m=message 5060 sip/tcp *\r\n";
const SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

/** Bodies of a call: what is no offer of ours is refused, and a good one in odd company taken. */
const invite: Make = (maker) => {
	const length = maker.length();
	const any = [200, 400, 413, 415, 488];
	const [type, body, statuses] = maker.pick<readonly [string, string, readonly number[]]>([
		["application/sdp", `${SDP}${repeated("m=audio 9 RTP/AVP 0\r\n", length)}`, [400, 413, 488]],
		["application/sdp", `${SDP}${repeated("a=x\r\n", length)}${MEDIA}`, any],
		["application/sdp", `${SDP}m=message 5060 sip/tcp *\r\n${repeated("a=x:\u0001\r\n", length)}`, any],
		["application/sdp", repeated("v=0\r\n", length), [400, 413, 488]],
		["application/sdp", repeated("=", length), [400, 413, 488]],
		["application/ms-conf-invite+xml", repeated("<x>", length), [415]],
		["multipart/mixed; boundary=b", parts("b", `Content-Type: image/gif\r\n\r\n${repeated("x", length)}`), [415]],
		[
			"multipart/mixed; boundary=b",
			parts("b", plainPart(HIDDEN), `Content-Type: application/sdp\r\n\r\n${SDP}${MEDIA}`),
			[200],
		],
		["text/plain", repeated(`${HIDDEN} `, length), [415]],
		["", repeated("x", length), any],
	]);
	return message(maker, "INVITE", type === "" ? undefined : type, ascii(body), "nothing", {
		method: "INVITE",
		statuses,
	});
};

export const ODD_PARTS: readonly Make[] = [
	alternative,
	nested,
	manyParts,
	brokenParts,
	base64Nest,
	packed,
	packed,
	otherType,
	otherType,
	noType,
	composing,
	info,
	report,
	empty,
	large,
	large,
	invite,
];
