import assert from "node:assert/strict";
import { test } from "node:test";
import {
	canSendInSession,
	type InviteEffect,
	type InviteEnd,
	type InviteEvent,
	type InviteStep,
	initialInviteState,
	stepInvite,
} from "./invite-usage.ts";

function run(...list: readonly InviteEvent[]): InviteStep {
	let last: InviteStep = { state: initialInviteState, effects: [] };
	for (const event of list) last = stepInvite(last.state, event);
	return last;
}

function describe({ state, effects }: InviteStep): string {
	return `${state.name}: ${effects.map(describeEffect).join(", ")}`;
}

function describeEffect(effect: InviteEffect): string {
	switch (effect.kind) {
		case "send-ack":
			return `ACK ${effect.toTag}`;
		case "send-bye":
			return `BYE ${effect.remoteTag ?? "-"}${effect.isStray ? " stray" : ""}`;
		case "answer-invite":
		case "answer-reinvite":
		case "answer-bye":
			return `${effect.statusCode} to ${effect.kind.slice("answer-".length)}`;
		case "reinvite-refused":
			return `reinvite-refused ${effect.statusCode}`;
		case "ended":
			return `ended ${describeEnd(effect.end)}`;
		case "send-invite":
		case "send-reinvite":
		case "send-cancel":
		case "stop-sending-200":
		case "start-answer-timer":
		case "stop-answer-timer":
		case "established":
		case "reinvite-glare":
		case "forget":
			return effect.kind;
	}
}

function describeEnd(end: InviteEnd): string {
	return "statusCode" in end ? `${end.kind} ${end.statusCode}` : end.kind;
}

function success(toTag: string, isReinvite = false): InviteEvent {
	return { kind: "success", toTag, isReinvite };
}

function failure(statusCode: number, isReinvite = false): InviteEvent {
	return { kind: "failure", statusCode, isReinvite };
}

function reoffered(offer: "keeps" | "removes" | "refused"): InviteEvent {
	return { kind: "reoffered", offer };
}

const invite: InviteEvent = { kind: "invite" };
const provisional: InviteEvent = { kind: "provisional" };
const offered: InviteEvent = { kind: "offered" };
const accept: InviteEvent = { kind: "accept" };
const ack: InviteEvent = { kind: "ack" };
const hangUp: InviteEvent = { kind: "hang-up" };
const bye: InviteEvent = { kind: "bye" };
const reinvite: InviteEvent = { kind: "reinvite" };
const lost: InviteEvent = { kind: "connection-lost" };

const states = {
	init: run(),
	inviting: run(invite),
	early: run(invite, provisional),
	cancelling: run(invite, provisional, hangUp),
	invited: run(offered),
	accepted: run(offered, accept),
	"accepted, closing": run(offered, accept, hangUp),
	calling: run(invite, success("b")),
	called: run(offered, accept, ack),
	"our re-INVITE": run(invite, success("b"), reinvite),
	"their re-INVITE": run(invite, success("b"), reoffered("keeps")),
	"stream removed": run(invite, success("b"), reoffered("removes")),
	terminating: run(invite, success("b"), hangUp),
	terminated: run(invite, success("b"), bye),
} as const;

const events = {
	invite,
	provisional,
	"2xx": success("b"),
	"2xx of another": success("c"),
	"2xx to re-INVITE": success("b", true),
	"486": failure(486),
	"491 to re-INVITE": failure(491, true),
	"no-answer": { kind: "no-answer" },
	offered,
	accept,
	decline: { kind: "decline", statusCode: 486 },
	cancel: { kind: "cancel" },
	ack,
	"ack-timeout": { kind: "ack-timeout" },
	reinvite,
	reoffered: reoffered("keeps"),
	"request-failed": { kind: "request-failed", statusCode: 408 },
	"hang-up": hangUp,
	bye,
	"bye-answered": { kind: "bye-answered" },
	"connection-lost": lost,
} as const satisfies Record<string, InviteEvent>;

const ackBye = "ACK c, BYE c stray";

/** Every state with every event. `throws` marks what only a mistake of ours can cause; what is not named changes nothing. */
const table: Record<keyof typeof states, Partial<Record<keyof typeof events, string>>> = {
	init: {
		invite: "inviting: send-invite",
		offered: "invited: ",
		reoffered: "init: 481 to reinvite",
		bye: "init: 481 to bye",
		accept: "throws",
		decline: "throws",
		reinvite: "throws",
	},
	inviting: {
		provisional: "early: start-answer-timer",
		"2xx": "confirmed: stop-answer-timer, ACK b, established",
		"2xx of another": "confirmed: stop-answer-timer, ACK c, established",
		"2xx to re-INVITE": "confirmed: stop-answer-timer, ACK b, established",
		"486": "terminated: stop-answer-timer, ended refused 486, forget",
		"491 to re-INVITE": "terminated: stop-answer-timer, ended refused 491, forget",
		"no-answer": "inviting: stop-answer-timer, send-cancel, ended no-answer",
		"hang-up": "inviting: stop-answer-timer, send-cancel, ended hung-up",
		reoffered: "inviting: 491 to reinvite",
		bye: "inviting: 481 to bye",
		"connection-lost": "terminated: stop-answer-timer, ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
		reinvite: "throws",
	},
	early: {
		"2xx": "confirmed: stop-answer-timer, ACK b, established",
		"2xx of another": "confirmed: stop-answer-timer, ACK c, established",
		"2xx to re-INVITE": "confirmed: stop-answer-timer, ACK b, established",
		"486": "terminated: stop-answer-timer, ended refused 486, forget",
		"491 to re-INVITE": "terminated: stop-answer-timer, ended refused 491, forget",
		"no-answer": "early: stop-answer-timer, send-cancel, ended no-answer",
		"hang-up": "early: stop-answer-timer, send-cancel, ended hung-up",
		reoffered: "early: 491 to reinvite",
		bye: "early: 481 to bye",
		"connection-lost": "terminated: stop-answer-timer, ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
		reinvite: "throws",
	},
	cancelling: {
		"2xx": "terminating: ACK b, BYE b",
		"2xx of another": "terminating: ACK c, BYE c",
		"2xx to re-INVITE": "terminating: ACK b, BYE b",
		"486": "terminated: forget",
		"491 to re-INVITE": "terminated: forget",
		reoffered: "early: 491 to reinvite",
		bye: "early: 481 to bye",
		"connection-lost": "terminated: forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
		reinvite: "throws",
	},
	invited: {
		accept: "accepted: 200 to invite",
		decline: "terminated: 486 to invite, ended declined 486, forget",
		cancel: "terminated: 487 to invite, ended cancelled, forget",
		"hang-up": "terminated: 480 to invite, ended declined 480, forget",
		bye: "terminated: 200 to bye, 487 to invite, ended bye, forget",
		reoffered: "invited: 500 to reinvite",
		"connection-lost": "terminated: ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		reinvite: "throws",
	},
	accepted: {
		ack: "confirmed: stop-sending-200, established",
		"ack-timeout": "terminating: ended no-ack, BYE -",
		"hang-up": "accepted: ended hung-up",
		bye: "terminated: stop-sending-200, 200 to bye, ended bye, forget",
		reoffered: "accepted: 500 to reinvite",
		"connection-lost": "terminated: stop-sending-200, ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
		reinvite: "throws",
	},
	"accepted, closing": {
		ack: "terminating: stop-sending-200, BYE -",
		"ack-timeout": "terminating: BYE -",
		bye: "terminated: stop-sending-200, 200 to bye, forget",
		reoffered: "accepted: 500 to reinvite",
		"connection-lost": "terminated: stop-sending-200, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
		reinvite: "throws",
	},
	calling: {
		"2xx": "confirmed: ACK b",
		"2xx of another": `confirmed: ${ackBye}`,
		"2xx to re-INVITE": "confirmed: ACK b",
		reinvite: "confirmed: send-reinvite",
		reoffered: "confirmed: 200 to reinvite",
		"request-failed": "terminating: ended request-failed 408, BYE b",
		"hang-up": "terminating: ended hung-up, BYE b",
		bye: "terminated: 200 to bye, ended bye, forget",
		"connection-lost": "terminated: ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
	},
	called: {
		"2xx to re-INVITE": "confirmed: ACK b",
		reinvite: "confirmed: send-reinvite",
		reoffered: "confirmed: 200 to reinvite",
		"request-failed": "terminating: ended request-failed 408, BYE -",
		"hang-up": "terminating: ended hung-up, BYE -",
		bye: "terminated: 200 to bye, ended bye, forget",
		"connection-lost": "terminated: ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
	},
	"our re-INVITE": {
		"2xx": "confirmed: ACK b",
		"2xx of another": `confirmed: ${ackBye}`,
		"2xx to re-INVITE": "confirmed: ACK b",
		"491 to re-INVITE": "confirmed: reinvite-glare",
		reinvite: "throws",
		reoffered: "confirmed: 491 to reinvite",
		"request-failed": "terminating: ended request-failed 408, BYE b",
		"hang-up": "terminating: ended hung-up, BYE b",
		bye: "terminated: 200 to bye, ended bye, forget",
		"connection-lost": "terminated: ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
	},
	"their re-INVITE": {
		"2xx": "confirmed: ACK b",
		"2xx of another": `confirmed: ${ackBye}`,
		"2xx to re-INVITE": "confirmed: ACK b",
		ack: "confirmed: stop-sending-200",
		"ack-timeout": "terminating: ended no-ack, BYE b",
		reinvite: "throws",
		reoffered: "confirmed: 500 to reinvite",
		"request-failed": "terminating: stop-sending-200, ended request-failed 408, BYE b",
		"hang-up": "terminating: stop-sending-200, ended hung-up, BYE b",
		bye: "terminated: stop-sending-200, 200 to bye, ended bye, forget",
		"connection-lost": "terminated: stop-sending-200, ended connection-lost, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
	},
	"stream removed": {
		"2xx": "confirmed: ACK b",
		"2xx of another": `confirmed: ${ackBye}`,
		"2xx to re-INVITE": "confirmed: ACK b",
		ack: "terminating: stop-sending-200, BYE b",
		"ack-timeout": "terminating: BYE b",
		reinvite: "throws",
		reoffered: "confirmed: 500 to reinvite",
		"request-failed": "terminating: stop-sending-200, BYE b",
		bye: "terminated: stop-sending-200, 200 to bye, forget",
		"connection-lost": "terminated: stop-sending-200, forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
	},
	terminating: {
		"2xx": "terminating: ACK b",
		"2xx of another": `terminating: ${ackBye}`,
		"2xx to re-INVITE": "terminating: ACK b",
		reoffered: "terminating: 481 to reinvite",
		bye: "terminating: 200 to bye",
		"bye-answered": "terminated: forget",
		"connection-lost": "terminated: forget",
		invite: "throws",
		offered: "throws",
		accept: "throws",
		decline: "throws",
		reinvite: "throws",
	},
	terminated: {
		"2xx": "terminated: ACK b",
		"2xx of another": `terminated: ${ackBye}`,
		"2xx to re-INVITE": "terminated: ACK b",
		reoffered: "terminated: 481 to reinvite",
		bye: "terminated: 481 to bye",
		invite: "throws",
		offered: "throws",
		reinvite: "throws",
	},
};

for (const [stateName, { state }] of Object.entries(states) as [keyof typeof states, InviteStep][]) {
	for (const [eventName, event] of Object.entries(events) as [keyof typeof events, InviteEvent][]) {
		const expected = table[stateName][eventName] ?? `${state.name}: `;
		test(`§13 ${stateName}, ${eventName}: ${expected}`, () => {
			if (expected === "throws") {
				assert.throws(() => stepInvite(state, event), /no use for|one re-INVITE/);
				return;
			}
			const step = stepInvite(state, event);
			assert.equal(describe(step), expected);
			if (expected === `${state.name}: ` && eventName !== "offered") assert.deepEqual(step.state, state);
		});
	}
}

const sequences: readonly [string, InviteStep, string][] = [
	[
		"protocol sheet 3.5: the time for an answer starts with the first provisional response only",
		run(invite, provisional, provisional),
		"early: ",
	],
	[
		"§9.1: a call taken back before any response is cancelled, and a late provisional response starts nothing",
		run(invite, hangUp, provisional),
		"early: ",
	],
	["§9.1: the 487 ends it", run(invite, hangUp, failure(487)), "terminated: forget"],
	["a second hang-up changes nothing", run(invite, provisional, hangUp, hangUp), "early: "],
	[
		"protocol sheet 3.5: nobody answered, and the 2xx that crosses the CANCEL is ended",
		run(invite, provisional, { kind: "no-answer" }, success("b")),
		"terminating: ACK b, BYE b",
	],
	[
		"§13.2.2.4: a 2xx after a failure is acknowledged and ended",
		run(invite, failure(408), success("b")),
		"terminated: ACK b, BYE b stray",
	],
	[
		"§14.1: a refused re-INVITE leaves the session as it was",
		run(invite, success("b"), reinvite, failure(488, true)),
		"confirmed: reinvite-refused 488",
	],
	[
		"§14.1: a re-INVITE that got 481 ends the session without BYE",
		run(invite, success("b"), reinvite, failure(481, true)),
		"terminated: ended request-failed 481, forget",
	],
	[
		"§14.1: a re-INVITE without answer ends the session",
		run(invite, success("b"), reinvite, failure(408, true)),
		"terminating: ended request-failed 408, BYE b",
	],
	[
		"§14.1: after 491 the re-INVITE may be tried again",
		run(invite, success("b"), reinvite, failure(491, true), reinvite),
		"confirmed: send-reinvite",
	],
	[
		"§14.2: a re-INVITE may follow another once it is acknowledged",
		run(offered, accept, ack, reoffered("keeps"), ack, reoffered("keeps")),
		"confirmed: 200 to reinvite",
	],
	[
		"§14.2: an offer of no use gets 488 and leaves the session as it was",
		run(offered, accept, ack, reoffered("refused")),
		"confirmed: 488 to reinvite",
	],
	[
		"protocol sheet 3.5: a re-INVITE without the stream is answered, then the session ends",
		run(offered, accept, ack, reoffered("removes")),
		"confirmed: 200 to reinvite, ended stream-removed",
	],
	[
		"protocol sheet 3.6: a MESSAGE that got 480 ends the dialog",
		run(offered, accept, ack, { kind: "request-failed", statusCode: 480 }),
		"terminating: ended request-failed 480, BYE -",
	],
	[
		"§12.2.1.2: a MESSAGE that got 481 ends it without BYE",
		run(offered, accept, ack, { kind: "request-failed", statusCode: 481 }),
		"terminated: ended request-failed 481, forget",
	],
	["§9.2: a CANCEL after the 2xx has no effect", run(offered, accept, { kind: "cancel" }), "accepted: "],
];

for (const [name, last, expected] of sequences) {
	test(name, () => assert.equal(describe(last), expected));
}

test("REQ-57: requests leave in an established session only", () => {
	const open = (Object.keys(states) as (keyof typeof states)[]).filter((name) => canSendInSession(states[name].state));
	assert.deepEqual(open, ["calling", "called", "our re-INVITE", "their re-INVITE"]);
});
