/** Steps over the pieces of a header value, by offset. Texts are octets as latin1 characters. */

/** Offset of the first octet from `at` on that is no linear white space (RFC 3261 §25.1 `LWS`), or `end`. */
export function skipLws(text: string, at: number, end: number): number {
	let index = at;
	while (index < end && isLws(text.charCodeAt(index))) index++;
	return index;
}

/** As {@link skipLws}, of octets. */
export function skipLwsOctets(octets: Uint8Array, at: number, end: number): number {
	let index = at;
	while (index < end && isLws(octets[index] as number)) index++;
	return index;
}

/** Offset behind the last octet before `end` that is no linear white space, or `start`. */
export function trimLwsEnd(text: string, start: number, end: number): number {
	let index = end;
	while (index > start && isLws(text.charCodeAt(index - 1))) index--;
	return index;
}

/** White space, and the line ends of folds: the head index has made sure that those stand in folds alone. */
export function isLws(code: number): boolean {
	return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

/** Offset behind the quoted string whose opening quote stands at `at`; undefined where it is not closed before `end`. */
export function skipQuoted(text: string, at: number, end: number): number | undefined {
	let index = at + 1;
	while (index < end) {
		const code = text.charCodeAt(index);
		if (code === 0x22) return index + 1;
		index += code === 0x5c ? 2 : 1;
	}
	return undefined;
}

/** As {@link skipQuoted}, of octets; -1 where the string is not closed. */
export function skipQuotedOctets(octets: Uint8Array, at: number, end: number): number {
	let index = at + 1;
	while (index < end) {
		const code = octets[index];
		if (code === 0x22) return index + 1;
		index += code === 0x5c ? 2 : 1;
	}
	return -1;
}

/**
 * Offset of the comma that ends the list item starting at `at`, or `end`. Commas in quoted strings and in angle
 * brackets do not count; an unclosed quote or bracket runs to the end.
 */
export function skipListItem(text: string, at: number, end: number): number {
	let index = at;
	let inBrackets = false;
	while (index < end) {
		const code = text.charCodeAt(index);
		if (code > 0x3e) {
			index++;
			continue;
		}
		if (code === 0x2c && !inBrackets) return index;
		if (code === 0x22 && !inBrackets) {
			index = skipQuoted(text, index, end) ?? end;
			continue;
		}
		if (code === 0x3c) inBrackets = true;
		else if (code === 0x3e) inBrackets = false;
		index++;
	}
	return end;
}

/**
 * Reads a whole number written in digits alone, from `start` to `end`; leading zeros count as digits. Undefined where
 * the text is empty, longer than `maxDigits` or holds anything else: no sign, no blank, no `0x`, no exponent.
 */
export function parseDecimal(text: string, start: number, end: number, maxDigits: number): number | undefined {
	if (start >= end || end - start > maxDigits) return undefined;
	let value = 0;
	for (let index = start; index < end; index++) {
		const digit = text.charCodeAt(index) - 0x30;
		if (!(digit >= 0 && digit <= 9)) return undefined;
		value = value * 10 + digit;
	}
	return value;
}

/** As {@link parseDecimal}, of octets. */
export function decimalOf(octets: Uint8Array, start: number, end: number, maxDigits: number): number | undefined {
	if (start >= end || end - start > maxDigits) return undefined;
	let value = 0;
	for (let index = start; index < end; index++) {
		const digit = (octets[index] as number) - 0x30;
		if (!(digit >= 0 && digit <= 9)) return undefined;
		value = value * 10 + digit;
	}
	return value;
}

/** Whether `octets` can stand in one line of a head: neither CR nor LF, nor NUL but behind a backslash (`quoted-pair`). */
export function isOneLine(octets: string): boolean {
	if (octets.includes("\r") || octets.includes("\n")) return false;
	for (let at = octets.indexOf("\0"); at >= 0; at = octets.indexOf("\0", at + 1)) {
		if (octets.charCodeAt(at - 1) !== 0x5c) return false;
	}
	return true;
}
