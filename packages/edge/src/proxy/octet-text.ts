/** Texts and octets side by side. */
import type { OctetFrame } from "@causeway/sip";

/** Whether `text` stands there. A loop is quicker than what the engine does for pieces as short as these. */
export function isTextAt(octets: Uint8Array, start: number, text: string): boolean {
	for (let index = 0; index < text.length; index++) {
		if (octets[start + index] !== text.charCodeAt(index)) return false;
	}
	return true;
}

/** The octets from `from` to `end` of `kept` stand there. */
export function isKeptAt(octets: Uint8Array, start: number, kept: Uint8Array, from: number, end: number): boolean {
	for (let index = from; index < end; index++) {
		if (octets[start + index - from] !== kept[index]) return false;
	}
	return true;
}

/** The value of the field at `at` of the index, as latin1 characters. */
export function textOf({ octets, start, fields }: OctetFrame, at: number): string {
	return Buffer.prototype.latin1Slice.call(
		octets,
		start + (fields[at + 2] as number),
		start + (fields[at + 3] as number),
	);
}
