/** What an odd body is, and the randomness that all of them are made with. */
import { SimRandom } from "@causeway/sip/testing";

export interface OddBody {
	/** Its number in the flood, from 0. */
	readonly number: number;
	readonly kind: string;
	readonly method: "MESSAGE" | "INFO" | "INVITE";
	/** Content-Type and what else says what the body is. */
	readonly headers: readonly string[];
	readonly body: Uint8Array;
	/** Final responses that are right. */
	readonly statuses: readonly number[];
	/**
	 * What must be in the store afterwards: one message that holds the body's word, none, or one at most. Nothing that a body
	 * hides ({@link HIDDEN}) may be there in any case.
	 */
	readonly stored: "word" | "nothing" | "perhaps";
}

/** Stands where no reader may look: in scripts, attributes, preambles, packed parts. */
export const HIDDEN = "HIDDEN-FROM-READERS";

/** Stands where a person would read; each body has its own. */
export function wordOf(number: number): string {
	return `word-${number}-`;
}

/** Numbers of the bodies whose words a text holds. */
export function wordsIn(text: string): readonly number[] {
	return [...new Set([...text.matchAll(/word-(\d+)-/g)].map((match) => Number(match[1])))];
}

export class Maker {
	readonly number: number;
	readonly #random: SimRandom;

	/** The same seed and number make the same body. */
	constructor(seed: number, number: number) {
		this.number = number;
		this.#random = new SimRandom(seed * 1_000_003 + number);
	}

	get word(): string {
		return wordOf(this.number);
	}

	below(bound: number): number {
		return this.#random.below(bound);
	}

	pick<Item>(items: readonly Item[]): Item {
		const item = items[this.below(items.length)];
		if (item === undefined) throw new Error("nothing to pick from");
		return item;
	}

	/** Length of a body that may pass: small ones and those near the limit of 64 KiB are as frequent as those between. */
	length(): number {
		const third = this.below(3);
		if (third === 0) return 64 + this.below(1_000);
		return third === 1 ? 1_000 + this.below(25_000) : 45_000 + this.below(19_000);
	}

	octets(length: number): Uint8Array {
		return Uint8Array.from({ length }, () => this.below(256));
	}

	/** A text of that many characters, from the alphabet. */
	text(length: number, alphabet: readonly string[]): string {
		return Array.from({ length }, () => this.pick(alphabet)).join("");
	}
}

const MOST_BODY = 65_000;

/** `pattern` again and again, up to a length that passes. */
export function repeated(pattern: string, length: number): string {
	return pattern.repeat(Math.max(1, Math.floor(Math.min(length, MOST_BODY) / pattern.length)));
}

export function ascii(text: string): Uint8Array {
	return Buffer.from(text, "latin1");
}

export function utf8(text: string): Uint8Array {
	return Buffer.from(text, "utf8");
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
	return Buffer.concat(parts);
}

export function message(
	maker: Maker,
	kind: string,
	type: string | undefined,
	body: Uint8Array,
	stored: OddBody["stored"],
	more: Partial<Pick<OddBody, "headers" | "statuses" | "method">> = {},
): OddBody {
	return {
		number: maker.number,
		kind,
		method: more.method ?? "MESSAGE",
		headers: [...(type === undefined ? [] : [`Content-Type: ${type}`]), ...(more.headers ?? [])],
		body,
		statuses: more.statuses ?? (stored === "word" ? [200] : stored === "nothing" ? [415] : [200, 400, 415]),
		stored,
	};
}
