/** One linear scan over a head: where each header field begins and ends (RFC 3261 §7.3). */
import { type Fault, refusal } from "../fault.ts";
import { findHeaderIdIn, HeaderId } from "../header/names.ts";
import { CHAR_CLASSES, CharClass } from "../text/char-class.ts";
import { skipListItem } from "../text/scan.ts";
import type { HeadLimits } from "./limits.ts";
import { FIELD_STRIDE, type MessageHead } from "./message.ts";

/** A head with its index, or a fault with the index of the fields before it. */
export type HeadOutcome =
	| { readonly ok: true; readonly head: MessageHead }
	| { readonly ok: false; readonly fault: Fault; readonly head: MessageHead };

/**
 * Indexes the head that starts at `from`: a start line, header fields and the empty line that ends them, before `end`.
 * Lines end in CRLF: a CR or LF alone and a NUL without backslash are faults (two readers must not see two messages), and
 * so is a head that is not complete. A name is a token, white space may stand before the colon, and a line that starts
 * with white space continues the field before it.
 */
export function indexHead(octets: Uint8Array, from: number, end: number, limits: HeadLimits): HeadOutcome {
	const scanned = scanHead(octets, from, end, limits, index);
	if (typeof scanned === "number") {
		const fields = index.slice(0, scanned);
		return { ok: true, head: { text: decode(octets, from, from + (fields[scanned - 1] as number) + 2), fields } };
	}
	// The fields before the fault keep their index, so that the message can still be answered.
	const { code, detail, status, offset, count } = scanned;
	index[count] = offset;
	const head = { text: decode(octets, from, end), fields: index.slice(0, count + 1) };
	return { ok: false, fault: refusal(code, "RFC 3261 §7.3", offset, detail, status).fault, head };
}

/** Why a head is none: what of it was indexed before, in numbers, and where the line at fault begins. */
export interface ScanFault {
	readonly code: string;
	readonly detail: string;
	readonly status: number;
	readonly offset: number;
	readonly count: number;
}

/** As {@link indexHead}, without anything made but the numbers, which are put into `fields` from its beginning; how many. */
export function scanHead(
	octets: Uint8Array,
	from: number,
	end: number,
	limits: HeadLimits,
	fields: number[],
): number | ScanFault {
	let at = endOfLine(octets, from, end);
	if (at === end) return broken(0, 0);
	if (at - from > limits.startLineBytes)
		return tooLarge(0, at - from, "start-line-too-long", "The start line is too long.");
	at += 2;
	let viaValues = 0;
	let count = 0;
	for (;;) {
		const start = at;
		if (octets[start] === 0x0d && octets[start + 1] === 0x0a) {
			fields[count] = start - from;
			return count + 1;
		}
		while (at < end && ((CHAR_CLASSES[octets[at] as number] as number) & CharClass.token) !== 0) at++;
		const nameEnd = at;
		while (at < end && isBlank(octets[at])) at++;
		const colon = at;
		let lineEnd = endOfLine(octets, colon, end);
		if (nameEnd === start || octets[colon] !== 0x3a)
			return lineEnd === end ? broken(count, start - from) : noName(count, start - from);
		while (lineEnd < end && isBlank(octets[lineEnd + 2])) lineEnd = endOfLine(octets, lineEnd + 2, end);
		if (lineEnd === end) return broken(count, start - from);
		const id = findHeaderIdIn(octets, start, nameEnd);
		if (lineEnd - start > limits.fieldBytes && lineEnd - start > fieldLimit(id, limits)) {
			return tooLarge(count, start - from, "field-too-long", "A header field is too long.");
		}
		if (count >= limits.fields * FIELD_STRIDE) {
			return tooLarge(count, start - from, "too-many-fields", "The message has too many header fields.");
		}
		let valueStart = colon + 1;
		while (valueStart < lineEnd && isBlankOrLineEnd(octets[valueStart])) valueStart++;
		let valueEnd = lineEnd;
		while (valueEnd > valueStart && isBlankOrLineEnd(octets[valueEnd - 1])) valueEnd--;
		if (id === HeaderId.via) {
			viaValues += hasComma(octets, valueStart, valueEnd) ? countValues(decode(octets, valueStart, valueEnd)) : 1;
			if (viaValues > limits.vias) {
				return tooLarge(count, start - from, "too-many-vias", "The message has too many Via values.");
			}
		}
		fields[count] = id;
		fields[count + 1] = start - from;
		fields[count + 2] = valueStart - from;
		fields[count + 3] = valueEnd - from;
		count += FIELD_STRIDE;
		at = lineEnd + 2;
	}
}

/** The index under construction; each head gets a copy of what it needs. */
const index: number[] = [];

function decode(octets: Uint8Array, from: number, end: number): string {
	return Buffer.prototype.latin1Slice.call(octets, from, end);
}

/** Offset of the next CRLF, or `end` where a CR or LF alone or a NUL without backslash comes first. */
function endOfLine(octets: Uint8Array, from: number, end: number): number {
	let at = from;
	while (at < end) {
		const code = octets[at] as number;
		if (code <= 0x0d) {
			if (code === 0x0d) return octets[at + 1] === 0x0a ? at : end;
			// RFC 3261 §25.1 quoted-pair: behind a backslash a NUL is text.
			if (code === 0x0a || (code === 0 && octets[at - 1] !== 0x5c)) return end;
		}
		at++;
	}
	return end;
}

function isBlank(code: number | undefined): boolean {
	return code === 0x20 || code === 0x09;
}

function isBlankOrLineEnd(code: number | undefined): boolean {
	return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

function fieldLimit(id: HeaderId, limits: HeadLimits): number {
	return id === HeaderId.msTextFormat || id === HeaderId.msImFormat ? limits.textFieldBytes : limits.fieldBytes;
}

function hasComma(octets: Uint8Array, start: number, end: number): boolean {
	for (let at = start; at < end; at++) {
		if (octets[at] === 0x2c) return true;
	}
	return false;
}

function countValues(list: string): number {
	let count = 1;
	let at = skipListItem(list, 0, list.length);
	while (at < list.length) {
		count++;
		at = skipListItem(list, at + 1, list.length);
	}
	return count;
}

function noName(count: number, offset: number): ScanFault {
	return { code: "bad-field-name", detail: "A header field has no name and colon.", status: 400, offset, count };
}

function broken(count: number, offset: number): ScanFault {
	return { code: "bad-line-end", detail: "The head holds a CR or LF alone or a NUL.", status: 400, offset, count };
}

function tooLarge(count: number, offset: number, code: string, detail: string): ScanFault {
	return { code, detail, status: 513, offset, count };
}
