/**
 * The one table of header names: number, canonical spelling, compact form, and whether a message carries the header once
 * or as a list. Numbers are of this process only; nothing stores or sends them.
 */
import { lowerCode } from "../text/ascii.ts";
import { isToken } from "../text/char-class.ts";
import { dataOf } from "../text/octet-view.ts";

/** Numbers of the headers we know; {@link HeaderId.other} is every other name. Those up to `lastSingle` appear once. */
export const HeaderId = {
	other: 0,
	callId: 1,
	contentLength: 2,
	contentType: 3,
	cseq: 4,
	event: 5,
	expires: 6,
	from: 7,
	maxForwards: 8,
	minExpires: 9,
	subscriptionState: 10,
	to: 11,
	contentDisposition: 12,
	date: 13,
	joinDialog: 14,
	mimeVersion: 15,
	minSe: 16,
	organization: 17,
	priority: 18,
	rack: 19,
	referTo: 20,
	referredBy: 21,
	replaces: 22,
	replyTo: 23,
	retryAfter: 24,
	rseq: 25,
	server: 26,
	sessionExpires: 27,
	sipEtag: 28,
	sipIfMatch: 29,
	subject: 30,
	timestamp: 31,
	userAgent: 32,
	via: 33,
	route: 34,
	recordRoute: 35,
	contact: 36,
	accept: 37,
	acceptEncoding: 38,
	acceptLanguage: 39,
	alertInfo: 40,
	allow: 41,
	allowEvents: 42,
	authenticationInfo: 43,
	authorization: 44,
	callInfo: 45,
	contentEncoding: 46,
	contentLanguage: 47,
	errorInfo: 48,
	inReplyTo: 49,
	proxyAuthenticate: 50,
	proxyAuthorization: 51,
	proxyRequire: 52,
	require: 53,
	supported: 54,
	unsupported: 55,
	warning: 56,
	wwwAuthenticate: 57,
	path: 58,
	serviceRoute: 59,
	reason: 60,
	privacy: 61,
	acceptContact: 62,
	rejectContact: 63,
	requestDisposition: 64,
	pAssertedIdentity: 65,
	pPreferredIdentity: 66,
	remotePartyId: 67,
	diversion: 68,
	historyInfo: 69,
	identity: 70,
	msDiagnostics: 71,
	msDiagnosticsPublic: 72,
	msAssertedVerificationLevel: 73,
	msEdgeProxyMessageTrust: 74,
	msKeepAlive: 75,
	msTextFormat: 76,
	msImFormat: 77,
	msUserData: 78,
} as const;

export type HeaderId = (typeof HeaderId)[keyof typeof HeaderId];

/** The last number of the headers that a message carries at most once. */
export const LAST_SINGLE_ID = HeaderId.userAgent;

/** A row of the table of headers. */
export interface HeaderName {
	readonly id: HeaderId;
	/** As we write it. */
	readonly name: string;
	/** The one-letter form; undefined where there is none. */
	readonly compact: string | undefined;
	/** At most one field of this name in a message. */
	readonly single: boolean;
	/** Several values in one field, between commas, mean the same as several fields (RFC 3261 §7.3.1). */
	readonly list: boolean;
}

type Row = readonly [id: HeaderId, name: string, kind?: "list" | undefined, compact?: string];

const rows: readonly Row[] = [
	[HeaderId.callId, "Call-ID", undefined, "i"],
	[HeaderId.contentLength, "Content-Length", undefined, "l"],
	[HeaderId.contentType, "Content-Type", undefined, "c"],
	[HeaderId.cseq, "CSeq"],
	[HeaderId.event, "Event", undefined, "o"],
	[HeaderId.expires, "Expires"],
	[HeaderId.from, "From", undefined, "f"],
	[HeaderId.maxForwards, "Max-Forwards"],
	[HeaderId.minExpires, "Min-Expires"],
	[HeaderId.subscriptionState, "Subscription-State"],
	[HeaderId.to, "To", undefined, "t"],
	[HeaderId.contentDisposition, "Content-Disposition"],
	[HeaderId.date, "Date"],
	[HeaderId.joinDialog, "Join"],
	[HeaderId.mimeVersion, "MIME-Version"],
	[HeaderId.minSe, "Min-SE"],
	[HeaderId.organization, "Organization"],
	[HeaderId.priority, "Priority"],
	[HeaderId.rack, "RAck"],
	[HeaderId.referTo, "Refer-To", undefined, "r"],
	[HeaderId.referredBy, "Referred-By", undefined, "b"],
	[HeaderId.replaces, "Replaces"],
	[HeaderId.replyTo, "Reply-To"],
	[HeaderId.retryAfter, "Retry-After"],
	[HeaderId.rseq, "RSeq"],
	[HeaderId.server, "Server"],
	[HeaderId.sessionExpires, "Session-Expires", undefined, "x"],
	[HeaderId.sipEtag, "SIP-ETag"],
	[HeaderId.sipIfMatch, "SIP-If-Match"],
	[HeaderId.subject, "Subject", undefined, "s"],
	[HeaderId.timestamp, "Timestamp"],
	[HeaderId.userAgent, "User-Agent"],
	[HeaderId.via, "Via", "list", "v"],
	[HeaderId.route, "Route", "list"],
	[HeaderId.recordRoute, "Record-Route", "list"],
	[HeaderId.contact, "Contact", "list", "m"],
	[HeaderId.accept, "Accept", "list"],
	[HeaderId.acceptEncoding, "Accept-Encoding", "list"],
	[HeaderId.acceptLanguage, "Accept-Language", "list"],
	[HeaderId.alertInfo, "Alert-Info", "list"],
	[HeaderId.allow, "Allow", "list"],
	[HeaderId.allowEvents, "Allow-Events", "list", "u"],
	// Credentials and challenges have commas inside: several fields, but no comma list (RFC 3261 §7.3.1).
	[HeaderId.authenticationInfo, "Authentication-Info"],
	[HeaderId.authorization, "Authorization"],
	[HeaderId.callInfo, "Call-Info", "list"],
	[HeaderId.contentEncoding, "Content-Encoding", "list", "e"],
	[HeaderId.contentLanguage, "Content-Language", "list"],
	[HeaderId.errorInfo, "Error-Info", "list"],
	[HeaderId.inReplyTo, "In-Reply-To", "list"],
	[HeaderId.proxyAuthenticate, "Proxy-Authenticate"],
	[HeaderId.proxyAuthorization, "Proxy-Authorization"],
	[HeaderId.proxyRequire, "Proxy-Require", "list"],
	[HeaderId.require, "Require", "list"],
	[HeaderId.supported, "Supported", "list", "k"],
	[HeaderId.unsupported, "Unsupported", "list"],
	[HeaderId.warning, "Warning", "list"],
	[HeaderId.wwwAuthenticate, "WWW-Authenticate"],
	[HeaderId.path, "Path", "list"],
	[HeaderId.serviceRoute, "Service-Route", "list"],
	[HeaderId.reason, "Reason", "list"],
	[HeaderId.privacy, "Privacy"],
	[HeaderId.acceptContact, "Accept-Contact", "list", "a"],
	[HeaderId.rejectContact, "Reject-Contact", "list", "j"],
	[HeaderId.requestDisposition, "Request-Disposition", "list", "d"],
	[HeaderId.pAssertedIdentity, "P-Asserted-Identity", "list"],
	[HeaderId.pPreferredIdentity, "P-Preferred-Identity", "list"],
	[HeaderId.remotePartyId, "Remote-Party-ID", "list"],
	[HeaderId.diversion, "Diversion", "list"],
	[HeaderId.historyInfo, "History-Info", "list"],
	[HeaderId.identity, "Identity", undefined, "y"],
	[HeaderId.msDiagnostics, "ms-diagnostics"],
	[HeaderId.msDiagnosticsPublic, "ms-diagnostics-public"],
	[HeaderId.msAssertedVerificationLevel, "Ms-asserted-verification-level"],
	[HeaderId.msEdgeProxyMessageTrust, "ms-edge-proxy-message-trust"],
	[HeaderId.msKeepAlive, "ms-keep-alive"],
	[HeaderId.msTextFormat, "ms-text-format"],
	[HeaderId.msImFormat, "ms-im-format"],
	[HeaderId.msUserData, "ms-user-data"],
];

const headerNames: readonly HeaderName[] = buildNames();

/** One more than the highest number of a header. */
export const headerCount = headerNames.length;

function buildNames(): HeaderName[] {
	const names: HeaderName[] = [{ id: HeaderId.other, name: "", compact: undefined, single: false, list: false }];
	for (const [id, name, kind, compact] of rows) {
		names[id] = { id, name, compact, single: id <= LAST_SINGLE_ID, list: kind === "list" };
	}
	return names;
}

const SLOTS = 1024;

/**
 * Every name and compact form, each in a slot. Open addressing: a name is where its length and three of its letters say,
 * or in a slot behind; a free slot ends the search.
 */
interface Spellings {
	readonly ids: Uint8Array;
	/** Octets of the name; zero in a free slot. */
	readonly lengths: Uint8Array;
	/** Where its words start. */
	readonly starts: Uint16Array;
	/** In lower case, four letters in each, the first in the lowest bits; zeros behind the last letter. */
	readonly words: Int32Array;
}

const { ids, lengths, starts, words } = buildSpellings();

/** Within tokens the bit 0x20 tells the two cases of a letter apart and nothing else. */
const SMALL = 0x20202020;

function slotOf(length: number, first: number, middle: number, last: number): number {
	return (length * 37 + (first & 0x1f) * 113 + (middle & 0x1f) * 11 + (last & 0x1f) * 331) & (SLOTS - 1);
}

function buildSpellings(): Spellings {
	const table = { ids: new Uint8Array(SLOTS), lengths: new Uint8Array(SLOTS), starts: new Uint16Array(SLOTS) };
	const written: number[] = [];
	for (const { id, name, compact } of headerNames) {
		for (const spelling of compact === undefined ? [name] : [name, compact]) {
			const { length } = spelling;
			if (length === 0) continue;
			const lower = Array.from(spelling, (letter) => letter.charCodeAt(0) | 0x20);
			let slot = slotOf(length, lower[0] ?? 0, lower[length >> 1] ?? 0, lower[length - 1] ?? 0);
			while (table.lengths[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
			table.ids[slot] = id;
			table.lengths[slot] = length;
			table.starts[slot] = written.length;
			for (let at = 0; at < length; at += 4) {
				const [first = 0, second = 0, third = 0, fourth = 0] = lower.slice(at, at + 4);
				written.push(first | (second << 8) | (third << 16) | (fourth << 24));
			}
		}
	}
	return { ...table, words: Int32Array.from(written) };
}

/**
 * As {@link findHeaderId}, of octets; those of the name are of the class `token`, and there is one at least. Three more can
 * be read behind it, whatever they are.
 */
export function findHeaderIdIn(octets: DataView, start: number, end: number): HeaderId {
	const length = end - start;
	const middle = octets.getUint8(start + (length >> 1));
	let slot = slotOf(length, octets.getUint8(start), middle, octets.getUint8(end - 1));
	for (;;) {
		const known = lengths[slot];
		if (known === 0) return HeaderId.other;
		if (known === length) {
			let at = start;
			let word = starts[slot] as number;
			for (; at + 4 <= end && (octets.getInt32(at, true) | SMALL) === words[word]; at += 4) word++;
			if (at + 4 > end && (at === end || isLastWord(octets, at, end, words[word] as number))) {
				return ids[slot] as HeaderId;
			}
		}
		slot = (slot + 1) & (SLOTS - 1);
	}
}

/** Whether the one to three octets from `at` to `end` are the letters of `word`. */
function isLastWord(octets: DataView, at: number, end: number, word: number): boolean {
	// What stands behind the name is shifted out.
	return ((octets.getInt32(at, true) | SMALL) ^ word) << ((at + 4 - end) << 3) === 0;
}

/** The number of the header whose name fills `text` from `start` to `end`, in any case, full or compact (RFC 3261 §7.3.3). */
export function findHeaderId(text: string, start: number, end: number): HeaderId {
	const name = text.slice(start, end);
	return isToken(name) ? findHeaderIdIn(dataOf(name), 0, name.length) : HeaderId.other;
}

/** The row of a header. Throws `RangeError` for a number that no header has. */
export function headerName(id: HeaderId): HeaderName {
	const row = headerNames[id];
	if (row === undefined) throw new RangeError(`no header has the number ${id}`);
	return row;
}

/** Whether two header names are the same header: any case, compact or full (RFC 3261 §7.3.3). */
export function isSameHeader(left: string, right: string): boolean {
	const id = findHeaderId(left, 0, left.length);
	if (id !== HeaderId.other) return id === findHeaderId(right, 0, right.length);
	if (left.length !== right.length) return false;
	for (let index = 0; index < left.length; index++) {
		if (lowerCode(left.charCodeAt(index)) !== lowerCode(right.charCodeAt(index))) return false;
	}
	return true;
}
