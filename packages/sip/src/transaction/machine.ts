/**
 * What the four transaction machines have in common. States, events and effects are words and frozen constants: a step
 * allocates nothing. A transaction runs two timers at most: one that sends again (A, E, G, and the one for 100 Trying) and
 * one that ends a state (all others). Starting a timer takes the place of the other one of its kind; reaching `terminated`
 * stops both. In every list timers come first and the user last, so that whatever a peer or a user does in answer meets a
 * transaction that is complete.
 */
import { BrokenInvariant } from "../text/assert.ts";
import type { Interval, TimerName, Timing } from "./timing.ts";

export type TimerEffect<Timer extends TimerName> =
	| { readonly kind: "start-timer"; readonly timer: Timer; readonly interval: Interval }
	| { readonly kind: "stop-timer"; readonly timer: Timer };

/** What a client transaction does: `response` is the one at hand. */
export type ClientEffect<Timer extends TimerName> =
	| TimerEffect<Timer>
	| { readonly kind: "send"; readonly what: "request" | "ack" | "cancel" }
	| { readonly kind: "tell-user"; readonly what: "response" | "timeout" | "transport" };

/** What a server transaction does: `response` is the one at hand, `last` the newest one sent. */
export type ServerEffect<Timer extends TimerName> =
	| TimerEffect<Timer>
	| { readonly kind: "send"; readonly what: "response" | "last" | "trying" }
	| { readonly kind: "tell-user"; readonly what: "ack" | "unacknowledged" | "unanswered" };

export interface Step<State, Effect> {
	readonly state: State;
	readonly effects: readonly Effect[];
}

/** A client machine as its runner sees it. */
export interface ClientMachine<State extends string, Event extends string, Timer extends TimerName & Event> {
	/** The first step: sends the request. */
	start(timing: Timing): Step<State, ClientEffect<Timer>>;
	step(state: State, event: Event | "transport-failed", timing: Timing): Step<State, ClientEffect<Timer>>;
	responseEvent(statusCode: number): Event;
	/** Undefined where a request cannot be cancelled. */
	readonly cancelEvent: Event | undefined;
}

/** A server machine as its runner sees it. */
export interface ServerMachine<State extends string, Event extends string, Timer extends TimerName & Event> {
	/** The first step: the request has arrived. */
	start(timing: Timing): Step<State, ServerEffect<Timer>>;
	step(
		state: State,
		event: Event | "request-again" | "transport-failed" | "connection-closed",
		timing: Timing,
	): Step<State, ServerEffect<Timer>>;
	respondEvent(statusCode: number): Event;
	/** Undefined where no ACK belongs to the transaction. */
	readonly ackEvent: Event | undefined;
	/** A state in which the newest response may be asked for again. */
	keepsLast(state: State): boolean;
}

/** A frozen step. */
export function toStep<State extends string, Effect>(state: State, ...effects: readonly Effect[]): Step<State, Effect> {
	for (const effect of effects) Object.freeze(effect);
	return Object.freeze({ state, effects: Object.freeze(effects) });
}

/** A timer fired that does not run in this state: the runner is wrong, not the peer. */
export function neverRuns(state: string, timer: TimerName): never {
	throw new BrokenInvariant(`${timer} fired in state ${state}, where it does not run`);
}
