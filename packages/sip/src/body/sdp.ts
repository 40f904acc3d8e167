/**
 * SDP (RFC 4566) as message sessions use it: an ordered, lossless codec. Every line stays as it came, line end included;
 * beside the lines stands a decoded view of the `m=` lines and their attributes. Nothing else is interpreted (REQ-30).
 */
import type { Result } from "../fault.ts";
import { refusal, success } from "../fault.ts";
import { invariant } from "../text/assert.ts";
import { latin1ToOctets, octetsToLatin1, utf8AsLatin1 } from "./octets.ts";

/** The largest description read, in octets. */
export const MAX_SDP_BYTES = 65_536;
/** The most lines read. */
export const MAX_SDP_LINES = 1000;
/** The most `m=` lines read. */
export const MAX_SDP_MEDIA = 64;

const RULE = "RFC 4566 §5";

/** An `a=` line: `a=name` or `a=name:value`. */
export interface SdpAttribute {
	/** As written. */
	readonly name: string;
	/** As written, behind the first colon; undefined where there is none. */
	readonly value: string | undefined;
}

/** An `m=` line and the attributes that belong to it: RFC 4566 §5.14. */
export interface SdpMedia {
	/** Place among the `m=` lines, from 0. */
	readonly index: number;
	/** The line as written, `m=` included, line end left out. */
	readonly line: string;
	/** As written: `message`, `x-ms-message`, `audio`. */
	readonly media: string;
	/** 0 to 65535. For message media it has no function but that 0 refuses (REQ-32 for capability bodies). */
	readonly port: number;
	/** The number of ports, where the line gives one (`49170/2`). */
	readonly ports: number | undefined;
	/** As written; compare without regard to case. */
	readonly transport: string;
	/** What follows the transport: `*`, `null`, a URI, payload types. Empty where left out (REQ-27). */
	readonly formats: readonly string[];
	readonly attributes: readonly SdpAttribute[];
}

/** A session description: every line in its order, with a view of the media lines (RFC 4566 §5). */
export interface Sdp {
	/** Every line with its line end, as octets in latin1 characters; joined they are the description. */
	readonly lines: readonly string[];
	readonly media: readonly SdpMedia[];
	/** Attributes above the first `m=` line. */
	readonly attributes: readonly SdpAttribute[];
}

/**
 * Reads a description, given as octets or as octets in latin1 characters. CRLF and bare LF both end a line; empty lines
 * are kept and mean nothing. Faults: `sdp-too-large` (413), `bad-sdp` (400).
 */
export function parseSdp(source: Uint8Array | string): Result<Sdp> {
	if (source.length > MAX_SDP_BYTES) {
		return refusal("sdp-too-large", RULE, MAX_SDP_BYTES, "the session description is over its size limit", 413);
	}
	const text = typeof source === "string" ? source : octetsToLatin1(source);
	const lines: string[] = [];
	const media: (SdpMedia & { readonly attributes: SdpAttribute[] })[] = [];
	const attributes: SdpAttribute[] = [];
	for (let start = 0; start < text.length; ) {
		const feed = text.indexOf("\n", start);
		const next = feed === -1 ? text.length : feed + 1;
		const end = contentEnd(text, start, feed);
		if (lines.length === MAX_SDP_LINES) return bad(start, "the session description has too many lines");
		const line = text.slice(start, end);
		if (hasForeignCharacter(line)) return bad(start, "a line holds a NUL, a bare CR or a character that is no octet");
		if (lines.length === 0 && line !== "v=0") return bad(start, "the session description does not begin with v=0");
		if (line !== "" && line[1] !== "=") return bad(start, "a line of the session description has no type letter");
		if (line.startsWith("m=")) {
			if (media.length === MAX_SDP_MEDIA) return bad(start, "the session description has too many media lines");
			const read = parseMediaLine(line, media.length);
			if (read === undefined) return bad(start, "a media line is malformed");
			media.push(read);
		} else if (line.startsWith("a=")) {
			(media.at(-1)?.attributes ?? attributes).push(parseAttribute(line.slice(2)));
		}
		lines.push(text.slice(start, next));
		start = next;
	}
	if (lines.length === 0) return bad(0, "the session description is empty");
	return success({ lines, media, attributes });
}

/** The description as octets (RFC 8866 §5); what {@link parseSdp} read leaves byte for byte as it came. */
export function formatSdp(sdp: Sdp): Uint8Array {
	const octets = latin1ToOctets(sdp.lines.join(""));
	invariant(octets !== undefined, "SDP lines are octets in latin1 characters");
	return octets;
}

/** The `m=` line with port 0 and everything else as written: RFC 3264 §6, REQ-31. */
export function rejectMedia(media: SdpMedia): string {
	const portStart = skipSpaces(media.line, tokenEnd(media.line, 2));
	return `${media.line.slice(0, portStart)}0${media.line.slice(tokenEnd(media.line, portStart))}`;
}

/** What {@link createSdp} writes for one medium. */
export interface SdpMediaToWrite {
	/** With or without `m=`: `message 5060 sip/tcp *`, or what {@link rejectMedia} gave. */
	readonly line: string;
	/** Without `a=`: `accept-types:text/plain`. */
	readonly attributes?: readonly string[];
}

/** What a session description of ours says; protocol sheet 3.4. */
export interface SdpToWrite {
	/** `o=` session id, digits; unique per description. */
	readonly originId: number | string;
	/** `o=` version; grows by one when the description changes (RFC 3264 §8). */
	readonly originVersion: number | string;
	/** Our public name or address for `o=` and `c=`; never an inside one. An IPv6 address without brackets. */
	readonly host: string;
	/** `s=`; `-` where not given. */
	readonly sessionName?: string;
	readonly media: readonly SdpMediaToWrite[];
	/** Session-level attributes, without `a=`. */
	readonly attributes?: readonly string[];
}

/**
 * Our description, lines ended by CRLF. Media lines and attributes are octets in latin1 characters; the session name is
 * text. Values that hold CR, LF or NUL are a bug of the caller and throw.
 */
export function createSdp(description: SdpToWrite): Sdp {
	const address = `IN ${description.host.includes(":") ? "IP6" : "IP4"} ${description.host}`;
	const lines = [
		"v=0",
		`o=- ${description.originId} ${description.originVersion} ${address}`,
		`s=${utf8AsLatin1(description.sessionName ?? "-")}`,
		`c=${address}`,
		"t=0 0",
		...(description.attributes ?? []).map((attribute) => `a=${attribute}`),
	];
	for (const media of description.media) {
		lines.push(media.line.startsWith("m=") ? media.line : `m=${media.line}`);
		for (const attribute of media.attributes ?? []) lines.push(`a=${attribute}`);
	}
	for (const line of lines) invariant(!line.includes("\n"), "an SDP value holds no line feed");
	const parsed = parseSdp(`${lines.join("\r\n")}\r\n`);
	invariant(parsed.ok, "our own session description can be read");
	return parsed.value;
}

/**
 * The media types of `a=accept-types`, lower case, without parameters: those of the medium, else those of the session
 * level, else undefined (RFC 4975 §8; in message sessions absent means `text/plain`).
 */
export function acceptTypes(sdp: Sdp, media: SdpMedia): readonly string[] | undefined {
	const found = [...media.attributes, ...sdp.attributes].find(
		(attribute) => attribute.name.toLowerCase() === "accept-types" && attribute.value !== undefined,
	);
	if (found?.value === undefined) return undefined;
	const types = found.value.split(" ").map((type) => (type.split(";")[0] ?? "").trim().toLowerCase());
	return types.filter((type) => type !== "");
}

function bad(offset: number, detail: string): Result<never> {
	return refusal("bad-sdp", RULE, offset, detail);
}

/** The end of a line's content: before CRLF or LF, or the end of the text. */
function contentEnd(text: string, start: number, feed: number): number {
	const end = feed === -1 ? text.length : feed;
	return end > start && text[end - 1] === "\r" ? end - 1 : end;
}

function hasForeignCharacter(line: string): boolean {
	for (let index = 0; index < line.length; index += 1) {
		const code = line.charCodeAt(index);
		if (code === 0 || code === 0x0d || code > 0xff) return true;
	}
	return false;
}

function parseMediaLine(line: string, index: number): (SdpMedia & { readonly attributes: SdpAttribute[] }) | undefined {
	const [media, portText, transport, ...formats] = line
		.slice(2)
		.split(" ")
		.filter((token) => token !== "");
	if (media === undefined || portText === undefined || transport === undefined) return undefined;
	const [portDigits = "", countDigits, ...rest] = portText.split("/");
	const port = parseNumber(portDigits);
	const ports = countDigits === undefined ? undefined : parseNumber(countDigits);
	if (port === undefined || rest.length > 0 || (countDigits !== undefined && ports === undefined)) return undefined;
	return { index, line, media, port, ports, transport, formats, attributes: [] };
}

/** One to five digits, at most 65535. */
function parseNumber(digits: string): number | undefined {
	if (digits.length === 0 || digits.length > 5) return undefined;
	let value = 0;
	for (let index = 0; index < digits.length; index += 1) {
		const digit = digits.charCodeAt(index) - 0x30;
		if (digit < 0 || digit > 9) return undefined;
		value = value * 10 + digit;
	}
	return value <= 65_535 ? value : undefined;
}

function parseAttribute(text: string): SdpAttribute {
	const colon = text.indexOf(":");
	return colon === -1
		? { name: text.trimEnd(), value: undefined }
		: { name: text.slice(0, colon), value: text.slice(colon + 1) };
}

function tokenEnd(text: string, start: number): number {
	let end = skipSpaces(text, start);
	while (end < text.length && text[end] !== " ") end += 1;
	return end;
}

function skipSpaces(text: string, start: number): number {
	let index = start;
	while (text[index] === " ") index += 1;
	return index;
}
