/** Parameters of URIs and header values: `;name=value` in their order. */
import { equalsIgnoreCase } from "../text/ascii.ts";

export interface Param {
	/** As written. */
	readonly name: string;
	/** As written, quotes included; undefined for a parameter without `=`. */
	readonly value: string | undefined;
}

export type Params = readonly Param[];

/** Most parameters one URI or one header value may carry. */
export const MAX_PARAMS = 64;

export const NO_PARAMS: Params = [];

/** The first parameter of that name; names are case-insensitive (RFC 3261 §7.3.1). */
export function findParam(params: Params, name: string): Param | undefined {
	for (const param of params) {
		if (equalsIgnoreCase(param.name, name)) return param;
	}
	return undefined;
}

/** The value of the first parameter of that name; undefined where it is absent or carries no value. */
export function paramValue(params: Params, name: string): string | undefined {
	return findParam(params, name)?.value;
}

/** `;name=value…`, as written; empty for no parameters. */
export function formatParams(params: Params): string {
	let text = "";
	for (const { name, value } of params) text += value === undefined ? `;${name}` : `;${name}=${value}`;
	return text;
}
