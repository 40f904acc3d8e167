/** Reading URIs: RFC 3261 §19.1.1, §25.1. */
import { type Result, refusal, success } from "../fault.ts";
import { lowerAscii } from "../text/ascii.ts";
import { CharClass, hasClass, skipClass, skipEscapedClass } from "../text/char-class.ts";
import { parseDecimal } from "../text/scan.ts";
import { parseHost } from "./host.ts";
import { MAX_PARAMS } from "./params.ts";
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
	const scheme = sipSchemeLength(text, start, end);
	return scheme > 0 ? parseSipUri(text, start, start + scheme, end) : parseOtherUri(text, start, end);
}

/** Three or four where the text starts with `sip:` or `sips:` in any case, else zero. */
function sipSchemeLength(text: string, start: number, end: number): number {
	if (end - start < 4) return 0;
	const isSip =
		(text.charCodeAt(start) | 0x20) === 0x73 &&
		(text.charCodeAt(start + 1) | 0x20) === 0x69 &&
		(text.charCodeAt(start + 2) | 0x20) === 0x70;
	if (!isSip) return 0;
	const next = text.charCodeAt(start + 3);
	if (next === 0x3a) return 3;
	return (next | 0x20) === 0x73 && end - start > 4 && text.charCodeAt(start + 4) === 0x3a ? 4 : 0;
}

function parseOtherUri(text: string, start: number, end: number): Result<Uri> {
	const colon = skipClass(text, start, end, CharClass.scheme);
	if (colon === start || colon >= end || text.charCodeAt(colon) !== 0x3a) {
		return bad(colon, "A URI starts with a scheme and a colon.");
	}
	if (!hasClass(text.charCodeAt(start), CharClass.alpha)) return bad(start, "A URI scheme starts with a letter.");
	const last = skipClass(text, colon + 1, end, CharClass.opaqueUri);
	if (last !== end || end === colon + 1) return bad(last, "The URI is empty or holds a character no URI may hold.");
	return success({ scheme: lowerAscii(text.slice(start, colon)), text: text.slice(start, end) });
}

function bad(offset: number, detail: string) {
	return refusal("bad-uri", rule, offset, detail);
}

function parseSipUri(text: string, start: number, colon: number, end: number): Result<SipUri> {
	let at = colon + 1;
	let user: string | undefined;
	let password: string | undefined;
	const userEnd = skipEscapedClass(text, at, end, CharClass.user);
	const atSign = findAtSign(text, userEnd, end);
	if (atSign >= 0) {
		if (userEnd === at) return bad(at, "The user part of the URI is empty or starts with a forbidden character.");
		user = text.slice(at, userEnd);
		if (userEnd < atSign) {
			if (text.charCodeAt(userEnd) !== 0x3a)
				return bad(userEnd, "The user part of the URI holds a forbidden character.");
			const passwordEnd = skipEscapedClass(text, userEnd + 1, atSign, CharClass.password);
			if (passwordEnd !== atSign) return bad(passwordEnd, "The password of the URI holds a forbidden character.");
			password = text.slice(userEnd + 1, atSign);
		}
		at = atSign + 1;
	}
	const host = parseHost(text, at, end);
	if (host === undefined) return bad(at, "The host of the URI is neither a name nor an address.");
	at = host.end;
	let port: number | undefined;
	if (at < end && text.charCodeAt(at) === 0x3a) {
		const portEnd = skipClass(text, at + 1, end, CharClass.digit);
		port = parseDecimal(text, at + 1, portEnd, 5);
		if (port === undefined || port > 65535) return bad(at + 1, "The port of the URI is no number from 0 to 65535.");
		at = portEnd;
	}
	let params = "";
	if (at < end && text.charCodeAt(at) === 0x3b) {
		const paramsEnd = skipUriParams(text, at, end);
		if (paramsEnd < 0) return bad(at, "The URI holds a parameter without name or value, or too many of them.");
		params = text.slice(at, paramsEnd);
		at = paramsEnd;
	}
	let headers = "";
	if (at < end && text.charCodeAt(at) === 0x3f) {
		const headersEnd = skipEscapedClass(text, at + 1, end, CharClass.uriHeader);
		headers = text.slice(at + 1, headersEnd);
		at = headersEnd;
	}
	if (at !== end) return bad(at, "The URI holds a character where none of its parts may stand.");
	return success({
		scheme: colon - start === 3 ? "sip" : "sips",
		text: text.slice(start, end),
		user,
		password,
		host: host.host,
		hostKind: host.hostKind,
		port,
		params,
		headers,
	});
}

function findAtSign(text: string, at: number, end: number): number {
	for (let index = at; index < end; index++) {
		if (text.charCodeAt(index) === 0x40) return index;
	}
	return -1;
}

/** Offset behind the `;name=value…` that starts at `at`; -1 where a name or value is empty or there are too many. */
function skipUriParams(text: string, at: number, end: number): number {
	let index = at;
	for (let count = 0; index < end && text.charCodeAt(index) === 0x3b; count++) {
		const nameEnd = skipEscapedClass(text, index + 1, end, CharClass.uriParamName);
		if (nameEnd === index + 1 || count === MAX_PARAMS) return -1;
		index = nameEnd;
		if (nameEnd < end && text.charCodeAt(nameEnd) === 0x3d) {
			index = skipEscapedClass(text, nameEnd + 1, end, CharClass.uriParam);
			if (index === nameEnd + 1) return -1;
		}
	}
	return index;
}
