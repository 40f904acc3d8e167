import type { BatchOutcome, WriterPort } from "./batch.ts";
import { StoreFailed, type StoreFailure } from "./store-failed.ts";

/** Commands in one batch: bounds both the transaction and the main thread's work when its answer comes. */
const LARGEST_BATCH = 1_000;

/** What the queue has done and holds; counters start at 0 with the store. */
export interface StoreStatistics {
	/** Commands whose fate is known: committed or failed. */
	readonly commands: number;
	/** Commands that failed. */
	readonly failedCommands: number;
	/** Transactions the writer committed; fewer than commands where commits were shared. */
	readonly transactions: number;
	/** Most commands that ever shared a transaction. */
	readonly largestBatch: number;
	/** Commands not answered yet. */
	readonly waiting: number;
	/** Whether the last transaction failed: the disk is full, say. */
	readonly failing: boolean;
}

interface Pending {
	readonly operation: number;
	readonly input: readonly unknown[];
	readonly resolve: (result: unknown) => void;
	readonly reject: (reason: StoreFailed) => void;
}

/**
 * Collects write commands and hands them to the writer as batches: what one turn of the event loop brings goes out
 * together, and what comes while the writer is busy goes out when it answers. One batch is on its way at a time, in the
 * order of the calls, so the slower the disk is, the more commands share one sync.
 */
export class WriteQueue {
	readonly #writer: WriterPort;
	readonly #limit: number;
	readonly #changed: (failure: StoreFailure | undefined) => void;
	#collected: Pending[] = [];
	#underway: readonly Pending[] = [];
	#scheduled = false;
	#closed = false;
	#idle: PromiseWithResolvers<void> | undefined;
	#commands = 0;
	#failedCommands = 0;
	#transactions = 0;
	#largestBatch = 0;
	#failing = false;

	/** `changed` hears when the writer starts to fail, and with undefined when it works again. */
	constructor(writer: WriterPort, limit: number, changed: (failure: StoreFailure | undefined) => void) {
		this.#writer = writer;
		this.#limit = limit;
		this.#changed = changed;
	}

	/** Settles after the COMMIT; rejects with {@link StoreFailed} where the command was not committed. */
	write(operation: number, input: readonly unknown[]): Promise<unknown> {
		const refusal = this.#refusal();
		if (refusal !== undefined) return Promise.reject(new StoreFailed(refusal));
		return new Promise((resolve, reject) => {
			this.#collected.push({ operation, input, resolve, reject });
			if (this.#scheduled || this.#underway.length > 0) return;
			this.#scheduled = true;
			setImmediate(() => {
				this.#scheduled = false;
				this.#send();
			});
		});
	}

	/** Fulfils when everything written so far has settled. */
	flush(): Promise<void> {
		if (this.#waiting() === 0) return Promise.resolve();
		this.#idle ??= Promise.withResolvers();
		return this.#idle.promise;
	}

	/** Takes no more commands and fulfils when the last one has settled. */
	close(): Promise<void> {
		this.#closed = true;
		return this.flush();
	}

	statistics(): StoreStatistics {
		return {
			commands: this.#commands,
			failedCommands: this.#failedCommands,
			transactions: this.#transactions,
			largestBatch: this.#largestBatch,
			waiting: this.#waiting(),
			failing: this.#failing,
		};
	}

	#waiting(): number {
		return this.#collected.length + this.#underway.length;
	}

	#refusal(): StoreFailure | undefined {
		if (this.#closed) return { code: "closed", detail: "the store is closed" };
		if (this.#waiting() < this.#limit) return undefined;
		return { code: "overloaded", detail: `${this.#limit} writes wait for the disk` };
	}

	#send(): void {
		if (this.#underway.length > 0 || this.#collected.length === 0) return;
		this.#underway = this.#collected.splice(0, LARGEST_BATCH);
		this.#largestBatch = Math.max(this.#largestBatch, this.#underway.length);
		const batch: unknown[] = [];
		for (const { operation, input } of this.#underway) batch.push(operation, input.length, ...input);
		this.#writer.run(batch, (outcome) => this.#receive(outcome));
	}

	#receive(outcome: BatchOutcome): void {
		const done = this.#underway;
		this.#underway = [];
		// The writer works on the next batch while this one's promises run.
		this.#send();
		this.#count(outcome, done.length);
		settleAll(done, outcome);
		if (this.#waiting() === 0) {
			this.#idle?.resolve();
			this.#idle = undefined;
		}
	}

	#count(outcome: BatchOutcome, commands: number): void {
		this.#commands += commands;
		this.#failedCommands += outcome.failure === undefined ? outcome.failures.length : commands;
		if (outcome.failure === undefined) this.#transactions = outcome.transactions;
		const failing = outcome.failure !== undefined;
		if (failing !== this.#failing) this.#changed(outcome.failure);
		this.#failing = failing;
	}
}

function settleAll(commands: readonly Pending[], outcome: BatchOutcome): void {
	if (outcome.failure !== undefined) {
		for (const command of commands) command.reject(new StoreFailed(outcome.failure));
		return;
	}
	for (const { command, failure } of outcome.failures) commands[command]?.reject(new StoreFailed(failure));
	// A promise that was rejected above stays rejected.
	for (const [place, command] of commands.entries()) command.resolve(outcome.results[place]);
}
