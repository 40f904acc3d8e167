/** Loads sources that hold their mutants, and tests; runs the tests once for each mutant that it is told of. */
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import fc from "fast-check";
import { collected } from "./collected-tests.ts";

export interface ThreadData {
	/** URL of each source that is mutated, with the text that holds its mutants. */
	readonly sources: Readonly<Record<string, string>>;
	/** URLs of test files. */
	readonly tests: readonly string[];
	/** The mutant that acts while everything is loaded. */
	readonly atLoad: number | undefined;
}

/** Inputs of each property. */
const RUNS = 25;

declare global {
	var mutant: number | undefined;
}

const { sources, tests, atLoad } = workerData as ThreadData;
const standIn = new URL("collected-tests.ts", import.meta.url).href;
registerHooks({
	resolve: (specifier, context, nextResolve) =>
		specifier === "node:test" ? { url: standIn, shortCircuit: true } : nextResolve(specifier, context),
	load(url, context, nextLoad) {
		const text = sources[url];
		if (text === undefined) return nextLoad(url, context);
		return { format: "module", source: stripTypeScriptTypes(text), shortCircuit: true };
	},
});
// The same inputs for every mutant: whether one is found must not be luck.
fc.configureGlobal({ seed: 4475, numRuns: RUNS });
globalThis.mutant = atLoad;

/** Whether some test fails. Quick tests come first: most mutants are noticed by many of them. */
async function isNoticed(): Promise<boolean> {
	for (const item of collected) {
		const started = performance.now();
		try {
			await item.run();
		} catch {
			return true;
		}
		item.tookMs ??= performance.now() - started;
	}
	collected.sort((left, right) => (left.tookMs ?? 0) - (right.tookMs ?? 0));
	return false;
}

try {
	for (const test of tests) await import(test);
	parentPort?.postMessage(atLoad === undefined ? "ready" : await isNoticed());
} catch (error) {
	if (atLoad === undefined) throw error;
	parentPort?.postMessage(true);
}
parentPort?.on("message", (number: number) => {
	globalThis.mutant = number;
	void isNoticed().then((noticed) => parentPort?.postMessage(noticed));
});
