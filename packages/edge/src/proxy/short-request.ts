/**
 * Reads a request of a dialog that is known, straight from its octets: the one scan of performance's short way. It knows the usual form of
 * such a request and nothing else; whatever is written otherwise, or might have to be refused, is left to parser and pipeline.
 */
import {
	FIELD_STRIDE,
	findParam,
	HeaderId,
	isSipUri,
	LAST_SINGLE_ID,
	octetsOfHead,
	type MessageHead,
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

/** What the short way needs of a request. Offsets are of the head's text, fields count from 0. */
export interface ShortRequest {
	readonly method: string;
	readonly topVia: Via;
	readonly topViaField: number;
	/** All Via values as they came, joined with commas; without white space around them. */
	readonly vias: string;
	/** As written: names the transaction together with the connection. */
	readonly topViaText: string;
	readonly maxForwards: number;
	readonly maxForwardsField: number;
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
	readonly cseqText: string;
	readonly cseqNumber: number;
	readonly requestUri: string;
	/** The first Route field; the second stands behind it. */
	readonly routeField: number;
	readonly firstRoute: string;
	readonly secondRoute: string;
}

/** Undefined where anything is not as it usually is. `ownSentBy`: host and port of our own Vias; `ownHost`: our name. */
export function readShortRequest(head: MessageHead, ownSentBy: string, ownHost: string): ShortRequest | undefined {
	const { text, fields } = head;
	// What reads its values below looks at these.
	octetsOfHead(head);
	const method = METHODS.find((name) => text.charCodeAt(name.length) === 0x20 && text.startsWith(name));
	if (method === undefined) return undefined;
	const requestUri = readTarget(text, method.length + 1, (fields[1] as number) - 2, ownHost);
	if (requestUri === undefined) return undefined;
	let seen = 0;
	let topVia: Via | undefined;
	let topViaField = 0;
	let topViaText = "";
	let vias = "";
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
			else if (id === HeaderId.event && !isPresence(text, fields[at + 2] as number, fields[at + 3] as number))
				return undefined;
		} else if (id === HeaderId.via) {
			const value = textOf(head, at);
			// A loop is the pipeline's to find; several values in a field, or a folded one, are the parser's to part.
			if (value.includes(ownSentBy) || value.includes(",") || value.includes("\r")) return undefined;
			if (topVia === undefined) {
				const read = parseVia(text, fields[at + 2] as number, fields[at + 3] as number);
				if (!read.ok || read.value.branch === undefined || !isOwnBranch(read.value.branch)) return undefined;
				topVia = read.value;
				topViaField = at / FIELD_STRIDE;
				topViaText = value;
				vias = value;
			} else vias += `,${value}`;
		} else if (id === HeaderId.route) {
			if (routes === 0) routeAt = at;
			else if (routes === 1 ? at !== routeAt + FIELD_STRIDE : !isLoose(head, at)) return undefined;
			routes += 1;
		} else if (id === HeaderId.proxyRequire) return undefined;
	}
	if (topVia === undefined || hopsAt < 0 || fromAt < 0 || toAt < 0 || callIdAt < 0 || cseqAt < 0 || routes < 2) {
		return undefined;
	}
	// A NOTIFY says which package it is of, and the state of its subscription ends the dialog.
	if (method === "NOTIFY" && (seen & EVENT_BIT) === 0) return undefined;
	const hops = parseMaxForwards(text, fields[hopsAt + 2] as number, fields[hopsAt + 3] as number);
	const cseq = parseCSeq(text, fields[cseqAt + 2] as number, fields[cseqAt + 3] as number);
	const from = parseNameAddr(text, fields[fromAt + 2] as number, fields[fromAt + 3] as number);
	const to = parseNameAddr(text, fields[toAt + 2] as number, fields[toAt + 3] as number);
	if (!hops.ok || hops.value < 1 || !cseq.ok || cseq.value.method !== method || !from.ok || !to.ok) return undefined;
	const fromAor = parseAor(from.value.uri);
	const toAor = parseAor(to.value.uri);
	if (!fromAor.ok || !toAor.ok || from.value.tag === undefined || to.value.tag === undefined) return undefined;
	return {
		method,
		topVia,
		topViaField,
		vias,
		topViaText,
		maxForwards: hops.value,
		maxForwardsField: hopsAt / FIELD_STRIDE,
		fromText: textOf(head, fromAt),
		toText: textOf(head, toAt),
		fromTag: from.value.tag,
		toTag: to.value.tag,
		fromAor: `${fromAor.value.user}@${fromAor.value.host}`,
		toAor: `${toAor.value.user}@${toAor.value.host}`,
		fromDomain: fromAor.value.host,
		toDomain: toAor.value.host,
		callId: textOf(head, callIdAt),
		cseqText: textOf(head, cseqAt),
		cseqNumber: cseq.value.number,
		requestUri,
		routeField: routeAt / FIELD_STRIDE,
		firstRoute: textOf(head, routeAt),
		secondRoute: textOf(head, routeAt + FIELD_STRIDE),
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
	if (!text.startsWith(VERSION, end)) return undefined;
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

function isPresence(text: string, start: number, end: number): boolean {
	return end - start === PRESENCE.length && text.startsWith(PRESENCE, start);
}
