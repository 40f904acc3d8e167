import assert from "node:assert/strict";
import type { Clock, Random } from "@causeway/sip";

/** Crockford's base 32: no letter that is taken for another, and ordered as ASCII is. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_DIGITS = 10;
const COUNT_DIGITS = 4;
const COUNT_END = 32 ** COUNT_DIGITS;
const RANDOM_HALF_DIGITS = 6;
const RANDOM_HALF_END = 32 ** RANDOM_HALF_DIGITS;

/** Characters of an identifier. */
export const IDENTIFIER_LENGTH = TIME_DIGITS + COUNT_DIGITS + 2 * RANDOM_HALF_DIGITS;

/**
 * Makes identifiers of 26 characters that sort in the order they were made, also within one millisecond and after the
 * calendar was set back: 10 digits of milliseconds, 4 that count, 12 random ones. `latest` is the greatest one already
 * in the store, so that the order also holds over restarts.
 */
export function createIdentifiers(clock: Pick<Clock, "wall">, random: Random, latest?: string): () => string {
	let timeMs = latest === undefined ? 0 : parseDigits(latest.slice(0, TIME_DIGITS));
	let count = latest === undefined ? 0 : parseDigits(latest.slice(TIME_DIGITS, TIME_DIGITS + COUNT_DIGITS));
	const octets = Buffer.alloc(IDENTIFIER_LENGTH);
	return () => {
		const nowMs = clock.wall();
		if (nowMs > timeMs) {
			timeMs = nowMs;
			count = 0;
		} else if (count + 1 < COUNT_END) {
			count += 1;
		} else {
			timeMs += 1;
			count = 0;
		}
		// Written as octets: a text that is put together of parts takes five times the room, and is kept as long as its message.
		writeDigits(octets, 0, timeMs, TIME_DIGITS);
		writeDigits(octets, TIME_DIGITS, count, COUNT_DIGITS);
		const randomAt = TIME_DIGITS + COUNT_DIGITS;
		writeDigits(octets, randomAt, random.below(RANDOM_HALF_END), RANDOM_HALF_DIGITS);
		writeDigits(octets, randomAt + RANDOM_HALF_DIGITS, random.below(RANDOM_HALF_END), RANDOM_HALF_DIGITS);
		return octets.toString("latin1");
	};
}

/** Sorts before every identifier made at or after this time (milliseconds since 1970). */
export function firstIdentifierAt(timeMs: number): string {
	return formatDigits(timeMs, TIME_DIGITS);
}

function formatDigits(value: number, length: number): string {
	const octets = Buffer.alloc(length);
	writeDigits(octets, 0, value, length);
	return octets.toString("latin1");
}

function writeDigits(octets: Buffer, start: number, value: number, length: number): void {
	let rest = Math.floor(value);
	for (let at = start + length - 1; at >= start; at -= 1) {
		octets[at] = DIGITS.charCodeAt(rest % 32);
		rest = Math.floor(rest / 32);
	}
}

function parseDigits(digits: string): number {
	let value = 0;
	for (const digit of digits) {
		const at = DIGITS.indexOf(digit);
		assert(at >= 0, "an identifier of the store is written in base 32");
		value = value * 32 + at;
	}
	return value;
}
