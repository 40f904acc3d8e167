/** The Route values of a request, each with its place in the head, so that ours can be taken out and the rest stays as it came. */
import {
	FIELD_STRIDE,
	HeaderId,
	type NameAddr,
	parseNameAddr,
	type Result,
	type SipRequest,
	success,
} from "@causeway/sip";

export interface RouteValue {
	/** Number of its header field. */
	readonly field: number;
	/** Octets of the value in the head, without the comma behind it. */
	readonly start: number;
	readonly end: number;
	readonly address: NameAddr;
}

/** Route values that are looked at; ours stand first, and who writes more writes them for others. */
export const MOST_ROUTE_VALUES = 32;

export function readRoutes({ head }: SipRequest): Result<readonly RouteValue[]> {
	const { text, fields } = head;
	const found: RouteValue[] = [];
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		if (fields[at] !== HeaderId.route) continue;
		const valueEnd = fields[at + 3] as number;
		let start = fields[at + 2] as number;
		while (start < valueEnd && found.length < MOST_ROUTE_VALUES) {
			const end = listItemEnd(text, start, valueEnd);
			const address = parseNameAddr(text, start, end);
			if (!address.ok) return address;
			found.push({ field: at / FIELD_STRIDE, start, end, address: address.value });
			start = end + 1;
		}
	}
	return success(found);
}

/** Offset of the comma behind a list item, or `end`: commas in quotes and angle brackets belong to the item. */
export function listItemEnd(text: string, start: number, end: number): number {
	let isQuoted = false;
	let isBracketed = false;
	for (let at = start; at < end; at++) {
		const code = text.charCodeAt(at);
		if (isQuoted) {
			if (code === 0x5c) at++;
			else if (code === 0x22) isQuoted = false;
		} else if (code === 0x22) isQuoted = !isBracketed;
		else if (code === 0x3c) isBracketed = true;
		else if (code === 0x3e) isBracketed = false;
		else if (code === 0x2c && !isBracketed) return at;
	}
	return end;
}
