/** The engine's own copying of octets. Its functions are looked up once: `Buffer` is a getter, asked for with each use. */

const { copy, latin1Slice, latin1Write } = Buffer.prototype;

/** Copies the octets from `from` to `end` of `source` to `at` of `target`, which has room for them. */
export function copyOctets(source: Uint8Array, from: number, end: number, target: Uint8Array, at: number): void {
	copy.call(source, target, at, from, end);
}

/** The octets from `from` to `end` as latin1 characters. */
export function sliceOctets(octets: Uint8Array, from: number, end: number): string {
	return latin1Slice.call(octets, from, end);
}

/** Writes a text whose characters are octets to the start of `target`, which has room for it. */
export function writeOctets(text: string, target: Uint8Array): void {
	latin1Write.call(target, text, 0, text.length);
}
