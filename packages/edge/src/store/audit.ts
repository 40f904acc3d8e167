import type { Clock } from "@causeway/sip";
import { integer, text } from "./columns.ts";
import type { Row } from "./connection.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

/** One administrative act, as it is recorded. Never a password, a token or a message. */
export interface AuditRecord {
	/** Who acted: `admin`, an administrator's name, a user's key. */
	readonly actor: string;
	/** What was done: `user.add`, `peer.block`. */
	readonly action: string;
	/** To whom or what. */
	readonly target: string;
	readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditEntry extends AuditRecord {
	/** Grows by at least one from entry to entry. */
	readonly number: number;
	readonly at: number;
}

const LONGEST_PAGE = 1_000;

export const auditWrites = {
	appendAudit(database: WriteAccess, at: number, actor: string, action: string, target: string, details: string): void {
		database.run(
			"INSERT INTO audit (at, actor, action, target, details) VALUES (?, ?, ?, ?, ?)",
			at,
			actor,
			action,
			target,
			details,
		);
	},
} as const;

export interface Audit {
	append(record: AuditRecord): Promise<void>;
	/** Newest first, below the number `before`, at most `limit` (1,000). */
	list(page: { readonly before?: number; readonly limit: number }): readonly AuditEntry[];
}

export function createAudit(read: ReadAccess, writes: Writes<typeof auditWrites>, clock: Pick<Clock, "wall">): Audit {
	return {
		append: ({ actor, action, target, details }) =>
			writes.appendAudit(clock.wall(), actor, action, target, JSON.stringify(details)),
		list({ before, limit }) {
			const rows = read.all(
				"SELECT number, at, actor, action, target, details FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
				before ?? Number.MAX_SAFE_INTEGER,
				Math.max(0, Math.min(limit, LONGEST_PAGE)),
			);
			return rows.map(entryFromRow);
		},
	};
}

function entryFromRow(row: Row): AuditEntry {
	return {
		number: integer(row, "number"),
		at: integer(row, "at"),
		actor: text(row, "actor"),
		action: text(row, "action"),
		target: text(row, "target"),
		details: JSON.parse(text(row, "details")),
	};
}
