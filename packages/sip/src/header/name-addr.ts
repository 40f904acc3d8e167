/** `name-addr` and `addr-spec` with header parameters: From, To, Contact, Route, Record-Route (RFC 3261 §20.10, §25.1). */
import type { Result } from "../fault.ts";
import { invariant } from "../text/assert.ts";
import { CharClass, skipOctets } from "../text/char-class.ts";
import { octetsOf } from "../text/octet-view.ts";
import { quote, unfold, unquote } from "../text/quoting.ts";
import { outcomeOf, refuse } from "../text/refuse.ts";
import { isLws, skipLwsOctets, skipQuotedOctets, trimLwsEnd } from "../text/scan.ts";
import { formatParams, hasParam, type Param, type Params } from "../uri/params.ts";
import { readUri, readUriIn } from "../uri/parse-uri.ts";
import type { Uri } from "../uri/uri.ts";
import { findPlainParam, plainValue, readParams } from "./params.ts";

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
 * Faults: `bad-address`, `bad-uri`, offset in `text`.
 */
export function parseNameAddr(text: string, start: number, end: number): Result<NameAddr> {
	return outcomeOf(readNameAddr(octetsOf(text), text, start, end));
}

/** As {@link parseNameAddr}; `octets` are those of `text`. Undefined with a reason ({@link refuse}). */
export function readNameAddr(octets: Uint8Array, text: string, start: number, end: number): NameAddr | undefined {
	let at = skipLwsOctets(octets, start, end);
	let displayName: string | undefined;
	if (at < end && octets[at] === 0x22) {
		const plainEnd = skipOctets(octets, at + 1, end, CharClass.plainQuoted);
		let behind = plainEnd + 1;
		if (plainEnd < end && octets[plainEnd] === 0x22) displayName = text.slice(at + 1, plainEnd);
		else {
			behind = skipQuotedOctets(octets, at, end);
			if (behind < 0) return bad(at, "A quoted display name is not closed.");
			displayName = quotedName(text, at, behind);
		}
		at = skipLwsOctets(octets, behind, end);
		if (at >= end || octets[at] !== 0x3c) return bad(at, "A display name is followed by no angle bracket.");
	} else if (at >= end || octets[at] !== 0x3c) {
		const bracket = findBracket(octets, at, end);
		if (bracket < 0) return readAddrSpec(octets, text, at, end);
		displayName = unfold(text, at, trimLwsEnd(text, at, bracket));
		at = bracket;
	}
	// No URI holds a closing bracket: it ends there, or the value is refused.
	const uri = readUriIn(octets, text, at + 1, end);
	if (uri !== undefined) {
		const close = at + 1 + uri.text.length;
		if (close < end && octets[close] === 0x3e) return withParams(octets, text, displayName, uri, close + 1, end);
	}
	return refuseBrackets(octets, text, at, end);
}

function refuseBrackets(octets: Uint8Array, text: string, at: number, end: number): undefined {
	const close = octets.subarray(0, end).indexOf(0x3e, at);
	if (close < 0) return bad(at, "An angle bracket is not closed.");
	const uri = readUri(octets, text, at + 1, close);
	invariant(uri === undefined, "a URI in angle brackets is refused without a reason");
	return undefined;
}

function quotedName(text: string, start: number, end: number): string {
	const plain = unquote(text.slice(start, end));
	return unfold(plain, 0, plain.length);
}

/** The opening bracket behind an unquoted display name; -1 where the value is an `addr-spec`. */
function findBracket(octets: Uint8Array, at: number, end: number): number {
	for (let index = at; index < end; index++) {
		const code = octets[index];
		if (code === 0x3c) return index;
		// None of these stands in an unquoted name; the colon belongs to the scheme of a bare URI.
		if (code === 0x3a || code === 0x3b || code === 0x2c || code === 0x22 || code === 0x3e) return -1;
	}
	return -1;
}

function readAddrSpec(octets: Uint8Array, text: string, at: number, end: number): NameAddr | undefined {
	let uriEnd = at;
	while (uriEnd < end) {
		const code = octets[uriEnd] as number;
		if (code === 0x3b || isLws(code)) break;
		if (code === 0x3f || code === 0x2c) return bad(uriEnd, "A URI with a comma or question mark needs angle brackets.");
		uriEnd++;
	}
	const uri = readUri(octets, text, at, uriEnd);
	return uri === undefined ? undefined : withParams(octets, text, undefined, uri, uriEnd, end);
}

function withParams(
	octets: Uint8Array,
	text: string,
	displayName: string | undefined,
	uri: Uri,
	paramsStart: number,
	end: number,
): NameAddr | undefined {
	if (findPlainParam(octets, paramsStart, end, "tag")) {
		return { displayName, uri, params: text.slice(paramsStart, end), tag: plainValue(text) };
	}
	const found = readParams(octets, text, paramsStart, end, "tag");
	if (found === undefined) return bad(paramsStart, "The parameters behind an address are malformed.");
	return { displayName, uri, params: found.params, tag: found.wanted };
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

/** A value in the `name-addr` form (RFC 3261 §20.10); the tag stands first among the parameters. Throws where the URI holds a bracket. */
export function formatNameAddr(parts: NameAddrParts): string {
	const { displayName, uri, params = [], tag } = parts;
	invariant(!uri.includes(">") && !uri.includes("<"), "a URI to write holds an angle bracket");
	invariant(tag === undefined || !hasParam(params, "tag"), "a tag to write is given twice");
	const name = displayName === undefined ? "" : `${quote(displayName)} `;
	const tagText = tag === undefined ? "" : `;tag=${tag}`;
	return `${name}<${uri}>${tagText}${formatParams(params)}`;
}

function bad(offset: number, detail: string) {
	return refuse("bad-address", "RFC 3261 §20.10", offset, detail);
}
