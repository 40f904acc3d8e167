/** Dialogs that may outlive their connection and this process: those with peers whose `affinity` is `rebind` (promise 5). */
import type { Clock, DialogId } from "@causeway/sip";
import { integer, text, word } from "./columns.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

const USAGES = ["invite", "subscribe"] as const;

export interface KeptDialog {
	readonly usage: (typeof USAGES)[number];
	/** Name of the peer network. */
	readonly peer: string;
	/** When the dialog was made, and when it is over whatever happens: milliseconds since 1970. */
	readonly createdAt: number;
	readonly endsAt: number;
	/** JSON that its usage reads. */
	readonly value: string;
}

export const keptDialogWrites = {
	keepDialog(
		database: WriteAccess,
		callId: string,
		localTag: string,
		remoteTag: string,
		usage: KeptDialog["usage"],
		peer: string,
		createdAt: number,
		endsAt: number,
		value: string,
	): void {
		database.run(
			"INSERT OR REPLACE INTO kept_dialogs (call_id, local_tag, remote_tag, usage, peer, created_at, ends_at, value)" +
				" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			callId,
			localTag,
			remoteTag,
			usage,
			peer,
			createdAt,
			endsAt,
			value,
		);
	},
	dropDialog(database: WriteAccess, callId: string, localTag: string, remoteTag: string): void {
		database.run(
			"DELETE FROM kept_dialogs WHERE local_tag = ? AND call_id = ? AND remote_tag = ?",
			localTag,
			callId,
			remoteTag,
		);
	},
	dropOldDialogs(database: WriteAccess, now: number): void {
		database.run("DELETE FROM kept_dialogs WHERE ends_at <= ?", now);
	},
} as const;

export interface KeptDialogs {
	keep(id: DialogId, dialog: KeptDialog): Promise<void>;
	drop(id: DialogId): Promise<void>;
	/** Forgets those that are over. */
	dropOld(): Promise<void>;
	/** Undefined where there is none, or it is over. */
	find(id: DialogId): KeptDialog | undefined;
}

export function createKeptDialogs(
	read: ReadAccess,
	writes: Writes<typeof keptDialogWrites>,
	clock: Pick<Clock, "wall">,
): KeptDialogs {
	return {
		keep: ({ callId, localTag, remoteTag }, { usage, peer, createdAt, endsAt, value }) =>
			writes.keepDialog(callId, localTag, remoteTag, usage, peer, createdAt, endsAt, value),
		drop: ({ callId, localTag, remoteTag }) => writes.dropDialog(callId, localTag, remoteTag),
		dropOld: () => writes.dropOldDialogs(clock.wall()),
		find({ callId, localTag, remoteTag }) {
			const row = read.get(
				"SELECT usage, peer, created_at, ends_at, value FROM kept_dialogs" +
					" WHERE local_tag = ? AND call_id = ? AND remote_tag = ? AND ends_at > ?",
				localTag,
				callId,
				remoteTag,
				clock.wall(),
			);
			if (row === undefined) return undefined;
			return {
				usage: word(row, "usage", USAGES),
				peer: text(row, "peer"),
				createdAt: integer(row, "created_at"),
				endsAt: integer(row, "ends_at"),
				value: text(row, "value"),
			};
		},
	};
}
