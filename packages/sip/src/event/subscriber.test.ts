import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "../env.ts";
import {
	defaultSubscriberTiming,
	initialSubscriberState,
	type SubscriberEffect,
	type SubscriberEvent,
	type SubscriberState,
	type SubscriberStep,
	stepSubscriber,
} from "./subscriber.ts";

const lowest: Random = { token: () => "token", below: () => 0 };

function step(state: SubscriberState, event: SubscriberEvent, nowMs = 0): SubscriberStep {
	return stepSubscriber(state, event, { nowMs, timing: defaultSubscriberTiming, random: lowest });
}

/** Runs events, each at its time in seconds, and returns the last step. */
function run(...events: readonly (SubscriberEvent | readonly [number, SubscriberEvent])[]): SubscriberStep {
	let last: SubscriberStep = { state: initialSubscriberState, effects: [] };
	for (const item of events) {
		const [seconds, event] = "kind" in item ? ([0, item] as const) : item;
		last = step(last.state, event, seconds * 1000);
	}
	return last;
}

function describe({ state, effects }: SubscriberStep): string {
	return `${state.name}: ${effects.map(describeEffect).join(", ")}`;
}

function describeEffect(effect: SubscriberEffect): string {
	switch (effect.kind) {
		case "send-subscribe":
			return `send ${effect.how} ${effect.expiresSeconds}`;
		case "start-timer":
			return `start ${effect.timer} ${effect.delayMs / 1000}`;
		case "stop-timer":
			return `stop ${effect.timer}`;
		case "answer-notify":
			return String(effect.statusCode);
		case "use-dialog":
			return `use ${effect.remoteTag} of ${effect.from}`;
		case "tell-user":
			return `tell ${effect.subscriptionState}`;
		case "end": {
			const { end, retry } = effect;
			const why = "statusCode" in end ? `${end.kind} ${end.statusCode}` : end.kind;
			const reason = end.kind === "terminated" ? ` ${end.reason ?? "-"}` : "";
			const when = retry.kind === "after" ? `after ${retry.delayMs / 1000}` : retry.kind;
			return `end ${why}${reason} (${when}, ${effect.failures} failures)`;
		}
	}
}

function subscribe(expiresSeconds = 3600, failures = 0): SubscriberEvent {
	return { kind: "subscribe", expiresSeconds, failures };
}

type ResponseEvent = Extract<SubscriberEvent, { kind: "response" }>;

function response(statusCode: number, parts: Partial<ResponseEvent> = {}): ResponseEvent {
	return {
		kind: "response",
		statusCode,
		toTag: "n1",
		expiresSeconds: undefined,
		minExpiresSeconds: undefined,
		retryAfterSeconds: undefined,
		isDialogOld: false,
		...parts,
	};
}

type NotifyEvent = Extract<SubscriberEvent, { kind: "notify" }>;

function notify(subscriptionState: NotifyEvent["subscriptionState"], parts: Partial<NotifyEvent> = {}): NotifyEvent {
	return {
		kind: "notify",
		fromTag: "n1",
		subscriptionState,
		expiresSeconds: undefined,
		reason: undefined,
		retryAfterSeconds: undefined,
		...parts,
	};
}

const ok = response(200, { expiresSeconds: 3600 });
const refreshDue: SubscriberEvent = { kind: "refresh-due" };
const unsubscribe: SubscriberEvent = { kind: "unsubscribe" };
const lost: SubscriberEvent = { kind: "connection-lost" };

/** The states of the table, each reached by events. */
const states = {
	init: run(),
	waiting: run(subscribe()),
	answered: run(subscribe(), ok),
	early: run(subscribe(), notify("active", { expiresSeconds: 3600 })),
	active: run(subscribe(), ok, notify("active")),
	pending: run(subscribe(), ok, notify("pending")),
	refreshing: run(subscribe(), ok, notify("active"), refreshDue),
	parting: run(subscribe(), ok, notify("active"), refreshDue, unsubscribe),
	leaving: run(subscribe(), ok, notify("active"), unsubscribe),
	terminated: run(subscribe(), response(403)),
} as const;

const events = {
	subscribe: subscribe(),
	"2xx": response(200, { expiresSeconds: 1800 }),
	"481": response(481),
	"500": response(500),
	"NOTIFY active": notify("active"),
	"NOTIFY pending": notify("pending"),
	"NOTIFY terminated": notify("terminated", { reason: "rejected" }),
	"NOTIFY of another": notify("active", { fromTag: "n2" }),
	"refresh-due": refreshDue,
	expired: { kind: "expired" },
	"timer-n": { kind: "timer-n" },
	unsubscribe,
	"connection-lost": lost,
} as const satisfies Record<string, SubscriberEvent>;

const life = "start refresh 1440, start expiry 1800";
const bye = "stop refresh, stop expiry, send unsubscribe 0, start timer-n 32";
const gone = "end unsubscribed (on-request, 0 failures)";

/** Every state with every event. `throws` marks what only a mistake of ours can cause. */
const table: Record<keyof typeof states, Record<keyof typeof events, string>> = {
	init: {
		subscribe: "notify-wait: send first 3600, start timer-n 32",
		"2xx": "init: ",
		"481": "init: ",
		"500": "init: ",
		"NOTIFY active": "init: 481",
		"NOTIFY pending": "init: 481",
		"NOTIFY terminated": "init: 481",
		"NOTIFY of another": "init: 481",
		"refresh-due": "init: ",
		expired: "init: ",
		"timer-n": "init: ",
		unsubscribe: `terminated: ${gone}`,
		"connection-lost": "init: ",
	},
	waiting: {
		subscribe: "throws",
		"2xx": "notify-wait: use n1 of response",
		"481": "terminated: end refused 481 (on-request, 1 failures)",
		"500": "terminated: end refused 500 (after 60, 1 failures)",
		"NOTIFY active": "active: 200, use n1 of notify, tell active, stop timer-n, start expiry 3600",
		"NOTIFY pending": "pending: 200, use n1 of notify, tell pending, stop timer-n, start expiry 3600",
		"NOTIFY terminated":
			"terminated: 200, use n1 of notify, tell terminated, end terminated rejected (never, 1 failures)",
		"NOTIFY of another": "active: 200, use n2 of notify, tell active, stop timer-n, start expiry 3600",
		"refresh-due": "notify-wait: ",
		expired: "notify-wait: ",
		"timer-n": "terminated: end no-notify (after 60, 1 failures)",
		unsubscribe: "notify-wait: ",
		"connection-lost": "terminated: end connection-lost (after 0, 1 failures)",
	},
	answered: {
		subscribe: "throws",
		"2xx": "notify-wait: ",
		"481": "notify-wait: ",
		"500": "notify-wait: ",
		"NOTIFY active": "active: 200, tell active, stop timer-n, start refresh 2880, start expiry 3600",
		"NOTIFY pending": "pending: 200, tell pending, stop timer-n, start refresh 2880, start expiry 3600",
		"NOTIFY terminated": "terminated: 200, tell terminated, end terminated rejected (never, 1 failures)",
		"NOTIFY of another": "notify-wait: 481",
		"refresh-due": "notify-wait: ",
		expired: "notify-wait: ",
		"timer-n": "terminated: end no-notify (after 60, 1 failures)",
		unsubscribe: `leaving: ${bye}`,
		"connection-lost": "terminated: end connection-lost (after 0, 1 failures)",
	},
	early: {
		subscribe: "throws",
		"2xx": `active: use n1 of response, ${life}`,
		"481": "terminated: end refused 481 (on-request, 1 failures)",
		"500": "terminated: end refused 500 (after 60, 1 failures)",
		"NOTIFY active": "active: 200, tell active, stop timer-n",
		"NOTIFY pending": "pending: 200, tell pending, stop timer-n",
		"NOTIFY terminated": "terminated: 200, tell terminated, end terminated rejected (never, 1 failures)",
		"NOTIFY of another": "active: 481",
		"refresh-due": "active: ",
		expired: "terminated: end expired (after 60, 1 failures)",
		"timer-n": "terminated: end no-notify (after 60, 1 failures)",
		unsubscribe: "active: ",
		"connection-lost": "terminated: end connection-lost (after 0, 1 failures)",
	},
	active: {
		subscribe: "throws",
		"2xx": "active: ",
		"481": "active: ",
		"500": "active: ",
		"NOTIFY active": "active: 200, tell active, stop timer-n",
		"NOTIFY pending": "pending: 200, tell pending, stop timer-n",
		"NOTIFY terminated": "terminated: 200, tell terminated, end terminated rejected (never, 1 failures)",
		"NOTIFY of another": "active: 481",
		"refresh-due": "active: send refresh 3600, start timer-n 32",
		expired: "terminated: end expired (after 60, 1 failures)",
		"timer-n": "terminated: end no-notify (after 60, 1 failures)",
		unsubscribe: `leaving: ${bye}`,
		"connection-lost": "terminated: end connection-lost (after 0, 1 failures)",
	},
	pending: {
		subscribe: "throws",
		"2xx": "pending: ",
		"481": "pending: ",
		"500": "pending: ",
		"NOTIFY active": "active: 200, tell active, stop timer-n",
		"NOTIFY pending": "pending: 200, tell pending, stop timer-n",
		"NOTIFY terminated": "terminated: 200, tell terminated, end terminated rejected (never, 1 failures)",
		"NOTIFY of another": "pending: 481",
		"refresh-due": "pending: send refresh 3600, start timer-n 32",
		expired: "terminated: end expired (after 60, 1 failures)",
		"timer-n": "terminated: end no-notify (after 60, 1 failures)",
		unsubscribe: `leaving: ${bye}`,
		"connection-lost": "terminated: end connection-lost (after 0, 1 failures)",
	},
	refreshing: {
		subscribe: "throws",
		"2xx": `active: ${life}`,
		"481": "terminated: end refused 481 (after 0, 1 failures)",
		"500": "active: stop timer-n, start refresh 60",
		"NOTIFY active": "active: 200, tell active, stop timer-n",
		"NOTIFY pending": "pending: 200, tell pending, stop timer-n",
		"NOTIFY terminated": "terminated: 200, tell terminated, end terminated rejected (never, 1 failures)",
		"NOTIFY of another": "active: 481",
		"refresh-due": "active: ",
		expired: "terminated: end expired (after 60, 1 failures)",
		"timer-n": "terminated: end no-notify (after 60, 1 failures)",
		unsubscribe: "active: ",
		"connection-lost": "terminated: end connection-lost (after 0, 1 failures)",
	},
	parting: {
		subscribe: "throws",
		"2xx": `leaving: ${bye}`,
		"481": `terminated: ${gone}`,
		"500": `leaving: ${bye}`,
		"NOTIFY active": "active: 200, tell active, stop timer-n",
		"NOTIFY pending": "pending: 200, tell pending, stop timer-n",
		"NOTIFY terminated": `terminated: 200, tell terminated, ${gone}`,
		"NOTIFY of another": "active: 481",
		"refresh-due": "active: ",
		expired: `terminated: ${gone}`,
		"timer-n": `terminated: ${gone}`,
		unsubscribe: "active: ",
		"connection-lost": `terminated: ${gone}`,
	},
	leaving: {
		subscribe: "throws",
		"2xx": "leaving: ",
		"481": `terminated: ${gone}`,
		"500": `terminated: ${gone}`,
		"NOTIFY active": "leaving: 200",
		"NOTIFY pending": "leaving: 200",
		"NOTIFY terminated": `terminated: 200, ${gone}`,
		"NOTIFY of another": "leaving: 481",
		"refresh-due": "leaving: ",
		expired: `terminated: ${gone}`,
		"timer-n": `terminated: ${gone}`,
		unsubscribe: "leaving: ",
		"connection-lost": `terminated: ${gone}`,
	},
	terminated: {
		subscribe: "throws",
		"2xx": "terminated: ",
		"481": "terminated: ",
		"500": "terminated: ",
		"NOTIFY active": "terminated: 481",
		"NOTIFY pending": "terminated: 481",
		"NOTIFY terminated": "terminated: 481",
		"NOTIFY of another": "terminated: 481",
		"refresh-due": "terminated: ",
		expired: "terminated: ",
		"timer-n": "terminated: ",
		unsubscribe: "terminated: ",
		"connection-lost": "terminated: ",
	},
};

for (const [stateName, row] of Object.entries(table) as [keyof typeof states, (typeof table)["init"]][]) {
	for (const [eventName, expected] of Object.entries(row) as [keyof typeof events, string][]) {
		test(`RFC 6665 §4.1 ${stateName}, ${eventName}: ${expected}`, () => {
			const { state } = states[stateName];
			if (expected === "throws") assert.throws(() => step(state, events[eventName]), /runs once/);
			else assert.equal(describe(step(state, events[eventName])), expected);
		});
	}
}

const sequences: readonly [string, SubscriberStep, string][] = [
	[
		"protocol sheet 5.6: a missing Subscription-State counts as active",
		run(subscribe(), ok, notify(undefined)),
		"active: 200, tell active, stop timer-n, start refresh 2880, start expiry 3600",
	],
	[
		"protocol sheet 6.7: a 2xx may shorten what was asked, and not lengthen it",
		run(subscribe(600), response(200, { expiresSeconds: 9000 }), [1, notify("active")]),
		"active: 200, tell active, stop timer-n, start refresh 479.2, start expiry 599",
	],
	[
		"RFC 6665 §4.1.2.4: Timer N runs for 64 times T1, 32 s, from the SUBSCRIBE",
		run(subscribe()),
		"notify-wait: send first 3600, start timer-n 32",
	],
	[
		"RFC 6665 §4.1.2.4: a 2xx without a NOTIFY is no subscription once Timer N fires",
		run(subscribe(), ok, [32, { kind: "timer-n" }]),
		"terminated: end no-notify (after 60, 1 failures)",
	],
	[
		"RFC 6665 §4.1.2.4: of the notifiers that a forked SUBSCRIBE reaches one is kept, the others get 481",
		run(subscribe(), ok, notify("active"), notify("active", { fromTag: "n2" })),
		"active: 481",
	],
	[
		"RFC 6665 §4.1.2.4: where the NOTIFY of one branch overtook the 2xx of another, the notifier of the 2xx is awaited",
		run(subscribe(), notify("active", { fromTag: "n2", expiresSeconds: 3600 }), ok),
		"notify-wait: use n1 of response, stop refresh, stop expiry, start timer-n 32",
	],
	[
		"a 2xx without Expires grants what was asked",
		run(subscribe(600), response(200), notify("active")),
		"active: 200, tell active, stop timer-n, start refresh 480, start expiry 600",
	],
	[
		"a NOTIFY that shortens the life brings the refresh forward",
		run(subscribe(), ok, notify("active"), [100, notify("active", { expiresSeconds: 1000 })]),
		"active: 200, tell active, stop timer-n, start expiry 1000, start refresh 800",
	],
	[
		"a NOTIFY that lengthens the life changes nothing",
		run(subscribe(), ok, notify("active"), [100, notify("active", { expiresSeconds: 9000 })]),
		"active: 200, tell active, stop timer-n",
	],
	[
		"a NOTIFY late in the life does not push the refresh back",
		run(subscribe(), ok, notify("active"), [2800, notify("active", { expiresSeconds: 799 })]),
		"active: 200, tell active, stop timer-n, start expiry 799",
	],
	[
		"a peer that grants seconds does not set the pace",
		run(subscribe(), response(200, { expiresSeconds: 1 }), notify("active")),
		"active: 200, tell active, stop timer-n, start refresh 10, start expiry 1",
	],
	[
		"a refresh counts from its 2xx",
		run(subscribe(), ok, notify("active"), [2880, refreshDue], [2881, ok]),
		"active: start refresh 2880, start expiry 3600",
	],
	[
		"REQ-86: 423 raises Expires once",
		run(subscribe(60), response(423, { minExpiresSeconds: 300 })),
		"notify-wait: send again 300, start timer-n 32",
	],
	[
		"REQ-86: a second 423 is final",
		run(subscribe(60), response(423, { minExpiresSeconds: 300 }), response(423, { minExpiresSeconds: 600 })),
		"terminated: end refused 423 (on-request, 1 failures)",
	],
	[
		"423 without Min-Expires is final",
		run(subscribe(60), response(423)),
		"terminated: end refused 423 (on-request, 1 failures)",
	],
	[
		"423 that asks for more than a day is final",
		run(subscribe(60), response(423, { minExpiresSeconds: 86_401 })),
		"terminated: end refused 423 (on-request, 1 failures)",
	],
	[
		"423 that asks for less than was asked is final",
		run(subscribe(600), response(423, { minExpiresSeconds: 300 })),
		"terminated: end refused 423 (on-request, 1 failures)",
	],
	[
		"the raised Expires is what the next refresh asks for",
		run(
			subscribe(60),
			response(423, { minExpiresSeconds: 300 }),
			response(200, { expiresSeconds: 300 }),
			notify("active"),
			[240, refreshDue],
		),
		"active: send refresh 300, start timer-n 32",
	],
	[
		"423 to a refresh raises Expires inside the dialog",
		run(subscribe(), ok, notify("active"), refreshDue, response(423, { minExpiresSeconds: 7200 })),
		"active: send refresh 7200, start timer-n 32",
	],
	[
		"protocol sheet 6.8: a refresh that got 500 is tried once more, after Retry-After",
		run(subscribe(), ok, notify("active"), refreshDue, response(500, { retryAfterSeconds: 9 })),
		"active: stop timer-n, start refresh 9",
	],
	[
		"protocol sheet 6.8: after the second refusal the subscription lives until it expires",
		run(subscribe(), ok, notify("active"), refreshDue, response(500), refreshDue, response(500)),
		"active: stop timer-n",
	],
	[
		"protocol sheet 6.7: a refresh that got 403 leaves the subscription alive until it expires",
		run(subscribe(), ok, notify("active"), refreshDue, response(403)),
		"active: stop timer-n",
	],
	[
		"a refresh that got 604 ends it",
		run(subscribe(), ok, notify("active"), refreshDue, response(604)),
		"terminated: end refused 604 (remember, 1 failures)",
	],
	[
		"RFC 3261 §12.2.1.2: a refresh without answer ends the dialog",
		run(subscribe(), ok, notify("active"), refreshDue, response(408)),
		"terminated: end refused 408 (after 60, 1 failures)",
	],
	[
		"REQ-67: a refresh refused in an old dialog starts a new one at once",
		run(subscribe(), ok, notify("active"), [50_000, refreshDue], [50_000, response(403, { isDialogOld: true })]),
		"terminated: end too-old 403 (after 0, 1 failures)",
	],
	[
		"REQ-67: once, if the new one fails as well",
		run(subscribe(3600, 1), ok, notify("active"), refreshDue, response(403, { isDialogOld: true })),
		"terminated: end too-old 403 (after 300, 2 failures)",
	],
	[
		"a subscription that lived a minute was no failure",
		run(subscribe(3600, 3), ok, notify("active"), [60, notify("terminated", { reason: "timeout" })]),
		"terminated: 200, tell terminated, end terminated timeout (after 0, 1 failures)",
	],
	[
		"a peer that ends each subscription at once does not set the pace",
		run(subscribe(3600, 1), ok, notify("active"), [1, notify("terminated", { reason: "deactivated" })]),
		"terminated: 200, tell terminated, end terminated deactivated (after 300, 2 failures)",
	],
	[
		"REQ-57: an early NOTIFY is taken, and nothing is sent before the 2xx",
		run(subscribe(), notify("active"), unsubscribe),
		"active: ",
	],
	["REQ-57: leaving waits for the 2xx", run(subscribe(), unsubscribe, ok), `leaving: use n1 of response, ${bye}`],
	[
		"REQ-57: leaving after an early NOTIFY waits for the 2xx",
		run(subscribe(), notify("active"), unsubscribe, ok),
		`leaving: use n1 of response, ${bye}`,
	],
	["leaving before a refusal just ends", run(subscribe(), unsubscribe, response(403)), `terminated: ${gone}`],
	["leaving before a lost connection just ends", run(subscribe(), unsubscribe, lost), `terminated: ${gone}`],
	[
		"protocol sheet 5.6: of two notifiers the one of the 2xx is kept",
		run(subscribe(), notify("active", { fromTag: "n2" }), ok),
		"notify-wait: use n1 of response, stop refresh, stop expiry, start timer-n 32",
	],
	[
		"and the other one gets 481 from then on",
		run(subscribe(), notify("active", { fromTag: "n2" }), ok, notify("active", { fromTag: "n2" })),
		"notify-wait: 481",
	],
	[
		"while its own NOTIFY makes the subscription",
		run(subscribe(), notify("active", { fromTag: "n2" }), ok, notify("active")),
		"active: 200, tell active, stop timer-n, start refresh 2880, start expiry 3600",
	],
	[
		"RFC 6665 §4.4.3: a fetch ends with its NOTIFY",
		run(subscribe(0), response(200, { expiresSeconds: 0 }), notify("terminated", { reason: "timeout" })),
		"terminated: 200, tell terminated, end fetched (on-request, 0 failures)",
	],
	[
		"a fetch ends with its NOTIFY, whatever state it names",
		run(subscribe(0), response(200), notify("active")),
		"terminated: 200, tell active, end fetched (on-request, 0 failures)",
	],
	[
		"protocol sheet 1.6: connections lost one after the other lead to longer pauses",
		run(subscribe(3600, 2), lost),
		"terminated: end connection-lost (after 900, 3 failures)",
	],
	[
		"after two 404 in a row the answer is remembered as after one",
		run(subscribe(3600, 1), response(404)),
		"terminated: end refused 404 (remember, 2 failures)",
	],
];

for (const [name, last, expected] of sequences) {
	test(name, () => assert.equal(describe(last), expected));
}
