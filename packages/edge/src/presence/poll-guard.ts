/** REQ-83: a watcher that fetches a state in place of subscribing may do so every five minutes. */
import type { Clock } from "@causeway/sip";

const POLL_INTERVAL_MS = 300_000;
/** Pairs that are remembered; the oldest goes first. A peer that asks about more has long been noticed otherwise. */
const MOST_PAIRS = 50_000;

export class PollGuard {
	readonly #clock: Pick<Clock, "now">;
	readonly #limit: number;
	/** By pair, when it fetched last; in that order. */
	readonly #fetchedAt = new Map<string, number>();

	constructor(clock: Pick<Clock, "now">, limit = MOST_PAIRS) {
		this.#clock = clock;
		this.#limit = limit;
	}

	/** Milliseconds until this watcher may fetch from this presentity; 0, and counted as fetched, where it may now. */
	fetch(presentity: string, watcher: string): number {
		const nowMs = this.#clock.now();
		const pair = `${presentity} ${watcher}`;
		const before = this.#fetchedAt.get(pair);
		if (before !== undefined && nowMs - before < POLL_INTERVAL_MS) return before + POLL_INTERVAL_MS - nowMs;
		this.#fetchedAt.delete(pair);
		this.#fetchedAt.set(pair, nowMs);
		for (const [oldest, at] of this.#fetchedAt) {
			if (this.#fetchedAt.size <= this.#limit && nowMs - at < POLL_INTERVAL_MS) break;
			this.#fetchedAt.delete(oldest);
		}
		return 0;
	}
}
