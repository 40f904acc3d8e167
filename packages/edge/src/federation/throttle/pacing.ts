/**
 * Our own pace toward peers that may see us as discovered: those found by SRV. More than their ceiling would cost us 503,
 * and make us suspicious (protocol sheet 7.4).
 */
import type { Clock } from "@causeway/sip";
import type { Link } from "../link.ts";
import type { PeerDirectory } from "../peers.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface PacingOptions {
	readonly clock: Pick<Clock, "now">;
	readonly directory: () => PeerDirectory;
	readonly requestsPerSecond: () => number;
}

/** Networks whose pace is kept; one that is silent for a second has nothing worth keeping. */
const MOST_NETWORKS = 1_000;

export class Pacing {
	readonly #options: PacingOptions;
	readonly #buckets = new Map<string, TokenBucket>();

	constructor(options: PacingOptions) {
		this.#options = options;
	}

	/** Milliseconds that the next request on this link waits. Each call is one request, and they keep their order. */
	reserve(link: Link): number {
		const { network } = link;
		if (network === undefined) return 0;
		const listed = this.#options.directory().policy.peers.find(({ name }) => name === network);
		// A peer whose edge we were told has us on its list, as a rule.
		if (listed !== undefined && listed.kind !== "allowed") return 0;
		const now = this.#options.clock.now();
		const rate = this.#options.requestsPerSecond();
		let bucket = this.#buckets.get(network);
		if (bucket === undefined) {
			if (this.#buckets.size >= MOST_NETWORKS) this.#purge(rate, now);
			bucket = new TokenBucket(rate, now);
			this.#buckets.set(network, bucket);
		}
		return bucket.take(rate, now);
	}

	#purge(rate: number, now: number): void {
		for (const [network, bucket] of this.#buckets) if (bucket.level(rate, now) >= rate) this.#buckets.delete(network);
	}
}
