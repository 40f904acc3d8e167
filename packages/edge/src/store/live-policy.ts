import type { Clock } from "@causeway/sip";
import { integer, text, word } from "./columns.ts";
import type { Row } from "./connection.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

const KINDS = ["peer", "block"] as const;
export type PolicyKind = (typeof KINDS)[number];

/** A peer or block that was edited live; it wins over the configuration file. */
export interface PolicyEntry {
	readonly kind: PolicyKind;
	/** In lower case. */
	readonly domain: string;
	/** Plain data; the policy's own schema reads it. */
	readonly value: unknown;
	readonly changedAt: number;
}

/** One change of the live policy: what is stored under kind and domain from now on, as JSON; undefined: nothing. */
export interface PolicyChange {
	readonly kind: PolicyKind;
	readonly domain: string;
	readonly value: string | undefined;
}

const SELECT_POLICY = "SELECT kind, domain, value, changed_at FROM policy";

export const policyWrites = {
	putPolicy(database: WriteAccess, kind: PolicyKind, domain: string, value: string, changedAt: number): void {
		database.run(
			"INSERT OR REPLACE INTO policy (kind, domain, value, changed_at) VALUES (?, ?, ?, ?)",
			kind,
			domain,
			value,
			changedAt,
		);
	},

	removePolicy(database: WriteAccess, kind: PolicyKind, domain: string): boolean {
		return database.run("DELETE FROM policy WHERE kind = ? AND domain = ?", kind, domain) === 1;
	},

	/** Several changes as one: all of them are kept, or none. */
	changePolicy(database: WriteAccess, changes: readonly PolicyChange[], changedAt: number): void {
		for (const { kind, domain, value } of changes) {
			if (value === undefined) policyWrites.removePolicy(database, kind, domain);
			else policyWrites.putPolicy(database, kind, domain, value, changedAt);
		}
	},
} as const;

export interface LivePolicy {
	/** Stores plain data under kind and domain, in place of what was there. */
	put(kind: PolicyKind, domain: string, value: unknown): Promise<void>;
	/** False where there was none. */
	remove(kind: PolicyKind, domain: string): Promise<boolean>;
	/** Makes several changes at once, all or none; domains in lower case. */
	change(changes: readonly PolicyChange[]): Promise<void>;
	get(kind: PolicyKind, domain: string): PolicyEntry | undefined;
	/** Every entry, or those of one kind, by kind and domain. */
	list(kind?: PolicyKind): readonly PolicyEntry[];
}

export function createLivePolicy(
	read: ReadAccess,
	writes: Writes<typeof policyWrites>,
	clock: Pick<Clock, "wall">,
): LivePolicy {
	return {
		put: (kind, domain, value) =>
			writes.putPolicy(kind, domain.toLowerCase(), JSON.stringify(value ?? null), clock.wall()),
		remove: (kind, domain) => writes.removePolicy(kind, domain.toLowerCase()),
		change: (changes) => writes.changePolicy(changes, clock.wall()),
		get(kind, domain) {
			const row = read.get(`${SELECT_POLICY} WHERE kind = ? AND domain = ?`, kind, domain.toLowerCase());
			return row && entryFromRow(row);
		},
		list(kind) {
			const rows =
				kind === undefined
					? read.all(`${SELECT_POLICY} ORDER BY kind, domain`)
					: read.all(`${SELECT_POLICY} WHERE kind = ? ORDER BY domain`, kind);
			return rows.map(entryFromRow);
		},
	};
}

function entryFromRow(row: Row): PolicyEntry {
	return {
		kind: word(row, "kind", KINDS),
		domain: text(row, "domain"),
		value: JSON.parse(text(row, "value")),
		changedAt: integer(row, "changed_at"),
	};
}
