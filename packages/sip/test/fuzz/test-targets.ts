/** The tests that each package's targets are put through. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFound } from "./found.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { runTarget } from "./run-target.ts";

const SEED = 4475;
const RUNS = 2_000;

/** Declares them; nothing is judged by time. */
export function testTargets(targets: readonly FuzzTarget[], foundFolder: string): void {
	for (const target of targets) {
		void test(`G3: ${RUNS} runs of the fuzz target ${target.name} find nothing`, async () => {
			const { runs, outcomes, failure } = await runTarget(target, { seed: SEED, runs: RUNS, now: () => 0 });
			assert.equal(failure, undefined, `run ${failure?.run}: ${failure?.reason}`);
			assert.equal(runs, RUNS);
			// A target that refuses everything at its door tests nothing.
			assert.ok(outcomes >= 8, `${outcomes} kinds of outcome`);
		});
	}
	for (const { file, target: name, octets } of readFound(foundFolder)) {
		void test(`G3: the input found as ${file} does no harm`, async () => {
			const target = targets.find((candidate) => candidate.name === name);
			assert.ok(target !== undefined, `there is no target ${name}`);
			await target.run(octets);
		});
	}
}
