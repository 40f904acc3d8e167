/**
 * INVITE client transaction: RFC 3261 §17.1.1, Figure 5, with the accepted state of RFC 6026 §7.2 (Figure 2).
 *
 * `cancelling` is `proceeding` after a CANCEL has left (§9.1): the transaction then ends 64·T1 later whatever happens.
 * Timer C (§16.8), a proxy's own in the RFC, runs here so that a called side that rings for ever is cancelled.
 */
import { assertNever } from "../text/assert.ts";
import { type ClientEffect, type ClientMachine, type Step as MachineStep, neverRuns, toStep } from "./machine.ts";
import type { Timing } from "./timing.ts";

export type State = "calling" | "proceeding" | "cancelling" | "accepted" | "completed" | "terminated";
export type Timer = "timer-a" | "timer-b" | "timer-c" | "timer-d" | "timer-m" | "timer-cancel";
/** `trying` is 100, `provisional` 101 to 199, `success` 2xx, `failure` 3xx to 6xx; `cancel` is the user's wish. */
export type Event = "trying" | "provisional" | "success" | "failure" | "cancel" | "transport-failed" | Timer;
export type Effect = ClientEffect<Timer>;
export type Step = MachineStep<State, Effect>;

const sendRequest: Effect = { kind: "send", what: "request" };
const sendAck: Effect = { kind: "send", what: "ack" };
const sendCancel: Effect = { kind: "send", what: "cancel" };
const tellResponse: Effect = { kind: "tell-user", what: "response" };
const tellTimeout: Effect = { kind: "tell-user", what: "timeout" };
const tellTransport: Effect = { kind: "tell-user", what: "transport" };
const startA: Effect = { kind: "start-timer", timer: "timer-a", interval: "initial" };
const doubleA: Effect = { kind: "start-timer", timer: "timer-a", interval: "doubled" };
const stopA: Effect = { kind: "stop-timer", timer: "timer-a" };
const startB: Effect = { kind: "start-timer", timer: "timer-b", interval: "initial" };
const startC: Effect = { kind: "start-timer", timer: "timer-c", interval: "initial" };
const startD: Effect = { kind: "start-timer", timer: "timer-d", interval: "initial" };
const startM: Effect = { kind: "start-timer", timer: "timer-m", interval: "initial" };
const startCancel: Effect = { kind: "start-timer", timer: "timer-cancel", interval: "initial" };

const started = toStep<State, Effect>("calling", startB, sendRequest);
const startedUnreliable = toStep<State, Effect>("calling", startA, startB, sendRequest);
const sentAgain = toStep<State, Effect>("calling", doubleA, sendRequest);
const firstProvisional = toStep<State, Effect>("proceeding", stopA, startC, tellResponse);
const laterTrying = toStep<State, Effect>("proceeding", tellResponse);
const laterProvisional = toStep<State, Effect>("proceeding", startC, tellResponse);
const cancelled = toStep<State, Effect>("cancelling", startCancel, sendCancel);
const provisionalAfterCancel = toStep<State, Effect>("cancelling", tellResponse);
const accepted = toStep<State, Effect>("accepted", stopA, startM, tellResponse);
const acceptedAgain = toStep<State, Effect>("accepted", tellResponse);
const failed = toStep<State, Effect>("terminated", sendAck, tellResponse);
const failedUnreliable = toStep<State, Effect>("completed", stopA, startD, sendAck, tellResponse);
const failedAgain = toStep<State, Effect>("completed", sendAck);
const timedOut = toStep<State, Effect>("terminated", tellTimeout);
const transportFailed = toStep<State, Effect>("terminated", tellTransport);
const ended = toStep<State, Effect>("terminated");
const stayCalling = toStep<State, Effect>("calling");
const stayCancelling = toStep<State, Effect>("cancelling");
const stayAccepted = toStep<State, Effect>("accepted");
const stayCompleted = toStep<State, Effect>("completed");

export function start(timing: Timing): Step {
	return timing.reliable ? started : startedUnreliable;
}

/** The next state and what to do; pure. Throws where a timer fires in a state in which it cannot run. */
export function step(state: State, event: Event, timing: Timing): Step {
	switch (state) {
		case "calling":
			switch (event) {
				case "trying":
				case "provisional":
					return firstProvisional;
				case "success":
					return accepted;
				case "failure":
					// §17.1.1.2: Timer D is zero on a reliable transport, which leaves nothing of `completed`.
					return timing.reliable ? failed : failedUnreliable;
				case "cancel":
					// §9.1: no CANCEL before a provisional response; the runner asks again when one has come.
					return stayCalling;
				case "transport-failed":
					return transportFailed;
				case "timer-a":
					return sentAgain;
				case "timer-b":
					return timedOut;
				case "timer-c":
				case "timer-d":
				case "timer-m":
				case "timer-cancel":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "proceeding":
			switch (event) {
				case "trying":
					// §16.7 step 2: a 100 does not start Timer C again.
					return laterTrying;
				case "provisional":
					return laterProvisional;
				case "success":
					return accepted;
				case "failure":
					return timing.reliable ? failed : failedUnreliable;
				case "cancel":
				case "timer-c":
					return cancelled;
				case "transport-failed":
					return transportFailed;
				case "timer-a":
				case "timer-b":
				case "timer-d":
				case "timer-m":
				case "timer-cancel":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "cancelling":
			switch (event) {
				case "trying":
				case "provisional":
					return provisionalAfterCancel;
				case "success":
					return accepted;
				case "failure":
					return timing.reliable ? failed : failedUnreliable;
				case "cancel":
					return stayCancelling;
				case "transport-failed":
					return transportFailed;
				case "timer-cancel":
					return timedOut;
				case "timer-a":
				case "timer-b":
				case "timer-c":
				case "timer-d":
				case "timer-m":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "accepted":
			switch (event) {
				case "success":
					// RFC 6026 §7.2: every 2xx goes up, also those of other branches of a fork.
					return acceptedAgain;
				case "trying":
				case "provisional":
				case "failure":
				case "cancel":
					return stayAccepted;
				case "transport-failed":
				case "timer-m":
					return ended;
				case "timer-a":
				case "timer-b":
				case "timer-c":
				case "timer-d":
				case "timer-cancel":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "completed":
			switch (event) {
				case "failure":
					return failedAgain;
				case "trying":
				case "provisional":
				case "success":
				case "cancel":
					return stayCompleted;
				case "transport-failed":
				case "timer-d":
					// The user has its final response: a second end would say nothing new.
					return ended;
				case "timer-a":
				case "timer-b":
				case "timer-c":
				case "timer-m":
				case "timer-cancel":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		case "terminated":
			switch (event) {
				case "trying":
				case "provisional":
				case "success":
				case "failure":
				case "cancel":
				case "transport-failed":
					return ended;
				case "timer-a":
				case "timer-b":
				case "timer-c":
				case "timer-d":
				case "timer-m":
				case "timer-cancel":
					return neverRuns(state, event);
				default:
					return assertNever(event);
			}
		default:
			return assertNever(state);
	}
}

function responseEvent(statusCode: number): Event {
	if (statusCode === 100) return "trying";
	if (statusCode < 200) return "provisional";
	return statusCode < 300 ? "success" : "failure";
}

export const inviteClient: ClientMachine<State, Event, Timer> = { start, step, responseEvent, cancelEvent: "cancel" };
