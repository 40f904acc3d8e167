/** Runs the tests against every mutant and tells which are noticed. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { createMutants, holdAll, type Mutant } from "./mutants.ts";
import type { ThreadData } from "./mutation-thread.ts";

const PACKAGE = new URL("../../", import.meta.url);
/**
 * A run that takes so many times as long as one without mutant, and so long, never ends; that was noticed. Milliseconds here are
 * of the processor: on a busy machine a thread that gets none does not count as endless.
 */
const ENDLESS_TIMES = 8;
const ENDLESS_MS = 1_500;
/** The same where everything has to be loaded first. */
const LOADING_MS = 20_000;
const LOOK_MS = 100;

export interface MutationTarget {
	/** From the package's `src`. */
	readonly file: string;
	/** Test files from the package, those that notice most first. */
	readonly tests: readonly string[];
}

export type MutantOutcome = "killed" | "endless" | "survived";

/** Tries the mutants of one source one after the other. Throws where a test fails without any. */
export async function runMutants(
	{ file, tests }: MutationTarget,
	isLeftOut: (id: string) => boolean,
	told: (mutant: Mutant, outcome: MutantOutcome) => void,
): Promise<void> {
	const url = new URL(`src/${file}`, PACKAGE);
	const text = readFileSync(url, "utf8");
	const mutants = createMutants(file, text);
	const data = {
		sources: { [url.href]: holdAll(text, mutants, 1) },
		tests: tests.map((test) => new URL(test, PACKAGE).href),
	};
	const bench = new TestBench(data);
	try {
		if ((await bench.measure()) !== "survived") throw new Error(`the tests of ${file} fail without any mutant`);
		for (const [index, mutant] of mutants.entries()) {
			if (isLeftOut(mutant.id)) continue;
			told(mutant, await (mutant.isAtLoad ? runAtLoad(data, index + 1) : bench.run(index + 1)));
		}
	} finally {
		await bench.close();
	}
}

type Loaded = Omit<ThreadData, "atLoad">;

function startThread(data: Loaded, atLoad: number | undefined): Worker {
	return new Worker(new URL("mutation-thread.ts", import.meta.url), { workerData: { ...data, atLoad } });
}

/** A thread that has loaded everything; another one once a mutant has not come back. */
class TestBench {
	readonly #data: Loaded;
	#thread: Worker | undefined;
	#patienceMs = 600_000;

	constructor(data: Loaded) {
		this.#data = data;
	}

	/** Runs the tests without a mutant, to see that they pass and how long they take. */
	async measure(): Promise<MutantOutcome> {
		await this.run(0);
		const started = process.cpuUsage();
		const outcome = await this.run(0);
		this.#patienceMs = Math.max(ENDLESS_MS, ENDLESS_TIMES * usedMs(started));
		return outcome;
	}

	async run(number: number): Promise<MutantOutcome> {
		if (this.#thread === undefined) {
			this.#thread = startThread(this.#data, undefined);
			await once(this.#thread, "message");
		}
		const thread = this.#thread;
		thread.postMessage(number);
		const outcome = await outcomeOf(thread, this.#patienceMs);
		if (outcome === "endless") this.#thread = undefined;
		return outcome;
	}

	async close(): Promise<void> {
		await this.#thread?.terminate();
	}
}

async function runAtLoad(data: Loaded, number: number): Promise<MutantOutcome> {
	const thread = startThread(data, number);
	const outcome = await outcomeOf(thread, LOADING_MS);
	await thread.terminate();
	return outcome;
}

/** What a thread says next, or that it says nothing any more. */
async function outcomeOf(thread: Worker, patienceMs: number): Promise<MutantOutcome> {
	const started = process.cpuUsage();
	const watch = new AbortController();
	const timer = setInterval(() => usedMs(started) > patienceMs && watch.abort(), LOOK_MS);
	try {
		const [noticed] = (await once(thread, "message", { signal: watch.signal })) as [boolean];
		return noticed ? "killed" : "survived";
	} catch {
		// Out of time, or out of memory: either way it would not have ended.
		await thread.terminate();
		return "endless";
	} finally {
		clearInterval(timer);
	}
}

/** Milliseconds of the processor that the whole process has used since; beside the thread at work nobody uses much. */
function usedMs(since: NodeJS.CpuUsage): number {
	const { user, system } = process.cpuUsage(since);
	return (user + system) / 1_000;
}
