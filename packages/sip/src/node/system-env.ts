/** The real clock and real randomness. */
import { randomFillSync } from "node:crypto";
import type { Clock, Random, Timer } from "../env.ts";
import { invariant } from "../text/assert.ts";

/** How the clock of the system is read. */
export interface SystemClockOptions {
	/** False lets the process end while timers are pending; default true. */
	readonly keepsProcessAlive?: boolean;
}

/** The clock of this machine. */
export function systemClock(options: SystemClockOptions = {}): Clock {
	const { keepsProcessAlive = true } = options;
	return {
		now: () => performance.now(),
		wall: () => Date.now(),
		setTimer: (delayMs, run) => new SystemTimer(delayMs, run, keepsProcessAlive),
	};
}

/** The longest delay `setTimeout` takes; a longer one would fire at once. */
const MAX_TIMEOUT_MS = 0x7fff_ffff;

class SystemTimer implements Timer {
	readonly #dueMs: number;
	readonly #run: () => void;
	readonly #keepsProcessAlive: boolean;
	#timeout: NodeJS.Timeout | undefined;

	constructor(delayMs: number, run: () => void, keepsProcessAlive: boolean) {
		this.#dueMs = performance.now() + delayMs;
		this.#run = run;
		this.#keepsProcessAlive = keepsProcessAlive;
		this.#arm(delayMs);
	}

	stop(): void {
		clearTimeout(this.#timeout);
		this.#timeout = undefined;
	}

	#arm(delayMs: number): void {
		const wholeMs = Math.min(Math.max(Math.ceil(delayMs), 0), MAX_TIMEOUT_MS);
		this.#timeout = setTimeout(() => this.#fired(), wholeMs);
		if (!this.#keepsProcessAlive) this.#timeout.unref();
	}

	#fired(): void {
		// Node counts whole milliseconds from the start of a turn and may be early by a part of one; a Clock may not.
		const leftMs = this.#dueMs - performance.now();
		if (leftMs > 0) this.#arm(leftMs);
		else this.#run();
	}
}

/** 32 characters, so that five random bits pick one without favour. */
const TOKEN_CHARACTERS = "0123456789abcdefghijklmnopqrstuv";
/** 130 bits. */
const TOKEN_LENGTH = 26;
const POOL_BYTES = TOKEN_LENGTH * 512;
const TWO_TO_32 = 0x1_0000_0000;

/** Unguessable values from the operating system's generator, fetched many at a time. */
export function systemRandom(): Random {
	return new SystemRandom();
}

class SystemRandom implements Random {
	/** Characters of tokens, ready to be cut off; each is used once. */
	readonly #characters = Buffer.alloc(POOL_BYTES);
	#usedCharacters = POOL_BYTES;
	readonly #numbers = new Uint32Array(256);
	#usedNumbers = this.#numbers.length;

	token(): string {
		if (this.#usedCharacters >= POOL_BYTES) this.#refillCharacters();
		const start = this.#usedCharacters;
		this.#usedCharacters += TOKEN_LENGTH;
		// A copy of its own: a token that is kept must not hold the pool.
		return this.#characters.toString("latin1", start, start + TOKEN_LENGTH);
	}

	below(bound: number): number {
		invariant(
			Number.isInteger(bound) && bound >= 1 && bound <= 0x8000_0000,
			"a bound is a whole number from 1 to 2^31",
		);
		// Values above the last whole multiple of the bound would make some results likelier than others.
		const limit = TWO_TO_32 - (TWO_TO_32 % bound);
		let value = this.#number();
		while (value >= limit) value = this.#number();
		return value % bound;
	}

	#number(): number {
		if (this.#usedNumbers >= this.#numbers.length) {
			randomFillSync(this.#numbers);
			this.#usedNumbers = 0;
		}
		const number = this.#numbers[this.#usedNumbers++];
		invariant(number !== undefined, "a pool that was filled has numbers left");
		return number;
	}

	#refillCharacters(): void {
		const characters = this.#characters;
		randomFillSync(characters);
		for (let index = 0; index < POOL_BYTES; index++) {
			characters[index] = TOKEN_CHARACTERS.charCodeAt((characters[index] ?? 0) & 31);
		}
		this.#usedCharacters = 0;
	}
}
