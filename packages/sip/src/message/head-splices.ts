/** A message that leaves as it came but for some pieces of its head: octets are copied once, from where they were read to where they are written. */
import type { MessagePlace } from "./octet-frame.ts";

/** Shorter pieces are copied octet by octet: that is quicker than to ask for it. */
const SHORT = 48;

/** Pieces of a head and what stands in their place; one serves for message after message. */
export class HeadSplices {
	/** Offsets in the head, rising; pieces do not overlap. */
	readonly #starts: number[] = [];
	readonly #ends: number[] = [];
	/** Octets as latin1 characters. */
	readonly #texts: string[] = [];
	#count = 0;
	#growth = 0;

	/** How many octets longer the message becomes. */
	get growth(): number {
		return this.#growth;
	}

	clear(): void {
		this.#count = 0;
		this.#growth = 0;
	}

	/**
	 * The octets from `start` to `end` of the head give way to `text`; behind pieces that begin at the same place. Few of them, and nearly
	 * in order, are what this is made for.
	 */
	put(start: number, end: number, text: string): void {
		const [starts, ends, texts] = [this.#starts, this.#ends, this.#texts];
		let at = this.#count;
		while (at > 0 && (starts[at - 1] as number) > start) {
			starts[at] = starts[at - 1] as number;
			ends[at] = ends[at - 1] as number;
			texts[at] = texts[at - 1] as string;
			at--;
		}
		starts[at] = start;
		ends[at] = end;
		texts[at] = text;
		this.#count += 1;
		this.#growth += text.length - (end - start);
	}

	/** The head with its pieces put in, as text; `head` as it is without them. */
	applyTo(head: string): string {
		let text = "";
		let read = 0;
		for (let index = 0; index < this.#count; index++) {
			text += head.slice(read, this.#starts[index]) + (this.#texts[index] as string);
			read = this.#ends[index] as number;
		}
		return text + head.slice(read);
	}

	/** Writes the message to `target` from `at` on, which has room for it and the growth. */
	write({ octets, start, end }: MessagePlace, target: Uint8Array, at: number): void {
		let read = start;
		let written = at;
		for (let index = 0; index < this.#count; index++) {
			written = copy(octets, read, start + (this.#starts[index] as number), target, written);
			read = start + (this.#ends[index] as number);
			written = writeText(this.#texts[index] as string, target, written);
		}
		copy(octets, read, end, target, written);
	}
}

/** Where the copy ends in `target`. */
function copy(source: Uint8Array, from: number, end: number, target: Uint8Array, at: number): number {
	const length = end - from;
	if (length > SHORT) Buffer.prototype.copy.call(source, target, at, from, end);
	else for (let index = 0; index < length; index++) target[at + index] = source[from + index] as number;
	return at + length;
}

function writeText(text: string, target: Uint8Array, at: number): number {
	const { length } = text;
	if (length > 4) Buffer.prototype.latin1Write.call(target, text, at, length);
	else for (let index = 0; index < length; index++) target[at + index] = text.charCodeAt(index);
	return at + length;
}
