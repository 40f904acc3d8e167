/** Why the store could not do what it was asked: the disk's and the file's faults, never a caller's ordinary refusal. */

export type StoreFailureCode =
	| "disk-full"
	| "locked"
	| "read-only"
	| "io"
	| "corrupt"
	| "cannot-open"
	| "in-use"
	| "not-a-store"
	| "newer-store"
	| "constraint"
	| "overloaded"
	| "writer-stopped"
	| "closed"
	| "internal";

/** A failure in a form that crosses threads. */
export interface StoreFailure {
	readonly code: StoreFailureCode;
	/** One sentence for a person; never a value out of a row. */
	readonly detail: string;
}

/**
 * The store failed. Writes reject with it when they were not committed; reads throw it. `status` is the SIP status of a
 * request that could not be stored: 503, so that its sender may try later.
 */
export class StoreFailed extends Error {
	override readonly name = "StoreFailed";
	readonly code: StoreFailureCode;
	readonly status = 503;

	constructor(failure: StoreFailure, cause?: unknown) {
		super(failure.detail, cause === undefined ? undefined : { cause });
		this.code = failure.code;
	}
}

/** Primary result codes of SQLite (sqlite.org/rescode.html); the extended ones carry these in their low octet. */
const CODES: ReadonlyMap<number, StoreFailureCode> = new Map([
	[5, "locked"],
	[6, "locked"],
	[8, "read-only"],
	[10, "io"],
	[11, "corrupt"],
	[13, "disk-full"],
	[14, "cannot-open"],
	[19, "constraint"],
	[26, "corrupt"],
] as const);

/** Faults of the file system while the store is opened; every other one is `cannot-open`. */
const SYSTEM_CODES: ReadonlyMap<string, StoreFailureCode> = new Map([
	["ENOSPC", "disk-full"],
	["EDQUOT", "disk-full"],
	["EROFS", "read-only"],
	["EIO", "io"],
] as const);

/** Names what was thrown by `node:sqlite` or the file system, with its text, which holds names of tables but no values. */
export function describeFailure(error: unknown): StoreFailure {
	if (error instanceof StoreFailed) return { code: error.code, detail: error.message };
	if (!(error instanceof Error)) return { code: "internal", detail: String(error) };
	if ("errcode" in error && typeof error.errcode === "number") {
		return { code: CODES.get(error.errcode & 0xff) ?? "internal", detail: `SQLite: ${error.message}` };
	}
	if ("syscall" in error && "code" in error) {
		return { code: SYSTEM_CODES.get(String(error.code)) ?? "cannot-open", detail: error.message };
	}
	return { code: "internal", detail: error.message };
}

/** After these the connection to the file is opened anew before it is used again: the file may be another one by then. */
export function needsReopening(code: StoreFailureCode): boolean {
	return code === "io" || code === "corrupt" || code === "cannot-open" || code === "read-only";
}
