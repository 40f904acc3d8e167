import { countOf, integer } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { StoreFailed } from "./store-failed.ts";

/** Marks the file as ours in the SQLite header ("Cway"). */
const APPLICATION_ID = 0x43776179;

/**
 * The schema, as steps that only go forward: step n takes version n to n + 1. A published step is never edited.
 * Addresses are keys (`aorKey`); a column `…address` beside one holds the form a person wrote. Times are milliseconds
 * since 1970 (UTC).
 */
export const MIGRATIONS: readonly string[] = [
	`
	-- Hosted users. verification is the level stated to partners (REQ-71).
	CREATE TABLE users (
		aor TEXT PRIMARY KEY,
		address TEXT NOT NULL,
		display_name TEXT,
		password_hash TEXT,
		suspended INTEGER NOT NULL DEFAULT 0,
		verification TEXT NOT NULL CHECK (verification IN ('verified', 'unverified')),
		created_at INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;

	-- Addresses of removed users, kept so that nobody gets another's address while partners may still hold it.
	CREATE TABLE retired_addresses (
		aor TEXT PRIMARY KEY,
		removed_at INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;

	-- What a user published last. No row: nothing published.
	CREATE TABLE presence (
		aor TEXT PRIMARY KEY REFERENCES users (aor) ON DELETE CASCADE,
		state TEXT NOT NULL CHECK (state IN ('available', 'busy', 'on-the-phone', 'away', 'offline')),
		note TEXT,
		changed_at INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;

	CREATE TABLE contacts (
		owner TEXT NOT NULL REFERENCES users (aor) ON DELETE CASCADE,
		contact TEXT NOT NULL,
		address TEXT NOT NULL,
		name TEXT,
		created_at INTEGER NOT NULL,
		PRIMARY KEY (owner, contact)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX contacts_by_contact ON contacts (contact, owner);

	-- Who may watch whom. 'pending' waits for the presentity's decision; 'block' is also the block list.
	CREATE TABLE authorizations (
		presentity TEXT NOT NULL REFERENCES users (aor) ON DELETE CASCADE,
		watcher TEXT NOT NULL,
		watcher_address TEXT NOT NULL,
		decision TEXT NOT NULL CHECK (decision IN ('pending', 'allow', 'deny', 'block')),
		requested_at INTEGER,
		decided_at INTEGER,
		PRIMARY KEY (presentity, watcher)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX authorizations_by_watcher ON authorizations (watcher, presentity);
	CREATE INDEX authorizations_pending ON authorizations (presentity) WHERE decision = 'pending';
	CREATE INDEX authorizations_pending_by_watcher ON authorizations (watcher) WHERE decision = 'pending';

	-- The messages of one user, and of one user with one other side. They give the rows and indexes of messages, which
	-- is written at the rate of the wire, numbers in place of addresses. No foreign key to users, for the same reason.
	CREATE TABLE mailboxes (
		number INTEGER PRIMARY KEY,
		owner TEXT NOT NULL UNIQUE
	) STRICT;
	CREATE TABLE conversations (
		number INTEGER PRIMARY KEY,
		mailbox INTEGER NOT NULL,
		peer TEXT NOT NULL,
		UNIQUE (mailbox, peer)
	) STRICT;

	-- One row per message and hosted user; number grows as id does. waiting_for is the recipient while the message waits
	-- or is on its way, and NULL once its fate is final.
	CREATE TABLE messages (
		number INTEGER PRIMARY KEY,
		id TEXT NOT NULL UNIQUE,
		mailbox INTEGER NOT NULL,
		conversation INTEGER NOT NULL,
		peer_address TEXT,
		direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
		content_type TEXT NOT NULL,
		body TEXT NOT NULL,
		created_at INTEGER NOT NULL,
		fate TEXT NOT NULL
			CHECK (fate IN ('queued', 'sending', 'delivered', 'accepted', 'failed', 'unknown', 'received')),
		waiting_for TEXT,
		code INTEGER,
		reason TEXT,
		blame TEXT CHECK (blame IN ('us', 'peer', 'recipient', 'network')),
		finished_at INTEGER,
		idempotency_key TEXT,
		call_id TEXT,
		from_tag TEXT,
		sequence INTEGER,
		CHECK ((waiting_for IS NOT NULL) = (fate IN ('queued', 'sending'))),
		CHECK ((waiting_for IS NULL) = (finished_at IS NOT NULL))
	) STRICT;
	-- Both end in the number, as every index does, and so give pages in order.
	CREATE INDEX messages_by_mailbox ON messages (mailbox);
	CREATE INDEX messages_by_conversation ON messages (conversation);
	CREATE UNIQUE INDEX messages_once_submitted ON messages (mailbox, idempotency_key)
		WHERE idempotency_key IS NOT NULL;
	CREATE UNIQUE INDEX messages_once_received ON messages (conversation, sequence, call_id, from_tag)
		WHERE call_id IS NOT NULL;
	CREATE INDEX messages_waiting ON messages (id) WHERE waiting_for IS NOT NULL;
	CREATE INDEX messages_waiting_by_recipient ON messages (waiting_for) WHERE waiting_for IS NOT NULL;

	-- Bearer tokens of users; only a SHA-256 of the secret is kept.
	CREATE TABLE tokens (
		hash BLOB PRIMARY KEY,
		id TEXT NOT NULL UNIQUE,
		owner TEXT NOT NULL REFERENCES users (aor) ON DELETE CASCADE,
		label TEXT,
		created_at INTEGER NOT NULL,
		expires_at INTEGER NOT NULL,
		last_used_at INTEGER
	) STRICT, WITHOUT ROWID;
	CREATE INDEX tokens_by_owner ON tokens (owner, id);

	CREATE TABLE audit (
		number INTEGER PRIMARY KEY AUTOINCREMENT,
		at INTEGER NOT NULL,
		actor TEXT NOT NULL,
		action TEXT NOT NULL,
		target TEXT NOT NULL,
		details TEXT NOT NULL
	) STRICT;

	-- Peers and blocks edited live; value is JSON that the policy's own schema reads.
	CREATE TABLE policy (
		kind TEXT NOT NULL CHECK (kind IN ('peer', 'block')),
		domain TEXT NOT NULL,
		value TEXT NOT NULL,
		changed_at INTEGER NOT NULL,
		PRIMARY KEY (kind, domain)
	) STRICT, WITHOUT ROWID;
	`,
	`
	-- Held: written by somebody whom the owner has not let in; it waits for the owner's word. level is the sender's.
	ALTER TABLE conversations ADD COLUMN held_at INTEGER;
	ALTER TABLE conversations ADD COLUMN held_level TEXT CHECK (held_level IN ('verified', 'unverified'));
	CREATE INDEX conversations_held ON conversations (mailbox) WHERE held_at IS NOT NULL;

	-- What a user decided about the messages of others. No row: the defaults.
	CREATE TABLE settings (
		owner TEXT PRIMARY KEY REFERENCES users (aor) ON DELETE CASCADE,
		messages_from TEXT NOT NULL CHECK (messages_from IN ('everyone', 'contacts')),
		blocked_answer TEXT NOT NULL CHECK (blocked_answer IN ('unavailable', 'declined'))
	) STRICT, WITHOUT ROWID;
	`,
	`
	-- Whom outside a user may talk with (protocol sheet 7.2).
	ALTER TABLE users ADD COLUMN outside TEXT NOT NULL DEFAULT 'all'
		CHECK (outside IN ('all', 'partners', 'public', 'none'));
	`,
	`
	-- Dialogs with peers whose affinity is rebind; value is JSON that the dialog's usage reads.
	CREATE TABLE kept_dialogs (
		local_tag TEXT NOT NULL,
		call_id TEXT NOT NULL,
		remote_tag TEXT NOT NULL,
		usage TEXT NOT NULL CHECK (usage IN ('invite', 'subscribe')),
		peer TEXT NOT NULL,
		created_at INTEGER NOT NULL,
		ends_at INTEGER NOT NULL,
		value TEXT NOT NULL,
		PRIMARY KEY (local_tag, call_id, remote_tag)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX kept_dialogs_by_end ON kept_dialogs (ends_at);
	`,
	`
	-- Dialogs in which messages arrived: they tell a repeated MESSAGE from a new one. first_message is the number of the
	-- first message that was stored of it.
	CREATE TABLE received_dialogs (
		number INTEGER PRIMARY KEY,
		conversation INTEGER NOT NULL,
		call_id TEXT NOT NULL,
		from_tag TEXT NOT NULL,
		first_message INTEGER NOT NULL,
		created_at INTEGER NOT NULL,
		UNIQUE (conversation, call_id, from_tag)
	) STRICT;
	INSERT INTO received_dialogs (conversation, call_id, from_tag, first_message, created_at)
		SELECT conversation, call_id, from_tag, min(number), min(created_at) FROM messages
		WHERE call_id IS NOT NULL GROUP BY conversation, call_id, from_tag ORDER BY min(number);

	-- Messages are written one behind the other, and the order of mailboxes and conversations is kept apart from them and
	-- brought up to date for thousands of messages at once (up_to): an entry in a place of its own for each message costs a
	-- page of the log each.
	CREATE TABLE messages_in_order (
		number INTEGER PRIMARY KEY,
		mailbox INTEGER NOT NULL,
		conversation INTEGER NOT NULL,
		dialog INTEGER,
		sequence INTEGER,
		id TEXT NOT NULL UNIQUE,
		direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
		fate TEXT NOT NULL
			CHECK (fate IN ('queued', 'sending', 'delivered', 'accepted', 'failed', 'unknown', 'received')),
		created_at INTEGER NOT NULL,
		finished_at INTEGER,
		waiting_for TEXT,
		peer_address TEXT,
		code INTEGER,
		reason TEXT,
		blame TEXT CHECK (blame IN ('us', 'peer', 'recipient', 'network')),
		idempotency_key TEXT,
		content_type TEXT NOT NULL,
		body TEXT NOT NULL,
		CHECK ((waiting_for IS NOT NULL) = (fate IN ('queued', 'sending'))),
		CHECK ((waiting_for IS NULL) = (finished_at IS NOT NULL))
	) STRICT;
	INSERT INTO messages_in_order
		SELECT messages.number, mailbox, messages.conversation, received_dialogs.number, sequence, id, direction, fate,
			messages.created_at, finished_at, waiting_for, peer_address, code, reason, blame, idempotency_key, content_type,
			body
		FROM messages LEFT JOIN received_dialogs ON received_dialogs.conversation = messages.conversation
			AND received_dialogs.call_id = messages.call_id AND received_dialogs.from_tag = messages.from_tag
		ORDER BY messages.number;
	DROP TABLE messages;
	ALTER TABLE messages_in_order RENAME TO messages;
	CREATE UNIQUE INDEX messages_once_submitted ON messages (mailbox, idempotency_key)
		WHERE idempotency_key IS NOT NULL;
	CREATE INDEX messages_waiting ON messages (id) WHERE waiting_for IS NOT NULL;
	CREATE INDEX messages_waiting_by_recipient ON messages (waiting_for) WHERE waiting_for IS NOT NULL;

	CREATE TABLE mailbox_entries (
		mailbox INTEGER NOT NULL,
		number INTEGER NOT NULL,
		conversation INTEGER NOT NULL,
		PRIMARY KEY (mailbox, number)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE conversation_entries (
		conversation INTEGER NOT NULL,
		number INTEGER NOT NULL,
		dialog INTEGER,
		sequence INTEGER,
		PRIMARY KEY (conversation, number)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE message_entries (
		only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
		up_to INTEGER NOT NULL
	) STRICT;
	INSERT INTO mailbox_entries SELECT mailbox, number, conversation FROM messages ORDER BY mailbox, number;
	INSERT INTO conversation_entries
		SELECT conversation, number, dialog, sequence FROM messages ORDER BY conversation, number;
	INSERT INTO message_entries SELECT 1, coalesce(max(number), 0) FROM messages;

	-- How many messages a held conversation has.
	ALTER TABLE conversations ADD COLUMN held_count INTEGER NOT NULL DEFAULT 0;
	UPDATE conversations
		SET held_count = (SELECT count(*) FROM conversation_entries WHERE conversation = conversations.number)
		WHERE held_at IS NOT NULL;

	CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
		DELETE FROM mailbox_entries WHERE mailbox = old.mailbox AND number = old.number;
		DELETE FROM conversation_entries WHERE conversation = old.conversation AND number = old.number;
		UPDATE conversations SET held_count = held_count - 1 WHERE number = old.conversation AND held_at IS NOT NULL;
	END;
	CREATE TRIGGER conversation_removed AFTER DELETE ON conversations BEGIN
		DELETE FROM received_dialogs WHERE conversation = old.number;
	END;
	`,
];

/**
 * Brings the file to the newest version, one transaction a step, and returns the version found. Refuses a file that is
 * no store of ours (`not-a-store`) or was made by a newer Causeway (`newer-store`), without changing it.
 */
export function migrate(database: Connection, steps: readonly string[] = MIGRATIONS): number {
	const found = headerNumber(database, "user_version");
	if (headerNumber(database, "application_id") !== APPLICATION_ID) {
		const tables = countOf(database.get("SELECT count(*) AS count FROM sqlite_schema"));
		if (found !== 0 || tables !== 0) {
			throw new StoreFailed({ code: "not-a-store", detail: "the file is a database, but not a store of Causeway" });
		}
	}
	if (found > steps.length) {
		throw new StoreFailed({
			code: "newer-store",
			detail: `the store was made by a newer Causeway: it has version ${found}, this program knows ${steps.length}`,
		});
	}
	for (const [version, sql] of steps.entries()) {
		if (version < found) continue;
		database.execute("BEGIN IMMEDIATE");
		try {
			database.execute(sql);
			database.execute(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}; COMMIT`);
		} catch (error) {
			if (database.inTransaction) database.execute("ROLLBACK");
			throw error;
		}
	}
	return found;
}

function headerNumber(database: Connection, pragma: "user_version" | "application_id"): number {
	const row = database.get(`PRAGMA ${pragma}`);
	return row === undefined ? 0 : integer(row, pragma);
}
