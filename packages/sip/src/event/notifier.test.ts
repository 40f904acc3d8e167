import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	initialNotifierState,
	type NotifierEffect,
	type NotifierEvent,
	type NotifierState,
	type NotifierStep,
	stepNotifier,
} from "./notifier.ts";

const notifySpacingMs = 5000;

function step(state: NotifierState, event: NotifierEvent, nowMs = 0): NotifierStep {
	return stepNotifier(state, event, { nowMs, notifySpacingMs });
}

/** Runs events, each at its time in seconds, and returns the last step. */
function run(...events: readonly (NotifierEvent | readonly [number, NotifierEvent])[]): NotifierStep {
	let last: NotifierStep = { state: initialNotifierState, effects: [] };
	for (const item of events) {
		const [seconds, event] = "kind" in item ? ([0, item] as const) : item;
		last = step(last.state, event, seconds * 1000);
	}
	return last;
}

function describe({ state, effects }: NotifierStep): string {
	return `${state.name}: ${effects.map(describeEffect).join(", ")}`;
}

function describeEffect(effect: NotifierEffect): string {
	switch (effect.kind) {
		case "answer-subscribe":
			return effect.statusCode === 200 ? `200 for ${effect.expiresSeconds}` : "481";
		case "send-notify": {
			if (effect.subscriptionState !== "terminated")
				return `notify ${effect.subscriptionState} ${effect.expiresSeconds}`;
			const retryAfter = effect.retryAfterSeconds === undefined ? "" : ` ${effect.retryAfterSeconds}`;
			return `notify terminated ${effect.reason}${retryAfter}${effect.hasBody ? " with body" : ""}`;
		}
		case "start-timer":
			return `start ${effect.timer} ${effect.delayMs / 1000}`;
		case "end": {
			const { end } = effect;
			if (end.kind === "told") return `end told ${end.reason}`;
			return end.kind === "refused" ? `end refused ${end.statusCode}` : "end connection-lost";
		}
	}
}

function subscribe(expiresSeconds = 3600, state: "pending" | "active" = "active"): NotifierEvent {
	return { kind: "subscribe", expiresSeconds, state };
}

function answered(statusCode = 200, hasRetryAfter = false): NotifierEvent {
	return { kind: "notify-answered", statusCode, hasRetryAfter };
}

const changed: NotifierEvent = { kind: "state-changed" };
const restored: NotifierEvent = { kind: "state-restored" };
const authorise: NotifierEvent = { kind: "authorise" };
const rejected: NotifierEvent = { kind: "terminate", reason: "rejected" };
const expired: NotifierEvent = { kind: "expired" };
const spacingOver: NotifierEvent = { kind: "spacing-over" };
const lost: NotifierEvent = { kind: "connection-lost" };

/** The states of the table, each reached by events; all stand at second 0. */
const states = {
	init: run(),
	pending: run(subscribe(3600, "pending"), answered()),
	"pending, in flight": run(subscribe(3600, "pending")),
	active: run(subscribe(), answered()),
	"active, in flight": run(subscribe()),
	"active, owing": run(subscribe(), answered(), changed),
	terminating: run(subscribe(), rejected),
	terminated: run(subscribe(), lost),
} as const;

const events = {
	"first or refresh": subscribe(1800),
	"Expires 0": subscribe(0),
	authorise,
	terminate: rejected,
	"state-changed": changed,
	"state-restored": restored,
	expired,
	"spacing-over": spacingOver,
	answered: answered(),
	refused: answered(481),
	"connection-lost": lost,
} as const satisfies Record<string, NotifierEvent>;

const timeout = "notify terminated timeout, end told timeout";
const told = "notify terminated rejected, end told rejected";
const cut = "terminated: end connection-lost";

/** Every state with every event, at second 0, that is inside the spacing after the first NOTIFY. */
const table: Record<keyof typeof states, Record<keyof typeof events, string>> = {
	init: {
		"first or refresh": "active: 200 for 1800, start expiry 1800, notify active 1800",
		"Expires 0": "terminated: 200 for 0, notify terminated timeout with body, end told timeout",
		authorise: "init: ",
		terminate: "init: ",
		"state-changed": "init: ",
		"state-restored": "init: ",
		expired: "init: ",
		"spacing-over": "init: ",
		answered: "init: ",
		refused: "init: ",
		"connection-lost": "init: ",
	},
	pending: {
		"first or refresh": "pending: 200 for 1800, start expiry 1800, notify pending 1800",
		"Expires 0": `terminated: 200 for 0, ${timeout}`,
		authorise: "active: start spacing 5",
		terminate: `terminated: ${told}`,
		"state-changed": "pending: ",
		"state-restored": "pending: ",
		expired: `terminated: ${timeout}`,
		"spacing-over": "pending: ",
		answered: "pending: ",
		refused: "terminated: end refused 481",
		"connection-lost": cut,
	},
	"pending, in flight": {
		"first or refresh": "pending: 200 for 1800, start expiry 1800",
		"Expires 0": "terminating: 200 for 0",
		authorise: "active: ",
		terminate: "terminating: ",
		"state-changed": "pending: ",
		"state-restored": "pending: ",
		expired: "terminating: ",
		"spacing-over": "pending: ",
		answered: "pending: ",
		refused: "terminated: end refused 481",
		"connection-lost": cut,
	},
	active: {
		"first or refresh": "active: 200 for 1800, start expiry 1800, notify active 1800",
		"Expires 0": `terminated: 200 for 0, ${timeout}`,
		authorise: "active: ",
		terminate: `terminated: ${told}`,
		"state-changed": "active: start spacing 5",
		"state-restored": "active: ",
		expired: `terminated: ${timeout}`,
		"spacing-over": "active: ",
		answered: "active: ",
		refused: "terminated: end refused 481",
		"connection-lost": cut,
	},
	"active, in flight": {
		"first or refresh": "active: 200 for 1800, start expiry 1800",
		"Expires 0": "terminating: 200 for 0",
		authorise: "active: ",
		terminate: "terminating: ",
		"state-changed": "active: ",
		"state-restored": "active: ",
		expired: "terminating: ",
		"spacing-over": "active: ",
		answered: "active: ",
		refused: "terminated: end refused 481",
		"connection-lost": cut,
	},
	"active, owing": {
		"first or refresh": "active: 200 for 1800, start expiry 1800, notify active 1800",
		"Expires 0": `terminated: 200 for 0, ${timeout}`,
		authorise: "active: ",
		terminate: `terminated: ${told}`,
		"state-changed": "active: ",
		"state-restored": "active: ",
		expired: `terminated: ${timeout}`,
		"spacing-over": "active: start spacing 5",
		answered: "active: ",
		refused: "terminated: end refused 481",
		"connection-lost": cut,
	},
	terminating: {
		"first or refresh": "terminating: 481",
		"Expires 0": "terminating: 481",
		authorise: "terminating: ",
		terminate: "terminating: ",
		"state-changed": "terminating: ",
		"state-restored": "terminating: ",
		expired: "terminating: ",
		"spacing-over": "terminating: ",
		answered: `terminated: ${told}`,
		refused: "terminated: end refused 481",
		"connection-lost": cut,
	},
	terminated: {
		"first or refresh": "terminated: 481",
		"Expires 0": "terminated: 481",
		authorise: "terminated: ",
		terminate: "terminated: ",
		"state-changed": "terminated: ",
		"state-restored": "terminated: ",
		expired: "terminated: ",
		"spacing-over": "terminated: ",
		answered: "terminated: ",
		refused: "terminated: ",
		"connection-lost": "terminated: ",
	},
};

for (const [stateName, row] of Object.entries(table) as [keyof typeof states, (typeof table)["init"]][]) {
	for (const [eventName, expected] of Object.entries(row) as [keyof typeof events, string][]) {
		test(`RFC 6665 §4.2 ${stateName}, ${eventName}: ${expected}`, () => {
			assert.equal(describe(step(states[stateName].state, events[eventName])), expected);
		});
	}
}

const sequences: readonly [string, NotifierStep, string][] = [
	[
		"REQ-58: the 2xx stands before the first NOTIFY, of a pending subscription too",
		run(subscribe(3600, "pending")),
		"pending: 200 for 3600, start expiry 3600, notify pending 3600",
	],
	[
		"REQ-83: a change after the spacing is told at once",
		run(subscribe(), answered(), [5, changed]),
		"active: notify active 3595",
	],
	[
		"REQ-83: a change inside the spacing waits for its rest",
		run(subscribe(), answered(), [1.5, changed]),
		"active: start spacing 3.5",
	],
	[
		"REQ-83: any number of changes inside the spacing become one NOTIFY",
		run(subscribe(), answered(), [1, changed], [2, changed], [3, changed], [5, spacingOver]),
		"active: notify active 3595",
	],
	[
		"a change while a NOTIFY is in flight waits for its answer",
		run(subscribe(), [7, changed], [8, answered()]),
		"active: notify active 3592",
	],
	["and for the rest of the spacing", run(subscribe(), [1, changed], [2, answered()]), "active: start spacing 3"],
	[
		"REQ-83: the spacing counts from the last NOTIFY, also from one that did not wait",
		run(subscribe(), answered(), [1, changed], [2, subscribe()], [2, answered()], [3, changed], [5, spacingOver]),
		"active: start spacing 2",
	],
	[
		"a spacing that is over while a NOTIFY is in flight changes nothing",
		run(subscribe(), answered(), [1, changed], [2, subscribe()], [5, changed], [6, spacingOver]),
		"active: ",
	],
	[
		"and the answer then sends what is owed",
		run(subscribe(), answered(), [1, changed], [2, subscribe()], [5, changed], [6, spacingOver], [8, answered()]),
		"active: notify active 3594",
	],
	[
		"RFC 6665 §4.2.1.4: a refresh while a NOTIFY is in flight is followed by one, without spacing",
		run(subscribe(), [1, subscribe(600)], [2, answered()]),
		"active: notify active 599",
	],
	[
		"a decision while a NOTIFY is in flight is told afterwards",
		run(subscribe(3600, "pending"), authorise, [9, answered()]),
		"active: notify active 3591",
	],
	[
		"the final NOTIFY does not wait for the spacing",
		run(subscribe(), answered(), [1, subscribe(0)]),
		`terminated: 200 for 0, ${timeout}`,
	],
	[
		"the final NOTIFY waits for the one in flight",
		run(subscribe(), [1, subscribe(0)], [2, answered()]),
		`terminated: ${timeout}`,
	],
	[
		"protocol sheet 4.7: a subscription is deactivated before its dialog grows too old",
		run(subscribe(), answered(), [9, { kind: "terminate", reason: "deactivated" }]),
		"terminated: notify terminated deactivated, end told deactivated",
	],
	[
		"RFC 6665 §4.1.3: probation names the time to come back",
		run(subscribe(), answered(), [9, { kind: "terminate", reason: "probation", retryAfterSeconds: 60 }]),
		"terminated: notify terminated probation 60, end told probation",
	],
	[
		"protocol sheet 5.6: silence ends the subscription",
		run(subscribe(), [32, answered(408, true)]),
		"terminated: end refused 408",
	],
	["a refusal ends the subscription", run(subscribe(), answered(500)), "terminated: end refused 500"],
	["a refusal with Retry-After does not", run(subscribe(), answered(503, true)), "active: "],
	["481 does, Retry-After or not", run(subscribe(), answered(481, true)), "terminated: end refused 481"],
	["the time left is never negative", run(subscribe(1), answered(), [9, changed]), "active: notify active 0"],
	["the time left is rounded down", run(subscribe(), answered(), [5.9, changed]), "active: notify active 3594"],
];

for (const [name, last, expected] of sequences) {
	test(name, () => assert.equal(describe(last), expected));
}

test("REQ-83 and one NOTIFY in flight: whatever happens, only a refresh shortens the spacing and nothing is left untold", () => {
	const moves = fc.array(fc.record({ waitMs: fc.nat(4000), what: fc.constantFrom("change", "answer", "refresh") }), {
		maxLength: 40,
	});
	fc.assert(
		fc.property(moves, (list) => {
			let nowMs = 0;
			let state = initialNotifierState;
			let inFlight = 0;
			let spacingDueMs = Number.POSITIVE_INFINITY;
			let lastNotifyMs = Number.NEGATIVE_INFINITY;
			let isOwed = false;
			let isRefreshOwed = false;
			const feed = (event: NotifierEvent) => {
				const next = step(state, event, nowMs);
				state = next.state;
				for (const effect of next.effects) {
					if (effect.kind === "start-timer" && effect.timer === "spacing") spacingDueMs = nowMs + effect.delayMs;
					if (effect.kind !== "send-notify") continue;
					inFlight += 1;
					assert.equal(inFlight, 1);
					assert.ok(isRefreshOwed || nowMs - lastNotifyMs >= notifySpacingMs);
					lastNotifyMs = nowMs;
					isOwed = false;
					isRefreshOwed = false;
				}
			};
			const wait = (untilMs: number) => {
				while (spacingDueMs <= untilMs) {
					nowMs = spacingDueMs;
					spacingDueMs = Number.POSITIVE_INFINITY;
					feed(spacingOver);
				}
				nowMs = untilMs;
			};
			const answer = () => {
				if (inFlight === 0) return;
				inFlight = 0;
				feed(answered());
			};
			feed(subscribe());
			for (const { waitMs, what } of list) {
				wait(nowMs + waitMs);
				if (what === "answer") {
					answer();
				} else {
					isOwed = true;
					isRefreshOwed ||= what === "refresh";
					feed(what === "change" ? changed : subscribe());
				}
			}
			answer();
			wait(nowMs + notifySpacingMs);
			assert.equal(isOwed, false);
		}),
		{ numRuns: 300 },
	);
});

test("REQ-83: a state that came back within the spacing is not told again; what a refresh owes is", () => {
	const owing = run(subscribe(), answered(), changed, restored);
	assert.equal(describe(step(owing.state, spacingOver, 5000)), "active: ");
	const refreshed = run(subscribe(), changed, subscribe(), restored, answered());
	assert.equal(describe(refreshed), "active: notify active 3600");
});
