/** Whole numbers in base 36, as tokens carry them: `0-9a-z`, no sign, no upper case. */

/** Ten digits stay below 2^53. */
export const MOST_DIGITS = 10;

/** Whether every octet from `start` to `end` is one of `0-9a-z`, and there is at least one and at most `most`. */
export function isBase36(text: string, start: number, end: number, most: number): boolean {
	if (start >= end || end - start > most) return false;
	for (let index = start; index < end; index++) {
		if (digitOf(text.charCodeAt(index)) === undefined) return false;
	}
	return true;
}

/** The number from `start` to `end`; undefined where {@link isBase36} would say no. `most` is {@link MOST_DIGITS} or less. */
export function parseBase36(text: string, start: number, end: number, most: number): number | undefined {
	if (start >= end || end - start > most) return undefined;
	let value = 0;
	for (let index = start; index < end; index++) {
		const digit = digitOf(text.charCodeAt(index));
		if (digit === undefined) return undefined;
		value = value * 36 + digit;
	}
	return value;
}

export function formatBase36(value: number): string {
	return value.toString(36);
}

function digitOf(code: number): number | undefined {
	if (code >= 0x30 && code <= 0x39) return code - 0x30;
	return code >= 0x61 && code <= 0x7a ? code - 0x57 : undefined;
}
