import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventFrame } from "@causeway/admin";
import { SimClock } from "@causeway/sip/testing";
import { EventHub, type EventPosition } from "./event-hub.ts";
import { describeFrames } from "./testing.ts";

const alice = "alice@contoso.example";

function createHub(ringLength?: number): EventHub {
	return new EventHub({
		epoch: "e1",
		clock: new SimClock({ wallMs: Date.UTC(2026, 10, 23, 10) }),
		...(ringLength === undefined ? {} : { ringLength }),
	});
}

function typing(hub: EventHub, times = 1, aor = alice): void {
	for (let time = 0; time < times; time += 1) {
		hub.publish(aor, { kind: "typing", with: "bob@fabrikam.example", typing: true });
	}
}

function listen(hub: EventHub, position?: EventPosition): { frames: EventFrame[]; ends: string[]; stop: () => void } {
	const frames: EventFrame[] = [];
	const ends: string[] = [];
	const stop = hub.subscribe(alice, position, {
		frame: (frame) => frames.push(frame),
		ended: (reason) => ends.push(reason),
	});
	return { frames, ends, stop };
}

test("events: a new consumer is welcomed and gets what happens from now on, numbered without gaps", () => {
	const hub = createHub();
	typing(hub, 2);
	const { frames } = listen(hub);
	typing(hub, 2);
	assert.deepEqual(frames[0], { kind: "welcome", epoch: "e1", seq: 2 });
	assert.deepEqual(frames[1], {
		seq: 3,
		at: "2026-11-23T10:00:00.000Z",
		kind: "typing",
		with: "bob@fabrikam.example",
		typing: true,
	});
	assert.deepEqual(describeFrames(frames), ["welcome 2", "typing 3", "typing 4"]);
});

const resumptions: readonly [name: string, published: number, position: EventPosition, frames: readonly string[]][] = [
	["nothing missed", 3, { epoch: "e1", seq: 3 }, ["welcome 3", "typing 4"]],
	["some missed", 3, { epoch: "e1", seq: 1 }, ["welcome 1", "typing 2", "typing 3", "typing 4"]],
	[
		"all of a full ring missed",
		7,
		{ epoch: "e1", seq: 2 },
		["welcome 2", ...[3, 4, 5, 6, 7, 8].map((n) => `typing ${n}`)],
	],
	["one more than the ring holds missed", 7, { epoch: "e1", seq: 1 }, ["reset 7", "typing 8"]],
	["another epoch, the number the same", 3, { epoch: "e0", seq: 3 }, ["reset 3", "typing 4"]],
	["a number not given out yet", 3, { epoch: "e1", seq: 4 }, ["reset 3", "typing 4"]],
];
for (const [name, published, position, expected] of resumptions) {
	test(`events: coming back with ${name}`, () => {
		const hub = createHub(5);
		typing(hub, published);
		const { frames } = listen(hub, position);
		typing(hub);
		assert.deepEqual(describeFrames(frames), expected);
	});
}

test("events: what is published for one user is told to no other, and addresses compare in any case", () => {
	const hub = createHub();
	const { frames } = listen(hub);
	typing(hub, 1, "carol@contoso.example");
	typing(hub, 1, "Alice@Contoso.Example");
	assert.deepEqual(describeFrames(frames), ["welcome 0", "typing 1"]);
});

test("events: after it has stopped a consumer is told nothing, also when it stops inside a frame", () => {
	const hub = createHub();
	const first = listen(hub);
	first.stop();
	const seen: number[] = [];
	const stop = hub.subscribe(alice, undefined, {
		frame: (frame) => {
			seen.push(frame.seq);
			if (frame.seq === 1) stop();
		},
		ended: () => {},
	});
	typing(hub, 2);
	assert.deepEqual(describeFrames(first.frames), ["welcome 0"]);
	assert.deepEqual(seen, [0, 1]);
	assert.equal(hub.listenerCount, 0);
});

test("events: a user's consumers are ended once, with the reason", () => {
	const hub = createHub();
	const { frames, ends } = listen(hub);
	hub.end(alice, "suspended");
	hub.end(alice, "suspended");
	typing(hub);
	assert.deepEqual(ends, ["suspended"]);
	assert.deepEqual(describeFrames(frames), ["welcome 0"]);
});

test("events: a removed user's events are forgotten, and nobody takes the next user's numbers for a continuation", () => {
	const hub = createHub(5);
	typing(hub, 3);
	hub.forget(alice, "removed");
	typing(hub);
	const { frames } = listen(hub, { epoch: "e1", seq: 3 });
	assert.deepEqual(describeFrames(frames), ["reset 10"]);
});
