/** The flood's bodies: every kind in turn, the rest by the seed. */
import { Maker, type OddBody } from "./odd-body.ts";
import { ODD_PARTS } from "./odd-parts.ts";
import { ODD_TEXTS } from "./odd-texts.ts";

const KINDS = [...ODD_TEXTS, ...ODD_PARTS];

/** Body number `number` of the flood with that seed. */
export function oddBody(seed: number, number: number): OddBody {
	const make = KINDS[number % KINDS.length];
	if (make === undefined) throw new Error("there is a kind for each number");
	return make(new Maker(seed, number));
}
