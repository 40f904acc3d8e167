import assert from "node:assert/strict";
import { test } from "node:test";
import { describeStep } from "../testing/describe-step.ts";
import { BrokenInvariant } from "../text/assert.ts";
import { type Event, inviteClient, type State, start, step } from "./invite-client.ts";
import { createTiming } from "./timing.ts";

const reliable = createTiming();
const unreliable = createTiming({ reliable: false });

/** [rule, state, event, next state and effects on a reliable transport, the same on an unreliable one where it differs]. */
type Row = readonly [rule: string, state: State, event: Event, next: string, nextUnreliable?: string];
const NEVER = "never";

const provisionalSteps = "proceeding: stop a, start c, tell response";
const acceptedSteps = "accepted: stop a, start m, tell response";
const failedSteps = "terminated: send ack, tell response";
const failedStepsUnreliable = "completed: stop a, start d, send ack, tell response";

const table: readonly Row[] = [
	["§17.1.1.2 calling: a 100 stops the retransmissions", "calling", "trying", provisionalSteps],
	["§17.1.1.2 calling: a provisional response stops the retransmissions", "calling", "provisional", provisionalSteps],
	["RFC 6026 §7.2 calling: a 2xx leads to accepted", "calling", "success", acceptedSteps],
	["§17.1.1.2 calling: a failure is acknowledged", "calling", "failure", failedSteps, failedStepsUnreliable],
	["§9.1 calling: no CANCEL before a provisional response", "calling", "cancel", "calling:"],
	["§17.1.1.2 calling: a lost connection is told", "calling", "transport-failed", "terminated: tell transport"],
	[
		"§17.1.1.2 calling: Timer A repeats the request and doubles",
		"calling",
		"timer-a",
		"calling: start a doubled, send request",
	],
	["§17.1.1.2 calling: Timer B is a timeout", "calling", "timer-b", "terminated: tell timeout"],
	["calling: Timer C does not run", "calling", "timer-c", NEVER],
	["calling: Timer D does not run", "calling", "timer-d", NEVER],
	["calling: Timer M does not run", "calling", "timer-m", NEVER],
	["calling: the timer of a CANCEL does not run", "calling", "timer-cancel", NEVER],

	["§16.7 proceeding: a 100 leaves Timer C alone", "proceeding", "trying", "proceeding: tell response"],
	[
		"§16.7 proceeding: a 101 to 199 starts Timer C again",
		"proceeding",
		"provisional",
		"proceeding: start c, tell response",
	],
	["RFC 6026 §7.2 proceeding: a 2xx leads to accepted", "proceeding", "success", acceptedSteps],
	["§17.1.1.2 proceeding: a failure is acknowledged", "proceeding", "failure", failedSteps, failedStepsUnreliable],
	["§9.1 proceeding: the CANCEL leaves", "proceeding", "cancel", "cancelling: start cancel, send cancel"],
	["§17.1.4 proceeding: a lost connection is told", "proceeding", "transport-failed", "terminated: tell transport"],
	["proceeding: Timer A does not run", "proceeding", "timer-a", NEVER],
	["proceeding: Timer B does not run", "proceeding", "timer-b", NEVER],
	["§16.8 proceeding: Timer C cancels", "proceeding", "timer-c", "cancelling: start cancel, send cancel"],
	["proceeding: Timer D does not run", "proceeding", "timer-d", NEVER],
	["proceeding: Timer M does not run", "proceeding", "timer-m", NEVER],
	["proceeding: the timer of a CANCEL does not run", "proceeding", "timer-cancel", NEVER],

	["§9.1 cancelling: a 100 prolongs nothing", "cancelling", "trying", "cancelling: tell response"],
	[
		"§9.1 cancelling: a provisional response prolongs nothing",
		"cancelling",
		"provisional",
		"cancelling: tell response",
	],
	["§9.1 cancelling: a 2xx that crossed the CANCEL counts", "cancelling", "success", acceptedSteps],
	["§9.1 cancelling: the 487 ends it", "cancelling", "failure", failedSteps, failedStepsUnreliable],
	["§9.1 cancelling: one CANCEL is enough", "cancelling", "cancel", "cancelling:"],
	["§17.1.4 cancelling: a lost connection is told", "cancelling", "transport-failed", "terminated: tell transport"],
	["cancelling: Timer A does not run", "cancelling", "timer-a", NEVER],
	["cancelling: Timer B does not run", "cancelling", "timer-b", NEVER],
	["cancelling: Timer C does not run", "cancelling", "timer-c", NEVER],
	["cancelling: Timer D does not run", "cancelling", "timer-d", NEVER],
	["cancelling: Timer M does not run", "cancelling", "timer-m", NEVER],
	["§9.1 cancelling: 64·T1 after the CANCEL it is over", "cancelling", "timer-cancel", "terminated: tell timeout"],

	["RFC 6026 §7.2 accepted: a late 100 is dropped", "accepted", "trying", "accepted:"],
	["RFC 6026 §7.2 accepted: a late provisional response is dropped", "accepted", "provisional", "accepted:"],
	["RFC 6026 §7.2 accepted: each 2xx goes up", "accepted", "success", "accepted: tell response"],
	["RFC 6026 §7.2 accepted: a late failure is dropped", "accepted", "failure", "accepted:"],
	["§9.1 accepted: no CANCEL after a final response", "accepted", "cancel", "accepted:"],
	["accepted: a lost connection ends it in silence", "accepted", "transport-failed", "terminated:"],
	["accepted: Timer A does not run", "accepted", "timer-a", NEVER],
	["accepted: Timer B does not run", "accepted", "timer-b", NEVER],
	["accepted: Timer C does not run", "accepted", "timer-c", NEVER],
	["accepted: Timer D does not run", "accepted", "timer-d", NEVER],
	["RFC 6026 §7.2 accepted: Timer M ends it", "accepted", "timer-m", "terminated:"],
	["accepted: the timer of a CANCEL does not run", "accepted", "timer-cancel", NEVER],

	["§17.1.1.2 completed: a late 100 is dropped", "completed", "trying", "completed:"],
	["§17.1.1.2 completed: a late provisional response is dropped", "completed", "provisional", "completed:"],
	["§17.1.1.2 completed: a 2xx after a failure is dropped", "completed", "success", "completed:"],
	["§17.1.1.2 completed: a repeated failure is acknowledged again", "completed", "failure", "completed: send ack"],
	["§9.1 completed: no CANCEL after a final response", "completed", "cancel", "completed:"],
	["completed: a lost connection ends it in silence", "completed", "transport-failed", "terminated:"],
	["completed: Timer A does not run", "completed", "timer-a", NEVER],
	["completed: Timer B does not run", "completed", "timer-b", NEVER],
	["completed: Timer C does not run", "completed", "timer-c", NEVER],
	["§17.1.1.2 completed: Timer D ends it", "completed", "timer-d", "terminated:"],
	["completed: Timer M does not run", "completed", "timer-m", NEVER],
	["completed: the timer of a CANCEL does not run", "completed", "timer-cancel", NEVER],

	["terminated: a 100 changes nothing", "terminated", "trying", "terminated:"],
	["terminated: a provisional response changes nothing", "terminated", "provisional", "terminated:"],
	["terminated: a 2xx changes nothing", "terminated", "success", "terminated:"],
	["terminated: a failure changes nothing", "terminated", "failure", "terminated:"],
	["terminated: a CANCEL changes nothing", "terminated", "cancel", "terminated:"],
	["terminated: a lost connection changes nothing", "terminated", "transport-failed", "terminated:"],
	["terminated: Timer A does not run", "terminated", "timer-a", NEVER],
	["terminated: Timer B does not run", "terminated", "timer-b", NEVER],
	["terminated: Timer C does not run", "terminated", "timer-c", NEVER],
	["terminated: Timer D does not run", "terminated", "timer-d", NEVER],
	["terminated: Timer M does not run", "terminated", "timer-m", NEVER],
	["terminated: the timer of a CANCEL does not run", "terminated", "timer-cancel", NEVER],
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
	assert.deepEqual([states.size, events.size, pairs.size], [6, 12, 72]);
});

test("§17.1.1.2 start: the request leaves under Timer B, and under Timer A where it can get lost", () => {
	assert.equal(describeStep(start(reliable)), "calling: start b, send request");
	assert.equal(describeStep(start(unreliable)), "calling: start a, start b, send request");
});

for (const [statusCode, event] of [
	[100, "trying"],
	[101, "provisional"],
	[199, "provisional"],
	[200, "success"],
	[299, "success"],
	[300, "failure"],
	[699, "failure"],
] as const) {
	test(`§17.1.1: a ${statusCode} is the event ${event}`, () => {
		assert.equal(inviteClient.responseEvent(statusCode), event);
	});
}
