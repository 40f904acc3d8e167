/**
 * Counts the branches that a target's kept inputs and its first runs reach. In a thread of its own: counting makes code
 * several times slower, and only code compiled while it is counted has its branches known.
 */
import { parentPort, workerData } from "node:worker_threads";
import { BranchCounter, type CoverageRequest } from "./coverage.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { runTarget } from "./run-target.ts";

const { module, name, inputs, seed, runs } = workerData as CoverageRequest;
const counter = new BranchCounter();
counter.start();
const { createTargets } = (await import(module)) as { readonly createTargets: () => readonly FuzzTarget[] };
const target = createTargets().find((candidate) => candidate.name === name);
if (target === undefined) throw new Error(`there is no target ${name}`);
for (const input of inputs) await target.run(input);
await runTarget(target, { seed, runs, now: () => 0 });
parentPort?.postMessage(counter.take(target.sources));
counter.close();
