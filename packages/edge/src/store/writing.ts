import type { SQLInputValue } from "node:sqlite";
import type { Row } from "./connection.ts";
import type { MessageMemory } from "./message-memory.ts";

/** What a write operation may do to the database; one transaction is open around it. */
export interface WriteAccess {
	get(sql: string, ...values: SQLInputValue[]): Row | undefined;
	all(sql: string, ...values: SQLInputValue[]): readonly Row[];
	run(sql: string, ...values: SQLInputValue[]): number;
	/** What is known of messages without asking. */
	readonly memory: MessageMemory;
}

/**
 * What a part needs to read. Reads run on the calling thread, on a connection of their own, and see every write whose
 * promise has settled. They throw `StoreFailed` where the file cannot be read.
 */
export type ReadAccess = Pick<WriteAccess, "get" | "all">;

/** An operation as it runs beside the database. Arguments and result cross a thread: plain data only. */
type Operation = (database: WriteAccess, ...input: never[]) => unknown;

/**
 * The same operations as seen from the main thread. A promise settles after the COMMIT that holds its operation, synced
 * to disk, and rejects with `StoreFailed` where nothing of the operation was committed.
 */
export type Writes<Operations extends Readonly<Record<string, Operation>>> = {
	readonly [Name in keyof Operations]: Operations[Name] extends (
		database: WriteAccess,
		...input: infer Input
	) => infer Output
		? (...input: Input) => Promise<Output>
		: never;
};
