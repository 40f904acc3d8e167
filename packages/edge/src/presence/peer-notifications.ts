/** When the last NOTIFY went to each peer, and came from it: what shows that presence flows one way only. */

/** Peers that are remembered; the one silent longest goes first. */
const MOST_PEERS = 10_000;

export class PeerNotifications {
	readonly #at = new Map<string, number>();
	readonly #limit: number;

	constructor(limit = MOST_PEERS) {
		this.#limit = limit;
	}

	/** `at` in milliseconds since 1970. */
	note(peer: string, at: number): void {
		this.#at.delete(peer);
		this.#at.set(peer, at);
		for (const oldest of this.#at.keys()) {
			if (this.#at.size <= this.#limit) break;
			this.#at.delete(oldest);
		}
	}

	last(peer: string): number | undefined {
		return this.#at.get(peer);
	}
}
