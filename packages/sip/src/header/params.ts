/** Parameters behind a header value: `*( SEMI generic-param )` (RFC 3261 §25.1). */
import { CHAR_CLASSES, CharClass, skipOctets } from "../text/char-class.ts";
import { octetsOf } from "../text/octet-view.ts";
import { unquote } from "../text/quoting.ts";
import { isLws, skipLwsOctets, skipQuoted, skipQuotedOctets } from "../text/scan.ts";
import { MAX_PARAMS, type Params, paramValue } from "../uri/params.ts";

/**
 * Reads `;name=value…` that fills `text` from `at` to `end`, white space around separators allowed. Undefined where
 * anything else stands there, where a name is no token, a value is empty or a quote is left open, or past
 * {@link MAX_PARAMS}. An unquoted value may hold what a token may not, as long as it cannot end the value.
 */
export function parseParams(text: string, at: number, end: number): Params | undefined {
	return readParams(octetsOf(text), text, at, end, "")?.params;
}

/** Parameters, and the value of the one that was asked for. */
export interface FoundParams {
	readonly params: Params;
	/** Undefined where it is absent or carries no value. */
	readonly wanted: string | undefined;
}

/** As {@link parseParams}; `octets` are those of `text`, `wanted` is a name in lower case, empty for none. */
export function readParams(
	octets: Uint8Array,
	text: string,
	start: number,
	end: number,
	wanted: string,
): FoundParams | undefined {
	if (!findPlainParam(octets, start, end, wanted)) return readAnyParams(octets, text, start, end, wanted);
	return { params: text.slice(start, end), wanted: plainValue(text) };
}

/** Where the value stands that {@link findPlainParam} was asked for; it starts at zero where there is none. */
const found = { start: 0, end: 0 };

/**
 * Whether the parameters from `start` to `end` are as nearly all are: well formed, and their text needs no change. Then
 * {@link plainValue} is the value of the first of them named `wanted`. Otherwise they are for {@link readParams}: there is
 * white space or a quoted string, or they are malformed.
 */
export function findPlainParam(octets: Uint8Array, start: number, end: number, wanted: string): boolean {
	let at = start;
	let isFound = false;
	found.start = 0;
	for (let count = 0; at < end; count++) {
		if (octets[at] !== 0x3b || count === MAX_PARAMS) return false;
		const nameStart = at + 1;
		at = nameStart;
		while (at < end && ((CHAR_CLASSES[octets[at] as number] as number) & CharClass.token) !== 0) at++;
		if (at === nameStart) return false;
		const isWanted = !isFound && at - nameStart === wanted.length && isWord(octets, nameStart, wanted);
		if (isWanted) isFound = true;
		if (at === end || octets[at] !== 0x3d) continue;
		const valueStart = at + 1;
		at = valueStart;
		while (at < end && ((CHAR_CLASSES[octets[at] as number] as number) & CharClass.paramValue) !== 0) at++;
		if (at === valueStart) return false;
		if (isWanted) {
			found.start = valueStart;
			found.end = at;
		}
	}
	return true;
}

/** The value that {@link findPlainParam} was asked for just now; undefined where it is absent or carries none. */
export function plainValue(text: string): string | undefined {
	return found.start === 0 ? undefined : text.slice(found.start, found.end);
}

/** Whether a word in lower case stands at `at`; the octets there are of a token, in which a bit tells the cases of a letter apart. */
function isWord(octets: Uint8Array, at: number, word: string): boolean {
	for (let index = 0; index < word.length; index++) {
		if (((octets[at + index] as number) | 0x20) !== word.charCodeAt(index)) return false;
	}
	return true;
}

/** As {@link readParams}, by the whole grammar. */
export function readAnyParams(
	octets: Uint8Array,
	text: string,
	at: number,
	end: number,
	wanted: string,
): FoundParams | undefined {
	const start = skipLwsOctets(octets, at, end);
	let index = start;
	let count = 0;
	let blanks = 0;
	while (index < end) {
		if (octets[index] !== 0x3b || count === MAX_PARAMS) return undefined;
		count++;
		const nameStart = skipLwsOctets(octets, index + 1, end);
		const nameEnd = skipOctets(octets, nameStart, end, CharClass.token);
		if (nameEnd === nameStart) return undefined;
		blanks += nameStart - index - 1;
		index = skipLwsOctets(octets, nameEnd, end);
		blanks += index - nameEnd;
		if (index === end || octets[index] !== 0x3d) continue;
		const valueStart = skipLwsOctets(octets, index + 1, end);
		const valueEnd =
			valueStart < end && octets[valueStart] === 0x22
				? skipQuotedOctets(octets, valueStart, end)
				: skipOctets(octets, valueStart, end, CharClass.paramValue);
		if (valueEnd <= valueStart) return undefined;
		blanks += valueStart - index - 1;
		index = skipLwsOctets(octets, valueEnd, end);
		blanks += index - valueEnd;
	}
	const params = blanks === 0 ? text.slice(start, end) : withoutBlanks(text, start, end);
	return { params, wanted: wanted === "" ? undefined : paramValue(params, wanted) };
}

/** Well-formed parameters without the white space outside of quotes, where it separates and means nothing. */
function withoutBlanks(text: string, start: number, end: number): Params {
	let kept = "";
	let from = start;
	let at = start;
	while (at < end) {
		if (isLws(text.charCodeAt(at))) {
			kept += text.slice(from, at);
			while (at < end && isLws(text.charCodeAt(at))) at++;
			from = at;
		} else if (text.charCodeAt(at) === 0x22) at = skipQuoted(text, at, end) as number;
		else at++;
	}
	return kept + text.slice(from, end);
}

/** The value of the first parameter of that name without its quotes; undefined where absent or without value. */
export function unquotedParam(params: Params, name: string): string | undefined {
	const value = paramValue(params, name);
	return value === undefined ? undefined : unquote(value);
}
