/** Counts the branches that ran, as V8 sees them: the ranges that Node's own test coverage counts. */
import { once } from "node:events";
import { Session } from "node:inspector";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

export interface BranchCount {
	readonly reached: number;
	/** Of the functions that V8 has seen; one that never ran counts as one branch. */
	readonly known: number;
}

export interface CoverageRequest {
	/** URL of the module whose `createTargets` makes the target. */
	readonly module: string;
	/** Of the target. */
	readonly name: string;
	/** Run first, one by one; none of them may fail. */
	readonly inputs: readonly Uint8Array[];
	readonly seed: number;
	/** Runs of the seed behind them. */
	readonly runs: number;
}

/** The branches of the target's source files that these runs reach. */
export async function countBranches(request: CoverageRequest): Promise<BranchCount> {
	const worker = new Worker(new URL("./coverage-thread.ts", import.meta.url), { workerData: request });
	const [count] = (await once(worker, "message")) as [BranchCount];
	await worker.terminate();
	return count;
}

/** The part of `Profiler.takePreciseCoverage` that is looked at. */
interface ScriptCoverage {
	readonly url: string;
	readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
}

/** Counts in this thread from `start` on. */
export class BranchCounter {
	readonly #session = new Session();

	start(): void {
		this.#session.connect();
		this.#session.post("Profiler.enable");
		this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
	}

	/** The branches of the files whose paths end so. */
	take(sources: readonly string[]): BranchCount {
		let scripts: readonly ScriptCoverage[] = [];
		this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
			if (error !== null) throw error;
			scripts = taken.result;
		});
		let reached = 0;
		let known = 0;
		for (const { url, functions } of scripts) {
			const path = url.startsWith("file:") ? fileURLToPath(url) : url;
			if (!sources.some((source) => path.endsWith(source))) continue;
			for (const { ranges } of functions) {
				known += ranges.length;
				for (const { count } of ranges) if (count > 0) reached += 1;
			}
		}
		return { reached, known };
	}

	close(): void {
		this.#session.disconnect();
	}
}
