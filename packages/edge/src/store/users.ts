import type { Clock } from "@causeway/sip";
import { aorKey } from "./aor.ts";
import { countOf, integer, optionalText, text, word } from "./columns.ts";
import type { Row } from "./connection.ts";
import { messageWrites } from "./message-writes.ts";
import type { Passwords } from "./passwords.ts";
import type { ReadCache } from "./read-cache.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

const VERIFICATIONS = ["verified", "unverified"] as const;
/** The level we state to partners for a user (REQ-71, REQ-72). */
export type Verification = (typeof VERIFICATIONS)[number];

const OUTSIDE = ["all", "partners", "public", "none"] as const;
/** Whom outside a user may talk with: federated partners, public IM networks, both, neither. */
export type Outside = (typeof OUTSIDE)[number];

/** A hosted user. */
export interface User {
	/** Key: `user@domain` in lower case. */
	readonly aor: string;
	/** The address as it was written when the user was added. */
	readonly address: string;
	readonly displayName: string | undefined;
	readonly suspended: boolean;
	readonly verification: Verification;
	readonly outside: Outside;
	readonly createdAt: number;
}

export interface NewUser {
	readonly address: string;
	readonly displayName?: string;
	/** Without one the user cannot log in. */
	readonly password?: string;
	readonly verification?: Verification;
	/** Takes an address although it was another user's less than 90 days ago. */
	readonly force?: boolean;
}

/** `retired`: a removed user had the address; it is free again at `until`, or with `force`. */
export type AddUserResult =
	| { readonly kind: "added"; readonly user: User }
	| { readonly kind: "exists"; readonly user: User }
	| { readonly kind: "retired"; readonly until: number };

/** What of a user can be edited; a `displayName` of null removes it. */
export interface UserChange {
	readonly displayName?: string | null;
	readonly verification?: Verification;
	readonly outside?: Outside;
}

/** Partners may hold an address for so long: they look at their contacts anew at least every 45 days. */
const RETIREMENT_MS = 90 * 24 * 3_600_000;
const LONGEST_PAGE = 1_000;
const REMOVED_AT_ONCE = 500;

const SELECT_USER = "SELECT aor, address, display_name, suspended, verification, outside, created_at FROM users";

function userFromRow(row: Row): User {
	return {
		aor: text(row, "aor"),
		address: text(row, "address"),
		displayName: optionalText(row, "display_name"),
		suspended: integer(row, "suspended") !== 0,
		verification: word(row, "verification", VERIFICATIONS),
		outside: word(row, "outside", OUTSIDE),
		createdAt: integer(row, "created_at"),
	};
}

export const userWrites = {
	addUser(database: WriteAccess, user: User, passwordHash: string | null, force: boolean): AddUserResult {
		const existing = database.get(`${SELECT_USER} WHERE aor = ?`, user.aor);
		if (existing !== undefined) return { kind: "exists", user: userFromRow(existing) };
		const retired = database.get("SELECT removed_at FROM retired_addresses WHERE aor = ?", user.aor);
		if (retired !== undefined && !force) {
			const until = integer(retired, "removed_at") + RETIREMENT_MS;
			if (until > user.createdAt) return { kind: "retired", until };
		}
		database.run("DELETE FROM retired_addresses WHERE aor = ?", user.aor);
		database.run(
			"INSERT INTO users (aor, address, display_name, password_hash, suspended, verification, created_at)" +
				" VALUES (?, ?, ?, ?, ?, ?, ?)",
			user.aor,
			user.address,
			user.displayName ?? null,
			passwordHash,
			user.suspended ? 1 : 0,
			user.verification,
			user.createdAt,
		);
		return { kind: "added", user };
	},

	updateUser(database: WriteAccess, aor: string, change: UserChange): User | undefined {
		if (change.displayName !== undefined) {
			database.run("UPDATE users SET display_name = ? WHERE aor = ?", change.displayName, aor);
		}
		if (change.verification !== undefined) {
			database.run("UPDATE users SET verification = ? WHERE aor = ?", change.verification, aor);
		}
		if (change.outside !== undefined) database.run("UPDATE users SET outside = ? WHERE aor = ?", change.outside, aor);
		const row = database.get(`${SELECT_USER} WHERE aor = ?`, aor);
		return row && userFromRow(row);
	},

	setUserPassword(database: WriteAccess, aor: string, passwordHash: string): boolean {
		return database.run("UPDATE users SET password_hash = ? WHERE aor = ?", passwordHash, aor) === 1;
	},

	setUserSuspended(database: WriteAccess, aor: string, suspended: boolean): boolean {
		return database.run("UPDATE users SET suspended = ? WHERE aor = ?", suspended ? 1 : 0, aor) === 1;
	},

	/** Removes a user with everything that hangs on the row, and the trust others put in the address. */
	removeUser(database: WriteAccess, aor: string, removedAt: number): boolean {
		if (database.run("DELETE FROM users WHERE aor = ?", aor) === 0) return false;
		database.run("DELETE FROM authorizations WHERE watcher = ?", aor);
		messageWrites.removeMessagesOf(database, aor, Number.MAX_SAFE_INTEGER);
		database.run("INSERT OR REPLACE INTO retired_addresses (aor, removed_at) VALUES (?, ?)", aor, removedAt);
		return true;
	},
} as const;

/** Users of hosted domains. Addresses are taken in any case; keys come back. */
export interface Users {
	add(user: NewUser): Promise<AddUserResult>;
	get(address: string): User | undefined;
	/** Users in the order of their keys, after the key `after`, at most `limit` (1,000). */
	list(page: { readonly after?: string; readonly limit: number }): readonly User[];
	count(): number;
	/** The user as changed, or undefined where there is none. */
	update(address: string, change: UserChange): Promise<User | undefined>;
	/** False where there is no such user. Tokens stay; `tokens.revokeAll` ends them. */
	setPassword(address: string, password: string): Promise<boolean>;
	/** The user, where the password is right and the user is not suspended. Takes as long for an unknown user. */
	verifyPassword(address: string, password: string): Promise<User | undefined>;
	/** A suspended user's tokens and password are refused; the data stays. False where there is no such user. */
	suspend(address: string): Promise<boolean>;
	resume(address: string): Promise<boolean>;
	/** Removes the user with messages, contacts, decisions and tokens, and retires the address for 90 days. */
	remove(address: string): Promise<boolean>;
}

export function createUsers(
	read: ReadAccess,
	writes: Writes<typeof userWrites> & Pick<Writes<typeof messageWrites>, "removeMessagesOf">,
	clock: Pick<Clock, "wall">,
	passwords: Passwords,
	cache: ReadCache<{ readonly user: User | undefined }>,
): Users {
	const load = (aor: string): { readonly user: User | undefined } => {
		const row = read.get(`${SELECT_USER} WHERE aor = ?`, aor);
		return { user: row && userFromRow(row) };
	};
	const get = (address: string): User | undefined => {
		const aor = aorKey(address);
		return cache.get(aor, () => load(aor)).user;
	};
	return {
		async add(user) {
			const hash = user.password === undefined ? null : await passwords.hash(user.password);
			return writes.addUser(newUser(user, clock.wall()), hash, user.force ?? false);
		},
		get,
		list(page) {
			const limit = Math.max(0, Math.min(page.limit, LONGEST_PAGE));
			return read.all(`${SELECT_USER} WHERE aor > ? ORDER BY aor LIMIT ?`, page.after ?? "", limit).map(userFromRow);
		},
		count: () => countOf(read.get("SELECT count(*) AS count FROM users")),
		update: (address, change) => writes.updateUser(aorKey(address), change),
		async setPassword(address, password) {
			return writes.setUserPassword(aorKey(address), await passwords.hash(password));
		},
		async verifyPassword(address, password) {
			const row = read.get("SELECT password_hash FROM users WHERE aor = ?", aorKey(address));
			if (!(await passwords.verify(password, row && optionalText(row, "password_hash")))) return undefined;
			// Read again: the user may have been suspended or removed while the hash was worked out.
			const user = get(address);
			return user?.suspended === false ? user : undefined;
		},
		suspend: (address) => writes.setUserSuspended(aorKey(address), true),
		resume: (address) => writes.setUserSuspended(aorKey(address), false),
		async remove(address) {
			const aor = aorKey(address);
			if (!(await writes.setUserSuspended(aor, true))) return false;
			// In pieces, so that a long history does not keep everyone else's writes waiting behind one transaction.
			while ((await writes.removeMessagesOf(aor, REMOVED_AT_ONCE)) === REMOVED_AT_ONCE);
			return writes.removeUser(aor, clock.wall());
		},
	};
}

function newUser(user: NewUser, createdAt: number): User {
	return {
		aor: aorKey(user.address),
		address: user.address,
		displayName: user.displayName,
		suspended: false,
		verification: user.verification ?? "verified",
		outside: "all",
		createdAt,
	};
}
