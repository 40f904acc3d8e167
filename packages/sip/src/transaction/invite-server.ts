/**
 * INVITE server transaction: RFC 3261 §17.2.1, Figure 7, with the accepted state of RFC 6026 §7.1 (Figure 1).
 *
 * Two timers are ours: `timer-trying` sends the 100 that nobody sent, `timer-invite-answer` ends a transaction whose user
 * never gives a final response.
 */
import { assertNever } from "../text/assert.ts";
import { type Step as MachineStep, neverRuns, type ServerEffect, type ServerMachine, toStep } from "./machine.ts";
import type { Timing } from "./timing.ts";

export type State = "proceeding" | "accepted" | "completed" | "confirmed" | "terminated";
export type Timer = "timer-trying" | "timer-g" | "timer-h" | "timer-i" | "timer-l" | "timer-invite-answer";
export type Event =
	| "request-again"
	| "ack"
	| "respond-provisional"
	| "respond-success"
	| "respond-failure"
	| "transport-failed"
	| "connection-closed"
	| Timer;
export type Effect = ServerEffect<Timer>;
export type Step = MachineStep<State, Effect>;

const sendResponse: Effect = { kind: "send", what: "response" };
const sendLast: Effect = { kind: "send", what: "last" };
const sendTrying: Effect = { kind: "send", what: "trying" };
const tellAck: Effect = { kind: "tell-user", what: "ack" };
const tellUnacknowledged: Effect = { kind: "tell-user", what: "unacknowledged" };
const tellUnanswered: Effect = { kind: "tell-user", what: "unanswered" };
const startTrying: Effect = { kind: "start-timer", timer: "timer-trying", interval: "initial" };
const stopTrying: Effect = { kind: "stop-timer", timer: "timer-trying" };
const startAnswer: Effect = { kind: "start-timer", timer: "timer-invite-answer", interval: "initial" };
const startG: Effect = { kind: "start-timer", timer: "timer-g", interval: "initial" };
const doubleG: Effect = { kind: "start-timer", timer: "timer-g", interval: "doubled" };
const stopG: Effect = { kind: "stop-timer", timer: "timer-g" };
const startH: Effect = { kind: "start-timer", timer: "timer-h", interval: "initial" };
const startI: Effect = { kind: "start-timer", timer: "timer-i", interval: "initial" };
const startL: Effect = { kind: "start-timer", timer: "timer-l", interval: "initial" };

const started = toStep<State, Effect>("proceeding", startTrying, startAnswer);
const repeatProvisional = toStep<State, Effect>("proceeding", sendLast);
const trying = toStep<State, Effect>("proceeding", sendTrying);
const provisional = toStep<State, Effect>("proceeding", stopTrying, startAnswer, sendResponse);
const unanswered = toStep<State, Effect>("proceeding", tellUnanswered);
const accepted = toStep<State, Effect>("accepted", stopTrying, startL, sendResponse);
const acceptedAgain = toStep<State, Effect>("accepted", sendResponse);
const acceptedAck = toStep<State, Effect>("accepted", tellAck);
const completed = toStep<State, Effect>("completed", stopTrying, startH, sendResponse);
const completedUnreliable = toStep<State, Effect>("completed", startG, startH, sendResponse);
const repeatFinal = toStep<State, Effect>("completed", sendLast);
const sentAgain = toStep<State, Effect>("completed", doubleG, sendLast);
const unacknowledged = toStep<State, Effect>("terminated", tellUnacknowledged);
const confirmed = toStep<State, Effect>("confirmed", stopG, startI);
const ended = toStep<State, Effect>("terminated");
const stayProceeding = toStep<State, Effect>("proceeding");
const stayAccepted = toStep<State, Effect>("accepted");
const stayCompleted = toStep<State, Effect>("completed");
const stayConfirmed = toStep<State, Effect>("confirmed");

export function start(): Step {
	return started;
}

/** The next state and what to do; pure. Throws where a timer fires in a state in which it cannot run. */
export function step(state: State, event: Event, timing: Timing): Step {
	switch (state) {
		case "proceeding":
			switch (event) {
				case "request-again":
					return repeatProvisional;
				case "respond-provisional":
					return provisional;
				case "respond-success":
					return accepted;
				case "respond-failure":
					return timing.reliable ? completed : completedUnreliable;
				case "ack":
					return stayProceeding;
				case "transport-failed":
					// RFC 6026 §7.1: a response that could not leave does not end the transaction; its timers do.
					return stayProceeding;
				case "connection-closed":
					return ended;
				case "timer-trying":
					return trying;
				case "timer-invite-answer":
					return unanswered;
				case "timer-g":
				case "timer-h":
				case "timer-i":
				case "timer-l":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "accepted":
			switch (event) {
				case "respond-success":
					// RFC 6026 §7.1: the user, not the transaction, repeats a 2xx.
					return acceptedAgain;
				case "ack":
					return acceptedAck;
				case "request-again":
				case "respond-provisional":
				case "respond-failure":
				case "transport-failed":
					return stayAccepted;
				case "connection-closed":
				case "timer-l":
					return ended;
				case "timer-trying":
				case "timer-g":
				case "timer-h":
				case "timer-i":
				case "timer-invite-answer":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "completed":
			switch (event) {
				case "request-again":
					return repeatFinal;
				case "ack":
					// §17.2.1: Timer I is zero on a reliable transport, which leaves nothing of `confirmed`.
					return timing.reliable ? ended : confirmed;
				case "respond-provisional":
				case "respond-success":
				case "respond-failure":
				case "transport-failed":
					return stayCompleted;
				case "connection-closed":
					return ended;
				case "timer-g":
					return sentAgain;
				case "timer-h":
					return unacknowledged;
				case "timer-trying":
				case "timer-i":
				case "timer-l":
				case "timer-invite-answer":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "confirmed":
			switch (event) {
				case "request-again":
				case "ack":
				case "respond-provisional":
				case "respond-success":
				case "respond-failure":
				case "transport-failed":
					return stayConfirmed;
				case "connection-closed":
				case "timer-i":
					return ended;
				case "timer-trying":
				case "timer-g":
				case "timer-h":
				case "timer-l":
				case "timer-invite-answer":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "terminated":
			switch (event) {
				case "request-again":
				case "ack":
				case "respond-provisional":
				case "respond-success":
				case "respond-failure":
				case "transport-failed":
				case "connection-closed":
					return ended;
				case "timer-trying":
				case "timer-g":
				case "timer-h":
				case "timer-i":
				case "timer-l":
				case "timer-invite-answer":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		default:
			return assertNever(state);
	}
}

function respondEvent(statusCode: number): Event {
	if (statusCode < 200) return "respond-provisional";
	return statusCode < 300 ? "respond-success" : "respond-failure";
}

function keepsLast(state: State): boolean {
	return state === "proceeding" || state === "completed";
}

export const inviteServer: ServerMachine<State, Event, Timer> = {
	start,
	step,
	respondEvent,
	ackEvent: "ack",
	keepsLast,
};
