/** Times of transactions: RFC 3261 §17 and Table 4, RFC 6026 §7 (Timers L and M). All in milliseconds. */

/** Every timer a transaction can run. Letters are the RFC's; the others are explained in {@link Timing}. */
export type TimerName =
	| "timer-a"
	| "timer-b"
	| "timer-c"
	| "timer-d"
	| "timer-e"
	| "timer-f"
	| "timer-g"
	| "timer-h"
	| "timer-i"
	| "timer-j"
	| "timer-k"
	| "timer-l"
	| "timer-m"
	| "timer-trying"
	| "timer-cancel"
	| "timer-answer"
	| "timer-invite-answer";

/** Lengths of the timers of transactions in milliseconds (RFC 3261 §17, table 4; RFC 6026). */
export interface Timing {
	/** True on transports that lose nothing (TLS, TCP): no retransmissions, and Timers D, I, J, K are zero. */
	readonly reliable: boolean;
	/** Estimate of a round trip. */
	readonly t1Ms: number;
	/** Longest time between two retransmissions. */
	readonly t2Ms: number;
	/** Longest time a message stays in the network. */
	readonly t4Ms: number;
	/**
	 * How long each timer runs when it starts; Timers A, E and G double from there. Beside the letters of the RFC:
	 * `timer-trying` sends the 100 that the transaction user did not send (§17.2.1), `timer-cancel` ends a cancelled INVITE
	 * that nobody answers (§9.1), `timer-answer` and `timer-invite-answer` end a server transaction whose user never answers.
	 */
	readonly delayMs: Readonly<Record<TimerName, number>>;
}

/** What {@link createTiming} lets a caller choose. */
export interface TimingOptions {
	/** Default true. */
	readonly reliable?: boolean;
	/** Default 500. */
	readonly t1Ms?: number;
	/** Default 4,000. */
	readonly t2Ms?: number;
	/** Default 5,000. */
	readonly t4Ms?: number;
	/** Default 180,000, started again by each 101 to 199: an INVITE then gets its CANCEL (RFC 3261 §16.8). */
	readonly timerCMs?: number;
}

/** How long an INVITE may stay without a final answer of its user, counted from its last provisional response. */
const INVITE_ANSWER_MS = 300_000;

/** Fires one tick of the wheel early, so that the 100 leaves within the 200 ms of RFC 3261 §17.2.1. */
const TRYING_MS = 180;

/** Derives every timer from T1, T2 and T4. */
export function createTiming(options: TimingOptions = {}): Timing {
	const { reliable = true, t1Ms = 500, t2Ms = 4_000, t4Ms = 5_000, timerCMs = 180_000 } = options;
	const timeoutMs = 64 * t1Ms;
	return Object.freeze({
		reliable,
		t1Ms,
		t2Ms,
		t4Ms,
		delayMs: Object.freeze({
			"timer-a": t1Ms,
			"timer-b": timeoutMs,
			"timer-c": timerCMs,
			"timer-d": reliable ? 0 : Math.max(32_000, timeoutMs),
			"timer-e": t1Ms,
			"timer-f": timeoutMs,
			"timer-g": t1Ms,
			"timer-h": timeoutMs,
			"timer-i": reliable ? 0 : t4Ms,
			"timer-j": reliable ? 0 : timeoutMs,
			"timer-k": reliable ? 0 : t4Ms,
			"timer-l": timeoutMs,
			"timer-m": timeoutMs,
			"timer-trying": TRYING_MS,
			"timer-cancel": timeoutMs,
			// Past Timer F of a request forwarded in the same moment, whose 408 must have its chance to be the answer.
			"timer-answer": timeoutMs + t4Ms,
			"timer-invite-answer": INVITE_ANSWER_MS,
		}),
	});
}

/** RFC 3261 Table 4 on a reliable transport. */
export const defaultTiming: Timing = createTiming();

/** Where a retransmission timer goes on from. */
export type Interval = "initial" | "doubled" | "t2";

/** The next run of `timer`, in milliseconds; `lastMs` is how long its last run was. */
export function timerDelayMs(timing: Timing, timer: TimerName, interval: Interval, lastMs: number): number {
	if (interval === "initial") return timing.delayMs[timer];
	if (interval === "t2") return timing.t2Ms;
	// RFC 3261 §17.1.1.2: Timer A doubles without a ceiling; E (§17.1.2.2) and G (§17.2.1) stop at T2.
	return timer === "timer-a" ? lastMs * 2 : Math.min(lastMs * 2, timing.t2Ms);
}
