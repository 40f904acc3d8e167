/** Reading URIs: RFC 3261 §19.1.1, §25.1. */
import type { Result } from "../fault.ts";
import { lowerAscii } from "../text/ascii.ts";
import { CharClass, hasClass, skipEscapedOctets, skipOctets } from "../text/char-class.ts";
import { octetsOf } from "../text/octet-view.ts";
import { outcomeOf, refuse } from "../text/refuse.ts";
import { decimalOf } from "../text/scan.ts";
import { findHost, hostEndOf, hostIn, hostKindOf, NO_HOST } from "./host.ts";
import { MAX_PARAMS } from "./params.ts";
import { readPlainUri } from "./plain-uri.ts";
import type { SipUri, Uri } from "./uri.ts";

const rule = "RFC 3261 §19.1.1";

/** Reads a text that is a URI as a whole. */
export function parseUriText(text: string): Result<Uri> {
	return parseUri(text, 0, text.length);
}

/**
 * Reads the URI that fills `text` from `start` to `end`, without angle brackets. Faults: `bad-uri`, offset in `text`.
 * A percent sign in a host is refused; escapes elsewhere are checked and kept.
 */
export function parseUri(text: string, start: number, end: number): Result<Uri> {
	return outcomeOf(readUri(octetsOf(text), text, start, end));
}

/** As {@link parseUri}; `octets` are those of `text`. Undefined with a reason ({@link refuse}). */
export function readUri(octets: Uint8Array, text: string, start: number, end: number): Uri | undefined {
	const uri = readUriIn(octets, text, start, end);
	if (uri === undefined || uri.text.length === end - start) return uri;
	return bad(start + uri.text.length, strayDetail);
}

/**
 * Reads the URI that starts at `start` and ends where a character stands that can be no part of it, or at `end`.
 * Undefined with a reason ({@link refuse}).
 */
export function readUriIn(octets: Uint8Array, text: string, start: number, end: number): Uri | undefined {
	return readPlainUri(octets, text, start, end) ?? readAnyUri(octets, text, start, end);
}

/** As {@link readUriIn}, by the whole grammar. */
export function readAnyUri(octets: Uint8Array, text: string, start: number, end: number): Uri | undefined {
	const scheme = sipSchemeLength(octets, start, end);
	return scheme > 0 ? readSipUri(octets, text, start, start + scheme, end) : readOtherUri(octets, text, start, end);
}

const strayDetail = "The URI holds a character where none of its parts may stand.";

/** Three or four where the text starts with `sip:` or `sips:` in any case, else zero. */
function sipSchemeLength(octets: Uint8Array, start: number, end: number): number {
	if (end - start < 4) return 0;
	const isSip =
		((octets[start] as number) | 0x20) === 0x73 &&
		((octets[start + 1] as number) | 0x20) === 0x69 &&
		((octets[start + 2] as number) | 0x20) === 0x70;
	if (!isSip) return 0;
	const next = octets[start + 3] as number;
	if (next === 0x3a) return 3;
	return (next | 0x20) === 0x73 && end - start > 4 && octets[start + 4] === 0x3a ? 4 : 0;
}

function readOtherUri(octets: Uint8Array, text: string, start: number, end: number): Uri | undefined {
	const colon = skipOctets(octets, start, end, CharClass.scheme);
	if (colon === start || colon >= end || octets[colon] !== 0x3a) {
		return bad(colon, "A URI starts with a scheme and a colon.");
	}
	if (!hasClass(octets[start] as number, CharClass.alpha)) return bad(start, "A URI scheme starts with a letter.");
	const last = skipOctets(octets, colon + 1, end, CharClass.opaqueUri);
	if (last === colon + 1) return bad(last, "The URI is empty or holds a character no URI may hold.");
	return { scheme: lowerAscii(text.slice(start, colon)), text: text.slice(start, last) };
}

function bad(offset: number, detail: string) {
	return refuse("bad-uri", rule, offset, detail);
}

function readSipUri(octets: Uint8Array, text: string, start: number, colon: number, end: number): SipUri | undefined {
	let at = colon + 1;
	let user: string | undefined;
	let password: string | undefined;
	const userEnd = skipEscapedOctets(octets, at, end, CharClass.user);
	if (userEnd > at && userEnd < end) {
		if (octets[userEnd] === 0x40) {
			user = text.slice(at, userEnd);
			at = userEnd + 1;
		} else if (octets[userEnd] === 0x3a) {
			// A password, or the port of a host.
			const passwordEnd = skipEscapedOctets(octets, userEnd + 1, end, CharClass.password);
			if (passwordEnd < end && octets[passwordEnd] === 0x40) {
				user = text.slice(at, userEnd);
				password = text.slice(userEnd + 1, passwordEnd);
				at = passwordEnd + 1;
			}
		}
	}
	const hostStart = at;
	const host = findHost(octets, text, hostStart, end);
	if (host === NO_HOST) return bad(at, "The host of the URI is neither a name nor an address.");
	at = hostEndOf(host);
	let port: number | undefined;
	if (at < end && octets[at] === 0x3a) {
		const portEnd = skipOctets(octets, at + 1, end, CharClass.digit);
		port = decimalOf(octets, at + 1, portEnd, 5);
		if (port === undefined || port > 65535) return bad(at + 1, "The port of the URI is no number from 0 to 65535.");
		at = portEnd;
	}
	let params = "";
	if (at < end && octets[at] === 0x3b) {
		const paramsEnd = skipUriParams(octets, at, end);
		if (paramsEnd < 0) return bad(at, "The URI holds a parameter without name or value, or too many of them.");
		params = text.slice(at, paramsEnd);
		at = paramsEnd;
	}
	let headers = "";
	if (at < end && octets[at] === 0x3f) {
		const headersEnd = skipEscapedOctets(octets, at + 1, end, CharClass.uriHeader);
		headers = text.slice(at + 1, headersEnd);
		at = headersEnd;
	}
	return {
		scheme: colon - start === 3 ? "sip" : "sips",
		text: text.slice(start, at),
		user,
		password,
		host: hostIn(text, hostStart, host),
		hostKind: hostKindOf(host),
		port,
		params,
		headers,
	};
}

/** Offset behind the `;name=value…` that starts at `at`; -1 where a name or value is empty or there are too many. */
function skipUriParams(octets: Uint8Array, at: number, end: number): number {
	let index = at;
	for (let count = 0; index < end && octets[index] === 0x3b; count++) {
		const nameStart = index + 1;
		index = skipEscapedOctets(octets, nameStart, end, CharClass.uriParamName);
		if (index === nameStart || count === MAX_PARAMS) return -1;
		if (index < end && octets[index] === 0x3d) {
			const valueStart = index + 1;
			index = skipEscapedOctets(octets, valueStart, end, CharClass.uriParam);
			if (index === valueStart) return -1;
		}
	}
	return index;
}
