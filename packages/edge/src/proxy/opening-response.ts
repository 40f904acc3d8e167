/** Reads the 2xx to a request that went the way of `opening-way.ts`, straight from its octets; what is written otherwise is left to the parser. */
import { FIELD_STRIDE, HeaderId, LAST_SINGLE_ID, type MessageHead, type OctetFrame, octetsOfHead } from "@causeway/sip";
import { isTextAt } from "./octet-text.ts";

const START = "SIP/2.0 2";
const BRANCH = ";branch=";
const TAG = ";tag=";

/** A request, of which its 2xx repeats so much octet for octet. */
export interface OpeningEcho {
	/** As it came. */
	readonly head: MessageHead;
	/** Places in its fields; To has no tag. */
	readonly request: {
		readonly viaAt: number;
		readonly fromAt: number;
		readonly toAt: number;
		readonly callIdAt: number;
		readonly cseqAt: number;
	};
	/** What was put behind its Via; may be empty. */
	readonly viaNote: string;
}

/** Whether a message may be a 2xx. */
export function mayAccept({ octets, start }: OctetFrame): boolean {
	return isTextAt(octets, start, START);
}

/** The branch of the top Via of a 2xx; undefined for everything else, and where it is not to be seen at once. */
export function branchOfAccept({ text, fields }: MessageHead): string | undefined {
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		if (fields[at] !== HeaderId.via) continue;
		const valueEnd = fields[at + 3] as number;
		const start = text.indexOf(BRANCH, fields[at + 2]) + BRANCH.length;
		if (start < BRANCH.length || start >= valueEnd) return undefined;
		const semicolon = text.indexOf(";", start);
		return text.slice(start, semicolon < 0 || semicolon > valueEnd ? valueEnd : semicolon);
	}
	return undefined;
}

/** The status code of a 2xx; undefined where its status line is not as usual. */
export function acceptStatus({ text }: MessageHead): number | undefined {
	const at = START.length;
	const tens = text.charCodeAt(at) - 0x30;
	const ones = text.charCodeAt(at + 1) - 0x30;
	const isNumber = tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
	return isNumber && text.charCodeAt(at + 2) === 0x20 ? 200 + 10 * tens + ones : undefined;
}

/**
 * Where our Via stands in a 2xx that repeats the request as it must: From, Call-ID, CSeq, To with a tag behind it, and the Vias each in a
 * field of its own. Undefined where it does not, or where a header might have to be taken out at the boundary.
 */
export function findOurViaOfAccept(
	head: MessageHead,
	echo: OpeningEcho,
): { readonly start: number; readonly end: number } | undefined {
	const { text, fields } = head;
	const octets = octetsOfHead(head);
	const { head: asked, request, viaNote } = echo;
	let seen = 0;
	let ours = -1;
	let behind = -1;
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		const start = fields[at + 2] as number;
		const end = fields[at + 3] as number;
		if (id > LAST_SINGLE_ID) {
			if (id === HeaderId.via) {
				if (ours < 0) ours = at;
				else if (behind < 0) {
					behind = at;
					// Ours stands alone in its field, and the one below is as it left.
					if (at !== ours + FIELD_STRIDE || !repeats(octets, start, end - viaNote.length, asked, request.viaAt))
						return undefined;
					if (!isTextAt(octets, end - viaNote.length, viaNote)) return undefined;
				}
			} else if (id >= HeaderId.pAssertedIdentity) return undefined;
			continue;
		}
		const bit = 1 << (id - 1);
		if ((seen & bit) !== 0 || id === HeaderId.replyTo) return undefined;
		seen |= bit;
		if (id === HeaderId.from) {
			if (!repeats(octets, start, end, asked, request.fromAt)) return undefined;
		} else if (id === HeaderId.to) {
			const tagAt = start + lengthOf(asked, request.toAt);
			if (tagAt + TAG.length >= end || !repeats(octets, start, tagAt, asked, request.toAt)) return undefined;
			if (!isTextAt(octets, tagAt, TAG) || !isTag(octets, tagAt + TAG.length, end)) return undefined;
		} else if (id === HeaderId.callId) {
			if (!repeats(octets, start, end, asked, request.callIdAt)) return undefined;
		} else if (id === HeaderId.cseq && !repeats(octets, start, end, asked, request.cseqAt)) return undefined;
	}
	if (behind < 0 || (seen & MANDATORY) !== MANDATORY) return undefined;
	const start = fields[ours + 1] as number;
	if (text.slice(fields[ours + 2], fields[ours + 3]).includes(",")) return undefined;
	return { start, end: fields[behind + 1] as number };
}

const bitOf = (id: number): number => 1 << (id - 1);
const MANDATORY = bitOf(HeaderId.from) | bitOf(HeaderId.to) | bitOf(HeaderId.callId) | bitOf(HeaderId.cseq);

function lengthOf({ fields }: MessageHead, at: number): number {
	return (fields[at + 3] as number) - (fields[at + 2] as number);
}

/** Whether the octets are the value of that field. A loop over a whole text is quick; one over a slice of it is not. */
function repeats(octets: Uint8Array, start: number, end: number, { text, fields }: MessageHead, at: number): boolean {
	const from = fields[at + 2] as number;
	if (end - start !== (fields[at + 3] as number) - from) return false;
	for (let index = start; index < end; index++) {
		if (octets[index] !== text.charCodeAt(from + index - start)) return false;
	}
	return true;
}

/** Letters, digits, and what tags usually hold besides: fewer characters than RFC 3261 `token` has. */
function isTag(octets: Uint8Array, start: number, end: number): boolean {
	for (let at = start; at < end; at++) {
		const code = octets[at] as number;
		const isUsual =
			(code >= 0x30 && code <= 0x39) ||
			((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
			code === 0x2d ||
			code === 0x2e;
		if (!isUsual && code !== 0x5f) return false;
	}
	return true;
}
