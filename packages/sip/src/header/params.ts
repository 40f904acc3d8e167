/** Parameters behind a header value: `*( SEMI generic-param )` (RFC 3261 §25.1). */
import { CharClass, skipClass } from "../text/char-class.ts";
import { unquote } from "../text/quoting.ts";
import { skipLws, skipQuoted } from "../text/scan.ts";
import { findParam, MAX_PARAMS, NO_PARAMS, type Param, type Params } from "../uri/params.ts";

/**
 * Reads `;name=value…` that fills `text` from `at` to `end`, white space around separators allowed. Undefined where
 * anything else stands there, where a name is no token, a value is empty or a quote is left open, or past
 * {@link MAX_PARAMS}. An unquoted value may hold what a token may not, as long as it cannot end the value.
 */
export function parseParams(text: string, at: number, end: number): Params | undefined {
	let index = skipLws(text, at, end);
	if (index === end) return NO_PARAMS;
	const params: Param[] = [];
	while (index < end) {
		if (text.charCodeAt(index) !== 0x3b || params.length === MAX_PARAMS) return undefined;
		const nameStart = skipLws(text, index + 1, end);
		const nameEnd = skipClass(text, nameStart, end, CharClass.token);
		if (nameEnd === nameStart) return undefined;
		const name = text.slice(nameStart, nameEnd);
		index = skipLws(text, nameEnd, end);
		if (index === end || text.charCodeAt(index) !== 0x3d) {
			params.push({ name, value: undefined });
			continue;
		}
		const valueStart = skipLws(text, index + 1, end);
		const valueEnd =
			valueStart < end && text.charCodeAt(valueStart) === 0x22
				? skipQuoted(text, valueStart, end)
				: skipClass(text, valueStart, end, CharClass.paramValue);
		if (valueEnd === undefined || valueEnd === valueStart) return undefined;
		params.push({ name, value: text.slice(valueStart, valueEnd) });
		index = skipLws(text, valueEnd, end);
	}
	return params;
}

/** The value of the first parameter of that name without its quotes; undefined where absent or without value. */
export function unquotedParam(params: Params, name: string): string | undefined {
	const value = findParam(params, name)?.value;
	return value === undefined ? undefined : unquote(value);
}
