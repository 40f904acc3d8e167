/** A token bucket: so many in a second, and what one second saves at once. */

/** What a token costs: a millisecond brings as much credit as the rate says, so that whole milliseconds are exact. */
const TOKEN = 1_000;

export class TokenBucket {
	#credit: number;
	#at: number;

	constructor(ratePerSecond: number, now: number) {
		this.#credit = ratePerSecond * TOKEN;
		this.#at = now;
	}

	/** Tokens at hand; below zero where more was taken than there was. */
	level(ratePerSecond: number, now: number): number {
		return this.#refill(ratePerSecond, now) / TOKEN;
	}

	/** Takes one where there is one. */
	tryTake(ratePerSecond: number, now: number): boolean {
		if (this.#refill(ratePerSecond, now) < TOKEN) return false;
		this.#credit -= TOKEN;
		return true;
	}

	/** Takes one in any case; milliseconds until what is missing has come. */
	take(ratePerSecond: number, now: number): number {
		this.#credit = this.#refill(ratePerSecond, now) - TOKEN;
		return Math.max(0, -this.#credit / ratePerSecond);
	}

	/** Milliseconds until there is one to take. */
	untilNextMs(ratePerSecond: number, now: number): number {
		return Math.max(0, (TOKEN - this.#refill(ratePerSecond, now)) / ratePerSecond);
	}

	#refill(ratePerSecond: number, now: number): number {
		this.#credit = Math.min(ratePerSecond * TOKEN, this.#credit + (now - this.#at) * ratePerSecond);
		this.#at = now;
		return this.#credit;
	}
}
