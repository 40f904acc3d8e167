/**
 * Reads a request of a dialog that is known, straight from its octets, for the short way (`short-way.ts`). It knows the usual form of
 * such a request and nothing else; whatever is written otherwise, or might have to be refused, is left to parser and pipeline.
 */
import {
	FIELD_STRIDE,
	findParam,
	HeaderId,
	isSipUri,
	LAST_SINGLE_ID,
	type MessageHead,
	octetsOfHead,
	parseAor,
	parseCSeq,
	parseMaxForwards,
	parseNameAddr,
	parseUri,
	parseVia,
	type Via,
} from "@causeway/sip";

/** Methods inside a dialog whose passing needs no more than is read here. */
const METHODS: readonly string[] = ["MESSAGE", "NOTIFY", "BYE", "ACK", "INFO"];
const VERSION = " SIP/2.0";
const COOKIE = "z9hG4bK";

/** What differs from request to request. Fields count from 0. */
export interface MovingParts {
	readonly method: string;
	readonly topVia: Via;
	readonly topViaField: number;
	/** All Via values as they came, joined with commas; without white space around them. */
	readonly vias: string;
	/** As written: names the transaction together with the connection. */
	readonly topViaText: string;
	readonly maxForwards: number;
	readonly maxForwardsField: number;
	readonly cseqText: string;
	readonly cseqNumber: number;
	/** The first Route field; the second stands behind it. */
	readonly routeField: number;
}

/** Where the parts of a request stand, in {@link MessageHead.fields}; one is used for all requests, and overwritten by the next. */
export interface ShortSpots {
	method: string;
	/** Value of the first Via field, and all Via values joined with commas. */
	topViaText: string;
	vias: string;
	viaAt: number;
	hopsAt: number;
	fromAt: number;
	toAt: number;
	callIdAt: number;
	cseqAt: number;
	/** The first of the two Route fields that stand together. */
	routeAt: number;
}

const spots: ShortSpots = {
	method: "",
	topViaText: "",
	vias: "",
	viaAt: 0,
	hopsAt: 0,
	fromAt: 0,
	toAt: 0,
	callIdAt: 0,
	cseqAt: 0,
	routeAt: 0,
};

/** Finds the parts and reads none; undefined where anything is not as it usually is. `ownSentBy`: host and port of our own Vias. */
export function scanShortRequest(head: MessageHead, ownSentBy: string): ShortSpots | undefined {
	const { text, fields } = head;
	const method = METHODS.find((name) => text.charCodeAt(name.length) === 0x20 && text.startsWith(name));
	if (method === undefined || !text.startsWith(VERSION, (fields[1] as number) - 2 - VERSION.length)) return undefined;
	let seen = 0;
	let vias = "";
	let topViaText = "";
	let viaAt = -1;
	let hopsAt = -1;
	let fromAt = -1;
	let toAt = -1;
	let callIdAt = -1;
	let cseqAt = -1;
	let routeAt = -1;
	let routes = 0;
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		if (id <= LAST_SINGLE_ID) {
			const bit = 1 << (id - 1);
			if ((seen & bit) !== 0) return undefined;
			seen |= bit;
			if (id === HeaderId.maxForwards) hopsAt = at;
			else if (id === HeaderId.from) fromAt = at;
			else if (id === HeaderId.to) toAt = at;
			else if (id === HeaderId.callId) callIdAt = at;
			else if (id === HeaderId.cseq) cseqAt = at;
			else if (id === HeaderId.event && !isText(head, at, PRESENCE)) return undefined;
		} else if (id === HeaderId.via) {
			const value = textOf(head, at);
			// A loop is the pipeline's to find; several values in a field, or a folded one, are the parser's to part.
			if (value.includes(ownSentBy) || value.includes(",") || value.includes("\r")) return undefined;
			if (viaAt < 0) {
				viaAt = at;
				topViaText = value;
				vias = value;
			} else vias += `,${value}`;
		} else if (id === HeaderId.route) {
			if (routes === 0) routeAt = at;
			else if (routes === 1 ? at !== routeAt + FIELD_STRIDE : !isLoose(head, at)) return undefined;
			routes += 1;
		} else if (id === HeaderId.proxyRequire) return undefined;
	}
	if (viaAt < 0 || hopsAt < 0 || fromAt < 0 || toAt < 0 || callIdAt < 0 || cseqAt < 0 || routes < 2) return undefined;
	// A NOTIFY says which package it is of.
	if (method === "NOTIFY" && (seen & EVENT_BIT) === 0) return undefined;
	spots.method = method;
	spots.topViaText = topViaText;
	spots.vias = vias;
	spots.viaAt = viaAt;
	spots.hopsAt = hopsAt;
	spots.fromAt = fromAt;
	spots.toAt = toAt;
	spots.callIdAt = callIdAt;
	spots.cseqAt = cseqAt;
	spots.routeAt = routeAt;
	return spots;
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
	return {
		requestUri,
		fromText: textOf(head, found.fromAt),
		toText: textOf(head, found.toAt),
		fromTag: from.value.tag,
		toTag: to.value.tag,
		fromAor: `${fromAor.value.user}@${fromAor.value.host}`,
		toAor: `${toAor.value.user}@${toAor.value.host}`,
		fromDomain: fromAor.value.host,
		toDomain: toAor.value.host,
		callId: textOf(head, found.callIdAt),
		firstRoute: textOf(head, found.routeAt),
		secondRoute: textOf(head, found.routeAt + FIELD_STRIDE),
	};
}

/** Whether a request has these very parts, octet for octet. */
export function hasStandingParts(head: MessageHead, found: ShortSpots, parts: StandingParts): boolean {
	const start = found.method.length + 1;
	const end = (head.fields[1] as number) - 2 - VERSION.length;
	return (
		isText(head, found.callIdAt, parts.callId) &&
		end - start === parts.requestUri.length &&
		equalsAt(octetsOfHead(head), start, parts.requestUri) &&
		isText(head, found.fromAt, parts.fromText) &&
		isText(head, found.toAt, parts.toText) &&
		isText(head, found.routeAt, parts.firstRoute) &&
		isText(head, found.routeAt + FIELD_STRIDE, parts.secondRoute)
	);
}

/** Reads what differs from request to request; undefined where it is not as usual. */
export function readMovingParts(head: MessageHead, found: ShortSpots): MovingParts | undefined {
	const { text, fields } = head;
	const { method, viaAt, hopsAt, cseqAt, routeAt } = found;
	const via = parseVia(text, fields[viaAt + 2] as number, fields[viaAt + 3] as number);
	const hops = parseMaxForwards(text, fields[hopsAt + 2] as number, fields[hopsAt + 3] as number);
	const cseq = parseCSeq(text, fields[cseqAt + 2] as number, fields[cseqAt + 3] as number);
	if (!via.ok || via.value.branch === undefined || !isOwnBranch(via.value.branch)) return undefined;
	if (!hops.ok || hops.value < 1 || !cseq.ok || cseq.value.method !== method) return undefined;
	return {
		method,
		topVia: via.value,
		topViaField: viaAt / FIELD_STRIDE,
		vias: found.vias,
		topViaText: found.topViaText,
		maxForwards: hops.value,
		maxForwardsField: hopsAt / FIELD_STRIDE,
		cseqText: textOf(head, cseqAt),
		cseqNumber: cseq.value.number,
		routeField: routeAt / FIELD_STRIDE,
	};
}

const EVENT_BIT = 1 << (HeaderId.event - 1);

function textOf({ text, fields }: MessageHead, at: number): string {
	return text.slice(fields[at + 2], fields[at + 3]);
}

/** RFC 3261 §8.1.1.7: something must follow the cookie. */
function isOwnBranch(branch: string): boolean {
	return branch.length > COOKIE.length && branch.startsWith(COOKIE);
}

/** The Request-URI; undefined where it is no `sip:` URI, carries headers, or names this edge, as a strict router makes it. */
function readTarget(text: string, start: number, lineEnd: number, ownHost: string): string | undefined {
	const end = lineEnd - VERSION.length;
	const uri = parseUri(text, start, end);
	if (!uri.ok || !isSipUri(uri.value)) return undefined;
	const { scheme, headers, host } = uri.value;
	return scheme === "sip" && headers === "" && host !== ownHost ? uri.value.text : undefined;
}

/** A Route field behind ours: one loose router, of which nothing else has to be known. */
function isLoose({ text, fields }: MessageHead, at: number): boolean {
	const value = parseNameAddr(text, fields[at + 2] as number, fields[at + 3] as number);
	if (!value.ok || !isSipUri(value.value.uri) || value.value.uri.headers !== "") return false;
	return findParam(value.value.uri.params, "lr") !== undefined;
}

const PRESENCE = "presence";

function isText(head: MessageHead, at: number, text: string): boolean {
	const start = head.fields[at + 2] as number;
	return (head.fields[at + 3] as number) - start === text.length && equalsAt(octetsOfHead(head), start, text);
}

/** Whether `text` stands there. A loop over octets is quicker than what the engine does for strings that are slices of others. */
export function equalsAt(octets: Uint8Array, start: number, text: string): boolean {
	for (let index = 0; index < text.length; index++) {
		if (octets[start + index] !== text.charCodeAt(index)) return false;
	}
	return true;
}
