/**
 * The random pause before requests that could show whether a user exists are looked at (REQ-91, protocol sheet 7.5): the
 * same for everybody who is asked for, so that the time of an answer tells nothing.
 */
import type { Clock, Random } from "@causeway/sip";

const LEAST_MS = 20;
const MOST_MS = 120;

export interface AnswerDelayLimits {
	/** Requests of one peer that wait at once. */
	readonly perPeer: number;
	/** Requests of all peers that wait at once. */
	readonly total: number;
}

export const DEFAULT_ANSWER_DELAY_LIMITS: AnswerDelayLimits = { perPeer: 1_000, total: 10_000 };

export class AnswerDelay {
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #limits: AnswerDelayLimits;
	readonly #waiting = new Map<string, number>();
	#total = 0;

	constructor(clock: Clock, random: Random, limits: AnswerDelayLimits = DEFAULT_ANSWER_DELAY_LIMITS) {
		this.#clock = clock;
		this.#random = random;
		this.#limits = limits;
	}

	/** Runs `look` after the pause. False, and nothing kept, where too many of this peer or of all wait already. */
	after(peer: string, look: () => void): boolean {
		const waiting = this.#waiting.get(peer) ?? 0;
		if (waiting >= this.#limits.perPeer || this.#total >= this.#limits.total) return false;
		this.#waiting.set(peer, waiting + 1);
		this.#total += 1;
		this.#clock.setTimer(LEAST_MS + this.#random.below(MOST_MS - LEAST_MS + 1), () => {
			this.#total -= 1;
			const left = (this.#waiting.get(peer) ?? 1) - 1;
			if (left === 0) this.#waiting.delete(peer);
			else this.#waiting.set(peer, left);
			look();
		});
		return true;
	}
}
