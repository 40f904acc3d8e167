/** Randomness that a seed repeats: for simulations, never for secrets. */
import type { Random } from "../env.ts";
import { invariant } from "../text/assert.ts";

const TOKEN_LENGTH = 26;
const TOKEN_CHARACTERS = "0123456789abcdefghijklmnopqrstuv";
const TWO_TO_32 = 0x1_0000_0000;

/** A Weyl sequence through a mixing function (the splitmix family): small, quick, and good enough to pick delays and orders. */
export class SimRandom implements Random {
	#state: number;

	/** The same seed, a whole number, gives the same values in the same order. */
	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	token(): string {
		let token = "";
		for (let index = 0; index < TOKEN_LENGTH; index++) token += TOKEN_CHARACTERS.charAt(this.#next() >>> 27);
		return token;
	}

	below(bound: number): number {
		invariant(
			Number.isInteger(bound) && bound >= 1 && bound <= 0x8000_0000,
			"a bound is a whole number from 1 to 2^31",
		);
		// Values above the last whole multiple of the bound would make some results likelier than others.
		const limit = TWO_TO_32 - (TWO_TO_32 % bound);
		let value = this.#next();
		while (value >= limit) value = this.#next();
		return value % bound;
	}

	/** A whole number below 2^32. */
	#next(): number {
		this.#state = (this.#state + 0x9e37_79b9) >>> 0;
		let value = this.#state;
		value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
		value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
		return (value ^ (value >>> 16)) >>> 0;
	}
}
