/** What each user decided about the messages of others. */
import { aorKey } from "./aor.ts";
import { word } from "./columns.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

const MESSAGES_FROM = ["everyone", "contacts"] as const;
const BLOCKED_ANSWERS = ["unavailable", "declined"] as const;

export interface Settings {
	/** `contacts`: whoever is neither a contact nor let in is told that the user cannot be reached. */
	readonly messagesFrom: (typeof MESSAGES_FROM)[number];
	/** What a blocked sender is told: nothing that tells a block from an absence (480), or that the user declines (603). */
	readonly blockedAnswer: (typeof BLOCKED_ANSWERS)[number];
}

export const DEFAULT_SETTINGS: Settings = { messagesFrom: "everyone", blockedAnswer: "unavailable" };

export const settingsWrites = {
	/** False where there is no such user. */
	putSettings(database: WriteAccess, owner: string, settings: Settings): boolean {
		if (database.get("SELECT 1 FROM users WHERE aor = ?", owner) === undefined) return false;
		database.run(
			"INSERT INTO settings (owner, messages_from, blocked_answer) VALUES (?, ?, ?)" +
				" ON CONFLICT (owner) DO UPDATE SET messages_from = excluded.messages_from, blocked_answer = excluded.blocked_answer",
			owner,
			settings.messagesFrom,
			settings.blockedAnswer,
		);
		return true;
	},
} as const;

export interface UserSettings {
	get(owner: string): Settings;
	/** False where there is no such user. */
	put(owner: string, settings: Settings): Promise<boolean>;
}

export function createUserSettings(read: ReadAccess, writes: Writes<typeof settingsWrites>): UserSettings {
	return {
		get(owner) {
			const row = read.get("SELECT messages_from, blocked_answer FROM settings WHERE owner = ?", aorKey(owner));
			if (row === undefined) return DEFAULT_SETTINGS;
			return {
				messagesFrom: word(row, "messages_from", MESSAGES_FROM),
				blockedAnswer: word(row, "blocked_answer", BLOCKED_ANSWERS),
			};
		},
		put: (owner, settings) => writes.putSettings(aorKey(owner), settings),
	};
}
