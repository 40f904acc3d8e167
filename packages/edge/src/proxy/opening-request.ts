/**
 * Reads a first INVITE or SUBSCRIBE straight from its octets, for `opening-way.ts`. It knows the usual form of such a request and nothing
 * else; whatever is written otherwise, or might have to be refused, is left to parser and pipeline.
 */
import {
	FIELD_STRIDE,
	HeaderId,
	isSipUri,
	LAST_SINGLE_ID,
	type MessageHead,
	type OctetFrame,
	octetsOfHead,
	parseAor,
	parseCSeq,
	parseMaxForwards,
	parseNameAddr,
	parseUri,
	parseVia,
	type Via,
} from "@causeway/sip";
import { isTextAt } from "./octet-text.ts";

/** A request that opens a dialog, as far as the proxy has to know it. Fields are places in {@link MessageHead.fields}. */
export interface OpeningRequest {
	readonly method: "INVITE" | "SUBSCRIBE";
	/** As written. */
	readonly requestUri: string;
	/** Undefined where the Request-URI names a host alone. */
	readonly targetUser: string | undefined;
	readonly targetHost: string;
	readonly topVia: Via;
	/** Value of the first Via field, and all Via values joined with commas. */
	readonly topViaText: string;
	readonly vias: string;
	readonly viaAt: number;
	/** Before this field our Record-Routes are written. */
	readonly recordRouteAt: number;
	readonly maxForwards: number;
	readonly hopsAt: number;
	readonly fromAt: number;
	readonly fromUser: string;
	readonly fromDomain: string;
	readonly fromTag: string;
	readonly toAt: number;
	readonly toUser: string;
	readonly toDomain: string;
	readonly callIdAt: number;
	readonly callId: string;
	readonly cseqAt: number;
	readonly cseqNumber: number;
}

const INVITE = "INVITE ";
const SUBSCRIBE = "SUBSCRIBE ";
const VERSION = " SIP/2.0";
const PRESENCE = "presence";

/** Whether a message may be such a request. */
export function mayOpen({ octets, start }: OctetFrame): boolean {
	return isTextAt(octets, start, INVITE) || isTextAt(octets, start, SUBSCRIBE);
}

/** Undefined where anything is not as it usually is. `ownSentBy`: host and port of our own Vias. */
export function readOpeningRequest(head: MessageHead, ownSentBy: string): OpeningRequest | undefined {
	const { text, fields } = head;
	const method = text.startsWith(INVITE) ? "INVITE" : text.startsWith(SUBSCRIBE) ? "SUBSCRIBE" : undefined;
	const lineEnd = (fields[1] as number) - 2;
	if (method === undefined || !text.startsWith(VERSION, lineEnd - VERSION.length)) return undefined;
	// Written once; the readers below look there.
	const octets = octetsOfHead(head);
	let seen = 0;
	let vias = "";
	let topViaText = "";
	let viaAt = -1;
	let lastViaAt = -1;
	let recordRouteAt = -1;
	let hopsAt = -1;
	let fromAt = -1;
	let toAt = -1;
	let callIdAt = -1;
	let cseqAt = -1;
	let eventAt = -1;
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
			else if (id === HeaderId.event) eventAt = at;
		} else if (id === HeaderId.via) {
			const value = text.slice(fields[at + 2], fields[at + 3]);
			// A loop is the pipeline's to find; several values in a field, or a folded one, are the parser's to part.
			if (value.includes(ownSentBy) || value.includes(",") || value.includes("\r")) return undefined;
			if (viaAt < 0) {
				viaAt = at;
				topViaText = value;
				vias = value;
			} else vias += `,${value}`;
			// The Vias on top stand together, mostly; the route goes behind them.
			if (lastViaAt < 0 || at === lastViaAt + FIELD_STRIDE) lastViaAt = at;
		} else if (id === HeaderId.recordRoute) {
			if (recordRouteAt < 0) recordRouteAt = at;
		} else if (id === HeaderId.route || id === HeaderId.proxyRequire) return undefined;
	}
	if (viaAt < 0 || hopsAt < 0 || fromAt < 0 || toAt < 0 || callIdAt < 0 || cseqAt < 0) return undefined;
	if (method === "SUBSCRIBE" && (eventAt < 0 || textAt(head, eventAt) !== PRESENCE)) return undefined;
	const requestUri = parseUri(text, method.length + 1, lineEnd - VERSION.length);
	if (!requestUri.ok || !isSipUri(requestUri.value)) return undefined;
	const { scheme, headers, user, host, text: uriText } = requestUri.value;
	if (scheme !== "sip" || headers !== "") return undefined;
	const from = parseNameAddr(text, fields[fromAt + 2] as number, fields[fromAt + 3] as number);
	const to = parseNameAddr(text, fields[toAt + 2] as number, fields[toAt + 3] as number);
	if (!from.ok || !to.ok || from.value.tag === undefined || to.value.tag !== undefined) return undefined;
	const fromAor = parseAor(from.value.uri);
	const toAor = parseAor(to.value.uri);
	if (!fromAor.ok || !toAor.ok) return undefined;
	const via = parseVia(text, fields[viaAt + 2] as number, fields[viaAt + 3] as number);
	const hops = parseMaxForwards(text, fields[hopsAt + 2] as number, fields[hopsAt + 3] as number);
	const cseq = parseCSeq(text, fields[cseqAt + 2] as number, fields[cseqAt + 3] as number);
	if (!via.ok || !hops.ok || hops.value < 1 || !cseq.ok || cseq.value.method !== method) return undefined;
	if (!isWord(octets, fields[callIdAt + 2] as number, fields[callIdAt + 3] as number)) return undefined;
	return {
		method,
		requestUri: uriText,
		targetUser: user,
		targetHost: host,
		topVia: via.value,
		topViaText,
		vias,
		viaAt,
		recordRouteAt: recordRouteAt < 0 ? lastViaAt + FIELD_STRIDE : recordRouteAt,
		maxForwards: hops.value,
		hopsAt,
		fromAt,
		fromUser: fromAor.value.user,
		fromDomain: fromAor.value.host,
		fromTag: from.value.tag,
		toAt,
		toUser: toAor.value.user,
		toDomain: toAor.value.host,
		callIdAt,
		callId: textAt(head, callIdAt),
		cseqAt,
		cseqNumber: cseq.value.number,
	};
}

function textAt({ text, fields }: MessageHead, at: number): string {
	return text.slice(fields[at + 2], fields[at + 3]);
}

/** RFC 3261 §20.8: not empty, and without white space. */
function isWord(octets: Uint8Array, start: number, end: number): boolean {
	for (let at = start; at < end; at++) if ((octets[at] as number) <= 0x20) return false;
	return start < end;
}
