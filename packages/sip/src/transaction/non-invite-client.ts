/** Non-INVITE client transaction: RFC 3261 §17.1.2, Figure 6. */
import { assertNever } from "../text/assert.ts";
import { type ClientEffect, type ClientMachine, type Step as MachineStep, neverRuns, toStep } from "./machine.ts";
import type { Timing } from "./timing.ts";

export type State = "trying" | "proceeding" | "completed" | "terminated";
export type Timer = "timer-e" | "timer-f" | "timer-k";
/** `provisional` is 1xx, `final` everything from 200. */
export type Event = "provisional" | "final" | "transport-failed" | Timer;
export type Effect = ClientEffect<Timer>;
export type Step = MachineStep<State, Effect>;

const sendRequest: Effect = { kind: "send", what: "request" };
const tellResponse: Effect = { kind: "tell-user", what: "response" };
const tellTimeout: Effect = { kind: "tell-user", what: "timeout" };
const tellTransport: Effect = { kind: "tell-user", what: "transport" };
const startE: Effect = { kind: "start-timer", timer: "timer-e", interval: "initial" };
const doubleE: Effect = { kind: "start-timer", timer: "timer-e", interval: "doubled" };
const slowE: Effect = { kind: "start-timer", timer: "timer-e", interval: "t2" };
const stopE: Effect = { kind: "stop-timer", timer: "timer-e" };
const startF: Effect = { kind: "start-timer", timer: "timer-f", interval: "initial" };
const startK: Effect = { kind: "start-timer", timer: "timer-k", interval: "initial" };

const started = toStep<State, Effect>("trying", startF, sendRequest);
const startedUnreliable = toStep<State, Effect>("trying", startE, startF, sendRequest);
const sentAgain = toStep<State, Effect>("trying", doubleE, sendRequest);
const sentAgainSlowly = toStep<State, Effect>("proceeding", slowE, sendRequest);
const provisional = toStep<State, Effect>("proceeding", tellResponse);
const finished = toStep<State, Effect>("terminated", tellResponse);
const finishedUnreliable = toStep<State, Effect>("completed", stopE, startK, tellResponse);
const timedOut = toStep<State, Effect>("terminated", tellTimeout);
const transportFailed = toStep<State, Effect>("terminated", tellTransport);
const ended = toStep<State, Effect>("terminated");
const stayCompleted = toStep<State, Effect>("completed");

export function start(timing: Timing): Step {
	return timing.reliable ? started : startedUnreliable;
}

/** The next state and what to do; pure. Throws where a timer fires in a state in which it cannot run. */
export function step(state: State, event: Event, timing: Timing): Step {
	switch (state) {
		case "trying":
			switch (event) {
				case "provisional":
					return provisional;
				case "final":
					// §17.1.2.2: Timer K is zero on a reliable transport, which leaves nothing of `completed`.
					return timing.reliable ? finished : finishedUnreliable;
				case "transport-failed":
					return transportFailed;
				case "timer-e":
					return sentAgain;
				case "timer-f":
					return timedOut;
				case "timer-k":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "proceeding":
			switch (event) {
				case "provisional":
					return provisional;
				case "final":
					return timing.reliable ? finished : finishedUnreliable;
				case "transport-failed":
					return transportFailed;
				case "timer-e":
					return sentAgainSlowly;
				case "timer-f":
					return timedOut;
				case "timer-k":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "completed":
			switch (event) {
				case "provisional":
				case "final":
					return stayCompleted;
				case "transport-failed":
				case "timer-k":
					return ended;
				case "timer-e":
				case "timer-f":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "terminated":
			switch (event) {
				case "provisional":
				case "final":
				case "transport-failed":
					return ended;
				case "timer-e":
				case "timer-f":
				case "timer-k":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		default:
			return assertNever(state);
	}
}

function responseEvent(statusCode: number): Event {
	return statusCode < 200 ? "provisional" : "final";
}

export const nonInviteClient: ClientMachine<State, Event, Timer> = {
	start,
	step,
	responseEvent,
	// §9.1: a CANCEL is for INVITE alone.
	cancelEvent: undefined,
};
