import assert from "node:assert/strict";
import { countOf, integer, word } from "./columns.ts";
import { type Blame, FATES, type Fate, type Message, messageFromRow, SELECT_MESSAGE } from "./message-record.ts";
import type { WriteAccess } from "./writing.ts";

/** How a message ended. */
export type MessageFinish =
	/** The far end took it: `delivered` by 200, `accepted` by 202. */
	| { readonly fate: "delivered" | "accepted"; readonly code: number }
	| { readonly fate: "failed"; readonly code?: number; readonly reason: string; readonly blame: Blame }
	/** It had left and no final answer came. */
	| { readonly fate: "unknown"; readonly code?: number; readonly reason: string; readonly blame?: Blame };

/**
 * The outcome of a change of fate. Not `done`: the step was not legal from the fate the message has (returned in
 * `fate`), or there is no such message (`fate` undefined); nothing was changed.
 */
export type FinishResult = { readonly done: true } | { readonly done: false; readonly fate: Fate | undefined };

/** A submission that stored nothing new. */
type Refusal =
	| { readonly kind: "repeated"; readonly message: Message }
	| { readonly kind: "conflict"; readonly id: string }
	| { readonly kind: "queue-full"; readonly limit: number };

const INSERT_SUBMISSION =
	"INSERT INTO messages (id, mailbox, conversation, peer_address, direction, content_type, body, created_at, fate," +
	" waiting_for, idempotency_key) VALUES (?, ?, ?, ?, 'out', ?, ?, ?, 'queued', ?, ?)";

const INSERT_ARRIVAL =
	"INSERT INTO messages (id, mailbox, conversation, peer_address, direction, content_type, body, created_at," +
	" finished_at, fate, call_id, from_tag, sequence) VALUES (?1, ?2, ?3, ?4, 'in', ?5, ?6, ?7, ?7, 'received', ?8, ?9, ?10)" +
	" ON CONFLICT (conversation, sequence, call_id, from_tag) WHERE call_id IS NOT NULL DO NOTHING";

/** Held conversations that one user keeps, and messages of one of them: a stranger needs no more to be let in. */
export const HELD_CONVERSATIONS = 1_000;
export const HELD_MESSAGES = 20;

/** An arrival that did not just become an ordinary message of its recipient's. */
type ArrivalNote =
	/** It is kept apart until its recipient has decided about the sender; `isFirst`: nothing of the sender's was before. */
	| { readonly kind: "held"; readonly isFirst: boolean }
	/** Too much is kept apart already: nothing was stored. */
	| { readonly kind: "held-full" }
	| { readonly kind: "repeated"; readonly message: Message };

/** What a restart says of a message that was on its way when the program ended. */
export const INTERRUPTED_REASON = "Causeway stopped before the answer came";

/** The writing side of messages; arguments are positional because one call is made per message on the wire. */
export const messageWrites = {
	submitMessage(
		database: WriteAccess,
		id: string,
		owner: string,
		peer: string,
		peerAddress: string | null,
		contentType: string,
		body: string,
		createdAt: number,
		key: string | null,
		queueLimit: number,
	): Refusal | undefined {
		const place = findConversation(database, owner, peer) ?? addConversation(database, owner, peer);
		const { mailbox, conversation } = place;
		if (key !== null) {
			const row = database.get(`${SELECT_MESSAGE} WHERE m.mailbox = ? AND m.idempotency_key = ?`, mailbox, key);
			if (row !== undefined) return repeatedOrConflict(messageFromRow(row), peer, contentType, body);
		}
		// The inner LIMIT bounds the count, however long a queue of a time with a higher limit is.
		const waiting = database.get(
			"SELECT count(*) AS count FROM (SELECT 1 FROM messages WHERE waiting_for = ? LIMIT ?)",
			peer,
			queueLimit,
		);
		if (countOf(waiting) >= queueLimit) return { kind: "queue-full", limit: queueLimit };
		// Whom a user writes to is let in.
		if (place.isHeld) releaseConversation(database, conversation);
		database.run(INSERT_SUBMISSION, id, mailbox, conversation, peerAddress, contentType, body, createdAt, peer, key);
		return undefined;
	},

	/**
	 * Undefined where the message was stored as an ordinary one. `held` is the level of a sender whom the recipient has not
	 * let in, and null of one who is.
	 */
	receiveMessage(
		database: WriteAccess,
		id: string,
		owner: string,
		peer: string,
		peerAddress: string | null,
		contentType: string,
		body: string,
		createdAt: number,
		callId: string,
		fromTag: string,
		sequence: number,
		held: "verified" | "unverified" | null,
	): ArrivalNote | undefined {
		const found = findConversation(database, owner, peer);
		const place = found ?? addConversation(database, owner, peer);
		const { mailbox, conversation } = place;
		let note: ArrivalNote | undefined;
		if (held !== null && (found === undefined || found.isHeld)) {
			if (isHeldFull(database, place, found === undefined)) {
				if (found === undefined) database.run("DELETE FROM conversations WHERE number = ?", conversation);
				return { kind: "held-full" };
			}
			if (found === undefined) {
				database.run(
					"UPDATE conversations SET held_at = ?, held_level = ? WHERE number = ?",
					createdAt,
					held,
					conversation,
				);
			}
			note = { kind: "held", isFirst: found === undefined };
		} else if (place.isHeld) {
			releaseConversation(database, conversation);
		}
		const inserted = database.run(
			INSERT_ARRIVAL,
			id,
			mailbox,
			conversation,
			peerAddress,
			contentType,
			body,
			createdAt,
			callId,
			fromTag,
			sequence,
		);
		if (inserted === 1) return note;
		const row = database.get(
			`${SELECT_MESSAGE} WHERE m.conversation = ? AND m.sequence = ? AND m.call_id = ? AND m.from_tag = ?`,
			conversation,
			sequence,
			callId,
			fromTag,
		);
		assert(row !== undefined, "a message that was not inserted is there already");
		return { kind: "repeated", message: messageFromRow(row) };
	},

	/** Makes an ordinary conversation of a held one. False where it is not held. */
	acceptConversation(database: WriteAccess, owner: string, peer: string): boolean {
		const place = findConversation(database, owner, peer);
		if (place?.isHeld !== true) return false;
		releaseConversation(database, place.conversation);
		return true;
	},

	/** Forgets a held conversation with what was written in it. False where it is not held. */
	declineConversation(database: WriteAccess, owner: string, peer: string): boolean {
		const place = findConversation(database, owner, peer);
		if (place?.isHeld !== true) return false;
		database.run("DELETE FROM messages WHERE conversation = ?", place.conversation);
		database.run("DELETE FROM conversations WHERE number = ?", place.conversation);
		return true;
	},

	markMessageSending(database: WriteAccess, id: string): FinishResult {
		const changed = database.run("UPDATE messages SET fate = 'sending' WHERE id = ? AND fate = 'queued'", id);
		return outcome(database, id, changed);
	},

	requeueMessage(database: WriteAccess, id: string): FinishResult {
		const changed = database.run("UPDATE messages SET fate = 'queued' WHERE id = ? AND fate = 'sending'", id);
		return outcome(database, id, changed);
	},

	finishMessage(database: WriteAccess, id: string, finish: MessageFinish, finishedAt: number): FinishResult {
		const reason = "reason" in finish ? finish.reason : null;
		const blame = "blame" in finish ? (finish.blame ?? null) : null;
		// Only a message that never left can fail while it is queued; every other end needs the MESSAGE to have left.
		const changed = database.run(
			"UPDATE messages SET fate = ?2, code = ?3, reason = ?4, blame = ?5, finished_at = ?6, waiting_for = NULL" +
				" WHERE id = ?1 AND (fate = 'sending' OR (fate = 'queued' AND ?2 = 'failed'))",
			id,
			finish.fate,
			finish.code ?? null,
			reason,
			blame,
			finishedAt,
		);
		return outcome(database, id, changed);
	},

	/** Promise 1: what was on its way when the program ended may have left and is never sent again blindly. */
	interruptMessages(database: WriteAccess, finishedAt: number): number {
		return database.run(
			"UPDATE messages SET fate = 'unknown', reason = ?, blame = 'us', finished_at = ?, waiting_for = NULL" +
				" WHERE waiting_for IS NOT NULL AND fate = 'sending'",
			INTERRUPTED_REASON,
			finishedAt,
		);
	},

	pruneMessages(database: WriteAccess, beforeId: string, limit: number): number {
		return database.run(
			"DELETE FROM messages WHERE number IN" +
				" (SELECT number FROM messages WHERE id < ? AND waiting_for IS NULL ORDER BY id LIMIT ?)",
			beforeId,
			limit,
		);
	},

	/** Removes at most `limit` messages of a user; the mailbox goes with the last one. */
	removeMessagesOf(database: WriteAccess, owner: string, limit: number): number {
		const mailbox = findMailbox(database, owner);
		if (mailbox === undefined) return 0;
		const removed = database.run(
			"DELETE FROM messages WHERE number IN (SELECT number FROM messages WHERE mailbox = ? LIMIT ?)",
			mailbox,
			limit,
		);
		if (removed < limit) {
			database.run("DELETE FROM conversations WHERE mailbox = ?", mailbox);
			database.run("DELETE FROM mailboxes WHERE number = ?", mailbox);
		}
		return removed;
	},
} as const;

interface Place {
	readonly mailbox: number;
	readonly conversation: number;
	readonly isHeld: boolean;
}

function findConversation(database: WriteAccess, owner: string, peer: string): Place | undefined {
	const row = database.get(
		"SELECT mailbox, conversations.number AS conversation, held_at FROM mailboxes" +
			" JOIN conversations ON mailbox = mailboxes.number WHERE owner = ? AND peer = ?",
		owner,
		peer,
	);
	if (row === undefined) return undefined;
	const [mailbox, conversation] = [integer(row, "mailbox"), integer(row, "conversation")];
	return { mailbox, conversation, isHeld: row["held_at"] !== null };
}

function addConversation(database: WriteAccess, owner: string, peer: string): Place {
	database.run("INSERT INTO mailboxes (owner) VALUES (?) ON CONFLICT DO NOTHING", owner);
	const mailbox = findMailbox(database, owner);
	assert(mailbox !== undefined, "a mailbox was made");
	const row = database.get("INSERT INTO conversations (mailbox, peer) VALUES (?, ?) RETURNING number", mailbox, peer);
	assert(row !== undefined, "a conversation was made");
	return { mailbox, conversation: integer(row, "number"), isHeld: false };
}

function releaseConversation(database: WriteAccess, conversation: number): void {
	database.run("UPDATE conversations SET held_at = NULL, held_level = NULL WHERE number = ?", conversation);
}

function isHeldFull(database: WriteAccess, { mailbox, conversation }: Place, isNew: boolean): boolean {
	const kept = isNew
		? database.get("SELECT count(*) AS count FROM conversations WHERE mailbox = ? AND held_at IS NOT NULL", mailbox)
		: database.get("SELECT count(*) AS count FROM messages WHERE conversation = ?", conversation);
	return countOf(kept) >= (isNew ? HELD_CONVERSATIONS : HELD_MESSAGES);
}

function findMailbox(database: WriteAccess, owner: string): number | undefined {
	const row = database.get("SELECT number FROM mailboxes WHERE owner = ?", owner);
	return row && integer(row, "number");
}

function outcome(database: WriteAccess, id: string, changed: number): FinishResult {
	if (changed === 1) return { done: true };
	const row = database.get("SELECT fate FROM messages WHERE id = ?", id);
	return { done: false, fate: row && word(row, "fate", FATES) };
}

function repeatedOrConflict(message: Message, peer: string, contentType: string, body: string): Refusal {
	const same = message.peer === peer && message.contentType === contentType && message.body === body;
	return same ? { kind: "repeated", message } : { kind: "conflict", id: message.id };
}
