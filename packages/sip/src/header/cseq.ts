/** CSeq: RFC 3261 §20.16. */
import type { Result } from "../fault.ts";
import { CharClass, skipOctets } from "../text/char-class.ts";
import { octetsOf } from "../text/octet-view.ts";
import { outcomeOf, refuse } from "../text/refuse.ts";
import { decimalOf, skipLwsOctets } from "../text/scan.ts";
import { methodIn } from "./methods.ts";

/** A CSeq value (RFC 3261 §20.16). */
export interface CSeq {
	/** 0 to 2^31 - 1 (§8.1.1.5). */
	readonly number: number;
	readonly method: string;
}

const maxNumber = 2 ** 31 - 1;

/** Reads a CSeq value that fills `text` from `start` to `end`. Leading zeros are allowed (RFC 3261 §20.16). Faults: `bad-cseq`. */
export function parseCSeq(text: string, start: number, end: number): Result<CSeq> {
	return outcomeOf(readCSeq(octetsOf(text), text, start, end));
}

/** As {@link parseCSeq}; `octets` are those of `text`. Undefined with a reason ({@link refuse}). */
export function readCSeq(octets: Uint8Array, text: string, start: number, end: number): CSeq | undefined {
	const digitsEnd = skipOctets(octets, start, end, CharClass.digit);
	const number = decimalOf(octets, start, digitsEnd, 15);
	if (number === undefined || number > maxNumber) return bad(start, "The number of CSeq is not from 0 to 2^31 - 1.");
	const methodStart = skipLwsOctets(octets, digitsEnd, end);
	const methodEnd = skipOctets(octets, methodStart, end, CharClass.token);
	if (methodStart === digitsEnd || methodEnd === methodStart || methodEnd !== end) {
		return bad(methodStart, "CSeq names no method.");
	}
	return { number, method: methodIn(octets, text, methodStart, methodEnd) };
}

/** A CSeq value as text: `2 MESSAGE` (RFC 3261 §20.16). */
export function formatCSeq(cseq: CSeq): string {
	return `${cseq.number} ${cseq.method}`;
}

function bad(offset: number, detail: string) {
	return refuse("bad-cseq", "RFC 3261 §20.16", offset, detail);
}
