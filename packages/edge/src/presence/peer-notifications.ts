/** When the last NOTIFY went to each peer, and came from it: what shows that presence flows one way only. */

/** Peers that are remembered; the one silent longest goes first. */
const MOST_PEERS = 10_000;

export class PeerNotifications {
	/** Held by object: each NOTIFY changes a number and not the map. */
	readonly #at = new Map<string, { at: number }>();
	readonly #limit: number;

	constructor(limit = MOST_PEERS) {
		this.#limit = limit;
	}

	/** `at` in milliseconds since 1970. */
	note(peer: string, at: number): void {
		const known = this.#at.get(peer);
		if (known !== undefined) known.at = at;
		else {
			if (this.#at.size >= this.#limit) this.#dropOldest();
			this.#at.set(peer, { at });
		}
	}

	last(peer: string): number | undefined {
		return this.#at.get(peer)?.at;
	}

	/** Looks at all of them: only a peer that was never heard of before costs that. */
	#dropOldest(): void {
		let oldest: string | undefined;
		let oldestAt = Number.POSITIVE_INFINITY;
		for (const [peer, { at }] of this.#at) {
			if (at >= oldestAt) continue;
			oldest = peer;
			oldestAt = at;
		}
		if (oldest !== undefined) this.#at.delete(oldest);
	}
}
