/** No `sips:` URI in any header (REQ-52): the profile takes a message that holds one for malformed. */
import { type Fault, refusal } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import { lowerCode, matchesIgnoreCase } from "../text/ascii.ts";
import { skipLws, skipQuoted } from "../text/scan.ts";
import { FIELD_STRIDE, type SipMessage } from "./message.ts";
import type { MessagePlace } from "./octet-frame.ts";

const scheme = "sips:";

/**
 * The fault of a message that holds a `sips:` URI: as Request-URI, in angle brackets in any header value, or bare at the
 * start of a value. Quoted strings, Subject and the body do not count; nor do words in the midst of a value.
 */
export function findSips(message: SipMessage): Fault | undefined {
	const { text, fields } = message.head;
	// Nearly no message has the five characters anywhere; only one that has them is looked at closely.
	const first = findScheme(text);
	if (first === undefined) return undefined;
	if (message.kind === "request" && message.requestUri.scheme === "sips") return sipsFault(message.method.length + 1);
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		const valueEnd = fields[at + 3] ?? 0;
		if (valueEnd <= first || fields[at] === HeaderId.subject) continue;
		const offset = findInValue(text, fields[at + 2] ?? 0, valueEnd);
		if (offset !== undefined) return sipsFault(offset);
	}
	return undefined;
}

/** Whether the five characters `sips:` stand anywhere in the head of a message: where they do not, {@link findSips} finds nothing (REQ-52). */
export function mentionsSips({ octets, start, headEnd }: MessagePlace): boolean {
	let at = start + 4;
	while (at < headEnd) {
		const code = octets[at] as number;
		if (code !== 0x3a) at += STEPS[code] as number;
		else if (
			((octets[at - 1] as number) | 0x20) === 0x73 &&
			((octets[at - 2] as number) | 0x20) === 0x70 &&
			((octets[at - 3] as number) | 0x20) === 0x69 &&
			((octets[at - 4] as number) | 0x20) === 0x73
		) {
			return true;
		} else at += 5;
	}
	return false;
}

function sipsFault(offset: number): Fault {
	return refusal("sips-uri", "REQ-52", offset, "The message holds a sips: URI.").fault;
}

/**
 * Offset of the first `sips:`, any case. Looks at the place of the colon; where another character stands there, the next
 * colon that can end the word is as many places on as the character tells.
 */
function findScheme(text: string): number | undefined {
	let at = 4;
	while (at < text.length) {
		const code = text.charCodeAt(at);
		if (code === 0x3a) {
			if (matchesIgnoreCase(text, at - 4, scheme)) return at - 4;
			at += 5;
		} else at += stepFor(lowerCode(code));
	}
	return undefined;
}

function stepFor(code: number): number {
	if (code === 0x73) return 1;
	if (code === 0x70) return 2;
	if (code === 0x69) return 3;
	return 5;
}

const STEPS = Uint8Array.from({ length: 256 }, (_, code) => stepFor(lowerCode(code)));

/** Offset of a `sips:` URI in a header value: at the start of a list item, or behind an angle bracket. */
function findInValue(text: string, start: number, end: number): number | undefined {
	let at = start;
	let mayStart = true;
	let inBrackets = false;
	while (at < end) {
		if (mayStart) {
			at = skipLws(text, at, end);
			if (at + scheme.length <= end && matchesIgnoreCase(text, at, scheme)) return at;
			mayStart = false;
			if (at >= end) return undefined;
		}
		const code = text.charCodeAt(at);
		if (code === 0x22 && !inBrackets) {
			at = skipQuoted(text, at, end) ?? end;
			continue;
		}
		if (code === 0x3c) {
			inBrackets = true;
			mayStart = true;
		} else if (code === 0x3e) inBrackets = false;
		else if (code === 0x2c && !inBrackets) mayStart = true;
		at++;
	}
	return undefined;
}
