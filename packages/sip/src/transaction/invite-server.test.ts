import assert from "node:assert/strict";
import { test } from "node:test";
import { describeStep } from "../testing/describe-step.ts";
import { BrokenInvariant } from "../text/assert.ts";
import { type Event, inviteServer, type State, start, step } from "./invite-server.ts";
import { createTiming } from "./timing.ts";

const reliable = createTiming();
const unreliable = createTiming({ reliable: false });

/** [rule, state, event, next state and effects on a reliable transport, the same on an unreliable one where it differs]. */
type Row = readonly [rule: string, state: State, event: Event, next: string, nextUnreliable?: string];
const NEVER = "never";

const failedSteps = "completed: stop trying, start h, send response";
const failedStepsUnreliable = "completed: start g, start h, send response";

const table: readonly Row[] = [
	[
		"§17.2.1 proceeding: a repeated INVITE gets the last provisional response",
		"proceeding",
		"request-again",
		"proceeding: send last",
	],
	["§17.2.1 proceeding: an ACK means nothing yet", "proceeding", "ack", "proceeding:"],
	[
		"§17.2.1 proceeding: a provisional response leaves",
		"proceeding",
		"respond-provisional",
		"proceeding: stop trying, start invite-answer, send response",
	],
	[
		"RFC 6026 §7.1 proceeding: a 2xx leads to accepted",
		"proceeding",
		"respond-success",
		"accepted: stop trying, start l, send response",
	],
	[
		"§17.2.1 proceeding: a failure waits for its ACK",
		"proceeding",
		"respond-failure",
		failedSteps,
		failedStepsUnreliable,
	],
	[
		"RFC 6026 §7.1 proceeding: a response that cannot leave ends nothing",
		"proceeding",
		"transport-failed",
		"proceeding:",
	],
	["REQ-60 proceeding: a closed connection ends it in silence", "proceeding", "connection-closed", "terminated:"],
	["§17.2.1 proceeding: a 100 leaves where the user is slow", "proceeding", "timer-trying", "proceeding: send trying"],
	["proceeding: Timer G does not run", "proceeding", "timer-g", NEVER],
	["proceeding: Timer H does not run", "proceeding", "timer-h", NEVER],
	["proceeding: Timer I does not run", "proceeding", "timer-i", NEVER],
	["proceeding: Timer L does not run", "proceeding", "timer-l", NEVER],
	[
		"proceeding: a user that never answers is noticed",
		"proceeding",
		"timer-invite-answer",
		"proceeding: tell unanswered",
	],

	["RFC 6026 §7.1 accepted: a repeated INVITE is absorbed", "accepted", "request-again", "accepted:"],
	["RFC 6026 §7.1 accepted: an ACK goes up", "accepted", "ack", "accepted: tell ack"],
	["RFC 6026 §7.1 accepted: a provisional response is too late", "accepted", "respond-provisional", "accepted:"],
	["RFC 6026 §7.1 accepted: the user repeats its 2xx", "accepted", "respond-success", "accepted: send response"],
	["RFC 6026 §7.1 accepted: a failure is too late", "accepted", "respond-failure", "accepted:"],
	["RFC 6026 §7.1 accepted: a response that cannot leave ends nothing", "accepted", "transport-failed", "accepted:"],
	["REQ-60 accepted: a closed connection ends it in silence", "accepted", "connection-closed", "terminated:"],
	["accepted: the timer of the 100 does not run", "accepted", "timer-trying", NEVER],
	["accepted: Timer G does not run", "accepted", "timer-g", NEVER],
	["accepted: Timer H does not run", "accepted", "timer-h", NEVER],
	["accepted: Timer I does not run", "accepted", "timer-i", NEVER],
	["RFC 6026 §7.1 accepted: Timer L ends it", "accepted", "timer-l", "terminated:"],
	["accepted: the timer of the answer does not run", "accepted", "timer-invite-answer", NEVER],

	[
		"§17.2.1 completed: a repeated INVITE gets the final response again",
		"completed",
		"request-again",
		"completed: send last",
	],
	["§17.2.1 completed: the ACK confirms", "completed", "ack", "terminated:", "confirmed: stop g, start i"],
	["§17.2.1 completed: a provisional response is too late", "completed", "respond-provisional", "completed:"],
	["§17.2.1 completed: a 2xx is too late", "completed", "respond-success", "completed:"],
	["§17.2.1 completed: another failure is too late", "completed", "respond-failure", "completed:"],
	["RFC 6026 §7.1 completed: a response that cannot leave ends nothing", "completed", "transport-failed", "completed:"],
	["REQ-60 completed: a closed connection ends it in silence", "completed", "connection-closed", "terminated:"],
	["completed: the timer of the 100 does not run", "completed", "timer-trying", NEVER],
	[
		"§17.2.1 completed: Timer G repeats the response and doubles",
		"completed",
		"timer-g",
		"completed: start g doubled, send last",
	],
	[
		"§17.2.1 completed: Timer H gives up waiting for the ACK",
		"completed",
		"timer-h",
		"terminated: tell unacknowledged",
	],
	["completed: Timer I does not run", "completed", "timer-i", NEVER],
	["completed: Timer L does not run", "completed", "timer-l", NEVER],
	["completed: the timer of the answer does not run", "completed", "timer-invite-answer", NEVER],

	["§17.2.1 confirmed: a late INVITE is absorbed", "confirmed", "request-again", "confirmed:"],
	["§17.2.1 confirmed: a repeated ACK is absorbed", "confirmed", "ack", "confirmed:"],
	["confirmed: a provisional response is too late", "confirmed", "respond-provisional", "confirmed:"],
	["confirmed: a 2xx is too late", "confirmed", "respond-success", "confirmed:"],
	["confirmed: a failure is too late", "confirmed", "respond-failure", "confirmed:"],
	["RFC 6026 §7.1 confirmed: a response that cannot leave ends nothing", "confirmed", "transport-failed", "confirmed:"],
	["REQ-60 confirmed: a closed connection ends it in silence", "confirmed", "connection-closed", "terminated:"],
	["confirmed: the timer of the 100 does not run", "confirmed", "timer-trying", NEVER],
	["confirmed: Timer G does not run", "confirmed", "timer-g", NEVER],
	["confirmed: Timer H does not run", "confirmed", "timer-h", NEVER],
	["§17.2.1 confirmed: Timer I ends it", "confirmed", "timer-i", "terminated:"],
	["confirmed: Timer L does not run", "confirmed", "timer-l", NEVER],
	["confirmed: the timer of the answer does not run", "confirmed", "timer-invite-answer", NEVER],

	["terminated: a repeated INVITE changes nothing", "terminated", "request-again", "terminated:"],
	["terminated: an ACK changes nothing", "terminated", "ack", "terminated:"],
	["terminated: a provisional response changes nothing", "terminated", "respond-provisional", "terminated:"],
	["terminated: a 2xx changes nothing", "terminated", "respond-success", "terminated:"],
	["terminated: a failure changes nothing", "terminated", "respond-failure", "terminated:"],
	["terminated: a response that cannot leave changes nothing", "terminated", "transport-failed", "terminated:"],
	["terminated: a closed connection changes nothing", "terminated", "connection-closed", "terminated:"],
	["terminated: the timer of the 100 does not run", "terminated", "timer-trying", NEVER],
	["terminated: Timer G does not run", "terminated", "timer-g", NEVER],
	["terminated: Timer H does not run", "terminated", "timer-h", NEVER],
	["terminated: Timer I does not run", "terminated", "timer-i", NEVER],
	["terminated: Timer L does not run", "terminated", "timer-l", NEVER],
	["terminated: the timer of the answer does not run", "terminated", "timer-invite-answer", NEVER],
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
	assert.deepEqual([states.size, events.size, pairs.size], [5, 13, 65]);
});

test("§17.2.1 start: the INVITE waits for its user, who has 200 ms before a 100 leaves", () => {
	assert.equal(describeStep(start()), "proceeding: start trying, start invite-answer");
});

for (const [statusCode, event] of [
	[100, "respond-provisional"],
	[199, "respond-provisional"],
	[200, "respond-success"],
	[299, "respond-success"],
	[300, "respond-failure"],
	[699, "respond-failure"],
] as const) {
	test(`§17.2.1: a ${statusCode} is the event ${event}`, () => {
		assert.equal(inviteServer.respondEvent(statusCode), event);
	});
}
