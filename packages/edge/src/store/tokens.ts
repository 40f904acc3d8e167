import { createHash } from "node:crypto";
import type { Clock, Logger, Random } from "@causeway/sip";
import { aorKey } from "./aor.ts";
import { integer, optionalInteger, optionalText, text } from "./columns.ts";
import type { Row } from "./connection.ts";
import { StoreFailed } from "./store-failed.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

/** A user's API token, without its secret, which is not kept. */
export interface Token {
	readonly id: string;
	/** The user, as key. */
	readonly owner: string;
	readonly label: string | undefined;
	readonly createdAt: number;
	readonly expiresAt: number;
	/** To within five minutes. */
	readonly lastUsedAt: number | undefined;
}

export type CreateTokenResult =
	/** `secret` is what the client sends; it is shown this once. */
	{ readonly kind: "created"; readonly secret: string; readonly token: Token } | { readonly kind: "no-owner" };

/** Tokens one user may have; the oldest ends when one more is made. */
export const TOKENS_PER_USER = 100;
const LAST_USED_STEP_MS = 5 * 60_000;
const SECRET_PREFIX = "cwu_";

const SELECT_TOKEN = "SELECT id, owner, label, created_at, expires_at, last_used_at FROM tokens";

function tokenFromRow(row: Row): Token {
	return {
		id: text(row, "id"),
		owner: text(row, "owner"),
		label: optionalText(row, "label"),
		createdAt: integer(row, "created_at"),
		expiresAt: integer(row, "expires_at"),
		lastUsedAt: optionalInteger(row, "last_used_at"),
	};
}

export const tokenWrites = {
	createToken(database: WriteAccess, token: Token, hash: Uint8Array): boolean {
		if (database.get("SELECT 1 FROM users WHERE aor = ?", token.owner) === undefined) return false;
		database.run("DELETE FROM tokens WHERE owner = ? AND expires_at <= ?", token.owner, token.createdAt);
		database.run(
			"DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE owner = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
			token.owner,
			TOKENS_PER_USER - 1,
		);
		database.run(
			"INSERT INTO tokens (hash, id, owner, label, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
			hash,
			token.id,
			token.owner,
			token.label ?? null,
			token.createdAt,
			token.expiresAt,
		);
		return true;
	},

	touchToken(database: WriteAccess, id: string, usedAt: number): void {
		database.run("UPDATE tokens SET last_used_at = ? WHERE id = ?", usedAt, id);
	},

	revokeToken(database: WriteAccess, owner: string, id: string): boolean {
		return database.run("DELETE FROM tokens WHERE id = ? AND owner = ?", id, owner) === 1;
	},

	revokeTokensOf(database: WriteAccess, owner: string): number {
		return database.run("DELETE FROM tokens WHERE owner = ?", owner);
	},
} as const;

/** API tokens of hosted users. */
export interface Tokens {
	create(owner: string, options: { readonly lifetimeMs: number; readonly label?: string }): Promise<CreateTokenResult>;
	/** The token behind a secret, unless it has expired, was revoked, or its user is suspended. Notes the use. */
	verify(secret: string): Token | undefined;
	list(owner: string): readonly Token[];
	/** False where there was no such token of this user. */
	revoke(owner: string, id: string): Promise<boolean>;
	/** Ends every token of a user and returns their number. */
	revokeAll(owner: string): Promise<number>;
}

export interface TokensOptions {
	readonly clock: Pick<Clock, "wall">;
	readonly random: Random;
	readonly nextId: () => string;
	readonly log: Logger;
}

export function createTokens(read: ReadAccess, writes: Writes<typeof tokenWrites>, options: TokensOptions): Tokens {
	const { clock, random, nextId, log } = options;
	return {
		async create(owner, { lifetimeMs, label }) {
			const secret = SECRET_PREFIX + random.token();
			const now = clock.wall();
			const token: Token = {
				id: nextId(),
				owner: aorKey(owner),
				label,
				createdAt: now,
				expiresAt: now + lifetimeMs,
				lastUsedAt: undefined,
			};
			const created = await writes.createToken(token, hashSecret(secret));
			return created ? { kind: "created", secret, token } : { kind: "no-owner" };
		},
		verify(secret) {
			// The index is searched for the hash, so the time of the search says nothing about the secret.
			const row = read.get(
				`${SELECT_TOKEN} WHERE hash = ? AND EXISTS (SELECT 1 FROM users WHERE aor = owner AND suspended = 0)`,
				hashSecret(secret),
			);
			const token = row && tokenFromRow(row);
			const now = clock.wall();
			if (token === undefined || token.expiresAt <= now) return undefined;
			if (token.lastUsedAt === undefined || now - token.lastUsedAt >= LAST_USED_STEP_MS) {
				writes.touchToken(token.id, now).catch((error: unknown) => {
					log.warn("token use not noted", { code: error instanceof StoreFailed ? error.code : "internal" });
				});
			}
			return token;
		},
		list: (owner) => read.all(`${SELECT_TOKEN} WHERE owner = ? ORDER BY id`, aorKey(owner)).map(tokenFromRow),
		revoke: (owner, id) => writes.revokeToken(aorKey(owner), id),
		revokeAll: (owner) => writes.revokeTokensOf(aorKey(owner)),
	};
}

function hashSecret(secret: string): Uint8Array {
	return createHash("sha256").update(secret).digest();
}
