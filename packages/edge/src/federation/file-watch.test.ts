import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { FileWatch } from "./file-watch.ts";

const LOOK_MS = 5_000;

async function setUp(atLeastEveryMs = 3_600_000) {
	const clock = new SimClock();
	const stamps = new Map([["a", "1"]]);
	let changes = 0;
	const watch = new FileWatch({
		clock,
		files: () => [...stamps.keys()],
		stamp: async (file) => stamps.get(file) ?? "absent",
		changed: async () => {
			changes += 1;
		},
		atLeastEveryMs,
	});
	await watch.start();
	const look = async (times = 1): Promise<void> => {
		for (let time = 0; time < times; time += 1) {
			clock.advance(LOOK_MS);
			// The look reads files: it is over a few turns of promises later.
			for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
		}
	};
	return { clock, stamps, watch, look, changes: () => changes };
}

test("files that stay the same are not read again", async () => {
	const { look, changes } = await setUp();
	await look(100);
	assert.equal(changes(), 0);
});

test("a set of files is taken once it has settled, not while it is written", async () => {
	const { stamps, look, changes } = await setUp();
	for (const state of ["2", "3", "4"]) {
		stamps.set("a", state);
		await look();
		assert.equal(changes(), 0);
	}
	await look();
	assert.equal(changes(), 1);
	await look(10);
	assert.equal(changes(), 1);
	stamps.set("a", "5");
	await look(2);
	assert.equal(changes(), 2);
});

test("files that somebody else has just read are not read once more", async () => {
	const { stamps, watch, look, changes } = await setUp();
	stamps.set("a", "2");
	await watch.taken();
	await look(3);
	assert.equal(changes(), 0);
});

test("REQ-90: they are read again after the longest time though nothing is seen to change", async () => {
	const { look, changes } = await setUp(12 * LOOK_MS);
	await look(11);
	assert.equal(changes(), 0);
	await look();
	assert.equal(changes(), 1);
	await look(12);
	assert.equal(changes(), 2);
});

test("after its close nothing is looked at", async () => {
	const { clock, stamps, watch, look, changes } = await setUp();
	watch.close();
	stamps.set("a", "2");
	await look(3);
	assert.equal(changes(), 0);
	assert.equal(clock.pendingTimers, 0);
});
