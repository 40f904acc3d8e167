import type { Clock } from "@causeway/sip";
import { aorKey } from "./aor.ts";
import { integer, optionalText, text, word } from "./columns.ts";
import type { Row } from "./connection.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

export const PRESENCE_STATES = ["available", "busy", "on-the-phone", "away", "offline"] as const;
/** What a user can publish. */
export type PresenceState = (typeof PRESENCE_STATES)[number];

/** What a hosted user published last. */
export interface PublishedPresence {
	readonly aor: string;
	readonly state: PresenceState;
	readonly note: string | undefined;
	readonly changedAt: number;
}

const SELECT_PRESENCE = "SELECT aor, state, note, changed_at FROM presence";
const LONGEST_PAGE = 1_000;

function presenceFromRow(row: Row): PublishedPresence {
	return {
		aor: text(row, "aor"),
		state: word(row, "state", PRESENCE_STATES),
		note: optionalText(row, "note"),
		changedAt: integer(row, "changed_at"),
	};
}

export const presenceWrites = {
	/** False where there is no such user: a presence that crossed with the removal of its user. */
	publishPresence(database: WriteAccess, aor: string, state: PresenceState, note: string | null, changedAt: number) {
		const changed = database.run(
			"INSERT INTO presence (aor, state, note, changed_at) SELECT aor, ?, ?, ? FROM users WHERE aor = ?" +
				" ON CONFLICT (aor) DO UPDATE SET state = excluded.state, note = excluded.note, changed_at = excluded.changed_at",
			state,
			note,
			changedAt,
			aor,
		);
		return changed === 1;
	},

	clearPresence(database: WriteAccess, aor: string): boolean {
		return database.run("DELETE FROM presence WHERE aor = ?", aor) === 1;
	},
} as const;

/** Presence as its users published it; the last value outlives a restart. */
export interface PublishedPresences {
	/** False where there is no such user. */
	publish(address: string, state: PresenceState, note?: string): Promise<boolean>;
	clear(address: string): Promise<boolean>;
	get(address: string): PublishedPresence | undefined;
	/** In the order of keys, after the key `after`: start-up reads all by pages of at most 1,000. */
	list(page: { readonly after?: string; readonly limit: number }): readonly PublishedPresence[];
}

export function createPublishedPresences(
	read: ReadAccess,
	writes: Writes<typeof presenceWrites>,
	clock: Pick<Clock, "wall">,
): PublishedPresences {
	return {
		publish: (address, state, note) => writes.publishPresence(aorKey(address), state, note ?? null, clock.wall()),
		clear: (address) => writes.clearPresence(aorKey(address)),
		get(address) {
			const row = read.get(`${SELECT_PRESENCE} WHERE aor = ?`, aorKey(address));
			return row && presenceFromRow(row);
		},
		list(page) {
			const limit = Math.max(0, Math.min(page.limit, LONGEST_PAGE));
			const rows = read.all(`${SELECT_PRESENCE} WHERE aor > ? ORDER BY aor LIMIT ?`, page.after ?? "", limit);
			return rows.map(presenceFromRow);
		},
	};
}
