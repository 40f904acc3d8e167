/** Parameters behind a header value: `*( SEMI generic-param )` (RFC 3261 §25.1). */
import { CHAR_CLASSES, CharClass, skipClass } from "../text/char-class.ts";
import { unquote } from "../text/quoting.ts";
import { isLws, skipLws, skipQuoted } from "../text/scan.ts";
import { MAX_PARAMS, type Params, paramValue } from "../uri/params.ts";

/**
 * Reads `;name=value…` that fills `text` from `at` to `end`, white space around separators allowed. Undefined where
 * anything else stands there, where a name is no token, a value is empty or a quote is left open, or past
 * {@link MAX_PARAMS}. An unquoted value may hold what a token may not, as long as it cannot end the value.
 */
export function parseParams(text: string, at: number, end: number): Params | undefined {
	const plain = skipPlainParams(text, at, end);
	if (plain === end) return text.slice(at, end);
	const start = skipLws(text, at, end);
	let index = start;
	let count = 0;
	let blanks = 0;
	while (index < end) {
		if (text.charCodeAt(index) !== 0x3b || count === MAX_PARAMS) return undefined;
		count++;
		const nameStart = skipLws(text, index + 1, end);
		const nameEnd = skipClass(text, nameStart, end, CharClass.token);
		if (nameEnd === nameStart) return undefined;
		blanks += nameStart - index - 1;
		index = skipLws(text, nameEnd, end);
		blanks += index - nameEnd;
		if (index === end || text.charCodeAt(index) !== 0x3d) continue;
		const valueStart = skipLws(text, index + 1, end);
		const valueEnd =
			valueStart < end && text.charCodeAt(valueStart) === 0x22
				? skipQuoted(text, valueStart, end)
				: skipClass(text, valueStart, end, CharClass.paramValue);
		if (valueEnd === undefined || valueEnd === valueStart) return undefined;
		blanks += valueStart - index - 1;
		index = skipLws(text, valueEnd, end);
		blanks += index - valueEnd;
	}
	return blanks === 0 ? text.slice(start, end) : withoutBlanks(text, start, end);
}

/**
 * Offset behind the parameters at `at` that have neither white space nor quotes, as nearly all have; what else stands there
 * is for the reader proper.
 */
function skipPlainParams(text: string, at: number, end: number): number {
	let index = at;
	for (let count = 0; count < MAX_PARAMS && index < end && text.charCodeAt(index) === 0x3b; count++) {
		const nameStart = index + 1;
		index = nameStart;
		while (index < end && ((CHAR_CLASSES[text.charCodeAt(index)] as number) & CharClass.token) !== 0) index++;
		if (index === nameStart) return at;
		if (index === end || text.charCodeAt(index) !== 0x3d) continue;
		const valueStart = index + 1;
		index = valueStart;
		while (index < end && ((CHAR_CLASSES[text.charCodeAt(index)] as number) & CharClass.paramValue) !== 0) index++;
		if (index === valueStart) return at;
	}
	return index;
}

/** Well-formed parameters without the white space outside of quotes, where it separates and means nothing. */
function withoutBlanks(text: string, start: number, end: number): Params {
	let kept = "";
	let at = start;
	while (at < end) {
		const from = at;
		if (text.charCodeAt(at) === 0x22) at = skipQuoted(text, at, end) as number;
		else at++;
		if (!isLws(text.charCodeAt(from))) kept += text.slice(from, at);
	}
	return kept;
}

/** The value of the first parameter of that name without its quotes; undefined where absent or without value. */
export function unquotedParam(params: Params, name: string): string | undefined {
	const value = paramValue(params, name);
	return value === undefined ? undefined : unquote(value);
}
