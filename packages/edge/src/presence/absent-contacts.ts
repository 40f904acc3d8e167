/** Addresses whose server said 604: nobody there has presence, and nobody asks again before the time is over (REQ-84). */
import type { Clock } from "@causeway/sip";

/** Addresses that are remembered; the oldest goes first. */
const MOST_CONTACTS = 10_000;

export class AbsentContacts {
	readonly #clock: Pick<Clock, "now">;
	readonly #limit: number;
	/** When the memory of each ends, in the order in which they were told. */
	readonly #until = new Map<string, number>();

	constructor(clock: Pick<Clock, "now">, limit = MOST_CONTACTS) {
		this.#clock = clock;
		this.#limit = limit;
	}

	add(contact: string, forMs: number): void {
		this.#until.delete(contact);
		this.#until.set(contact, this.#clock.now() + forMs);
		for (const oldest of this.#until.keys()) {
			if (this.#until.size <= this.#limit) break;
			this.#until.delete(oldest);
		}
	}

	/** Milliseconds left; 0 where nothing is remembered. */
	leftMs(contact: string): number {
		const until = this.#until.get(contact);
		if (until === undefined) return 0;
		const leftMs = until - this.#clock.now();
		if (leftMs > 0) return leftMs;
		this.#until.delete(contact);
		return 0;
	}
}
