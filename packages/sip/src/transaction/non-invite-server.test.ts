import assert from "node:assert/strict";
import { test } from "node:test";
import { describeStep } from "../testing/describe-step.ts";
import { BrokenInvariant } from "../text/assert.ts";
import { type Event, nonInviteServer, type State, start, step } from "./non-invite-server.ts";
import { createTiming } from "./timing.ts";

const reliable = createTiming();
const unreliable = createTiming({ reliable: false });

/** [rule, state, event, next state and effects on a reliable transport, the same on an unreliable one where it differs]. */
type Row = readonly [rule: string, state: State, event: Event, next: string, nextUnreliable?: string];
const NEVER = "never";

const finalSteps = "terminated: send response";
const finalStepsUnreliable = "completed: start j, send response";

const table: readonly Row[] = [
	["§17.2.2 trying: a repeated request is dropped", "trying", "request-again", "trying:"],
	["§17.2.2 trying: a provisional response leaves", "trying", "respond-provisional", "proceeding: send response"],
	["§17.2.2 trying: a final response leaves", "trying", "respond-final", finalSteps, finalStepsUnreliable],
	["§17.2.4 trying: a response that cannot leave ends it", "trying", "transport-failed", "terminated:"],
	["REQ-60 trying: a closed connection ends it in silence", "trying", "connection-closed", "terminated:"],
	["trying: Timer J does not run", "trying", "timer-j", NEVER],
	["trying: a user that never answers is noticed", "trying", "timer-answer", "trying: tell unanswered"],

	[
		"§17.2.2 proceeding: a repeated request gets the last provisional response",
		"proceeding",
		"request-again",
		"proceeding: send last",
	],
	[
		"§17.2.2 proceeding: a provisional response leaves",
		"proceeding",
		"respond-provisional",
		"proceeding: send response",
	],
	["§17.2.2 proceeding: a final response leaves", "proceeding", "respond-final", finalSteps, finalStepsUnreliable],
	["§17.2.4 proceeding: a response that cannot leave ends it", "proceeding", "transport-failed", "terminated:"],
	["REQ-60 proceeding: a closed connection ends it in silence", "proceeding", "connection-closed", "terminated:"],
	["proceeding: Timer J does not run", "proceeding", "timer-j", NEVER],
	["proceeding: a user that never answers is noticed", "proceeding", "timer-answer", "proceeding: tell unanswered"],

	[
		"§17.2.2 completed: a repeated request gets the final response again",
		"completed",
		"request-again",
		"completed: send last",
	],
	["§17.2.2 completed: a provisional response is too late", "completed", "respond-provisional", "completed:"],
	["§17.2.2 completed: another final response is too late", "completed", "respond-final", "completed:"],
	["§17.2.4 completed: a response that cannot leave ends it", "completed", "transport-failed", "terminated:"],
	["REQ-60 completed: a closed connection ends it in silence", "completed", "connection-closed", "terminated:"],
	["§17.2.2 completed: Timer J ends it", "completed", "timer-j", "terminated:"],
	["completed: the timer of the answer does not run", "completed", "timer-answer", NEVER],

	["terminated: a repeated request changes nothing", "terminated", "request-again", "terminated:"],
	["terminated: a provisional response changes nothing", "terminated", "respond-provisional", "terminated:"],
	["terminated: a final response changes nothing", "terminated", "respond-final", "terminated:"],
	["terminated: a response that cannot leave changes nothing", "terminated", "transport-failed", "terminated:"],
	["terminated: a closed connection changes nothing", "terminated", "connection-closed", "terminated:"],
	["terminated: Timer J does not run", "terminated", "timer-j", NEVER],
	["terminated: the timer of the answer does not run", "terminated", "timer-answer", NEVER],
];

for (const [rule, state, event, next, nextUnreliable = next] of table) {
	test(rule, () => {
		if (next === NEVER) {
			assert.throws(() => step(state, event, reliable), BrokenInvariant);
			assert.throws(() => step(state, event, unreliable), BrokenInvariant);
			return;
		}
		assert.equal(describeStep(step(state, event, reliable)), next);
		assert.equal(describeStep(step(state, event, unreliable)), nextUnreliable);
	});
}

test("every pair of state and event is in the table once", () => {
	const pairs = new Set(table.map(([, state, event]) => `${state} ${event}`));
	const states = new Set(table.map(([, state]) => state));
	const events = new Set(table.map(([, , event]) => event));
	assert.equal(pairs.size, table.length);
	assert.deepEqual([states.size, events.size, pairs.size], [4, 7, 28]);
});

test("§17.2.2 start: the request waits for its user", () => {
	assert.equal(describeStep(start()), "trying: start answer");
});

for (const [statusCode, event] of [
	[100, "respond-provisional"],
	[199, "respond-provisional"],
	[200, "respond-final"],
	[699, "respond-final"],
] as const) {
	test(`§17.2.2: a ${statusCode} is the event ${event}`, () => {
		assert.equal(nonInviteServer.respondEvent(statusCode), event);
	});
}
