import assert from "node:assert/strict";
import type { Batch, BatchOutcome, CommandFailure } from "./batch.ts";
import type { Connection } from "./connection.ts";
import { messageWrites } from "./message-writes.ts";
import { OPERATIONS } from "./operations.ts";
import { describeFailure, type StoreFailure } from "./store-failed.ts";
import type { WriteAccess } from "./writing.ts";

/** An operation as the writer calls it; names and arguments were checked where the command was made. */
type Run = (database: WriteAccess, ...input: unknown[]) => unknown;

/** Operations in the order of the table, which both threads share. */
const RUNS = Object.values(OPERATIONS) as unknown as readonly Run[];

/** Messages that are looked through by whoever reads a page: some hundred microseconds. */
export const MOST_WITHOUT_ENTRIES = 4_000;

/** Failures of one command rather than of the disk: the rest of its batch can go on without it. */
function isOfOneCommand(failure: StoreFailure): boolean {
	return failure.code === "constraint" || failure.code === "internal";
}

/** Runs batches on one connection, each in one transaction: group commit. */
export class Writer {
	readonly #database: Connection;
	#transactions = 0;

	constructor(database: Connection) {
		this.#database = database;
	}

	/** Commits every command that can be, or none where the disk fails. Never throws. */
	run(batch: Batch): BatchOutcome {
		// Savepoints are paid for only where a command failed: the batch is run again, each command inside its own.
		try {
			return this.#attempt(batch, false);
		} catch (first) {
			if (!isOfOneCommand(describeFailure(first))) return this.#refuse(first);
		}
		try {
			return this.#attempt(batch, true);
		} catch (second) {
			return this.#refuse(second);
		}
	}

	/** What can wait until the batch is answered. It is tried again after the next batch where it fails. */
	tidy(): void {
		const { nextNumber = 1, enteredTo = 0 } = this.#database.memory;
		if (nextNumber - 1 - enteredTo <= MOST_WITHOUT_ENTRIES) return;
		try {
			this.#database.run("BEGIN IMMEDIATE");
			messageWrites.enterMessages(this.#database);
			this.#database.run("COMMIT");
		} catch {
			// A disk that is full, say: the next batch meets it too, and says so.
			this.#rollBack();
		}
	}

	#attempt(batch: Batch, apart: boolean): BatchOutcome {
		const database = this.#database;
		const results: unknown[] = [];
		const failures: CommandFailure[] = [];
		try {
			// IMMEDIATE: whoever else holds the file is waited for here, not in the middle of the batch.
			database.run("BEGIN IMMEDIATE");
			for (let at = 0; at < batch.length; ) {
				const run = RUNS[Number(batch[at])];
				const count = Number(batch[at + 1]);
				assert(run !== undefined, "a command names an operation of the table");
				const input = batch.slice(at + 2, at + 2 + count);
				const failure = apart ? this.#runApart(run, input, results) : undefined;
				if (!apart) results.push(run(database, ...input));
				if (failure !== undefined) failures.push({ command: results.length - 1, failure });
				at += 2 + count;
			}
			database.run("COMMIT");
		} catch (error) {
			this.#rollBack();
			throw error;
		}
		this.#transactions += 1;
		return { results, failures, transactions: this.#transactions };
	}

	/** Runs one command inside a savepoint and pushes its result, or undefined where it failed. */
	#runApart(run: Run, input: readonly unknown[], results: unknown[]): StoreFailure | undefined {
		const database = this.#database;
		database.run("SAVEPOINT command");
		try {
			results.push(run(database, ...input));
		} catch (error) {
			const failure = describeFailure(error);
			if (!isOfOneCommand(failure) || !database.inTransaction) throw error;
			database.memory.forget();
			database.run("ROLLBACK TO command");
			database.run("RELEASE command");
			results.push(undefined);
			return failure;
		}
		database.run("RELEASE command");
		return undefined;
	}

	#rollBack(): void {
		this.#database.memory.forget();
		// SQLite rolls back by itself after some failures (full, I/O), and a broken connection is closed by then.
		if (!this.#database.inTransaction) return;
		try {
			this.#database.run("ROLLBACK");
		} catch {
			// The failure that led here is the one to report; without a COMMIT nothing of the batch is kept.
			this.#database.reopen();
		}
	}

	#refuse(error: unknown): BatchOutcome {
		return { results: [], failures: [], failure: describeFailure(error), transactions: this.#transactions };
	}
}
