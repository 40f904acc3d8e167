/**
 * Reads a request of a dialog that is known, straight from its octets, for the short way (`short-way.ts`). It knows the usual form of
 * such a request and nothing else; whatever is written otherwise, or might have to be refused, is left to parser and pipeline.
 */
import {
	FIELD_STRIDE,
	findParam,
	formatVerificationLevel,
	HeaderId,
	isSipUri,
	LAST_SINGLE_ID,
	type MessageHead,
	type OctetFrame,
	parseAor,
	parseCSeq,
	parseMaxForwards,
	parseNameAddr,
	parseUri,
	parseVia,
	type VerificationLevel,
	type Via,
} from "@causeway/sip";
import { meetsBoundary } from "./boundary-headers.ts";
import { isTextAt, textOf } from "./octet-text.ts";

/** Methods inside a dialog whose passing needs no more than is read here. */
const METHODS: readonly string[] = ["MESSAGE", "NOTIFY", "BYE", "ACK", "INFO"];
const VERSION = " SIP/2.0";
/** The branch of a top Via begins with it (RFC 3261 §8.1.1.7). */
export const BRANCH_COOKIE = "z9hG4bK";

/** Where the parts of a request stand, in {@link OctetFrame.fields}; one is used for all requests, and overwritten by the next. */
export interface ShortSpots {
	method: string;
	/** The first Via field, and how many there are. */
	viaAt: number;
	vias: number;
	hopsAt: number;
	fromAt: number;
	toAt: number;
	callIdAt: number;
	cseqAt: number;
	/** The first of the two Route fields that stand together. */
	routeAt: number;
	/** The statement about the sender, in our own words; -1 where none stands there. */
	levelAt: number;
	level: VerificationLevel | undefined;
	/** Another header stands there about which the boundary has rules, or a statement in other words. */
	isAtBoundary: boolean;
}

const spots: ShortSpots = {
	method: "",
	viaAt: 0,
	vias: 0,
	hopsAt: 0,
	fromAt: 0,
	toAt: 0,
	callIdAt: 0,
	cseqAt: 0,
	routeAt: 0,
	levelAt: -1,
	level: undefined,
	isAtBoundary: false,
};

/** Finds the parts and reads none; undefined where anything is not as it usually is. `ownSentBy`: host and port of our own Vias. */
export function scanShortRequest(frame: OctetFrame, ownSentBy: string): ShortSpots | undefined {
	const { octets, start, fields, fieldsLength } = frame;
	const method = METHODS.find((name) => isTextAt(octets, start, name) && octets[start + name.length] === 0x20);
	if (method === undefined || !isTextAt(octets, versionAt(frame), VERSION)) return undefined;
	let seen = 0;
	let vias = 0;
	let viaAt = -1;
	let hopsAt = -1;
	let fromAt = -1;
	let toAt = -1;
	let callIdAt = -1;
	let cseqAt = -1;
	let routeAt = -1;
	let routes = 0;
	let levelAt = -1;
	let level: VerificationLevel | undefined;
	let isAtBoundary = false;
	for (let at = 0; at + FIELD_STRIDE < fieldsLength; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		if (meetsBoundary(id)) isAtBoundary = true;
		if (id === HeaderId.msAssertedVerificationLevel) {
			if (levelAt >= 0) isAtBoundary = true;
			levelAt = at;
			level = isValue(frame, at, VERIFIED) ? "verified" : isValue(frame, at, UNVERIFIED) ? "unverified" : undefined;
			if (level === undefined) isAtBoundary = true;
		}
		if (id <= LAST_SINGLE_ID) {
			const bit = 1 << (id - 1);
			if ((seen & bit) !== 0) return undefined;
			seen |= bit;
			if (id === HeaderId.maxForwards) hopsAt = at;
			else if (id === HeaderId.from) fromAt = at;
			else if (id === HeaderId.to) toAt = at;
			else if (id === HeaderId.callId) callIdAt = at;
			else if (id === HeaderId.cseq) cseqAt = at;
			else if (id === HeaderId.event && !isValue(frame, at, PRESENCE)) return undefined;
		} else if (id === HeaderId.via) {
			if (!isPlainVia(frame, at, ownSentBy)) return undefined;
			if (vias === 0) viaAt = at;
			vias += 1;
		} else if (id === HeaderId.route) {
			if (routes === 0) routeAt = at;
			else if (routes === 1 ? at !== routeAt + FIELD_STRIDE : !isLoose(frame, at)) return undefined;
			routes += 1;
		} else if (id === HeaderId.proxyRequire) return undefined;
	}
	if (viaAt < 0 || hopsAt < 0 || fromAt < 0 || toAt < 0 || callIdAt < 0 || cseqAt < 0 || routes < 2) return undefined;
	// A NOTIFY says which package it is of.
	if (method === "NOTIFY" && (seen & EVENT_BIT) === 0) return undefined;
	spots.method = method;
	spots.viaAt = viaAt;
	spots.vias = vias;
	spots.hopsAt = hopsAt;
	spots.fromAt = fromAt;
	spots.toAt = toAt;
	spots.callIdAt = callIdAt;
	spots.cseqAt = cseqAt;
	spots.routeAt = routeAt;
	spots.levelAt = levelAt;
	spots.level = level;
	spots.isAtBoundary = isAtBoundary;
	return spots;
}

/** What differs from request to request. */
export interface MovingParts {
	topVia: Via;
	branch: string;
	maxForwards: number;
	cseqNumber: number;
}

/** Reads what differs from request to request, in any form; undefined where it is none. */
export function readMovingParts({ text, fields }: MessageHead, found: ShortSpots): MovingParts | undefined {
	const { method, viaAt, hopsAt, cseqAt } = found;
	const via = parseVia(text, fields[viaAt + 2] as number, fields[viaAt + 3] as number);
	const hops = parseMaxForwards(text, fields[hopsAt + 2] as number, fields[hopsAt + 3] as number);
	const cseq = parseCSeq(text, fields[cseqAt + 2] as number, fields[cseqAt + 3] as number);
	if (!via.ok || via.value.branch === undefined || !isOwnBranch(via.value.branch)) return undefined;
	if (!hops.ok || hops.value < 1 || !cseq.ok || cseq.value.method !== method) return undefined;
	return { topVia: via.value, branch: via.value.branch, maxForwards: hops.value, cseqNumber: cseq.value.number };
}

/** What is the same in every request of one side of a dialog, if its sender always writes it in the same way. */
export interface StandingParts {
	readonly requestUri: string;
	readonly fromText: string;
	readonly toText: string;
	readonly fromTag: string;
	readonly toTag: string;
	/** `user@domain`. */
	readonly fromAor: string;
	readonly toAor: string;
	readonly fromDomain: string;
	readonly toDomain: string;
	readonly callId: string;
	readonly firstRoute: string;
	readonly secondRoute: string;
}

/** Reads what may stand in the next request as well; undefined where it is not as usual. `ownHost`: our name. */
export function readStandingParts(head: MessageHead, found: ShortSpots, ownHost: string): StandingParts | undefined {
	const { text, fields } = head;
	const requestUri = readTarget(text, found.method.length + 1, (fields[1] as number) - 2, ownHost);
	if (requestUri === undefined) return undefined;
	const from = parseNameAddr(text, fields[found.fromAt + 2] as number, fields[found.fromAt + 3] as number);
	const to = parseNameAddr(text, fields[found.toAt + 2] as number, fields[found.toAt + 3] as number);
	if (!from.ok || !to.ok || from.value.tag === undefined || to.value.tag === undefined) return undefined;
	const fromAor = parseAor(from.value.uri);
	const toAor = parseAor(to.value.uri);
	if (!fromAor.ok || !toAor.ok) return undefined;
	const valueAt = (at: number): string => text.slice(fields[at + 2], fields[at + 3]);
	return {
		requestUri,
		fromText: valueAt(found.fromAt),
		toText: valueAt(found.toAt),
		fromTag: from.value.tag,
		toTag: to.value.tag,
		fromAor: `${fromAor.value.user}@${fromAor.value.host}`,
		toAor: `${toAor.value.user}@${toAor.value.host}`,
		fromDomain: fromAor.value.host,
		toDomain: toAor.value.host,
		callId: valueAt(found.callIdAt),
		firstRoute: valueAt(found.routeAt),
		secondRoute: valueAt(found.routeAt + FIELD_STRIDE),
	};
}

/** Offset of the Request-URI among the octets, and behind it. */
export function targetStart({ start }: OctetFrame, found: ShortSpots): number {
	return start + found.method.length + 1;
}

/** Where a request line that is as usual says its version. */
export function versionAt({ start, fields }: OctetFrame): number {
	return start + (fields[1] as number) - 2 - VERSION.length;
}

/** Max-Forwards of a request, written as plain digits; 0 where it is not. */
export function plainHops(frame: OctetFrame, found: ShortSpots): number {
	const hops = digitsOf(frame, found.hopsAt, frame.fields[found.hopsAt + 3] as number);
	return hops > MOST_MAX_FORWARDS ? 0 : hops;
}

/** The number of CSeq, written as digits, one blank and the method; 0 where it is not. */
export function plainCSeq(frame: OctetFrame, found: ShortSpots): number {
	const { octets, start, fields } = frame;
	const methodAt = (fields[found.cseqAt + 3] as number) - found.method.length;
	if (octets[start + methodAt - 1] !== 0x20 || !isTextAt(octets, start + methodAt, found.method)) return 0;
	return digitsOf(frame, found.cseqAt, methodAt - 1);
}

const EVENT_BIT = 1 << (HeaderId.event - 1);
const VERIFIED = formatVerificationLevel("verified");
const UNVERIFIED = formatVerificationLevel("unverified");
const PRESENCE = "presence";
const MOST_MAX_FORWARDS = 255;
/** What has more digits is for the parser. */
const MOST_DIGITS = 9;

/** A number from the start of a value to `end`; 0 where there is something else. */
function digitsOf({ octets, start, fields }: OctetFrame, at: number, end: number): number {
	const from = fields[at + 2] as number;
	if (end - from > MOST_DIGITS) return 0;
	let value = 0;
	for (let index = start + from; index < start + end; index++) {
		const digit = (octets[index] as number) - 0x30;
		if (digit < 0 || digit > 9) return 0;
		value = value * 10 + digit;
	}
	return value;
}

function isValue({ octets, start, fields }: OctetFrame, at: number, text: string): boolean {
	const from = fields[at + 2] as number;
	return (fields[at + 3] as number) - from === text.length && isTextAt(octets, start + from, text);
}

/** RFC 3261 §8.1.1.7: something must follow the cookie. */
function isOwnBranch(branch: string): boolean {
	return branch.length > BRANCH_COOKIE.length && branch.startsWith(BRANCH_COOKIE);
}

/** The Request-URI; undefined where it is no `sip:` URI, carries headers, or names this edge, as a strict router makes it. */
function readTarget(text: string, start: number, lineEnd: number, ownHost: string): string | undefined {
	const end = lineEnd - VERSION.length;
	const uri = parseUri(text, start, end);
	if (!uri.ok || !isSipUri(uri.value)) return undefined;
	const { scheme, headers, host } = uri.value;
	return scheme === "sip" && headers === "" && host !== ownHost ? uri.value.text : undefined;
}

/** One Via value in a field that is not folded; a loop is the pipeline's to find, several values are the parser's to part. */
function isPlainVia({ octets, start, fields }: OctetFrame, at: number, ownSentBy: string): boolean {
	const first = ownSentBy.charCodeAt(0);
	const end = start + (fields[at + 3] as number);
	for (let index = start + (fields[at + 2] as number); index < end; index++) {
		const code = octets[index] as number;
		if (code === 0x2c || code === 0x0d || (code === first && isTextAt(octets, index, ownSentBy))) return false;
	}
	return true;
}

/** A Route field behind ours: one loose router, of which nothing else has to be known. */
function isLoose(frame: OctetFrame, at: number): boolean {
	const text = textOf(frame, at);
	const value = parseNameAddr(text, 0, text.length);
	if (!value.ok || !isSipUri(value.value.uri) || value.value.uri.headers !== "") return false;
	return findParam(value.value.uri.params, "lr") !== undefined;
}
