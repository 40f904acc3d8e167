/** The ceilings of one peer and how far it is from them (REQ-81, protocol sheet 7.4). */
import { Suspicion } from "./suspicion.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Ceilings; what is undefined has none. */
export interface ThrottleLimits {
	readonly messagesPerSecond: number | undefined;
	readonly suspiciousMessagesPerSecond: number | undefined;
	readonly distinctUsers: number | undefined;
	/** Count and show, refuse nothing. */
	readonly dryRun: boolean;
}

export type ThrottleDecision =
	| { readonly kind: "pass" }
	/** It is served, and nothing more is read for so long. */
	| { readonly kind: "wait"; readonly ms: number }
	| { readonly kind: "too-fast"; readonly retryAfterSeconds: number }
	| { readonly kind: "too-many-users" };

/** What an administrator sees of it. */
export interface ThrottleView {
	/** The rate that holds now. */
	readonly messagesPerSecond: number | undefined;
	/** Messages that may come at once. */
	readonly tokens: number | undefined;
	readonly isSuspicious: boolean;
	readonly distinctUsers: number;
	readonly distinctUsersLimit: number | undefined;
	readonly refused: number;
	readonly delayed: number;
	readonly dryRun: boolean;
}

const PASS: ThrottleDecision = { kind: "pass" };

export class PeerThrottle {
	readonly #limits: () => ThrottleLimits;
	readonly #suspicion: Suspicion;
	readonly #targets = new Set<string>();
	#bucket: TokenBucket | undefined;
	#refused = 0;
	#delayed = 0;
	lastUsedAt: number;

	constructor(limits: () => ThrottleLimits, now: number) {
		this.#limits = limits;
		this.#suspicion = new Suspicion(now);
		this.lastUsedAt = now;
	}

	/** A request outside dialogs for this target (a key; undefined for the edge itself). */
	opening(target: string | undefined, now: number): ThrottleDecision {
		this.lastUsedAt = now;
		const { distinctUsers, dryRun } = this.#limits();
		if (target !== undefined && !this.#targets.has(target)) {
			if (distinctUsers !== undefined && this.#targets.size >= distinctUsers) {
				this.#refused += 1;
				if (!dryRun) return { kind: "too-many-users" };
			} else if (distinctUsers !== undefined) this.#targets.add(target);
		}
		const rate = this.#rate(now);
		if (rate === undefined) return PASS;
		const bucket = this.#bucketOf(rate, now);
		if (bucket.tryTake(rate, now)) return PASS;
		this.#refused += 1;
		if (dryRun) return PASS;
		return { kind: "too-fast", retryAfterSeconds: Math.max(1, Math.ceil(bucket.untilNextMs(rate, now) / 1000)) };
	}

	/** A request inside a dialog: it is served in any case, and what comes after it waits. */
	inside(now: number): ThrottleDecision {
		this.lastUsedAt = now;
		const rate = this.#rate(now);
		if (rate === undefined) return PASS;
		const bucket = this.#bucketOf(rate, now);
		if (bucket.tryTake(rate, now)) return PASS;
		this.#delayed += 1;
		return this.#limits().dryRun ? PASS : { kind: "wait", ms: bucket.take(rate, now) };
	}

	/** A request for a new dialog got its final answer. */
	answered(statusCode: number, now: number): void {
		this.#suspicion.answered(statusCode, now);
	}

	view(now: number): ThrottleView {
		const { distinctUsers, dryRun } = this.#limits();
		const rate = this.#rate(now);
		return {
			messagesPerSecond: rate,
			tokens: rate === undefined ? undefined : Math.max(0, Math.floor(this.#bucketOf(rate, now).level(rate, now))),
			isSuspicious: this.#suspicion.isSuspicious(now),
			distinctUsers: this.#targets.size,
			distinctUsersLimit: distinctUsers,
			refused: this.#refused,
			delayed: this.#delayed,
			dryRun,
		};
	}

	#rate(now: number): number | undefined {
		const { messagesPerSecond, suspiciousMessagesPerSecond } = this.#limits();
		return this.#suspicion.isSuspicious(now) ? (suspiciousMessagesPerSecond ?? messagesPerSecond) : messagesPerSecond;
	}

	#bucketOf(rate: number, now: number): TokenBucket {
		this.#bucket ??= new TokenBucket(rate, now);
		return this.#bucket;
	}
}
