import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { MessageMemory } from "./message-memory.ts";
import { describeFailure, needsReopening, StoreFailed } from "./store-failed.ts";

/** One row, by column name. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * One connection to the database with its prepared statements, each made on first use. Every failure leaves as
 * {@link StoreFailed}. A connection that met a broken file is closed, and opened again by the next call.
 */
export class Connection {
	/** Of the writer's. It holds as long as no transaction is rolled back. */
	readonly memory = new MessageMemory();
	readonly #open: () => DatabaseSync;
	readonly #prepared = new Map<string, StatementSync>();
	#database: DatabaseSync | undefined;
	#closed = false;

	constructor(open: () => DatabaseSync) {
		this.#open = open;
	}

	/** First row of a query, or undefined. */
	get(sql: string, ...values: SQLInputValue[]): Row | undefined {
		try {
			return this.#statement(sql).get(...values);
		} catch (error) {
			throw this.#failure(error);
		}
	}

	/** Every row of a query; the query itself bounds their number. */
	all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
		try {
			return this.#statement(sql).all(...values);
		} catch (error) {
			throw this.#failure(error);
		}
	}

	/** Runs one statement and returns the number of rows it changed. */
	run(sql: string, ...values: SQLInputValue[]): number {
		try {
			return Number(this.#statement(sql).run(...values).changes);
		} catch (error) {
			throw this.#failure(error);
		}
	}

	/** Runs several statements that return nothing; they are not kept prepared. */
	execute(sql: string): void {
		try {
			this.#live().exec(sql);
		} catch (error) {
			throw this.#failure(error);
		}
	}

	get inTransaction(): boolean {
		return this.#database?.isTransaction ?? false;
	}

	/** Closes the connection; the next call opens it again. */
	reopen(): void {
		this.#drop();
	}

	/** Closes the connection for good; a second call does nothing. */
	close(): void {
		this.#closed = true;
		this.#drop();
	}

	#statement(sql: string): StatementSync {
		const known = this.#prepared.get(sql);
		if (known !== undefined) return known;
		const made = this.#live().prepare(sql);
		this.#prepared.set(sql, made);
		return made;
	}

	#live(): DatabaseSync {
		if (this.#closed) throw new StoreFailed({ code: "closed", detail: "the store is closed" });
		this.#database ??= this.#open();
		return this.#database;
	}

	#failure(error: unknown): StoreFailed {
		const failure = describeFailure(error);
		if (needsReopening(failure.code)) this.#drop();
		return error instanceof StoreFailed ? error : new StoreFailed(failure, error);
	}

	#drop(): void {
		const database = this.#database;
		this.#database = undefined;
		this.#prepared.clear();
		this.memory.forget();
		if (database?.isOpen === true) database.close();
	}
}
