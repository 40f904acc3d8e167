/** Parameters of URIs and header values: `;name=value` in their order. */
import { equalsIgnoreCase, matchesIgnoreCase } from "../text/ascii.ts";
import { skipQuoted } from "../text/scan.ts";

/**
 * Parameters that were read and found well formed, as text: `;name=value…` in their order, octets as latin1 characters,
 * without white space around the separators; empty for none. Kept as text because a message has dozens of them and
 * nobody asks for more than two or three: {@link paramValue}, {@link findParam}, {@link listParams}.
 */
export type Params = string;

/** One parameter (RFC 3261 §25.1 `generic-param`). */
export interface Param {
	/** As written. */
	readonly name: string;
	/** As written, quotes included; undefined for a parameter without `=`. */
	readonly value: string | undefined;
}

/** Most parameters one URI or one header value may carry. */
export const MAX_PARAMS = 64;

/** The first parameter of that name; names are case-insensitive (RFC 3261 §7.3.1). Undefined where it is absent. */
export function findParam(params: Params, name: string): Param | undefined {
	for (let at = 0; at < params.length; ) {
		const nameEnd = endOfName(params, at + 1);
		const end = endOfValue(params, nameEnd);
		if (isNamed(params, at + 1, nameEnd, name)) return paramAt(params, at, nameEnd, end);
		at = end;
	}
	return undefined;
}

/** The value of the first parameter of that name; undefined where it is absent or carries no value. */
export function paramValue(params: Params, name: string): string | undefined {
	for (let at = 0; at < params.length; ) {
		const nameEnd = endOfName(params, at + 1);
		const end = endOfValue(params, nameEnd);
		if (isNamed(params, at + 1, nameEnd, name)) return nameEnd === end ? undefined : params.slice(nameEnd + 1, end);
		at = end;
	}
	return undefined;
}

/** Every parameter, in order. */
export function listParams(params: Params): Param[] {
	const list: Param[] = [];
	for (let at = 0; at < params.length; ) {
		const nameEnd = endOfName(params, at + 1);
		const end = endOfValue(params, nameEnd);
		list.push(paramAt(params, at, nameEnd, end));
		at = end;
	}
	return list;
}

/** `;name=value…` of a list, as written; empty for no parameters. */
export function formatParams(params: readonly Param[]): Params {
	let text = "";
	for (const { name, value } of params) text += value === undefined ? `;${name}` : `;${name}=${value}`;
	return text;
}

/** Whether a list has a parameter of that name. */
export function hasParam(params: readonly Param[], name: string): boolean {
	return params.some((param) => equalsIgnoreCase(param.name, name));
}

function paramAt(params: Params, at: number, nameEnd: number, end: number): Param {
	return {
		name: params.slice(at + 1, nameEnd),
		value: nameEnd === end ? undefined : params.slice(nameEnd + 1, end),
	};
}

function isNamed(params: Params, start: number, end: number, name: string): boolean {
	return end - start === name.length && matchesIgnoreCase(params, start, name);
}

/** Offset of the equals sign or semicolon behind a name. */
function endOfName(params: Params, start: number): number {
	let at = start;
	while (at < params.length) {
		const code = params.charCodeAt(at);
		if (code === 0x3d || code === 0x3b) break;
		at++;
	}
	return at;
}

/** Offset of the next semicolon or the end; `at` is where the name ends. A quote is closed: the parameters were read. */
function endOfValue(params: Params, at: number): number {
	if (params.charCodeAt(at) !== 0x3d) return at;
	if (params.charCodeAt(at + 1) === 0x22) return skipQuoted(params, at + 1, params.length) as number;
	const end = params.indexOf(";", at);
	return end < 0 ? params.length : end;
}
