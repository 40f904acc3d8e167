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

/** Who waits for a command; one of the two is called, once. */
export interface Settlement {
	/** It is committed and synced. */
	resolve(result: unknown): void;
	/** Nothing of it is committed. */
	reject(reason: StoreFailed): void;
}

/** Commands that leave together. */
class Parcel {
	/** As the writer reads them. */
	readonly batch: unknown[] = [];
	readonly waiting: Settlement[] = [];
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
	/** The last one is open; the others are full. */
	readonly #collected: Parcel[] = [];
	#underway: readonly Settlement[] = [];
	#held = 0;
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
		return new Promise((resolve, reject) => this.send(operation, input, { resolve, reject }));
	}

	/** The same without a promise: what arrives on the wire is told by the caller's own object. It may be told at once. */
	send(operation: number, input: readonly unknown[], settlement: Settlement): void {
		const refusal = this.#refusal();
		if (refusal !== undefined) {
			settlement.reject(new StoreFailed(refusal));
			return;
		}
		let parcel = this.#collected.at(-1);
		if (parcel === undefined || parcel.waiting.length >= LARGEST_BATCH) {
			parcel = new Parcel();
			this.#collected.push(parcel);
		}
		parcel.waiting.push(settlement);
		parcel.batch.push(operation, input.length, ...input);
		this.#held += 1;
		if (this.#scheduled || this.#underway.length > 0) return;
		this.#scheduled = true;
		setImmediate(() => {
			this.#scheduled = false;
			this.#send();
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
		return this.#held + this.#underway.length;
	}

	#refusal(): StoreFailure | undefined {
		if (this.#closed) return { code: "closed", detail: "the store is closed" };
		if (this.#waiting() < this.#limit) return undefined;
		return { code: "overloaded", detail: `${this.#limit} writes wait for the disk` };
	}

	#send(): void {
		if (this.#underway.length > 0) return;
		const parcel = this.#collected.shift();
		if (parcel === undefined) return;
		this.#underway = parcel.waiting;
		this.#held -= parcel.waiting.length;
		this.#largestBatch = Math.max(this.#largestBatch, parcel.waiting.length);
		this.#writer.run(parcel.batch, (outcome) => this.#receive(outcome));
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

function settleAll(commands: readonly Settlement[], outcome: BatchOutcome): void {
	if (outcome.failure !== undefined) {
		for (const command of commands) command.reject(new StoreFailed(outcome.failure));
		return;
	}
	const failed = new Map(outcome.failures.map(({ command, failure }) => [command, failure]));
	for (let place = 0; place < commands.length; place += 1) {
		const failure = failed.get(place);
		if (failure === undefined) commands[place]?.resolve(outcome.results[place]);
		else commands[place]?.reject(new StoreFailed(failure));
	}
}
