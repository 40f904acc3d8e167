import type { Clock } from "@causeway/sip";
import { aorKey, domainKey, watcherKey } from "./aor.ts";
import { countOf, optionalInteger, text, word } from "./columns.ts";
import type { Row } from "./connection.ts";
import type { ReadCache } from "./read-cache.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

const DECISIONS = ["allow", "deny", "block"] as const;
const STANDINGS = ["pending", ...DECISIONS] as const;
/** What a presentity can say about a watcher. */
export type Decision = (typeof DECISIONS)[number];

/** How a watcher, or a whole domain of them, stands with a presentity. */
export interface Authorization {
	/** The hosted user who is watched, as key. */
	readonly presentity: string;
	/** Who watches, as key; `@domain` for everybody there whom no entry of its own names. */
	readonly watcher: string;
	/** The watcher as it was written. */
	readonly watcherAddress: string;
	readonly decision: Decision | "pending";
	/**
	 * When the watcher asked; undefined where the presentity decided before anyone asked. An entry that is `pending` without
	 * it is a rule: ask me, whatever holds for the domain.
	 */
	readonly requestedAt: number | undefined;
	readonly decidedAt: number | undefined;
}

/** The standing after a request; `new` says that nobody had asked or decided before. */
export type RequestResult =
	| { readonly kind: "new" | "known"; readonly authorization: Authorization }
	/** Too many undecided requests, of this watcher or for this presentity: nothing was stored. */
	| { readonly kind: "too-many" }
	| { readonly kind: "no-presentity" };

/** Undecided requests that one user keeps, and that one watcher may have open with all users. */
export const PENDING_PER_PRESENTITY = 1_000;
export const PENDING_PER_WATCHER = 100;
/** Decisions one user may have recorded. */
export const DECISIONS_PER_PRESENTITY = 10_000;

const SELECT_AUTHORIZATION =
	"SELECT presentity, watcher, watcher_address, decision, requested_at, decided_at FROM authorizations";

function authorizationFromRow(row: Row): Authorization {
	return {
		presentity: text(row, "presentity"),
		watcher: text(row, "watcher"),
		watcherAddress: text(row, "watcher_address"),
		decision: word(row, "decision", STANDINGS),
		requestedAt: optionalInteger(row, "requested_at"),
		decidedAt: optionalInteger(row, "decided_at"),
	};
}

export const watcherWrites = {
	requestAuthorization(
		database: WriteAccess,
		presentity: string,
		watcher: string,
		address: string,
		requestedAt: number,
	): RequestResult {
		const known = database.get(`${SELECT_AUTHORIZATION} WHERE presentity = ? AND watcher = ?`, presentity, watcher);
		if (known !== undefined) {
			const authorization = authorizationFromRow(known);
			if (authorization.decision !== "pending" || authorization.requestedAt !== undefined)
				return { kind: "known", authorization };
			database.run(
				"UPDATE authorizations SET requested_at = ? WHERE presentity = ? AND watcher = ?",
				requestedAt,
				presentity,
				watcher,
			);
			return { kind: "new", authorization: { ...authorization, requestedAt } };
		}
		if (database.get("SELECT 1 FROM users WHERE aor = ?", presentity) === undefined) return { kind: "no-presentity" };
		const forPresentity = database.get(
			"SELECT count(*) AS count FROM authorizations WHERE presentity = ? AND decision = 'pending'",
			presentity,
		);
		const ofWatcher = database.get(
			"SELECT count(*) AS count FROM authorizations WHERE watcher = ? AND decision = 'pending'",
			watcher,
		);
		if (countOf(forPresentity) >= PENDING_PER_PRESENTITY || countOf(ofWatcher) >= PENDING_PER_WATCHER) {
			return { kind: "too-many" };
		}
		database.run(
			"INSERT INTO authorizations (presentity, watcher, watcher_address, decision, requested_at)" +
				" VALUES (?, ?, ?, 'pending', ?)",
			presentity,
			watcher,
			address,
			requestedAt,
		);
		const authorization: Authorization = {
			presentity,
			watcher,
			watcherAddress: address,
			decision: "pending",
			requestedAt,
			decidedAt: undefined,
		};
		return { kind: "new", authorization };
	},

	decideAuthorization(
		database: WriteAccess,
		presentity: string,
		watcher: string,
		address: string,
		decision: Decision | "pending",
		decidedAt: number,
	): DecideResult {
		if (database.get("SELECT 1 FROM users WHERE aor = ?", presentity) === undefined) return { kind: "no-presentity" };
		const known = database.get(
			"SELECT 1 FROM authorizations WHERE presentity = ? AND watcher = ?",
			presentity,
			watcher,
		);
		if (known === undefined) {
			const count = database.get("SELECT count(*) AS count FROM authorizations WHERE presentity = ?", presentity);
			if (countOf(count) >= DECISIONS_PER_PRESENTITY) return { kind: "too-many" };
		}
		const row = database.get(
			"INSERT INTO authorizations (presentity, watcher, watcher_address, decision, decided_at) VALUES (?, ?, ?, ?, ?)" +
				" ON CONFLICT (presentity, watcher) DO UPDATE SET decision = excluded.decision, decided_at = excluded.decided_at" +
				" RETURNING presentity, watcher, watcher_address, decision, requested_at, decided_at",
			presentity,
			watcher,
			address,
			decision,
			decidedAt,
		);
		// Whoever of a domain waits for a decision has it with the decision about the domain.
		if (watcher.startsWith("@") && decision !== "pending") {
			database.run(
				"DELETE FROM authorizations WHERE presentity = ?1 AND decision = 'pending' AND requested_at IS NOT NULL" +
					" AND length(watcher) > length(?2) AND substr(watcher, -length(?2)) = ?2",
				presentity,
				watcher,
			);
		}
		return row === undefined
			? { kind: "no-presentity" }
			: { kind: "decided", authorization: authorizationFromRow(row) };
	},

	removeAuthorization(
		database: WriteAccess,
		presentity: string,
		watcher: string,
		only: Decision | "pending" | null,
	): boolean {
		const changed = database.run(
			"DELETE FROM authorizations WHERE presentity = ?1 AND watcher = ?2 AND (?3 IS NULL OR decision = ?3)",
			presentity,
			watcher,
			only,
		);
		return changed === 1;
	},
} as const;

export type DecideResult =
	| { readonly kind: "decided"; readonly authorization: Authorization }
	| { readonly kind: "too-many" }
	| { readonly kind: "no-presentity" };

/** Who may watch hosted users. Requests that wait for a decision outlive a restart. */
export interface Watchers {
	/** Records that someone asked; nothing changes where a decision or request is there already. */
	request(presentity: string, watcher: string): Promise<RequestResult>;
	/**
	 * Records the presentity's decision, also where nobody asked (an address blocked in advance), about a watcher or a whole
	 * domain (`@domain`). `pending` is the rule to be asked, whatever holds for the domain.
	 */
	decide(presentity: string, who: string, decision: Decision | "pending"): Promise<DecideResult>;
	/** Forgets a standing, whatever it is or only where it is `only`; false where there was none. */
	forget(presentity: string, who: string, only?: Decision | "pending"): Promise<boolean>;
	/** The entry of exactly this address or `@domain`. */
	get(presentity: string, who: string): Authorization | undefined;
	/** What holds for a watcher: its own entry, else that of its domain. */
	standing(presentity: string, watcher: string): Authorization | undefined;
	/** Standings of one presentity by watcher, all or of one kind: `pending` are the open requests, `block` the blocks. */
	list(presentity: string, decision?: Decision | "pending"): readonly Authorization[];
	/** Open requests made before this time, at most 1,000, the oldest first. */
	requestedBefore(before: number): readonly Authorization[];
}

/** All entries of one presentity by watcher, or that they are too many to be kept. */
export type Standings = ReadonlyMap<string, Authorization> | "too-many";
const MOST_STANDINGS_KEPT = 1_000;

export function createWatchers(
	read: ReadAccess,
	writes: Writes<typeof watcherWrites>,
	clock: Pick<Clock, "wall">,
	cache: ReadCache<Standings>,
): Watchers {
	const load = (presentity: string): Standings => {
		const rows = read.all(`${SELECT_AUTHORIZATION} WHERE presentity = ? LIMIT ?`, presentity, MOST_STANDINGS_KEPT + 1);
		if (rows.length > MOST_STANDINGS_KEPT) return "too-many";
		return new Map(rows.map((row) => [text(row, "watcher"), authorizationFromRow(row)]));
	};
	return {
		request: (presentity, watcher) =>
			writes.requestAuthorization(aorKey(presentity), aorKey(watcher), watcher, clock.wall()),
		decide: (presentity, watcher, decision) =>
			writes.decideAuthorization(aorKey(presentity), watcherKey(watcher), watcher, decision, clock.wall()),
		forget: (presentity, watcher, only) =>
			writes.removeAuthorization(aorKey(presentity), watcherKey(watcher), only ?? null),
		get(presentity, watcher) {
			const row = read.get(
				`${SELECT_AUTHORIZATION} WHERE presentity = ? AND watcher = ?`,
				aorKey(presentity),
				watcherKey(watcher),
			);
			return row && authorizationFromRow(row);
		},
		standing(presentity, watcher) {
			const key = aorKey(presentity);
			const found = cache.get(key, () => load(key));
			if (found !== "too-many") return found.get(aorKey(watcher)) ?? found.get(domainKey(watcher));
			const row = read.get(
				`${SELECT_AUTHORIZATION} WHERE presentity = ? AND watcher IN (?, ?) ORDER BY substr(watcher, 1, 1) = '@' LIMIT 1`,
				key,
				aorKey(watcher),
				domainKey(watcher),
			);
			return row && authorizationFromRow(row);
		},
		requestedBefore: (before) =>
			read
				.all(
					`${SELECT_AUTHORIZATION} WHERE decision = 'pending' AND requested_at < ? ORDER BY requested_at LIMIT 1000`,
					before,
				)
				.map(authorizationFromRow),
		list(presentity, decision) {
			const rows =
				decision === undefined
					? read.all(`${SELECT_AUTHORIZATION} WHERE presentity = ? ORDER BY watcher`, aorKey(presentity))
					: read.all(
							`${SELECT_AUTHORIZATION} WHERE presentity = ? AND decision = ?` +
								`${decision === "pending" ? " AND requested_at IS NOT NULL" : ""} ORDER BY watcher`,
							aorKey(presentity),
							decision,
						);
			return rows.map(authorizationFromRow);
		},
	};
}
