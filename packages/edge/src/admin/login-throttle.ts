import type { Clock } from "@causeway/sip";

/** How many attempts one key gets: `burst` at once, then one each `refillMs`. */
export interface ThrottleRate {
	readonly burst: number;
	readonly refillMs: number;
}

interface Bucket {
	tokens: number;
	at: number;
}

/** Keys remembered; beyond, the one untouched for longest is forgotten. */
const maxKeys = 10_000;

/** Token buckets by key, bounded in number. */
export class LoginThrottle {
	readonly #rate: ThrottleRate;
	readonly #clock: Pick<Clock, "now">;
	/** Oldest use first. */
	readonly #buckets = new Map<string, Bucket>();

	constructor(rate: ThrottleRate, clock: Pick<Clock, "now">) {
		this.#rate = rate;
		this.#clock = clock;
	}

	/** Takes one attempt of `key`: 0 where it is granted, else the seconds (whole, at least 1) until the next is. */
	take(key: string): number {
		const now = this.#clock.now();
		const { burst, refillMs } = this.#rate;
		const known = this.#buckets.get(key);
		const tokens = known === undefined ? burst : Math.min(burst, known.tokens + (now - known.at) / refillMs);
		const granted = tokens >= 1;
		this.#buckets.delete(key);
		this.#buckets.set(key, { tokens: granted ? tokens - 1 : tokens, at: now });
		if (this.#buckets.size > maxKeys) {
			const [oldest] = this.#buckets.keys();
			if (oldest !== undefined) this.#buckets.delete(oldest);
		}
		return granted ? 0 : Math.max(1, Math.ceil(((1 - tokens) * refillMs) / 1000));
	}

	/** Forgets the attempts of `key`: it has shown the right password. */
	clear(key: string): void {
		this.#buckets.delete(key);
	}
}
