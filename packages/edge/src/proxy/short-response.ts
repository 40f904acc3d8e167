/** Reads a response to a request that took the short way, straight from its octets; what is written otherwise is left to the parser. */
import { FIELD_STRIDE, HeaderId, LAST_SINGLE_ID, type OctetFrame } from "@causeway/sip";
import { isTextAt } from "./octet-text.ts";

const START = "SIP/2.0 ";

/** What the responses to a request repeat of it, octet for octet. */
export interface EchoedParts {
	/** The Via below ours: as it came, and what we noted behind it. */
	readonly topVia: string;
	readonly cseqText: string;
	readonly passage: {
		readonly noted: string;
		readonly parts: { readonly fromText: string; readonly toText: string; readonly callId: string };
	};
}

/** Whether a message begins as responses do. */
export function isResponse({ octets, start }: OctetFrame): boolean {
	return isTextAt(octets, start, START);
}

/** Status code of a response; undefined where its status line is not as usual. */
export function readStatus({ octets, start }: OctetFrame): number | undefined {
	if (octets[start + START.length + 3] !== 0x20) return undefined;
	let status = 0;
	for (let at = start + START.length; at < start + START.length + 3; at++) {
		const digit = (octets[at] as number) - 0x30;
		if (digit < 0 || digit > 9) return undefined;
		status = status * 10 + digit;
	}
	return status >= 100 && status <= 699 ? status : undefined;
}

/** Where something stands among the octets. */
export interface Span {
	start: number;
	end: number;
}

const span: Span = { start: 0, end: 0 };

/** The branch of the top Via, if this is ours as we write it: `viaHead` up to the branch. Overwritten by the next. */
export function findOurBranch({ octets, start, fields, fieldsLength }: OctetFrame, viaHead: string): Span | undefined {
	for (let at = 0; at + FIELD_STRIDE < fieldsLength; at += FIELD_STRIDE) {
		if (fields[at] !== HeaderId.via) continue;
		const valueStart = start + (fields[at + 2] as number);
		const valueEnd = start + (fields[at + 3] as number);
		if (valueEnd - valueStart < viaHead.length || !isTextAt(octets, valueStart, viaHead)) return undefined;
		span.start = valueStart + viaHead.length;
		span.end = span.start;
		while (span.end < valueEnd && octets[span.end] !== 0x3b) span.end++;
		return span;
	}
	return undefined;
}

/**
 * Where our Via stands in a response that repeats the request as it must: From, To, Call-ID, CSeq, and the Vias each in a field of its own.
 * Undefined where it does not, or where a header might have to be taken out at the boundary. Overwritten by the next.
 */
export function findOurVia(frame: OctetFrame, { topVia, cseqText, passage }: EchoedParts): Span | undefined {
	const { octets, start, fields, fieldsLength } = frame;
	const { noted, parts } = passage;
	let seen = 0;
	let ours = -1;
	let behind = -1;
	for (let at = 0; at + FIELD_STRIDE < fieldsLength; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		if (id > LAST_SINGLE_ID) {
			if (id === HeaderId.via) {
				if (ours < 0) ours = at;
				else if (behind < 0) {
					behind = at;
					// Ours stands alone in its field, and the one below is as it left.
					if (at !== ours + FIELD_STRIDE || !isEqual(frame, at, topVia, noted)) return undefined;
				}
			} else if (id >= HeaderId.pAssertedIdentity) return undefined;
			continue;
		}
		const bit = bitOf(id);
		if ((seen & bit) !== 0 || id === HeaderId.replyTo) return undefined;
		seen |= bit;
		if (id === HeaderId.from) {
			if (!isEqual(frame, at, parts.fromText, "")) return undefined;
		} else if (id === HeaderId.to) {
			if (!isEqual(frame, at, parts.toText, "")) return undefined;
		} else if (id === HeaderId.callId) {
			if (!isEqual(frame, at, parts.callId, "")) return undefined;
		} else if (id === HeaderId.cseq && !isEqual(frame, at, cseqText, "")) return undefined;
	}
	if (behind < 0 || (seen & MANDATORY) !== MANDATORY) return undefined;
	const valueEnd = start + (fields[ours + 3] as number);
	for (let at = start + (fields[ours + 2] as number); at < valueEnd; at++) if (octets[at] === 0x2c) return undefined;
	span.start = fields[ours + 1] as number;
	span.end = fields[behind + 1] as number;
	return span;
}

const bitOf = (id: number): number => 1 << (id - 1);
const MANDATORY = bitOf(HeaderId.from) | bitOf(HeaderId.to) | bitOf(HeaderId.callId) | bitOf(HeaderId.cseq);

/** Whether a value is `first` and then `second`. */
function isEqual({ octets, start, fields }: OctetFrame, at: number, first: string, second: string): boolean {
	const from = start + (fields[at + 2] as number);
	const { length } = first;
	return (
		start + (fields[at + 3] as number) - from === length + second.length &&
		isTextAt(octets, from, first) &&
		isTextAt(octets, from + length, second)
	);
}
