/** Prints how the time of each reader of the library grows with its input; exit code 1 where one is not linear. */
import { findBodyPart } from "../../src/body/multipart.ts";
import { parsePidf } from "../../src/body/pidf-read.ts";
import { parseSdp } from "../../src/body/sdp.ts";
import { htmlToText } from "../../src/body/text-body.ts";
import { parseIsComposing } from "../../src/body/typing.ts";
import { parseMediaType } from "../../src/header/media-type.ts";
import { parseNameAddr } from "../../src/header/name-addr.ts";
import { HeaderId } from "../../src/header/names.ts";
import { parseVia } from "../../src/header/via.ts";
import * as read from "../../src/message/fields.ts";
import { Framer } from "../../src/message/framer.ts";
import { DEFAULT_FRAMER_LIMITS, type FramerLimits } from "../../src/message/limits.ts";
import { parseMessage } from "../../src/message/parse.ts";
import { findSips } from "../../src/message/sips-check.ts";
import { compareUris } from "../../src/uri/compare-uris.ts";
import { parseUriText } from "../../src/uri/parse-uri.ts";
import { type DoublingCase, printDoubling } from "./measure-doubling.ts";
import { createMessageTarget } from "./target/message.ts";

const PIDF_START = '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:a="b" entity="sip:a@b.example">';
const MANDATORY =
	"Via: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\nFrom: <sip:a@b.example>;tag=1\r\nTo: <sip:c@d.example>\r\n" +
	"Call-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n";

/** Heads of one pattern: [name, what stands before, pattern, what stands behind]. */
const HEADS: readonly (readonly [name: string, start: string, pattern: string, end: string])[] = [
	["short fields", "", "a: b\r\n", ""],
	["fields of one known header", "", "m: <sip:a@b.example>\r\n", ""],
	["long fields", "", `X: ${"y".repeat(8_000)}\r\n`, ""],
	["one text field", "ms-text-format: ", "a", "\r\n"],
	["one field of folds", "X: a", "\r\n b", "\r\n"],
	["one field of blank folds", "X: a", "\r\n ", "\r\n"],
	["a list of commas", "Contact: a", ",", "\r\n"],
	["a list of addresses", "Contact: <sip:a@b.example>", ",<sip:a@b.example>", "\r\n"],
	["Routes of open brackets", "Route: ", "<", "\r\n"],
	["quotes", "Contact: ", '"', "\r\n"],
	["backslashes in a quote", 'Contact: "', "\\", "\r\n"],
	["parameters", "Event: presence", ";a=b", "\r\n"],
	["open comments", "Retry-After: 1 ", "(", "\r\n"],
	["sips in words", "Subject: ", "sips", "\r\n"],
	["tokens of Require", "Require: a", ", a", "\r\n"],
	["Via values", "v: SIP/2.0/TLS a", ",SIP/2.0/TLS a", "\r\n"],
	["Via fields", "", "v: SIP/2.0/TLS a\r\n", ""],
	["white space before the colon", "X", " ", ": a\r\n"],
	["a name without colon", "", "x", "\r\n"],
	["diagnostics", "", 'ms-diagnostics: 1;reason="x"\r\n', ""],
];

/** Without the limits on fields and lists, which would end most heads early. */
const WIDE_LIMITS: FramerLimits = {
	headBytes: 1 << 20,
	bodyBytes: 1 << 20,
	head: { startLineBytes: 1 << 20, fieldBytes: 1 << 20, textFieldBytes: 1 << 20, fields: 1 << 20, vias: 1 << 20 },
};

function filled(start: string, pattern: string, end: string, bytes: number): Buffer {
	const count = Math.max(1, Math.floor((bytes - start.length - end.length) / pattern.length));
	return Buffer.from(start + pattern.repeat(count) + end, "latin1");
}

function feed(limits: FramerLimits, size: number): (input: Uint8Array) => void {
	const ignore = (): void => {};
	return (input) => {
		const framer = new Framer(limits);
		const user = { frame: ignore, ping: ignore, pong: ignore, fault: ignore };
		for (let at = 0; at < input.length; at += size) framer.push(input.subarray(at, at + size), user);
	};
}

function textCase(
	reader: string,
	[name, start, pattern, end]: readonly [string, string, string, string],
	run: (text: string) => unknown,
): DoublingCase {
	return {
		name: `${reader}: ${name}`,
		create: (bytes) => filled(start, pattern, end, bytes),
		run: (input) => run(Buffer.from(input).toString("latin1")),
	};
}

function octetCase(
	reader: string,
	[name, start, pattern, end]: readonly [string, string, string, string],
	run: (input: Uint8Array) => unknown,
): DoublingCase {
	return { name: `${reader}: ${name}`, create: (bytes) => filled(start, pattern, end, bytes), run };
}

const message = createMessageTarget();
const startLine = "MESSAGE sip:c@d.example SIP/2.0\r\n";

function readUri(text: string): unknown {
	const uri = parseUriText(text);
	return uri.ok && compareUris(uri.value, uri.value);
}

/** The readers of fields by themselves, on heads that the usual limits would refuse. */
function readWithoutLimits(input: Uint8Array): void {
	const ignore = (): void => {};
	new Framer(WIDE_LIMITS).push(input, {
		frame: (frame) => {
			const outcome = parseMessage(frame.decode());
			if (!outcome.ok) return;
			const { message: wide } = outcome;
			for (const reader of [read.vias, read.contacts, read.routes, read.event, read.retryAfter]) reader(wide);
			read.tokens(wide, HeaderId.require);
			read.headerValuesByName(wide, "X");
			read.diagnostics(wide);
			read.verificationLevel(wide);
			findSips(wide);
		},
		ping: ignore,
		pong: ignore,
		fault: ignore,
	});
}

const multipart = parseMediaType("multipart/mixed;boundary=x", 0, 26);
const mixed = multipart.ok ? multipart.value : undefined;
const findPart = (body: Uint8Array): unknown => mixed && findBodyPart(mixed, body, ({ type }) => type === "none");

const cases: readonly DoublingCase[] = [
	...HEADS.flatMap(([name, start, pattern, end]): DoublingCase[] => {
		const head = [name, `${startLine}${MANDATORY}${start}`, pattern, `${end}\r\n`] as const;
		return [
			octetCase("message", head, (input) => message.run(input)),
			octetCase("readers without limits", head, readWithoutLimits),
		];
	}),
	octetCase("framer", ["octet by octet", `${startLine}X: `, "a", "\r\n\r\n"], feed(DEFAULT_FRAMER_LIMITS, 1)),
	octetCase("framer", ["CR CR CR octet by octet", `${startLine}X: `, "\r\n\r", ""], feed(WIDE_LIMITS, 1)),
	octetCase("framer", ["keep-alives", "", "\r\n", ""], feed(DEFAULT_FRAMER_LIMITS, 1 << 20)),
	octetCase(
		"framer",
		["a body octet by octet", `${startLine}Content-Length: 99999\r\n\r\n`, "a", ""],
		feed(WIDE_LIMITS, 1),
	),
	textCase("uri", ["user", "sip:", "a", "@b.example"], readUri),
	textCase("uri", ["escapes", "sip:", "%41", "@b.example"], readUri),
	textCase("uri", ["at signs", "sip:", "a@", "b.example"], readUri),
	textCase("uri", ["labels", "sip:", "a.", "b"], readUri),
	textCase("uri", ["colons in brackets", "sip:[", ":", "]"], readUri),
	textCase("uri", ["parameters", "sip:a@b.example", ";a=b", ""], readUri),
	textCase("uri", ["one parameter", "sip:a@b.example;a=", "%25", ""], readUri),
	textCase("uri", ["headers", "sip:a@b.example?a=b", "&a=b", ""], readUri),
	textCase("uri", ["another scheme", "tel:", "1", ""], readUri),
	textCase("name-addr", ["display name", "", "a ", "<sip:a@b.example>"], (text) => parseNameAddr(text, 0, text.length)),
	textCase("name-addr", ["quoted pairs", '"', "\\a", '" <sip:a@b.example>'], (text) =>
		parseNameAddr(text, 0, text.length),
	),
	textCase("name-addr", ["folds in a name", '"', "\r\n ", '" <sip:a@b.example>'], (text) =>
		parseNameAddr(text, 0, text.length),
	),
	textCase("name-addr", ["spaces and parameters", "<sip:a@b.example>", " ; a", ""], (text) =>
		parseNameAddr(text, 0, text.length),
	),
	textCase("via", ["white space", "SIP / 2.0 / TLS", " ", "a.example"], (text) => parseVia(text, 0, text.length)),
	textCase("via", ["parameters", "SIP/2.0/TLS a.example", ";a", ""], (text) => parseVia(text, 0, text.length)),
	octetCase("sdp", ["lines", "v=0\r\n", "a=b\r\n", ""], parseSdp),
	octetCase("sdp", ["empty lines", "v=0\n", "\n", ""], parseSdp),
	octetCase("sdp", ["media lines", "v=0\n", "m=a 1 b\n", ""], parseSdp),
	octetCase("sdp", ["formats of one line", "v=0\nm=a 1 b", " 1", "\n"], parseSdp),
	octetCase("pidf", ["text", `${PIDF_START}<note>`, "a ", "</note></presence>"], parsePidf),
	octetCase("pidf", ["entities", `${PIDF_START}<note>`, "&amp;", "</note></presence>"], parsePidf),
	octetCase("pidf", ["references", `${PIDF_START}<note>`, "&#65;", "</note></presence>"], parsePidf),
	octetCase("pidf", ["elements", PIDF_START, "<a/>", "</presence>"], parsePidf),
	octetCase("pidf", ["nesting", PIDF_START, "<a>", ""], parsePidf),
	octetCase("pidf", ["attributes", `${PIDF_START}<a`, " b='c'", "/></presence>"], parsePidf),
	octetCase("pidf", ["elements of 60 attributes", PIDF_START, `<a${wideAttributes()}/>`, "</presence>"], parsePidf),
	octetCase("pidf", ["one long attribute", `${PIDF_START}<a b='`, "c ", "'/></presence>"], parsePidf),
	octetCase("pidf", ["one attribute of entities", `${PIDF_START}<a b='`, "&lt;", "'/></presence>"], parsePidf),
	octetCase("pidf", ["comments", PIDF_START, "<!-- -->", "</presence>"], parsePidf),
	octetCase("pidf", ["one comment", `${PIDF_START}<!--`, "- ", "--></presence>"], parsePidf),
	octetCase("pidf", ["one open comment", `${PIDF_START}<!--`, "<", ""], parsePidf),
	octetCase("pidf", ["CDATA sections", `${PIDF_START}<note>`, "<![CDATA[a]]>", "</note></presence>"], parsePidf),
	octetCase("pidf", ["brackets in CDATA", `${PIDF_START}<![CDATA[`, "]]", "]]></presence>"], parsePidf),
	octetCase("pidf", ["instructions", PIDF_START, "<?a b?>", "</presence>"], parsePidf),
	octetCase("pidf", ["one instruction", `${PIDF_START}<?a `, "?", "?></presence>"], parsePidf),
	octetCase("pidf", ["line ends", PIDF_START, "\r\n", "</presence>"], parsePidf),
	octetCase(
		"pidf",
		["four-octet characters", `${PIDF_START}<note>`, "\xf0\x9f\x98\x80", "</note></presence>"],
		parsePidf,
	),
	octetCase("pidf", ["a name", `${PIDF_START}<`, "a", ""], parsePidf),
	octetCase(
		"pidf",
		[
			"activities",
			`${PIDF_START}<tuple><status><activities xmlns="urn:ietf:params:xml:ns:pidf:rpid">`,
			"<a/>",
			"</activities></status></tuple></presence>",
		],
		parsePidf,
	),
	octetCase(
		"typing",
		["text", '<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>', "a", "</state></isComposing>"],
		parseIsComposing,
	),
	textCase("html", ["open tags", "", "<a", ""], htmlToText),
	textCase("html", ["brackets", "", "<", ""], htmlToText),
	textCase("html", ["open comments", "", "<!--", ""], htmlToText),
	textCase("html", ["comments", "", "<!---->", ""], htmlToText),
	textCase("html", ["open scripts", "", "<script>", ""], htmlToText),
	textCase("html", ["closed scripts", "", "<script></script", ">"], htmlToText),
	textCase("html", ["scripts and styles", "", "<script><style></script>", ""], htmlToText),
	textCase("html", ["ampersands", "", "&", ""], htmlToText),
	textCase("html", ["breaks", "", "<br>", ""], htmlToText),
	textCase("html", ["blanks", "", " \n", ""], htmlToText),
	octetCase("multipart", ["delimiters", "", "--x", ""], findPart),
	octetCase("multipart", ["delimiters and blanks", "", "\n--x ", ""], findPart),
	octetCase("multipart", ["one blank delimiter line", "--x", " ", ""], findPart),
	octetCase("multipart", ["part head", "--x\r\n", "a: b\r\n", "\r\n\r\n--x--"], findPart),
	octetCase("multipart", ["folds in a part head", "--x\r\nContent-Type: a", "\r\n b", "\r\n\r\n--x--"], findPart),
];

function wideAttributes(): string {
	let text = "";
	for (let index = 0; index < 60; index += 1) text += ` a:b${index}='c'`;
	return text;
}

process.exitCode = (await printDoubling(cases)) === 0 ? 0 : 1;
