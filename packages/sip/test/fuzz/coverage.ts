/** Counts the branches that ran, as V8 sees them: the ranges that Node's own test coverage counts. */
import { Session } from "node:inspector";
import { fileURLToPath } from "node:url";

export interface BranchCount {
	readonly reached: number;
	/** Of the functions that V8 has compiled; one that never ran counts as one branch. */
	readonly known: number;
}

/** The part of `Profiler.takePreciseCoverage` that is looked at. */
interface ScriptCoverage {
	readonly url: string;
	readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
}

/** Counts from `start` on; code that ran before is counted by whole functions only. */
export class BranchCounter {
	readonly #session = new Session();

	start(): void {
		this.#session.connect();
		this.#session.post("Profiler.enable");
		this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
	}

	/** The branches of the files whose paths end so, run since the last look. */
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
