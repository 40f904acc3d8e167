/** Reads a response to a request that took the short way, straight from its octets; what is written otherwise is left to the parser. */
import { FIELD_STRIDE, HeaderId, LAST_SINGLE_ID, type MessageHead, octetsOfHead } from "@causeway/sip";
import { equalsAt } from "./short-request.ts";

const START = "SIP/2.0 ";
const BRANCH = ";branch=";

/** What the responses to a request repeat of it, octet for octet. */
export interface EchoedParts {
	/** The Via below ours, as it left. */
	readonly viaBelow: string;
	readonly parts: { readonly fromText: string; readonly toText: string; readonly callId: string };
	readonly cseqText: string;
}

/** Status code of a response; undefined where the head is no response, or its status line is not as usual. */
export function readStatus({ text }: MessageHead): number | undefined {
	if (!text.startsWith(START) || text.charCodeAt(START.length + 3) !== 0x20) return undefined;
	let status = 0;
	for (let at = START.length; at < START.length + 3; at++) {
		const digit = text.charCodeAt(at) - 0x30;
		if (digit < 0 || digit > 9) return undefined;
		status = status * 10 + digit;
	}
	return status >= 100 && status <= 699 ? status : undefined;
}

/** Offset of the branch in the top Via, and of its end; undefined where there is none to be seen at once. */
export function findTopBranch({
	text,
	fields,
}: MessageHead): { readonly start: number; readonly end: number } | undefined {
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		if (fields[at] !== HeaderId.via) continue;
		const valueEnd = fields[at + 3] as number;
		const start = text.indexOf(BRANCH, fields[at + 2]) + BRANCH.length;
		if (start < BRANCH.length || start >= valueEnd) return undefined;
		const semicolon = text.indexOf(";", start);
		return { start, end: semicolon < 0 || semicolon > valueEnd ? valueEnd : semicolon };
	}
	return undefined;
}

/**
 * The response without our Via, where it repeats the request as it must: From, To, Call-ID, CSeq, and the Vias each in a field of its own.
 * Undefined where it does not, or where a header might have to be taken out at the boundary.
 */
export function withoutOurVia(head: MessageHead, echoed: EchoedParts): string | undefined {
	const { text, fields } = head;
	let seen = 0;
	let ours = -1;
	let behind = -1;
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		if (id > LAST_SINGLE_ID) {
			if (id === HeaderId.via) {
				if (ours < 0) ours = at;
				else if (behind < 0) {
					behind = at;
					// Ours stands alone in its field, and the one below is as it left.
					if (at !== ours + FIELD_STRIDE || !isEqual(head, at, echoed.viaBelow)) return undefined;
				}
			} else if (id >= HeaderId.pAssertedIdentity) return undefined;
			continue;
		}
		const bit = 1 << (id - 1);
		if ((seen & bit) !== 0 || id === HeaderId.replyTo) return undefined;
		seen |= bit;
		if (id === HeaderId.from) {
			if (!isEqual(head, at, echoed.parts.fromText)) return undefined;
		} else if (id === HeaderId.to) {
			if (!isEqual(head, at, echoed.parts.toText)) return undefined;
		} else if (id === HeaderId.callId) {
			if (!isEqual(head, at, echoed.parts.callId)) return undefined;
		} else if (id === HeaderId.cseq && !isEqual(head, at, echoed.cseqText)) return undefined;
	}
	if (behind < 0 || (seen & MANDATORY) !== MANDATORY) return undefined;
	const start = fields[ours + 1] as number;
	if (text.slice(fields[ours + 2], fields[ours + 3]).includes(",")) return undefined;
	return text.slice(0, start) + text.slice(fields[behind + 1]);
}

const bitOf = (id: number): number => 1 << (id - 1);
const MANDATORY = bitOf(HeaderId.from) | bitOf(HeaderId.to) | bitOf(HeaderId.callId) | bitOf(HeaderId.cseq);

function isEqual(head: MessageHead, at: number, value: string): boolean {
	const start = head.fields[at + 2] as number;
	return (head.fields[at + 3] as number) - start === value.length && equalsAt(octetsOfHead(head), start, value);
}
