import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SimRandom } from "../../src/testing/sim-random.ts";
import { readFound, writeFound } from "./found.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { MAX_INPUT_BYTES, mutate } from "./mutate.ts";
import { runTarget } from "./run-target.ts";
import { repairLength } from "./sip-text.ts";

function createTarget(run: FuzzTarget["run"]): FuzzTarget {
	return {
		name: "planted",
		summary: "",
		sources: [],
		seeds: [Buffer.from("a=1\r\nb=22\r\n"), Buffer.from("hello")],
		tokens: ["needle"],
		run,
	};
}

async function inputsOf(seed: number): Promise<readonly string[]> {
	const inputs: string[] = [];
	const target = createTarget((input) => {
		inputs.push(Buffer.from(input).toString("latin1"));
		return String(input.length % 7);
	});
	await runTarget(target, { seed, runs: 300, now: () => 0 });
	return inputs;
}

test("a seed gives the same inputs again, and another seed gives others", async () => {
	const inputs = await inputsOf(1);
	assert.deepEqual(inputs.slice(0, 2), ["a=1\r\nb=22\r\n", "hello"]);
	assert.deepEqual(await inputsOf(1), inputs);
	assert.notDeepEqual(await inputsOf(2), inputs);
	assert.ok(new Set(inputs).size > 200);
});

test("a throw ends the run with its number, its input and its reason", async () => {
	const target = createTarget((input) => {
		const text = Buffer.from(input).toString("latin1");
		assert.ok(!text.includes("needle="), "the planted fault");
		return text.includes("needle") ? "near" : "far";
	});
	const { failure, runs } = await runTarget(target, { seed: 1, runs: 100_000, now: () => 0 });
	assert.ok(failure !== undefined);
	assert.equal(failure.run, runs);
	assert.match(failure.reason, /the planted fault/);
	assert.throws(() => target.run(failure.input), /the planted fault/);
});

test("a rejection counts as a throw", async () => {
	const target = createTarget((input) => (input.length === 5 ? Promise.reject(new Error("later")) : "fine"));
	const { failure } = await runTarget(target, { seed: 1, runs: 10, now: () => 0 });
	assert.equal(failure?.run, 2);
	assert.match(failure?.reason ?? "", /later/);
});

test("a run fails by time only where every try is slow", async () => {
	let time = 0;
	let calls = 0;
	const now = (): number => time;
	const slow = createTarget((input) => {
		time += input.length === 5 ? 60 : 1;
		return "";
	});
	const { failure } = await runTarget(slow, { seed: 1, runs: 10, slowMs: 50, now });
	assert.equal(failure?.run, 2);
	assert.match(failure?.reason ?? "", /60\.0 ms/);
	const once = createTarget(() => {
		calls += 1;
		time += calls === 3 ? 60 : 1;
		return "";
	});
	const report = await runTarget(once, { seed: 1, runs: 10, slowMs: 50, now });
	assert.deepEqual([report.failure, report.worstMs], [undefined, 1]);
});

test("the end comes with the time asked for", async () => {
	let time = 0;
	const target = createTarget(() => {
		time += 1;
		return "";
	});
	const { runs, seconds } = await runTarget(target, { seed: 1, seconds: 1, now: () => time });
	assert.ok(runs >= 1_000 && runs < 1_100, `${runs} runs`);
	assert.ok(seconds >= 1);
});

test("mutations leave their input as it is and keep to the largest size", () => {
	const random = new SimRandom(3);
	const input = Buffer.from("v=0\r\nm=message 5060 sip/tcp *\r\n");
	const before = input.toString("latin1");
	const pool = [input, new Uint8Array(0)];
	let longest = 0;
	for (let count = 0; count < 20_000; count += 1) {
		const changed = mutate(count % 2 === 0 ? input : new Uint8Array(0), { random, pool, tokens: [] }, undefined);
		longest = Math.max(longest, changed.length);
	}
	assert.equal(input.toString("latin1"), before);
	assert.ok(longest > 60_000 && longest <= MAX_INPUT_BYTES, `${longest} octets`);
});

test("a repaired Content-Length is the length of what follows the head", () => {
	const context = { random: new SimRandom(1), pool: [], tokens: [] };
	for (const [input, output] of [
		["A\r\nContent-Length: 999\r\nX: y\r\n\r\nbody", "A\r\nContent-Length: 4\r\nX: y\r\n\r\nbody"],
		["A\r\nl:\r\n\r\n", "A\r\nl: 0\r\n\r\n"],
		["A\r\n\r\nbody", "A\r\n\r\nbody"],
		["A\r\nl: 1\r\n", "A\r\nl: 1\r\n"],
	] as const) {
		assert.equal(Buffer.from(repairLength(Buffer.from(input), context)).toString(), output);
	}
});

test("what is found is kept under the name of its target", (context) => {
	const folder = mkdtempSync(join(tmpdir(), "causeway-fuzz-"));
	context.after(() => rmSync(folder, { recursive: true }));
	assert.deepEqual(readFound(join(folder, "none")), []);
	const path = writeFound(join(folder, "found"), "name-addr", Buffer.from("<"));
	assert.equal(writeFound(join(folder, "found"), "name-addr", Buffer.from("<")), path);
	const found = readFound(join(folder, "found"));
	assert.deepEqual(
		found.map(({ target, octets }) => [target, Buffer.from(octets).toString()]),
		[["name-addr", "<"]],
	);
});
