/** The short form of the crash test; the full one is `npm run long -- crash`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runIncoming, runOutgoing } from "./crash-runs.ts";

test("promise 1: our user's messages over 12 kills: each is delivered once, or failed, or unknown, and keeps its order", async (context) => {
	const { broken, fates, kills, messages } = await runOutgoing({ perPhase: 2, atRandom: 4 });
	context.diagnostic(`${kills} kills, ${messages} messages: ${JSON.stringify(fates)}`);
	assert.deepEqual(broken, []);
	assert.equal(kills, 12);
	assert.ok((fates["delivered"] ?? 0) > 0);
});

test("promise 1: the partner's messages over 8 kills: none that was accepted is missing, none is doubled", async (context) => {
	const { broken, fates, kills, messages } = await runIncoming({ perPhase: 2, atRandom: 4 });
	context.diagnostic(`${kills} kills, ${messages} messages: ${JSON.stringify(fates)}`);
	assert.deepEqual(broken, []);
	assert.equal(kills, 8);
	assert.ok((fates["accepted"] ?? 0) > 0);
});
