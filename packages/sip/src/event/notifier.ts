/**
 * Notifier usage: RFC 6665 §4.2, Figure 2, with the rules of protocol.md 5.6 and REQ-58, REQ-83.
 *
 *   init ──subscribe──→ pending ──authorise──→ active
 *     │                    │                      │
 *     │ Expires 0          └───────┬──────────────┘ terminate, Expires 0, expiry
 *     │                            ↓
 *     │                       terminating   (only while a NOTIFY is in flight)
 *     └──────────────────────→ terminated ←── 481, time-out, lost connection
 *
 * At most one NOTIFY is in flight. What changes meanwhile, or sooner than the spacing allows, is told in the next one.
 */
import { assertNever, invariant } from "../text/assert.ts";

/** `reason` of a final Subscription-State that a notifier may give: RFC 6665 §4.1.3. */
export type NotifierReason = "deactivated" | "probation" | "rejected" | "timeout" | "giveup" | "noresource";

interface Live {
	readonly name: "pending" | "active";
	/** When the subscription ends by itself, on the clock of `nowMs`. */
	readonly expiresAtMs: number;
	/** When the last NOTIFY left. */
	readonly notifiedAtMs: number;
	/** A NOTIFY awaits its answer. */
	readonly inFlight: boolean;
	/** Something that the last NOTIFY did not tell; `at-once` does not wait for the spacing. */
	readonly owed: "nothing" | "spaced" | "at-once";
	readonly isSpacingTimerOn: boolean;
}

interface FinalNotify {
	readonly reason: NotifierReason;
	/** With `probation` and `giveup`: when to come back. */
	readonly retryAfterSeconds: number | undefined;
}

/** States of a subscription on the side of the notifier (RFC 6665 §4.2.2). */
export type NotifierState =
	| { readonly name: "init" }
	| Live
	/** The final NOTIFY waits until the one in flight is answered. */
	| ({ readonly name: "terminating" } & FinalNotify)
	| { readonly name: "terminated"; readonly end: NotifierEnd };

/** Why a subscription ended. */
export type NotifierEnd =
	/** The final NOTIFY said so. */
	| { readonly kind: "told"; readonly reason: NotifierReason }
	/** The watcher refused a NOTIFY, or 408 where it did not answer. */
	| { readonly kind: "refused"; readonly statusCode: number }
	| { readonly kind: "connection-lost" };

/** Timers that a subscription may ask for; each runs at most once at a time. */
export type NotifierTimer = "expiry" | "spacing";

/** What happens to a subscription on the side of the notifier (RFC 6665 §4.2). */
export type NotifierEvent =
	/**
	 * A SUBSCRIBE that was granted (`grantExpires`). `state` counts for the first one. Zero seconds
	 * end the subscription; in the first SUBSCRIBE they fetch.
	 */
	| { readonly kind: "subscribe"; readonly expiresSeconds: number; readonly state: "pending" | "active" }
	/** The presentity accepted the watcher. */
	| { readonly kind: "authorise" }
	/** The subscription shall end: refused, deactivated before its dialog grows too old, user removed. */
	| { readonly kind: "terminate"; readonly reason: NotifierReason; readonly retryAfterSeconds?: number }
	| { readonly kind: "state-changed" }
	/** The state that was to be told after the spacing is the one that was told last: REQ-83, a NOTIFY tells something new. */
	| { readonly kind: "state-restored" }
	| { readonly kind: "expired" }
	| { readonly kind: "spacing-over" }
	/** The final response to the NOTIFY in flight: 408 where none came, 503 where it could not be sent. */
	| { readonly kind: "notify-answered"; readonly statusCode: number; readonly hasRetryAfter: boolean }
	| { readonly kind: "connection-lost" };

/** What the caller has to do after a step, in order. */
export type NotifierEffect =
	/** Answer to the SUBSCRIBE at hand; `expiresSeconds` for the 200 alone. */
	| { readonly kind: "answer-subscribe"; readonly statusCode: 200; readonly expiresSeconds: number }
	| { readonly kind: "answer-subscribe"; readonly statusCode: 481 }
	/** `expiresSeconds` is what is left. */
	| {
			readonly kind: "send-notify";
			readonly subscriptionState: "pending" | "active";
			readonly expiresSeconds: number;
	  }
	/** The last NOTIFY. A fetch is answered with the current state (`hasBody`), any other end with none. */
	| ({
			readonly kind: "send-notify";
			readonly subscriptionState: "terminated";
			readonly hasBody: boolean;
	  } & FinalNotify)
	/** Starts the timer, or starts it anew. */
	| { readonly kind: "start-timer"; readonly timer: NotifierTimer; readonly delayMs: number }
	/** Over: every timer stops, the dialog is forgotten once a NOTIFY that just left is answered. */
	| { readonly kind: "end"; readonly end: NotifierEnd };

/** What a step of the notifier looks at beside state and event. */
export interface NotifierContext {
	/** Milliseconds on a clock that never goes back. */
	readonly nowMs: number;
	/** REQ-83: the least time between two NOTIFYs that tell changes; 5000 by default. */
	readonly notifySpacingMs: number;
}

/** The state after an event, and what is to be done. */
export interface NotifierStep {
	readonly state: NotifierState;
	readonly effects: readonly NotifierEffect[];
}

type EventOf<Kind extends NotifierEvent["kind"]> = Extract<NotifierEvent, { kind: Kind }>;

const NOTHING: readonly NotifierEffect[] = [];
const ANSWER_481: NotifierEffect = { kind: "answer-subscribe", statusCode: 481 };

/** Before the first SUBSCRIBE. */
export const initialNotifierState: NotifierState = { name: "init" };

/** One step of the notifier (RFC 6665 §4.2): the next state, and effects for the caller to perform in their order. */
export function stepNotifier(state: NotifierState, event: NotifierEvent, context: NotifierContext): NotifierStep {
	switch (state.name) {
		case "init":
			return stepInit(state, event, context);
		case "pending":
		case "active":
			return stepLive(state, event, context);
		case "terminating":
			return stepTerminating(state, event);
		case "terminated":
			return stepTerminated(state, event);
		default:
			return assertNever(state);
	}
}

function stepInit(state: NotifierState, event: NotifierEvent, context: NotifierContext): NotifierStep {
	switch (event.kind) {
		case "subscribe": {
			const { expiresSeconds } = event;
			const answer = answerOk(expiresSeconds);
			if (expiresSeconds === 0) return fetched(answer);
			const live: Live = {
				name: event.state,
				expiresAtMs: context.nowMs + expiresSeconds * 1000,
				notifiedAtMs: context.nowMs,
				inFlight: false,
				owed: "nothing",
				isSpacingTimerOn: false,
			};
			// REQ-58: the 2xx stands before the NOTIFY, here as on the wire.
			return notify(live, context, [answer, startExpiry(expiresSeconds)]);
		}
		case "authorise":
		case "terminate":
		case "state-changed":
		case "state-restored":
		case "expired":
		case "spacing-over":
		case "notify-answered":
		case "connection-lost":
			return stay(state);
		default:
			return assertNever(event);
	}
}

function stepLive(state: Live, event: NotifierEvent, context: NotifierContext): NotifierStep {
	switch (event.kind) {
		case "subscribe":
			return refresh(state, event, context);
		case "authorise":
			return state.name === "active" ? stay(state) : owe({ ...state, name: "active" }, "spaced", context);
		case "state-changed":
			// A watcher that waits for a decision is shown the same neutral document throughout.
			return state.name === "pending" ? stay(state) : owe(state, "spaced", context);
		case "state-restored":
			return { state: { ...state, owed: state.owed === "at-once" ? "at-once" : "nothing" }, effects: NOTHING };
		case "spacing-over": {
			const next: Live = { ...state, isSpacingTimerOn: false };
			// A NOTIFY that did not wait may have left meanwhile: the spacing counts from the last one.
			return next.owed === "nothing" ? stay(next) : owe(next, next.owed, context);
		}
		case "notify-answered":
			return answered(state, event, context);
		case "terminate":
			return terminate(state, { reason: event.reason, retryAfterSeconds: event.retryAfterSeconds }, NOTHING);
		case "expired":
			return terminate(state, { reason: "timeout", retryAfterSeconds: undefined }, NOTHING);
		case "connection-lost":
			return end({ kind: "connection-lost" });
		default:
			return assertNever(event);
	}
}

function stepTerminating(state: Extract<NotifierState, { name: "terminating" }>, event: NotifierEvent): NotifierStep {
	switch (event.kind) {
		case "notify-answered":
			return isRefused(event) ? end({ kind: "refused", statusCode: event.statusCode }) : sendFinal(state, NOTHING);
		case "connection-lost":
			return end({ kind: "connection-lost" });
		case "subscribe":
			return { state, effects: [ANSWER_481] };
		case "authorise":
		case "terminate":
		case "state-changed":
		case "state-restored":
		case "expired":
		case "spacing-over":
			return stay(state);
		default:
			return assertNever(event);
	}
}

function stepTerminated(state: NotifierState, event: NotifierEvent): NotifierStep {
	switch (event.kind) {
		case "subscribe":
			return { state, effects: [ANSWER_481] };
		case "authorise":
		case "terminate":
		case "state-changed":
		case "state-restored":
		case "expired":
		case "spacing-over":
		case "notify-answered":
		case "connection-lost":
			return stay(state);
		default:
			return assertNever(event);
	}
}

/** RFC 6665 §4.2.1.4: each SUBSCRIBE is followed by a NOTIFY, whatever the spacing says. */
function refresh(state: Live, event: EventOf<"subscribe">, context: NotifierContext): NotifierStep {
	const { expiresSeconds } = event;
	const answer = answerOk(expiresSeconds);
	if (expiresSeconds === 0) return terminate(state, { reason: "timeout", retryAfterSeconds: undefined }, [answer]);
	const next: Live = { ...state, expiresAtMs: context.nowMs + expiresSeconds * 1000 };
	return owe(next, "at-once", context, [answer, startExpiry(expiresSeconds)]);
}

/** Tells now what may be told now; remembers it else. */
function owe(
	state: Live,
	owed: "spaced" | "at-once",
	context: NotifierContext,
	before: readonly NotifierEffect[] = NOTHING,
): NotifierStep {
	const next: Live = { ...state, owed: state.owed === "at-once" ? "at-once" : owed };
	if (next.inFlight) return { state: next, effects: before };
	const waitMs = next.owed === "at-once" ? 0 : next.notifiedAtMs + context.notifySpacingMs - context.nowMs;
	if (waitMs <= 0) return notify(next, context, before);
	if (next.isSpacingTimerOn) return { state: next, effects: before };
	return {
		state: { ...next, isSpacingTimerOn: true },
		effects: [...before, { kind: "start-timer", timer: "spacing", delayMs: waitMs }],
	};
}

function answered(state: Live, event: EventOf<"notify-answered">, context: NotifierContext): NotifierStep {
	if (isRefused(event)) return end({ kind: "refused", statusCode: event.statusCode });
	const next: Live = { ...state, inFlight: false };
	return next.owed === "nothing" ? stay(next) : owe(next, next.owed, context);
}

function notify(state: Live, context: NotifierContext, before: readonly NotifierEffect[]): NotifierStep {
	const expiresSeconds = Math.max(0, Math.floor((state.expiresAtMs - context.nowMs) / 1000));
	return {
		state: { ...state, inFlight: true, owed: "nothing", notifiedAtMs: context.nowMs },
		effects: [...before, { kind: "send-notify", subscriptionState: state.name, expiresSeconds }],
	};
}

function terminate(state: Live, final: FinalNotify, before: readonly NotifierEffect[]): NotifierStep {
	return state.inFlight ? { state: { name: "terminating", ...final }, effects: before } : sendFinal(final, before);
}

function sendFinal(final: FinalNotify, before: readonly NotifierEffect[]): NotifierStep {
	const { reason, retryAfterSeconds } = final;
	return end({ kind: "told", reason }, [
		...before,
		{ kind: "send-notify", subscriptionState: "terminated", reason, retryAfterSeconds, hasBody: false },
	]);
}

/** RFC 6665 §4.4.3: Expires 0 in the first SUBSCRIBE asks for the state as it is now. */
function fetched(answer: NotifierEffect): NotifierStep {
	const reason = "timeout";
	return end({ kind: "told", reason }, [
		answer,
		{ kind: "send-notify", subscriptionState: "terminated", reason, retryAfterSeconds: undefined, hasBody: true },
	]);
}

/** RFC 6665 §4.2.2: a refusal without Retry-After, and silence, remove the subscription. */
function isRefused(event: EventOf<"notify-answered">): boolean {
	const { statusCode, hasRetryAfter } = event;
	return statusCode === 481 || statusCode === 408 || (statusCode >= 300 && !hasRetryAfter);
}

function end(cause: NotifierEnd, before: readonly NotifierEffect[] = NOTHING): NotifierStep {
	return { state: { name: "terminated", end: cause }, effects: [...before, { kind: "end", end: cause }] };
}

function stay(state: NotifierState): NotifierStep {
	return { state, effects: NOTHING };
}

function answerOk(expiresSeconds: number): NotifierEffect {
	invariant(Number.isSafeInteger(expiresSeconds) && expiresSeconds >= 0, "Expires is a whole number of seconds");
	return { kind: "answer-subscribe", statusCode: 200, expiresSeconds };
}

function startExpiry(expiresSeconds: number): NotifierEffect {
	return { kind: "start-timer", timer: "expiry", delayMs: expiresSeconds * 1000 };
}
