/** Texts that nearly every message uses: they are recognised where they stand, so that none is made anew. */
import { BrokenInvariant } from "./assert.ts";

/** A table of usual texts. */
export interface UsualTexts {
	readonly texts: readonly Uint8Array[];
	/** One more than the number of the text that may stand there; zero for none. */
	readonly slots: Uint8Array;
	/** Tells the slots of all texts apart. */
	readonly factor: number;
}

const SLOTS = 256;

/** A table of `texts`, which are ASCII and have three letters at least. */
export function createUsualTexts(texts: readonly string[]): UsualTexts {
	for (let factor = 1; factor < SLOTS; factor++) {
		const slots = new Uint8Array(SLOTS);
		for (const [index, text] of texts.entries()) {
			const slot = slotOf(factor, text.length, text.charCodeAt(0), text.charCodeAt(text.length - 3));
			if (slots[slot] === 0) slots[slot] = index + 1;
		}
		if (slots.reduce((count, slot) => count + Math.sign(slot), 0) === texts.length) {
			return { texts: texts.map((text) => Uint8Array.from(Buffer.from(text))), slots, factor };
		}
	}
	throw new BrokenInvariant("usual texts that no factor tells apart");
}

/** Nearly all that are usual differ in length, in the first letter or in the last but two. */
function slotOf(factor: number, length: number, first: number, late: number): number {
	return (length * factor + first * 3 + late) & (SLOTS - 1);
}

/** The number of the usual text that the octets from `start` to `end` are, letter for letter; -1 where they are none. */
export function findUsualText(usual: UsualTexts, octets: Uint8Array, start: number, end: number): number {
	const length = end - start;
	if (length < 3) return -1;
	const slot = slotOf(usual.factor, length, octets[start] as number, octets[end - 3] as number);
	const index = (usual.slots[slot] as number) - 1;
	if (index < 0) return -1;
	const text = usual.texts[index] as Uint8Array;
	if (text.length !== length) return -1;
	let at = 0;
	while (at < length && octets[start + at] === text[at]) at++;
	return at === length ? index : -1;
}
