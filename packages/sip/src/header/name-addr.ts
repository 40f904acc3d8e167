/** `name-addr` and `addr-spec` with header parameters: From, To, Contact, Route, Record-Route (RFC 3261 §20.10, §25.1). */
import { type Result, refusal, success } from "../fault.ts";
import { invariant } from "../text/assert.ts";
import { quote, unfold, unquote } from "../text/quoting.ts";
import { isLws, skipLws, skipQuoted, trimLwsEnd } from "../text/scan.ts";
import { formatParams, hasParam, type Param, type Params, paramValue } from "../uri/params.ts";
import { parseUri } from "../uri/parse-uri.ts";
import type { Uri } from "../uri/uri.ts";
import { parseParams } from "./params.ts";

/**
 * An address with display name and parameters: a value of From, To, Contact, Route or Record-Route (RFC 3261 §20.10).
 */
export interface NameAddr {
	/** Unquoted, as octets in latin1 characters; undefined where absent. */
	readonly displayName: string | undefined;
	readonly uri: Uri;
	/** Header parameters, those behind the angle brackets. */
	readonly params: Params;
	/** The `tag` parameter; undefined where absent. */
	readonly tag: string | undefined;
}

/**
 * Reads one value that fills `text` from `start` to `end`. Without angle brackets the parameters belong to the header,
 * and a question mark or comma is a fault (RFC 3261 §20.10). A display name without quotes may hold more than tokens.
 */
export function parseNameAddr(text: string, start: number, end: number): Result<NameAddr> {
	let at = skipLws(text, start, end);
	let displayName: string | undefined;
	if (at < end && text.charCodeAt(at) === 0x22) {
		const behind = skipQuoted(text, at, end);
		if (behind === undefined) return bad(at, "A quoted display name is not closed.");
		const plain = unquote(text.slice(at, behind));
		displayName = unfold(plain, 0, plain.length);
		at = skipLws(text, behind, end);
		if (at >= end || text.charCodeAt(at) !== 0x3c) return bad(at, "A display name is followed by no angle bracket.");
	} else if (at >= end || text.charCodeAt(at) !== 0x3c) {
		const bracket = findBracket(text, at, end);
		if (bracket === undefined) return parseAddrSpec(text, at, end);
		const nameEnd = trimLwsEnd(text, at, bracket);
		displayName = unfold(text, at, nameEnd);
		at = bracket;
	}
	const close = text.indexOf(">", at);
	if (close < 0 || close >= end) return bad(at, "An angle bracket is not closed.");
	return finish(text, displayName, at + 1, close, close + 1, end);
}

/** The opening bracket behind an unquoted display name; undefined where the value is an `addr-spec`. */
function findBracket(text: string, at: number, end: number): number | undefined {
	for (let index = at; index < end; index++) {
		const code = text.charCodeAt(index);
		if (code === 0x3c) return index;
		// None of these stands in an unquoted name; the colon belongs to the scheme of a bare URI.
		if (code === 0x3a || code === 0x3b || code === 0x2c || code === 0x22 || code === 0x3e) return undefined;
	}
	return undefined;
}

function parseAddrSpec(text: string, at: number, end: number): Result<NameAddr> {
	let uriEnd = at;
	while (uriEnd < end) {
		const code = text.charCodeAt(uriEnd);
		if (code === 0x3b || isLws(code)) break;
		if (code === 0x3f || code === 0x2c) return bad(uriEnd, "A URI with a comma or question mark needs angle brackets.");
		uriEnd++;
	}
	return finish(text, undefined, at, uriEnd, uriEnd, end);
}

function finish(
	text: string,
	displayName: string | undefined,
	uriStart: number,
	uriEnd: number,
	paramsStart: number,
	end: number,
): Result<NameAddr> {
	const uri = parseUri(text, uriStart, uriEnd);
	if (!uri.ok) return uri;
	const params = parseParams(text, paramsStart, end);
	if (params === undefined) return bad(paramsStart, "The parameters behind an address are malformed.");
	return success({ displayName, uri: uri.value, params, tag: paramValue(params, "tag") });
}

/** What an address of ours is made of. */
export interface NameAddrParts {
	/** Unicode or octets, without quotes. */
	readonly displayName?: string | undefined;
	/** The URI as text. */
	readonly uri: string;
	readonly params?: readonly Param[];
	readonly tag?: string | undefined;
}

/** A value in the `name-addr` form; the tag stands first among the parameters. */
export function formatNameAddr(parts: NameAddrParts): string {
	const { displayName, uri, params = [], tag } = parts;
	invariant(!uri.includes(">") && !uri.includes("<"), "a URI to write holds an angle bracket");
	invariant(tag === undefined || !hasParam(params, "tag"), "a tag to write is given twice");
	const name = displayName === undefined ? "" : `${quote(displayName)} `;
	const tagText = tag === undefined ? "" : `;tag=${tag}`;
	return `${name}<${uri}>${tagText}${formatParams(params)}`;
}

function bad(offset: number, detail: string) {
	return refusal("bad-address", "RFC 3261 §20.10", offset, detail);
}
