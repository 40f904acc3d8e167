import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Opened } from "./batch.ts";
import { Connection } from "./connection.ts";
import { messageWrites } from "./message-writes.ts";
import { migrate } from "./migrations.ts";
import { StoreFailed } from "./store-failed.ts";

/** The writer waits so long for another process that holds the file, a backup for instance; then its batch fails. */
const BUSY_TIMEOUT_MS = 5_000;

/** What the writer opens: `path` is a file, or ":memory:". */
export interface DatabaseOptions {
	readonly path: string;
	/** Milliseconds since 1970: the time at which interrupted messages become `unknown`. */
	readonly now: number;
	readonly busyTimeoutMs?: number;
}

/** The writer's connection with the store brought up to date, and what gives the file free for the next program. */
export interface OpenDatabase {
	readonly database: Connection;
	readonly opened: Opened;
	readonly close: () => void;
}

/** Opens the store for writing. Throws `StoreFailed`: `in-use` where another Causeway has it open. */
export function openDatabase({ path, now, busyTimeoutMs = BUSY_TIMEOUT_MS }: DatabaseOptions): OpenDatabase {
	const inMemory = path === ":memory:";
	const unlock = inMemory ? undefined : lockFile(path);
	const database = new Connection(() => {
		const made = new DatabaseSync(inMemory ? path : fileUrl(path, "rw"), { timeout: busyTimeoutMs });
		// FULL: the write-ahead log is synced at each COMMIT (promise 1). 4,000 pages make a checkpoint of about 16 MB.
		made.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000");
		made.exec("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000");
		return made;
	});
	const close = (): void => {
		database.close();
		unlock?.();
	};
	try {
		const versionFound = migrate(database);
		database.run("BEGIN IMMEDIATE");
		const interrupted = messageWrites.interruptMessages(database, now);
		database.run("COMMIT");
		return { database, opened: { versionFound, interrupted }, close };
	} catch (error) {
		close();
		throw error;
	}
}

/** The readers' connection to the same file. */
export function openReader(path: string): Connection {
	return new Connection(() => new DatabaseSync(fileUrl(path, "ro"), { readOnly: true, timeout: BUSY_TIMEOUT_MS }));
}

/** Mode rw or ro: a file that vanished under us is an error, not a new, empty store. */
function fileUrl(path: string, mode: "rw" | "ro"): URL {
	const url = pathToFileURL(path);
	url.search = `?mode=${mode}`;
	return url;
}

/**
 * Makes the file, for its owner alone, and takes it for this process: a second program would declare the messages of the
 * first one interrupted. The lock is an open transaction on a file beside it, which the system ends with the process.
 */
function lockFile(path: string): () => void {
	try {
		mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
		for (const file of [path, `${path}.lock`]) closeSync(openSync(file, "a", 0o600));
		if (process.platform !== "win32") syncDirectory(dirname(path));
		const lock = new Connection(() => new DatabaseSync(fileUrl(`${path}.lock`, "rw"), { timeout: 0 }));
		lock.execute("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
		return () => lock.close();
	} catch (error) {
		if (error instanceof StoreFailed && error.code === "locked") {
			throw new StoreFailed({ code: "in-use", detail: `another Causeway has the store ${path} open` }, error);
		}
		throw error;
	}
}

function syncDirectory(directory: string): void {
	const descriptor = openSync(directory, "r");
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}
