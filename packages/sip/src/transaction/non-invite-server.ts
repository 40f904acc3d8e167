/**
 * Non-INVITE server transaction: RFC 3261 §17.2.2, Figure 8.
 *
 * One timer is ours: `timer-answer` ends a transaction whose user never gives a final response.
 */
import { assertNever } from "../text/assert.ts";
import { type Step as MachineStep, neverRuns, type ServerEffect, type ServerMachine, toStep } from "./machine.ts";
import type { Timing } from "./timing.ts";

export type State = "trying" | "proceeding" | "completed" | "terminated";
export type Timer = "timer-j" | "timer-answer";
export type Event =
	| "request-again"
	| "respond-provisional"
	| "respond-final"
	| "transport-failed"
	| "connection-closed"
	| Timer;
export type Effect = ServerEffect<Timer>;
export type Step = MachineStep<State, Effect>;

const sendResponse: Effect = { kind: "send", what: "response" };
const sendLast: Effect = { kind: "send", what: "last" };
const tellUnanswered: Effect = { kind: "tell-user", what: "unanswered" };
const startAnswer: Effect = { kind: "start-timer", timer: "timer-answer", interval: "initial" };
const startJ: Effect = { kind: "start-timer", timer: "timer-j", interval: "initial" };

const started = toStep<State, Effect>("trying", startAnswer);
const provisional = toStep<State, Effect>("proceeding", sendResponse);
const repeatProvisional = toStep<State, Effect>("proceeding", sendLast);
const unansweredTrying = toStep<State, Effect>("trying", tellUnanswered);
const unansweredProceeding = toStep<State, Effect>("proceeding", tellUnanswered);
const finished = toStep<State, Effect>("terminated", sendResponse);
const finishedUnreliable = toStep<State, Effect>("completed", startJ, sendResponse);
const repeatFinal = toStep<State, Effect>("completed", sendLast);
const ended = toStep<State, Effect>("terminated");
const stayTrying = toStep<State, Effect>("trying");
const stayCompleted = toStep<State, Effect>("completed");

export function start(): Step {
	return started;
}

/** The next state and what to do; pure. Throws where a timer fires in a state in which it cannot run. */
export function step(state: State, event: Event, timing: Timing): Step {
	switch (state) {
		case "trying":
			switch (event) {
				case "request-again":
					return stayTrying;
				case "respond-provisional":
					return provisional;
				case "respond-final":
					// §17.2.2: Timer J is zero on a reliable transport, which leaves nothing of `completed`.
					return timing.reliable ? finished : finishedUnreliable;
				case "transport-failed":
				case "connection-closed":
					return ended;
				case "timer-answer":
					return unansweredTrying;
				case "timer-j":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "proceeding":
			switch (event) {
				case "request-again":
					return repeatProvisional;
				case "respond-provisional":
					return provisional;
				case "respond-final":
					return timing.reliable ? finished : finishedUnreliable;
				case "transport-failed":
				case "connection-closed":
					return ended;
				case "timer-answer":
					return unansweredProceeding;
				case "timer-j":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "completed":
			switch (event) {
				case "request-again":
					return repeatFinal;
				case "respond-provisional":
				case "respond-final":
					return stayCompleted;
				case "transport-failed":
				case "connection-closed":
				case "timer-j":
					return ended;
				case "timer-answer":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "terminated":
			switch (event) {
				case "request-again":
				case "respond-provisional":
				case "respond-final":
				case "transport-failed":
				case "connection-closed":
					return ended;
				case "timer-j":
				case "timer-answer":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		default:
			return assertNever(state);
	}
}

function respondEvent(statusCode: number): Event {
	return statusCode < 200 ? "respond-provisional" : "respond-final";
}

function keepsLast(state: State): boolean {
	return state === "proceeding" || state === "completed";
}

export const nonInviteServer: ServerMachine<State, Event, Timer> = {
	start,
	step,
	respondEvent,
	ackEvent: undefined,
	keepsLast,
};
