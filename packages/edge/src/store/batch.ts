import type { StoreFailure } from "./store-failed.ts";

/**
 * Write commands that go to the writer together, flat, because one array of strings and numbers crosses threads at a
 * fraction of the cost of an object each: operation number, number of arguments, arguments, and so on.
 */
export type Batch = readonly unknown[];

/** The writer's answer to one batch, sent after its COMMIT. */
export interface BatchOutcome {
	/** Results in the order of the commands; undefined where one failed. */
	readonly results: readonly unknown[];
	/** Commands that failed alone: nothing of them was committed, the others were. */
	readonly failures: readonly CommandFailure[];
	/** Set where the transaction failed: nothing of the batch was committed. */
	readonly failure?: StoreFailure;
	/** Transactions that this writer has committed since it started. */
	readonly transactions: number;
}

export interface CommandFailure {
	/** Place of the command in the batch, from 0. */
	readonly command: number;
	readonly failure: StoreFailure;
}

/** What the writer found when it opened the store. */
export interface Opened {
	/** Schema version before migration; 0 for a new store. */
	readonly versionFound: number;
	/** Messages that were on their way when the program last ended, and are `unknown` now. */
	readonly interrupted: number;
}

/** The writer, wherever it runs. */
export interface WriterPort {
	readonly opened: Opened;
	/** Runs a batch and calls back once, later or at once. The caller waits for it before the next batch. */
	run(batch: Batch, done: (outcome: BatchOutcome) => void): void;
	/** Checkpoints and releases the file, after the batch that runs. */
	close(): Promise<void>;
}
