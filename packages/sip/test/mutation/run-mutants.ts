/** Runs the tests against every mutant and counts which are noticed. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createMutants, type Mutant } from "./mutants.ts";

const SOURCE = new URL("../../src/", import.meta.url);
const RUNNER = fileURLToPath(new URL("run-mutant.ts", import.meta.url));
/** A run that takes longer never ends; that was noticed. */
const ENDLESS_MS = 30_000;

/** Compiled sources that are not mutated: what every run would do again. */
const CACHE = mkdtempSync(join(tmpdir(), "causeway-mutation-"));
process.once("exit", () => rmSync(CACHE, { recursive: true, force: true }));

export interface MutationTarget {
	/** From the package's `src`. */
	readonly file: string;
	/** Test files from the package, those that notice most first. */
	readonly tests: readonly string[];
}

export type MutantOutcome = "killed" | "endless" | "survived";

export interface MutantResult {
	readonly mutant: Mutant;
	readonly outcome: MutantOutcome;
}

/** The outcome of every mutant of the targets; `jobs` run at a time. */
export async function runMutants(
	targets: readonly MutationTarget[],
	jobs: number,
	isLeftOut: (id: string) => boolean,
	told: (result: MutantResult) => void,
): Promise<void> {
	const queue = targets.flatMap(({ file, tests }) =>
		createMutants(file, readFileSync(new URL(file, SOURCE), "utf8"))
			.filter(({ id }) => !isLeftOut(id))
			.map((mutant) => ({ mutant, tests })),
	);
	const work = async () => {
		for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
			told({ mutant: next.mutant, outcome: await runMutant(next.mutant, next.tests) });
		}
	};
	await Promise.all(Array.from({ length: jobs }, work));
}

/** One test file after the other, until one notices. */
async function runMutant(mutant: Mutant, tests: readonly string[]): Promise<MutantOutcome> {
	for (const test of tests) {
		const outcome = await runTests(mutant, [test]);
		if (outcome !== "survived") return outcome;
	}
	return "survived";
}

/** Runs test files in a process of their own, with a mutant or without. */
export function runTests(mutant: Mutant | undefined, tests: readonly string[]): Promise<MutantOutcome> {
	const change = mutant && {
		url: new URL(mutant.file, SOURCE).href,
		start: mutant.start,
		length: mutant.original.length,
		replacement: mutant.replacement,
	};
	const files = tests.map((test) => fileURLToPath(new URL(`../${test}`, SOURCE)));
	const env = { ...process.env, NODE_COMPILE_CACHE: CACHE, ...(change && { MUTANT: JSON.stringify(change) }) };
	const args = ["--conditions=causeway-source", RUNNER, ...files];
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"], env });
		const timer = setTimeout(() => {
			child.kill("SIGKILL");
			resolve("endless");
		}, ENDLESS_MS);
		let ending = "";
		child.stdout.on("data", (chunk: Buffer) => {
			ending = (ending + chunk.toString("latin1")).slice(-4096);
			// Nothing a test prints begins a line so but the report of a failure: no need to wait for the rest.
			if (/^(not ok|\s*✖)/m.test(ending)) child.kill("SIGKILL");
		});
		child.once("error", reject);
		child.once("close", (status) => {
			clearTimeout(timer);
			resolve(status === 0 ? "survived" : "killed");
		});
	});
}
