/** Case-blind comparison for the ASCII names of the protocol: no locale, no new strings where none are needed. */

/** Whether two texts are equal when the case of ASCII letters does not count. */
export function equalsIgnoreCase(left: string, right: string): boolean {
	if (left === right) return true;
	return left.length === right.length && matchesIgnoreCase(left, 0, right);
}

/** Whether `word` stands at offset `at` of `text`, the case of ASCII letters not counted. */
export function matchesIgnoreCase(text: string, at: number, word: string): boolean {
	if (at + word.length > text.length) return false;
	for (let index = 0; index < word.length; index++) {
		const left = text.charCodeAt(at + index);
		const right = word.charCodeAt(index);
		if (left !== right && lowerCode(left) !== lowerCode(right)) return false;
	}
	return true;
}

/** The octet with `A`–`Z` made small. */
export function lowerCode(code: number): number {
	return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}

/** `text` with `A`–`Z` made small and every other character kept; the same string where nothing changes. */
export function lowerAscii(text: string): string {
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (code >= 0x41 && code <= 0x5a) return lowerFrom(text, index);
	}
	return text;
}

/** `text` with `a`–`z` made large and every other character kept; the same string where nothing changes. */
export function upperAscii(text: string): string {
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (code >= 0x61 && code <= 0x7a) return mapAscii(text, 0x61, 0x7a);
	}
	return text;
}

function lowerFrom(text: string, first: number): string {
	return text.slice(0, first) + mapAscii(text.slice(first), 0x41, 0x5a);
}

// The other-case letter differs in bit 0x20. String.prototype.toLowerCase would also change octets above 0x7f.
function mapAscii(text: string, from: number, to: number): string {
	let mapped = "";
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		mapped += String.fromCharCode(code >= from && code <= to ? code ^ 0x20 : code);
	}
	return mapped;
}
