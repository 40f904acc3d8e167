import assert from "node:assert/strict";
import { test } from "node:test";
import { describeStep } from "../testing/describe-step.ts";
import { BrokenInvariant } from "../text/assert.ts";
import { type Event, nonInviteClient, type State, start, step } from "./non-invite-client.ts";
import { createTiming } from "./timing.ts";

const reliable = createTiming();
const unreliable = createTiming({ reliable: false });

/** [rule, state, event, next state and effects on a reliable transport, the same on an unreliable one where it differs]. */
type Row = readonly [rule: string, state: State, event: Event, next: string, nextUnreliable?: string];
const NEVER = "never";

const finalSteps = "terminated: tell response";
const finalStepsUnreliable = "completed: stop e, start k, tell response";

const table: readonly Row[] = [
	["§17.1.2.2 trying: a provisional response is told", "trying", "provisional", "proceeding: tell response"],
	["§17.1.2.2 trying: a final response is told", "trying", "final", finalSteps, finalStepsUnreliable],
	["§17.1.2.2 trying: a lost connection is told", "trying", "transport-failed", "terminated: tell transport"],
	[
		"§17.1.2.2 trying: Timer E repeats the request and doubles",
		"trying",
		"timer-e",
		"trying: start e doubled, send request",
	],
	["§17.1.2.2 trying: Timer F is a timeout", "trying", "timer-f", "terminated: tell timeout"],
	["trying: Timer K does not run", "trying", "timer-k", NEVER],

	["§17.1.2.2 proceeding: a provisional response is told", "proceeding", "provisional", "proceeding: tell response"],
	["§17.1.2.2 proceeding: a final response is told", "proceeding", "final", finalSteps, finalStepsUnreliable],
	["§17.1.4 proceeding: a lost connection is told", "proceeding", "transport-failed", "terminated: tell transport"],
	[
		"§17.1.2.2 proceeding: Timer E repeats the request at T2",
		"proceeding",
		"timer-e",
		"proceeding: start e t2, send request",
	],
	["§17.1.2.2 proceeding: Timer F is a timeout", "proceeding", "timer-f", "terminated: tell timeout"],
	["proceeding: Timer K does not run", "proceeding", "timer-k", NEVER],

	["§17.1.2.2 completed: a late provisional response is dropped", "completed", "provisional", "completed:"],
	["§17.1.2.2 completed: a repeated final response is dropped", "completed", "final", "completed:"],
	["completed: a lost connection ends it in silence", "completed", "transport-failed", "terminated:"],
	["completed: Timer E does not run", "completed", "timer-e", NEVER],
	["completed: Timer F does not run", "completed", "timer-f", NEVER],
	["§17.1.2.2 completed: Timer K ends it", "completed", "timer-k", "terminated:"],

	["terminated: a provisional response changes nothing", "terminated", "provisional", "terminated:"],
	["terminated: a final response changes nothing", "terminated", "final", "terminated:"],
	["terminated: a lost connection changes nothing", "terminated", "transport-failed", "terminated:"],
	["terminated: Timer E does not run", "terminated", "timer-e", NEVER],
	["terminated: Timer F does not run", "terminated", "timer-f", NEVER],
	["terminated: Timer K does not run", "terminated", "timer-k", NEVER],
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
	assert.deepEqual([states.size, events.size, pairs.size], [4, 6, 24]);
});

test("§17.1.2.2 start: the request leaves under Timer F, and under Timer E where it can get lost", () => {
	assert.equal(describeStep(start(reliable)), "trying: start f, send request");
	assert.equal(describeStep(start(unreliable)), "trying: start e, start f, send request");
});

for (const [statusCode, event] of [
	[100, "provisional"],
	[199, "provisional"],
	[200, "final"],
	[699, "final"],
] as const) {
	test(`§17.1.2: a ${statusCode} is the event ${event}`, () => {
		assert.equal(nonInviteClient.responseEvent(statusCode), event);
	});
}
