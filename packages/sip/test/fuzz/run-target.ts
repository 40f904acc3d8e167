/** Runs one target: the same seed gives the same inputs in the same order, however long it runs. */
import { SimRandom } from "../../src/testing/sim-random.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { type MutationContext, mutate, pick } from "./mutate.ts";

export interface RunOptions {
	/** A whole number from 0 to 2^32 - 1. */
	readonly seed: number;
	/** Ends after so many runs. */
	readonly runs?: number;
	/** Ends after so many seconds. */
	readonly seconds?: number;
	/** A run that takes longer each time it is tried fails; without it nothing is judged by time. */
	readonly slowMs?: number;
	/** Milliseconds; only differences count. */
	readonly now: () => number;
	/** Told before each run, so that somebody else can tell a run that never ends. */
	readonly begin?: (input: Uint8Array, run: number) => void;
}

export interface RunFailure {
	/** From 1; the seeds themselves are the first runs. */
	readonly run: number;
	readonly input: Uint8Array;
	readonly reason: string;
}

export interface RunReport {
	readonly runs: number;
	readonly seconds: number;
	/** Distinct kinds of outcome. */
	readonly outcomes: number;
	/** Of the slowest run; the shortest of several tries where it stood out. */
	readonly worstMs: number;
	readonly worstBytes: number;
	/** The inputs that gave a new kind of outcome, seeds first. */
	readonly kept: readonly Uint8Array[];
	readonly failure: RunFailure | undefined;
}

/** Inputs kept for further mutation: all, and those above a few KiB, which would slow everything down. */
const MOST_KEPT = 1_024;
const MOST_LARGE_KEPT = 32;
const LARGE_BYTES = 4_096;
const MOST_OUTCOMES = 20_000;
/** Runs under this are not timed again. */
const NOTICEABLE_MS = 0.2;
const TRIES = 5;
/** Runs between two looks at the clock that decides about the end. */
const RUNS_A_LOOK = 64;

/** Runs until the first failure or the end asked for. */
export async function runTarget(target: FuzzTarget, options: RunOptions): Promise<RunReport> {
	const { now } = options;
	const random = new SimRandom(options.seed ^ hash(target.name));
	const pool: Uint8Array[] = [...target.seeds];
	const tokens = target.tokens.map((token) => Buffer.from(token, "latin1"));
	const context: MutationContext = { random, pool, tokens };
	const outcomes = new Set<string>();
	const started = now();
	const until = options.seconds === undefined ? undefined : started + options.seconds * 1000;
	const mostRuns = options.runs ?? Number.POSITIVE_INFINITY;
	let large = 0;
	let worstMs = 0;
	let worstBytes = 0;
	let run = 0;
	let failure: RunFailure | undefined;
	while (failure === undefined && run < mostRuns) {
		if (until !== undefined && run % RUNS_A_LOOK === 0 && now() >= until) break;
		const seed = target.seeds[run];
		const input = seed ?? mutate(pick(random, pool), context, target.mutations);
		run += 1;
		options.begin?.(input, run);
		try {
			const before = now();
			const outcome = target.run(input);
			const kind = typeof outcome === "string" ? outcome : await outcome;
			const took = now() - before;
			if (took > worstMs) {
				const shortest = took < NOTICEABLE_MS ? took : await timeAgain(target, input, took, now);
				if (shortest > worstMs) [worstMs, worstBytes] = [shortest, input.length];
				if (options.slowMs !== undefined && shortest > options.slowMs) {
					failure = { run, input, reason: `one run took ${shortest.toFixed(1)} ms` };
				}
			}
			if (!outcomes.has(kind) && outcomes.size < MOST_OUTCOMES) {
				outcomes.add(kind);
				const isLarge = input.length > LARGE_BYTES;
				if (seed === undefined && pool.length < MOST_KEPT && (!isLarge || large < MOST_LARGE_KEPT)) {
					pool.push(input);
					if (isLarge) large += 1;
				}
			}
		} catch (error) {
			failure = { run, input, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
		}
	}
	const seconds = (now() - started) / 1000;
	return { runs: run, seconds, outcomes: outcomes.size, worstMs, worstBytes, kept: pool, failure };
}

/** The shortest of several tries: a pause of the machine or of the collector is not the reader's. */
async function timeAgain(target: FuzzTarget, input: Uint8Array, took: number, now: () => number): Promise<number> {
	let shortest = took;
	for (let count = 1; count < TRIES; count += 1) {
		const before = now();
		await target.run(input);
		shortest = Math.min(shortest, now() - before);
	}
	return shortest;
}

/** FNV-1a: targets with the same seed do not draw the same numbers. */
function hash(text: string): number {
	let value = 0x811c_9dc5;
	for (let index = 0; index < text.length; index += 1) {
		value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
	}
	return value >>> 0;
}
