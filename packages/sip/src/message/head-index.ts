/** One linear scan over a head: where each header field begins and ends (RFC 3261 §7.3). */
import { type Fault, refusal } from "../fault.ts";
import { findHeaderIdIn, HeaderId } from "../header/names.ts";
import { CHAR_CLASSES, CharClass } from "../text/char-class.ts";
import { sliceOctets } from "../text/octet-copy.ts";
import { keepHead, type LoadedOctets, loadOctets, noteFolds } from "../text/octet-view.ts";
import { skipListItem } from "../text/scan.ts";
import { beginPlaces, endPlaces, placeField } from "./field-places.ts";
import type { HeadLimits } from "./limits.ts";
import { FIELD_STRIDE, type MessageHead } from "./message.ts";

/** A head with its index, or a fault with the index of the fields before it. */
export type HeadOutcome =
	| { readonly ok: true; readonly head: MessageHead }
	| { readonly ok: false; readonly fault: Fault; readonly head: MessageHead };

/** Octets that are looked at first; nearly every head is shorter, and what follows it is not copied in vain. */
const FIRST_OCTETS = 2048;

/**
 * Indexes the head that starts at `from`: a start line, header fields and the empty line that ends them, before `end`.
 * Lines end in CRLF: a CR or LF alone and a NUL without backslash are faults (two readers must not see two messages), and
 * so is a head that is not complete. A name is a token, white space may stand before the colon, and a line that starts
 * with white space continues the field before it. What {@link octetsOfHead} gave before is overwritten.
 */
export function indexHead(octets: Uint8Array, from: number, end: number, limits: HeadLimits): HeadOutcome {
	const scanned = scanHead(octets, from, end, limits, index);
	if (typeof scanned === "number") {
		const fields = index.slice(0, scanned);
		const head = { text: sliceOctets(octets, from, from + (fields[scanned - 1] as number) + 2), fields };
		keepScanned(head);
		return { ok: true, head };
	}
	// The fields before the fault keep their index, so that the message can still be answered.
	const { code, detail, status, offset, count } = scanned;
	index[count] = offset;
	const head = { text: sliceOctets(octets, from, end), fields: index.slice(0, count + 1) };
	return { ok: false, fault: refusal(code, "RFC 3261 §7.3", offset, detail, status).fault, head };
}

/** Says that `head` is what was scanned last, and nothing viewed since: its octets and places are at hand. */
export function keepScanned(head: MessageHead): void {
	keepHead(head);
	endPlaces(head);
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
	const available = end - from;
	for (let length = FIRST_OCTETS; length < available; length *= 4) {
		const scanned = scanLoaded(loadOctets(octets, from, from + length), length, limits, fields);
		if (typeof scanned === "number") return scanned;
	}
	return scanLoaded(loadOctets(octets, from, end), available, limits, fields);
}

function scanLoaded(loaded: LoadedOctets, end: number, limits: HeadLimits, fields: number[]): number | ScanFault {
	const { octets, words, data } = loaded;
	let at = endOfLine(octets, words, 0, end);
	if (at === end) return broken(0, 0);
	if (at > limits.startLineBytes) return tooLarge(0, at, "start-line-too-long", "The start line is too long.");
	at += 2;
	beginPlaces();
	let viaValues = 0;
	let count = 0;
	let hasFolds = false;
	for (;;) {
		const start = at;
		if (octets[start] === 0x0d && octets[start + 1] === 0x0a) {
			noteFolds(hasFolds);
			fields[count] = start;
			return count + 1;
		}
		// The NUL behind the last octet ends these two.
		while (((CHAR_CLASSES[octets[at] as number] as number) & CharClass.token) !== 0) at++;
		const nameEnd = at;
		while (isBlank(octets[at])) at++;
		const colon = at;
		let lineEnd = endOfLine(octets, words, colon, end);
		if (nameEnd === start || octets[colon] !== 0x3a) {
			return lineEnd === end ? broken(count, start) : noName(count, start);
		}
		while (lineEnd < end && isBlank(octets[lineEnd + 2])) {
			hasFolds = true;
			lineEnd = endOfLine(octets, words, lineEnd + 2, end);
		}
		if (lineEnd === end) return broken(count, start);
		const id = findHeaderIdIn(data, start, nameEnd);
		if (lineEnd - start > limits.fieldBytes && lineEnd - start > fieldLimit(id, limits)) {
			return tooLarge(count, start, "field-too-long", "A header field is too long.");
		}
		if (count >= limits.fields * FIELD_STRIDE) {
			return tooLarge(count, start, "too-many-fields", "The message has too many header fields.");
		}
		let valueStart = colon + 1;
		while (valueStart < lineEnd && isBlankOrLineEnd(octets[valueStart])) valueStart++;
		let valueEnd = lineEnd;
		while (valueEnd > valueStart && isBlankOrLineEnd(octets[valueEnd - 1])) valueEnd--;
		if (id === HeaderId.via) {
			viaValues += mayHoldComma(words, valueStart, valueEnd)
				? countValues(sliceOctets(octets, valueStart, valueEnd))
				: 1;
			if (viaValues > limits.vias) {
				return tooLarge(count, start, "too-many-vias", "The message has too many Via values.");
			}
		}
		placeField(id, count);
		fields[count] = id;
		fields[count + 1] = start;
		fields[count + 2] = valueStart;
		fields[count + 3] = valueEnd;
		count += FIELD_STRIDE;
		at = lineEnd + 2;
	}
}

/** The index under construction; each head gets a copy of what it needs. */
const index: number[] = [];

/** Offset of the next CRLF, or `end` where a CR or LF alone or a NUL without backslash comes first. */
function endOfLine(octets: Uint8Array, words: Int32Array, from: number, end: number): number {
	let at = from;
	for (;;) {
		at = nextControl(words, at);
		if (at >= end) return end;
		const code = octets[at];
		if (code === 0x0d) return octets[at + 1] === 0x0a ? at : end;
		// RFC 3261 §25.1 quoted-pair: behind a backslash a NUL is text.
		if (code === 0x0a || (code === 0 && octets[at - 1] !== 0x5c)) return end;
		at++;
	}
}

/**
 * Offset of the first octet from `from` on that may be one from NUL to CR; there is one, behind the last. Four octets at a
 * time: taking 14 from each borrows from its highest bit where it is less. The octet above such a one may be named in
 * vain, none is passed over.
 */
function nextControl(words: Int32Array, from: number): number {
	let at = from >> 2;
	let word = words[at] as number;
	let found = (word - 0x0e0e0e0e) & ~word & 0x80808080 & (-1 << ((from & 3) << 3));
	while (found === 0) {
		at++;
		word = words[at] as number;
		found = (word - 0x0e0e0e0e) & ~word & 0x80808080;
	}
	return (at << 2) + ((31 - Math.clz32(found & -found)) >> 3);
}

/** Whether one of the words from `start` to `end` holds a comma; one that stands just outside counts too. */
function mayHoldComma(words: Int32Array, start: number, end: number): boolean {
	for (let at = start >> 2; at << 2 < end; at++) {
		const word = (words[at] as number) ^ 0x2c2c2c2c;
		if (((word - 0x01010101) & ~word & 0x80808080) !== 0) return true;
	}
	return false;
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
