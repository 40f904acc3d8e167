/** When a watcher may subscribe again: protocol.md 5.6, rows "Retry after failure" and "terminated reasons". */
import type { Random } from "../env.ts";

/** What the end of a subscription means for the next one. */
export type RetryAdvice =
	/** Permanent: the far end has decided. */
	| { readonly kind: "never" }
	/** Not by itself; only when a person or program asks for it again. */
	| { readonly kind: "on-request" }
	/** By itself, no earlier than this. Zero means at once. */
	| { readonly kind: "after"; readonly delayMs: number }
	/** Not before this time has passed, whoever asks: the answer stays the same and is given locally. */
	| { readonly kind: "remember"; readonly forMs: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const BACKOFF_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS] as const;

/** What surrounds a failure. */
export interface RetrySituation {
	/** Failures in a row before this one. */
	readonly failures: number;
	/** Retry-After, or the `retry-after` parameter; undefined where absent. */
	readonly retryAfterSeconds: number | undefined;
	readonly random: Random;
}

/** After a SUBSCRIBE that was refused, timed out (408) or could not be sent (503). */
export function adviseAfterFailure(statusCode: number, situation: RetrySituation): RetryAdvice {
	switch (statusCode) {
		case 403:
		case 489:
		case 603:
			return { kind: "never" };
		case 404:
			return { kind: "remember", forMs: 10 * MINUTE_MS };
		case 604:
			return { kind: "remember", forMs: 30 * DAY_MS };
		case 408:
		case 480:
			return afterPause(situation);
		case 501:
		case 505:
		case 513:
			// The same request would meet the same answer.
			return { kind: "on-request" };
		default:
			return statusCode >= 500 && statusCode < 600 ? afterPause(situation) : { kind: "on-request" };
	}
}

/** After a NOTIFY that ended the subscription: RFC 6665 §4.1.3. */
export function adviseAfterTermination(reason: string | undefined, situation: RetrySituation): RetryAdvice {
	switch (reason ?? "") {
		case "deactivated":
		case "timeout":
			return adviseOnceAtOnce(situation);
		case "rejected":
		case "noresource":
		case "invariant":
			return { kind: "never" };
		case "giveup":
			return afterPause(situation, HOUR_MS);
		default:
			return afterPause(situation);
	}
}

/** At once the first time. A peer that ends each new subscription at once must not set the pace. */
export function adviseOnceAtOnce(situation: RetrySituation): RetryAdvice {
	return situation.failures === 0 ? { kind: "after", delayMs: 0 } : afterPause(situation);
}

/** Between zero and `limitMs`, equally likely: what many subscriptions lost together must not return together. */
export function adviseSpread(limitMs: number, random: Random): RetryAdvice {
	return { kind: "after", delayMs: random.below(limitMs + 1) };
}

/** Retry-After where given, else the back-off of 1, 5, 15, 60 minutes; up to a fifth is added at random. */
function afterPause(situation: RetrySituation, pauseMs = backoffMs(situation.failures)): RetryAdvice {
	const { retryAfterSeconds, random } = situation;
	const baseMs = retryAfterSeconds === undefined ? pauseMs : Math.min(retryAfterSeconds * 1000, DAY_MS);
	return { kind: "after", delayMs: baseMs + random.below(Math.floor(baseMs / 5) + 1) };
}

function backoffMs(failures: number): number {
	return BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? HOUR_MS;
}
