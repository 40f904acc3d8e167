/** Headers that are one whole number: Max-Forwards, Expires, Min-Expires, RSeq. */
import { type Result, refusal, success } from "../fault.ts";
import { CharClass, skipClass } from "../text/char-class.ts";
import { refuse } from "../text/refuse.ts";
import { decimalOf, parseDecimal, skipLws, trimLwsEnd } from "../text/scan.ts";
import type { Params } from "../uri/params.ts";
import { parseParams } from "./params.ts";

const maxSeconds = 2 ** 32 - 1;

/** Max-Forwards: 0 to 255 (RFC 3261 §20.22). */
export function parseMaxForwards(text: string, start: number, end: number): Result<number> {
	const value = parseDecimal(text, start, end, 15);
	if (value !== undefined && value <= 255) return success(value);
	return bad("RFC 3261 §20.22", start, badHops);
}

/** As {@link parseMaxForwards}, of octets. Undefined with a reason ({@link refuse}). */
export function readMaxForwards(octets: Uint8Array, start: number, end: number): number | undefined {
	const value = decimalOf(octets, start, end, 15);
	if (value !== undefined && value <= 255) return value;
	return refuse("bad-number", "RFC 3261 §20.22", start, badHops);
}

const badHops = "Max-Forwards is no number from 0 to 255.";

/** Seconds, as in Expires and Min-Expires (RFC 3261 §20.19, §20.23); what passes 2^32 - 1 counts as 2^32 - 1. */
export function parseDeltaSeconds(text: string, start: number, end: number): Result<number> {
	const from = skipLws(text, start, end);
	const to = trimLwsEnd(text, from, end);
	if (from < to && skipClass(text, from, to, CharClass.digit) === to) {
		return success(Math.min(parseDecimal(text, from, to, 15) ?? maxSeconds, maxSeconds));
	}
	return bad("RFC 3261 §25.1", start, "A number of seconds holds something else than digits.");
}

export interface RetryAfter {
	readonly seconds: number;
	readonly params: Params;
}

/** Retry-After: seconds, perhaps a comment, perhaps parameters (RFC 3261 §20.33). The comment is dropped. */
export function parseRetryAfter(text: string, start: number, end: number): Result<RetryAfter> {
	const digitsEnd = skipClass(text, start, end, CharClass.digit);
	const seconds = parseDeltaSeconds(text, start, digitsEnd);
	if (!seconds.ok) return seconds;
	let at = skipLws(text, digitsEnd, end);
	let depth = 0;
	while (at < end && (depth > 0 || text.charCodeAt(at) === 0x28)) {
		const code = text.charCodeAt(at);
		if (code === 0x28) depth++;
		else if (code === 0x29) depth--;
		at += code === 0x5c ? 2 : 1;
	}
	const params = depth === 0 && at <= end ? parseParams(text, at, end) : undefined;
	if (params === undefined) return bad("RFC 3261 §20.33", at, "Retry-After is malformed behind its number.");
	return success({ seconds: seconds.value, params });
}

function bad(rule: string, offset: number, detail: string) {
	return refusal("bad-number", rule, offset, detail);
}
