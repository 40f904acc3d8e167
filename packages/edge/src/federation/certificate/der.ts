/** Reads DER (ITU-T X.690 §10): definite, shortest lengths and one-octet tags, which is all that certificates use. */

/** Where an element lies in the octets that it was read from. */
export interface DerElement {
	readonly tag: number;
	/** First octet of the tag. */
	readonly start: number;
	readonly contentStart: number;
	/** Behind the last octet of the content. */
	readonly end: number;
}

export const derTag = {
	boolean: 0x01,
	integer: 0x02,
	bitString: 0x03,
	octetString: 0x04,
	objectIdentifier: 0x06,
	utf8String: 0x0c,
	bmpString: 0x1e,
	utcTime: 0x17,
	generalizedTime: 0x18,
	sequence: 0x30,
	set: 0x31,
} as const;

/** A list in a certificate longer than this is refused. */
const maxListItems = 4_096;

/** The element at `offset`; undefined where it is not DER or does not end before `limit`. */
export function readElement(bytes: Uint8Array, offset: number, limit: number): DerElement | undefined {
	const tag = bytes[offset];
	const first = bytes[offset + 1];
	if (tag === undefined || first === undefined || offset + 2 > limit || (tag & 0x1f) === 0x1f) return undefined;
	let contentStart = offset + 2;
	let length = first;
	if (first >= 0x80) {
		const octets = first - 0x80;
		if (octets === 0 || octets > 3 || contentStart + octets > limit) return undefined;
		length = 0;
		for (let index = 0; index < octets; index += 1) length = length * 256 + (bytes[contentStart + index] ?? 0);
		const shortest = length >= 0x80 && length >= 256 ** (octets - 1);
		if (!shortest) return undefined;
		contentStart += octets;
	}
	const end = contentStart + length;
	return end > limit ? undefined : { tag, start: offset, contentStart, end };
}

/** The elements inside a constructed element, without gap; undefined where they are not DER. */
export function readChildren(bytes: Uint8Array, parent: DerElement): readonly DerElement[] | undefined {
	const children: DerElement[] = [];
	let offset = parent.contentStart;
	while (offset < parent.end) {
		const child = readElement(bytes, offset, parent.end);
		if (child === undefined || children.length >= maxListItems) return undefined;
		children.push(child);
		offset = child.end;
	}
	return children;
}

/** The single element that fills all of `bytes`, with the tag wanted. */
export function readWhole(bytes: Uint8Array, tag: number): DerElement | undefined {
	const element = readElement(bytes, 0, bytes.length);
	return element !== undefined && element.tag === tag && element.end === bytes.length ? element : undefined;
}

/** The content octets of an element; shares memory with `bytes`. */
export function contentOf(bytes: Uint8Array, element: DerElement): Uint8Array {
	return bytes.subarray(element.contentStart, element.end);
}

/** An object identifier in dotted form. */
export function readObjectIdentifier(bytes: Uint8Array, element: DerElement | undefined): string | undefined {
	if (element === undefined || element.tag !== derTag.objectIdentifier) return undefined;
	const arcs: number[] = [];
	let value = 0;
	let inside = false;
	for (const octet of contentOf(bytes, element)) {
		value = value * 128 + (octet & 0x7f);
		inside = octet >= 0x80;
		if (value > Number.MAX_SAFE_INTEGER / 128) return undefined;
		if (inside) continue;
		if (arcs.length === 0) {
			const root = Math.min(2, Math.floor(value / 40));
			arcs.push(root, value - root * 40);
		} else {
			arcs.push(value);
		}
		value = 0;
	}
	return inside || arcs.length === 0 ? undefined : arcs.join(".");
}

/** A whole number from 0 to 2^31 - 1. */
export function readSmallInteger(bytes: Uint8Array, element: DerElement | undefined): number | undefined {
	if (element === undefined || element.tag !== derTag.integer) return undefined;
	const content = contentOf(bytes, element);
	if (content.length === 0 || content.length > 4 || (content[0] ?? 0) >= 0x80) return undefined;
	return content.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** A time (RFC 5280 §4.1.2.5) in milliseconds since 1970. */
export function readTime(bytes: Uint8Array, element: DerElement | undefined): number | undefined {
	if (element === undefined) return undefined;
	const yearDigits = element.tag === derTag.utcTime ? 2 : element.tag === derTag.generalizedTime ? 4 : 0;
	const content = contentOf(bytes, element);
	if (yearDigits === 0 || content.length !== yearDigits + 11 || content[content.length - 1] !== 0x5a) return undefined;
	const digits: number[] = [];
	for (const octet of content.subarray(0, content.length - 1)) {
		if (octet < 0x30 || octet > 0x39) return undefined;
		digits.push(octet - 0x30);
	}
	const pair = (at: number): number => (digits[at] ?? 0) * 10 + (digits[at + 1] ?? 0);
	const short = pair(0);
	const year = yearDigits === 4 ? short * 100 + pair(2) : short >= 50 ? 1900 + short : 2000 + short;
	const at = yearDigits;
	const [month, day, hour, minute, second] = [pair(at), pair(at + 2), pair(at + 4), pair(at + 6), pair(at + 8)];
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return undefined;
	return new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000;
}
