/**
 * Subscriber usage: RFC 6665 §4.1, Figure 1, with the tolerances of protocol.md 2.6, 5.6 and 6.7.
 *
 *   init ──subscribe──→ notify-wait ──NOTIFY──→ pending ⇄ active ──unsubscribe──→ leaving
 *                            │                       │                               │
 *                            └───────────────────────┴──────────→ terminated ←───────┘
 *
 * At most one SUBSCRIBE is in flight. The machine knows no message and no timer: it is told what happened and answers
 * with the next state and the effects, which the caller performs in their order.
 */
import type { Random } from "../env.ts";
import { assertNever, invariant } from "../text/assert.ts";
import {
	adviseAfterFailure,
	adviseAfterTermination,
	adviseOnceAtOnce,
	adviseSpread,
	type RetryAdvice,
} from "./retry-advice.ts";

/** Subscription-State as far as it goes on: RFC 6665 §4.1.3. */
export type LiveSubscriptionState = "pending" | "active";

/** What every attempt carries. */
interface Attempt {
	/** Expires of the last SUBSCRIBE; zero fetches. */
	readonly requestedSeconds: number;
	/** Failures in a row before this attempt. */
	readonly failures: number;
	/** A 423 was obeyed already. */
	readonly raised: boolean;
	/** A 2xx answered the first SUBSCRIBE: only now mid-dialog requests may leave (REQ-57). */
	readonly answered: boolean;
	/** The user wants to leave as soon as that is possible. */
	readonly leaving: boolean;
	/** Tag of the one notifier accepted; undefined until a 2xx or NOTIFY came. */
	readonly remoteTag: string | undefined;
	/** When the subscription ends by itself, on the clock of `nowMs`. */
	readonly expiresAtMs: number;
}

/** A NOTIFY came: the subscription exists. */
interface Live extends Attempt {
	readonly name: LiveSubscriptionState;
	/** A SUBSCRIBE is in flight: the first one, or a refresh. */
	readonly inFlight: boolean;
	/** A failed refresh was tried again. */
	readonly refreshRetried: boolean;
	readonly refreshAtMs: number;
	readonly liveSinceMs: number;
}

/** States of a subscription on the side of the subscriber (RFC 6665 §4.1.2, Figure 1). */
export type SubscriberState =
	| { readonly name: "init" }
	| ({ readonly name: "notify-wait" } & Attempt)
	| Live
	/** Expires 0 was sent in the dialog; the last NOTIFY is awaited. */
	| { readonly name: "leaving"; readonly remoteTag: string | undefined }
	| { readonly name: "terminated"; readonly end: SubscriberEnd };

/** Why a subscription ended. */
export type SubscriberEnd =
	/** A final answer to a SUBSCRIBE, or 408 and 503 where none came or it could not be sent (RFC 3261 §8.1.3.1). */
	| { readonly kind: "refused"; readonly statusCode: number }
	/** REQ-67: a refresh was refused in a dialog so old that the peer's key may have expired. */
	| { readonly kind: "too-old"; readonly statusCode: number }
	/** A NOTIFY said so. */
	| { readonly kind: "terminated"; readonly reason: string | undefined }
	| { readonly kind: "no-notify" }
	| { readonly kind: "expired" }
	| { readonly kind: "connection-lost" }
	| { readonly kind: "unsubscribed" }
	| { readonly kind: "fetched" };

/** Timers that a subscription may ask for; each runs at most once at a time. */
export type SubscriberTimer = "refresh" | "expiry" | "timer-n";

/** What happens to a subscription on the side of the subscriber (RFC 6665 §4.1). */
export type SubscriberEvent =
	/** The user wants it. `failures` is what the last attempt's `end` effect named, else 0; Expires 0 fetches. */
	| { readonly kind: "subscribe"; readonly expiresSeconds: number; readonly failures: number }
	/** The final response to the SUBSCRIBE in flight. */
	| {
			readonly kind: "response";
			readonly statusCode: number;
			/** To tag; the empty string where absent. */
			readonly toTag: string;
			readonly expiresSeconds: number | undefined;
			readonly minExpiresSeconds: number | undefined;
			readonly retryAfterSeconds: number | undefined;
			/** The dialog may be older than the peer's key (protocol.md 4.7: 12 hours). */
			readonly isDialogOld: boolean;
	  }
	| {
			readonly kind: "notify";
			readonly fromTag: string;
			/** Undefined where the header is missing, which counts as active (protocol.md 5.6). */
			readonly subscriptionState: LiveSubscriptionState | "terminated" | undefined;
			readonly expiresSeconds: number | undefined;
			readonly reason: string | undefined;
			readonly retryAfterSeconds: number | undefined;
	  }
	| { readonly kind: "refresh-due" }
	| { readonly kind: "expired" }
	| { readonly kind: "timer-n" }
	| { readonly kind: "unsubscribe" }
	| { readonly kind: "connection-lost" };

/** What the caller has to do after a step, in order. */
export type SubscriberEffect =
	/**
	 * `first` leaves outside a dialog; `again` repeats it with the next CSeq, the same Call-ID and From tag (RFC 3261
	 * §8.1.3.5); `refresh` and `unsubscribe` leave inside the dialog.
	 */
	| {
			readonly kind: "send-subscribe";
			readonly how: "first" | "again" | "refresh" | "unsubscribe";
			readonly expiresSeconds: number;
	  }
	/** Starts the timer, or starts it anew. */
	| { readonly kind: "start-timer"; readonly timer: SubscriberTimer; readonly delayMs: number }
	| { readonly kind: "stop-timer"; readonly timer: SubscriberTimer }
	/** Answer to the NOTIFY at hand. */
	| { readonly kind: "answer-notify"; readonly statusCode: 200 | 481 }
	/**
	 * The dialog with this notifier is the subscription's. From a NOTIFY that overtook the 2xx it is an early dialog whose
	 * route set is still unknown; from the 2xx it is confirmed and takes the place of any other.
	 */
	| { readonly kind: "use-dialog"; readonly from: "notify" | "response"; readonly remoteTag: string }
	/** The NOTIFY at hand counts: its body, where it has one, is for the user. */
	| { readonly kind: "tell-user"; readonly subscriptionState: LiveSubscriptionState | "terminated" }
	/** Over: every timer stops, the dialog is forgotten. `failures` goes into the next attempt. */
	| { readonly kind: "end"; readonly end: SubscriberEnd; readonly retry: RetryAdvice; readonly failures: number };

/** Times of a subscription, in the units that their names end in. */
export interface SubscriberTiming {
	/** RFC 6665 §4.1.2.4: 64·T1. */
	readonly timerNMs: number;
	/** A refresh leaves no earlier than this after the last one, however little the peer grants. */
	readonly minRefreshMs: number;
	/** Pause before the one second try of a refresh that was refused for the moment. */
	readonly refreshRetryMs: number;
	/** A subscription that lived this long was no failure. */
	readonly stableMs: number;
	/** Upper bound of the random pause after a lost connection. */
	readonly connectionLostSpreadMs: number;
	/** A 423 that asks for more is final. */
	readonly maxExpiresSeconds: number;
}

/** The times of RFC 6665 and of protocol sheet 5.6. */
export const defaultSubscriberTiming: SubscriberTiming = {
	timerNMs: 32_000,
	minRefreshMs: 10_000,
	refreshRetryMs: 60_000,
	stableMs: 60_000,
	connectionLostSpreadMs: 30_000,
	maxExpiresSeconds: 86_400,
};

/** What a step of the subscriber looks at beside state and event. */
export interface SubscriberContext {
	/** Milliseconds on a clock that never goes back. */
	readonly nowMs: number;
	readonly timing: SubscriberTiming;
	readonly random: Random;
}

/** The state after an event, and what is to be done. */
export interface SubscriberStep {
	readonly state: SubscriberState;
	readonly effects: readonly SubscriberEffect[];
}

type EventOf<Kind extends SubscriberEvent["kind"]> = Extract<SubscriberEvent, { kind: Kind }>;
type NotifyWait = Extract<SubscriberState, { name: "notify-wait" }>;

const NOTHING: readonly SubscriberEffect[] = [];
const ANSWER_200: SubscriberEffect = { kind: "answer-notify", statusCode: 200 };
const ANSWER_481: SubscriberEffect = { kind: "answer-notify", statusCode: 481 };
const STOP_TIMER_N: SubscriberEffect = { kind: "stop-timer", timer: "timer-n" };

/** RFC 6665 §4.1.2.2 leaves the moment open; protocol.md 5.6 refreshes at 80 % of what is left. */
const REFRESH_SHARE = 0.8;

/** Before the first SUBSCRIBE. */
export const initialSubscriberState: SubscriberState = { name: "init" };

/** One step of the subscriber (RFC 6665 §4.1): the next state, and effects for the caller to perform in their order. */
export function stepSubscriber(
	state: SubscriberState,
	event: SubscriberEvent,
	context: SubscriberContext,
): SubscriberStep {
	switch (state.name) {
		case "init":
			return stepInit(state, event, context);
		case "notify-wait":
			return stepNotifyWait(state, event, context);
		case "pending":
		case "active":
			return stepLive(state, event, context);
		case "leaving":
			return stepLeaving(state, event);
		case "terminated":
			return stepTerminated(state, event);
		default:
			return assertNever(state);
	}
}

function stepInit(state: SubscriberState, event: SubscriberEvent, context: SubscriberContext): SubscriberStep {
	switch (event.kind) {
		case "subscribe": {
			const { expiresSeconds, failures } = event;
			const attempt: NotifyWait = {
				name: "notify-wait",
				requestedSeconds: expiresSeconds,
				failures,
				raised: false,
				answered: false,
				leaving: false,
				remoteTag: undefined,
				expiresAtMs: context.nowMs + expiresSeconds * 1000,
			};
			return { state: attempt, effects: [send("first", expiresSeconds), startTimerN(context)] };
		}
		case "unsubscribe":
			return end({ kind: "unsubscribed" }, { kind: "on-request" });
		case "notify":
			return { state, effects: [ANSWER_481] };
		case "response":
		case "refresh-due":
		case "expired":
		case "timer-n":
		case "connection-lost":
			return stay(state);
		default:
			return assertNever(event);
	}
}

function stepNotifyWait(state: NotifyWait, event: SubscriberEvent, context: SubscriberContext): SubscriberStep {
	switch (event.kind) {
		case "response":
			return isSuccess(event.statusCode)
				? acceptFirst(state, event, context)
				: refuseFirst(state, event, context, [startTimerN(context)]);
		case "notify":
			return notifyFirst(state, event, context);
		case "timer-n":
			return state.leaving ? unsubscribed() : fail(state, { kind: "no-notify" }, context);
		case "unsubscribe":
			return state.answered ? leave(state, context) : stay({ ...state, leaving: true });
		case "connection-lost":
			return state.leaving ? unsubscribed() : connectionLost(state, context);
		case "refresh-due":
		case "expired":
			return stay(state);
		case "subscribe":
			return alreadySubscribed();
		default:
			return assertNever(event);
	}
}

function stepLive(state: Live, event: SubscriberEvent, context: SubscriberContext): SubscriberStep {
	switch (event.kind) {
		case "response":
			if (!state.inFlight) return stay(state);
			if (!state.answered) {
				return isSuccess(event.statusCode)
					? acceptEarly(state, event, context)
					: refuseFirst(state, event, context, NOTHING);
			}
			return isSuccess(event.statusCode) ? refreshed(state, event, context) : refreshRefused(state, event, context);
		case "notify":
			return notifyAgain(state, event, context);
		case "refresh-due":
			if (state.inFlight) return stay(state);
			return {
				state: { ...state, inFlight: true },
				effects: [send("refresh", state.requestedSeconds), startTimerN(context)],
			};
		case "timer-n":
			return state.leaving ? unsubscribed() : fail(state, { kind: "no-notify" }, context);
		case "expired":
			return state.leaving ? unsubscribed() : fail(state, { kind: "expired" }, context);
		case "unsubscribe":
			return state.inFlight ? stay({ ...state, leaving: true }) : leave(state, context);
		case "connection-lost":
			return state.leaving ? unsubscribed() : connectionLost(state, context);
		case "subscribe":
			return alreadySubscribed();
		default:
			return assertNever(event);
	}
}

function stepLeaving(state: Extract<SubscriberState, { name: "leaving" }>, event: SubscriberEvent): SubscriberStep {
	switch (event.kind) {
		case "response":
			return isSuccess(event.statusCode) ? stay(state) : unsubscribed();
		case "notify": {
			if (isForeign(state.remoteTag, event)) return { state, effects: [ANSWER_481] };
			// A NOTIFY that crossed our SUBSCRIBE is answered and forgotten: the user has left.
			return event.subscriptionState === "terminated" ? unsubscribed([ANSWER_200]) : { state, effects: [ANSWER_200] };
		}
		case "timer-n":
		case "expired":
		case "connection-lost":
			return unsubscribed();
		case "unsubscribe":
		case "refresh-due":
			return stay(state);
		case "subscribe":
			return alreadySubscribed();
		default:
			return assertNever(event);
	}
}

function stepTerminated(state: SubscriberState, event: SubscriberEvent): SubscriberStep {
	switch (event.kind) {
		case "notify":
			return { state, effects: [ANSWER_481] };
		case "response":
		case "refresh-due":
		case "expired":
		case "timer-n":
		case "unsubscribe":
		case "connection-lost":
			return stay(state);
		case "subscribe":
			return alreadySubscribed();
		default:
			return assertNever(event);
	}
}

/** The 2xx came before any NOTIFY. */
function acceptFirst(state: NotifyWait, event: EventOf<"response">, context: SubscriberContext): SubscriberStep {
	if (state.answered) return stay(state);
	const next = { ...state, answered: true, remoteTag: event.toTag, expiresAtMs: grantedUntil(state, event, context) };
	const use: SubscriberEffect = { kind: "use-dialog", from: "response", remoteTag: event.toTag };
	if (state.leaving && state.requestedSeconds > 0) return leave(next, context, [use]);
	return { state: next, effects: [use] };
}

/** The 2xx came after a NOTIFY that had overtaken it. */
function acceptEarly(state: Live, event: EventOf<"response">, context: SubscriberContext): SubscriberStep {
	const use: SubscriberEffect = { kind: "use-dialog", from: "response", remoteTag: event.toTag };
	if (event.toTag !== state.remoteTag) {
		// Forked: the path of the 2xx is the one whose route set we know, so its notifier is the one we keep.
		const { requestedSeconds, failures, raised, leaving } = state;
		const expiresAtMs = grantedUntil(state, event, context);
		const next: NotifyWait = {
			name: "notify-wait",
			requestedSeconds,
			failures,
			raised,
			answered: true,
			leaving,
			remoteTag: event.toTag,
			expiresAtMs,
		};
		if (leaving) return leave(next, context, [use]);
		return { state: next, effects: [use, ...stopLifeTimers(), startTimerN(context)] };
	}
	const answered: Live = { ...state, answered: true, inFlight: false };
	if (state.leaving) return leave(answered, context, [use]);
	const until = Math.min(state.expiresAtMs, grantedUntil(state, event, context));
	return scheduled({ ...answered, expiresAtMs: until, refreshAtMs: refreshAt(until, context) }, context, [use]);
}

/** RFC 6665 §4.1.2.2: a refresh was granted; what is granted now counts from now. */
function refreshed(state: Live, event: EventOf<"response">, context: SubscriberContext): SubscriberStep {
	const until = grantedUntil(state, event, context);
	const next: Live = {
		...state,
		inFlight: false,
		raised: false,
		refreshRetried: false,
		expiresAtMs: until,
		refreshAtMs: refreshAt(until, context),
	};
	return state.leaving ? leave(next, context) : scheduled(next, context, NOTHING);
}

/** protocol.md 6.7: a refused refresh leaves the subscription alive until it expires, unless the dialog is gone. */
function refreshRefused(state: Live, event: EventOf<"response">, context: SubscriberContext): SubscriberStep {
	const { statusCode } = event;
	if (state.leaving) {
		return isDialogDead(statusCode) ? unsubscribed() : leave({ ...state, inFlight: false }, context);
	}
	if (isDialogDead(statusCode)) return refuse(state, event, context);
	if (event.isDialogOld) return fail(state, { kind: "too-old", statusCode }, context);
	const raisedSeconds = raisedExpires(state, event, context);
	if (raisedSeconds !== undefined) {
		return {
			state: { ...state, raised: true, requestedSeconds: raisedSeconds },
			effects: [send("refresh", raisedSeconds), startTimerN(context)],
		};
	}
	const quiet: Live = { ...state, inFlight: false };
	if (state.refreshRetried || !(statusCode === 480 || statusCode >= 500))
		return { state: quiet, effects: [STOP_TIMER_N] };
	const { refreshRetryMs } = context.timing;
	const pauseMs = event.retryAfterSeconds === undefined ? refreshRetryMs : event.retryAfterSeconds * 1000;
	return {
		state: { ...quiet, refreshRetried: true },
		effects: [STOP_TIMER_N, { kind: "start-timer", timer: "refresh", delayMs: pauseMs }],
	};
}

/** The first SUBSCRIBE was refused. */
function refuseFirst(
	state: NotifyWait | Live,
	event: EventOf<"response">,
	context: SubscriberContext,
	extra: readonly SubscriberEffect[],
): SubscriberStep {
	if (state.answered) return stay(state);
	if (state.leaving) return unsubscribed();
	const raisedSeconds = raisedExpires(state, event, context);
	if (raisedSeconds === undefined) return refuse(state, event, context);
	const expiresAtMs = context.nowMs + raisedSeconds * 1000;
	return {
		state: { ...state, raised: true, requestedSeconds: raisedSeconds, expiresAtMs },
		effects: [send("again", raisedSeconds), ...extra],
	};
}

/** The first NOTIFY makes the subscription: RFC 6665 §4.1.2.4. */
function notifyFirst(state: NotifyWait, event: EventOf<"notify">, context: SubscriberContext): SubscriberStep {
	if (isForeign(state.remoteTag, event)) return { state, effects: [ANSWER_481] };
	const effects: SubscriberEffect[] = [ANSWER_200];
	if (state.remoteTag === undefined) {
		effects.push({ kind: "use-dialog", from: "notify", remoteTag: event.fromTag });
	}
	const name = event.subscriptionState ?? "active";
	effects.push({ kind: "tell-user", subscriptionState: name });
	if (state.requestedSeconds === 0) return end({ kind: "fetched" }, { kind: "on-request" }, effects);
	if (name === "terminated") return terminatedByNotify(state, event, context, effects);
	const expiresAtMs = shortened(state, event, context);
	const live: Live = {
		...state,
		name,
		remoteTag: event.fromTag,
		inFlight: !state.answered,
		refreshRetried: false,
		expiresAtMs,
		refreshAtMs: refreshAt(expiresAtMs, context),
		liveSinceMs: context.nowMs,
	};
	effects.push(STOP_TIMER_N);
	// REQ-57: before the 2xx nothing can be refreshed; it starts the refresh timer when it comes.
	return state.answered
		? scheduled(live, context, effects)
		: { state: live, effects: [...effects, startTimer("expiry", live.expiresAtMs, context)] };
}

function notifyAgain(state: Live, event: EventOf<"notify">, context: SubscriberContext): SubscriberStep {
	if (isForeign(state.remoteTag, event)) return { state, effects: [ANSWER_481] };
	const name = event.subscriptionState ?? "active";
	const effects: SubscriberEffect[] = [ANSWER_200, { kind: "tell-user", subscriptionState: name }];
	if (name === "terminated") return terminatedByNotify(state, event, context, effects);
	effects.push(STOP_TIMER_N);
	const until = shortened(state, event, context);
	const next: Live = { ...state, name, expiresAtMs: until };
	if (until === state.expiresAtMs) return { state: next, effects };
	effects.push(startTimer("expiry", until, context));
	const refreshAtMs = Math.min(state.refreshAtMs, refreshAt(until, context));
	if (state.answered && !state.inFlight && refreshAtMs < state.refreshAtMs) {
		effects.push(startTimer("refresh", refreshAtMs, context));
	}
	return { state: { ...next, refreshAtMs }, effects };
}

function terminatedByNotify(
	state: NotifyWait | Live,
	event: EventOf<"notify">,
	context: SubscriberContext,
	effects: readonly SubscriberEffect[],
): SubscriberStep {
	if (state.leaving) return unsubscribed(effects);
	const failures = countFailures(state, context);
	const { reason, retryAfterSeconds } = event;
	const retry = adviseAfterTermination(reason, { failures, retryAfterSeconds, random: context.random });
	return end({ kind: "terminated", reason }, retry, effects, failures + 1);
}

/** Sends Expires 0 inside the dialog. */
function leave(
	state: NotifyWait | Live,
	context: SubscriberContext,
	before: readonly SubscriberEffect[] = NOTHING,
): SubscriberStep {
	return {
		state: { name: "leaving", remoteTag: state.remoteTag },
		effects: [...before, ...stopLifeTimers(), send("unsubscribe", 0), startTimerN(context)],
	};
}

function refuse(state: NotifyWait | Live, event: EventOf<"response">, context: SubscriberContext): SubscriberStep {
	const { statusCode, retryAfterSeconds } = event;
	const failures = countFailures(state, context);
	const situation = { failures, retryAfterSeconds, random: context.random };
	// protocol.md 6.7: the far end forgot the dialog, so a new one is due at once.
	const isForgotten = statusCode === 481 && state.answered;
	const retry = isForgotten ? adviseOnceAtOnce(situation) : adviseAfterFailure(statusCode, situation);
	return end({ kind: "refused", statusCode }, retry, NOTHING, failures + 1);
}

/** An end that nobody chose: `too-old` starts anew at once, the others after a pause. */
function fail(
	state: NotifyWait | Live,
	cause: Extract<SubscriberEnd, { kind: "no-notify" | "expired" | "too-old" }>,
	context: SubscriberContext,
): SubscriberStep {
	const failures = countFailures(state, context);
	const situation = { failures, retryAfterSeconds: undefined, random: context.random };
	const retry = cause.kind === "too-old" ? adviseOnceAtOnce(situation) : adviseAfterFailure(408, situation);
	return end(cause, retry, NOTHING, failures + 1);
}

/** protocol.md 1.6: the next subscription comes on a new connection after a random pause. */
function connectionLost(state: NotifyWait | Live, context: SubscriberContext): SubscriberStep {
	const failures = countFailures(state, context);
	const { connectionLostSpreadMs } = context.timing;
	const situation = { failures, retryAfterSeconds: undefined, random: context.random };
	const retry =
		failures === 0 ? adviseSpread(connectionLostSpreadMs, context.random) : adviseAfterFailure(503, situation);
	return end({ kind: "connection-lost" }, retry, NOTHING, failures + 1);
}

function unsubscribed(effects: readonly SubscriberEffect[] = NOTHING): SubscriberStep {
	return end({ kind: "unsubscribed" }, { kind: "on-request" }, effects);
}

function end(
	cause: SubscriberEnd,
	retry: RetryAdvice,
	before: readonly SubscriberEffect[] = NOTHING,
	failures = 0,
): SubscriberStep {
	return {
		state: { name: "terminated", end: cause },
		effects: [...before, { kind: "end", end: cause, retry, failures }],
	};
}

/** Failures in a row before this end; none after a subscription that lived a while. */
function countFailures(state: NotifyWait | Live, context: SubscriberContext): number {
	const isStable = state.name !== "notify-wait" && context.nowMs - state.liveSinceMs >= context.timing.stableMs;
	return isStable ? 0 : state.failures;
}

/** The Expires to repeat the SUBSCRIBE with after a 423; undefined where that would be no use. */
function raisedExpires(
	state: NotifyWait | Live,
	event: EventOf<"response">,
	context: SubscriberContext,
): number | undefined {
	const wanted = event.minExpiresSeconds;
	if (event.statusCode !== 423 || state.raised || wanted === undefined) return undefined;
	return wanted > state.requestedSeconds && wanted <= context.timing.maxExpiresSeconds ? wanted : undefined;
}

/** RFC 6665 §4.1.2.1: the notifier may shorten what was asked and never lengthen it. */
function grantedUntil(state: NotifyWait | Live, event: EventOf<"response">, context: SubscriberContext): number {
	const seconds = Math.min(event.expiresSeconds ?? state.requestedSeconds, state.requestedSeconds);
	return context.nowMs + seconds * 1000;
}

function shortened(state: NotifyWait | Live, event: EventOf<"notify">, context: SubscriberContext): number {
	if (event.expiresSeconds === undefined) return state.expiresAtMs;
	return Math.min(state.expiresAtMs, context.nowMs + event.expiresSeconds * 1000);
}

function refreshAt(expiresAtMs: number, context: SubscriberContext): number {
	const leftMs = expiresAtMs - context.nowMs;
	return context.nowMs + Math.max(Math.floor(leftMs * REFRESH_SHARE), context.timing.minRefreshMs);
}

/** Both life timers anew. */
function scheduled(state: Live, context: SubscriberContext, before: readonly SubscriberEffect[]): SubscriberStep {
	return {
		state,
		effects: [
			...before,
			startTimer("refresh", state.refreshAtMs, context),
			startTimer("expiry", state.expiresAtMs, context),
		],
	};
}

function startTimer(timer: SubscriberTimer, atMs: number, context: SubscriberContext): SubscriberEffect {
	return { kind: "start-timer", timer, delayMs: Math.max(0, atMs - context.nowMs) };
}

function startTimerN(context: SubscriberContext): SubscriberEffect {
	return { kind: "start-timer", timer: "timer-n", delayMs: context.timing.timerNMs };
}

function stopLifeTimers(): readonly SubscriberEffect[] {
	return [
		{ kind: "stop-timer", timer: "refresh" },
		{ kind: "stop-timer", timer: "expiry" },
	];
}

function send(
	how: Extract<SubscriberEffect, { kind: "send-subscribe" }>["how"],
	expiresSeconds: number,
): SubscriberEffect {
	return { kind: "send-subscribe", how, expiresSeconds };
}

/** protocol.md 5.6: one notifier for a presence subscription; another To tag has no dialog here. */
function isForeign(remoteTag: string | undefined, event: EventOf<"notify">): boolean {
	return remoteTag !== undefined && remoteTag !== event.fromTag;
}

/** RFC 3261 §12.2.1.2 for 408 and 481; a 6xx speaks for the user everywhere. */
function isDialogDead(statusCode: number): boolean {
	return statusCode === 408 || statusCode === 481 || statusCode >= 600;
}

function isSuccess(statusCode: number): boolean {
	return statusCode >= 200 && statusCode < 300;
}

function stay(state: SubscriberState): SubscriberStep {
	return { state, effects: NOTHING };
}

function alreadySubscribed(): never {
	invariant(false, "a subscription machine runs once; a new subscription takes a new machine");
}
