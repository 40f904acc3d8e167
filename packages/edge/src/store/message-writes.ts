import assert from "node:assert/strict";
import { countOf, integer, optionalInteger, word } from "./columns.ts";
import type { Place, ReceivedDialog } from "./message-memory.ts";
import {
	type Blame,
	ENTERED_TO,
	FATES,
	type Fate,
	type Message,
	messageFromRow,
	SELECT_MESSAGE,
} from "./message-record.ts";
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
	"INSERT INTO messages (number, id, mailbox, conversation, peer_address, direction, content_type, body, created_at, fate," +
	" waiting_for, idempotency_key) VALUES (?, ?, ?, ?, ?, 'out', ?, ?, ?, 'queued', ?, ?)";

const INSERT_ARRIVAL =
	"INSERT INTO messages (number, id, mailbox, conversation, peer_address, direction, content_type, body, created_at," +
	" finished_at, fate, dialog, sequence) VALUES (?1, ?2, ?3, ?4, ?5, 'in', ?6, ?7, ?8, ?8, 'received', ?9, ?10)";

/** Of one dialog: conversation, dialog, first message. */
const SELECT_SEQUENCES =
	"SELECT number, sequence FROM conversation_entries WHERE conversation = ?1 AND dialog = ?2 AND number >= ?3" +
	` UNION ALL SELECT number, sequence FROM messages WHERE number > ${ENTERED_TO} AND dialog = ?2`;

/** How long a dialog lives at most. */
const LONGEST_DIALOG_MS = 24 * 60 * 60_000;

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
		if (place.isHeld) releaseConversation(database, place);
		const number = nextNumber(database);
		database.run(
			INSERT_SUBMISSION,
			number,
			id,
			mailbox,
			conversation,
			peerAddress,
			contentType,
			body,
			createdAt,
			peer,
			key,
		);
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
		if (held !== null && found === undefined && isFolderFull(database, owner)) return { kind: "held-full" };
		const place = found ?? addConversation(database, owner, peer);
		const { mailbox, conversation } = place;
		const known = findDialog(database, conversation, callId, fromTag);
		if (known !== undefined && sequence <= known.greatest) {
			const message = findArrival(database, conversation, known, sequence);
			if (message !== undefined) return { kind: "repeated", message };
		}
		let note: ArrivalNote | undefined;
		if (held !== null && (found === undefined || place.isHeld)) {
			if (place.heldCount >= HELD_MESSAGES) return { kind: "held-full" };
			holdConversation(database, place, createdAt, held);
			note = { kind: "held", isFirst: found === undefined };
		} else if (place.isHeld) {
			releaseConversation(database, place);
		}
		const number = nextNumber(database);
		const dialog = known ?? addDialog(database, conversation, callId, fromTag, number, createdAt);
		database.run(
			INSERT_ARRIVAL,
			number,
			id,
			mailbox,
			conversation,
			peerAddress,
			contentType,
			body,
			createdAt,
			dialog.number,
			sequence,
		);
		dialog.greatest = Math.max(dialog.greatest, sequence);
		return note;
	},

	/** Brings the entries of mailboxes and conversations up to date; it is done for many messages at once. */
	enterMessages(database: WriteAccess): void {
		database.run(
			"INSERT INTO mailbox_entries (mailbox, number, conversation)" +
				` SELECT mailbox, number, conversation FROM messages WHERE number > ${ENTERED_TO} ORDER BY mailbox, number`,
		);
		database.run(
			"INSERT INTO conversation_entries (conversation, number, dialog, sequence)" +
				` SELECT conversation, number, dialog, sequence FROM messages WHERE number > ${ENTERED_TO}` +
				" ORDER BY conversation, number",
		);
		const number = nextNumber(database) - 1;
		database.run("UPDATE message_entries SET up_to = ?", number);
		database.memory.nextNumber = number + 1;
		database.memory.enteredTo = number;
	},

	/** Makes an ordinary conversation of a held one. False where it is not held. */
	acceptConversation(database: WriteAccess, owner: string, peer: string): boolean {
		const place = findConversation(database, owner, peer);
		if (place?.isHeld !== true) return false;
		releaseConversation(database, place);
		return true;
	},

	/** Forgets a held conversation with what was written in it. False where it is not held. */
	declineConversation(database: WriteAccess, owner: string, peer: string): boolean {
		const place = findConversation(database, owner, peer);
		if (place?.isHeld !== true) return false;
		database.run(
			"DELETE FROM messages WHERE number IN (SELECT number FROM conversation_entries WHERE conversation = ?1" +
				` UNION ALL SELECT number FROM messages WHERE number > ${ENTERED_TO} AND conversation = ?1)`,
			place.conversation,
		);
		database.run("DELETE FROM conversations WHERE number = ?", place.conversation);
		database.memory.forget();
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

	pruneMessages(database: WriteAccess, beforeId: string, createdBefore: number, limit: number): number {
		// A dialog lives a day at most, messages are kept for longer: nothing of it comes again.
		const dialogs = database.run(
			"DELETE FROM received_dialogs WHERE number IN (SELECT number FROM" +
				" (SELECT number, created_at FROM received_dialogs ORDER BY number LIMIT ?) WHERE created_at < ?)",
			limit,
			createdBefore - LONGEST_DIALOG_MS,
		);
		const messages = database.run(
			"DELETE FROM messages WHERE number IN" +
				" (SELECT number FROM messages WHERE id < ? AND waiting_for IS NULL ORDER BY id LIMIT ?)",
			beforeId,
			limit,
		);
		if (dialogs + messages > 0) database.memory.forget();
		return messages;
	},

	/** Removes at most `limit` messages of a user; the mailbox goes with the last one. */
	removeMessagesOf(database: WriteAccess, owner: string, limit: number): number {
		const mailbox = findMailbox(database, owner);
		if (mailbox === undefined) return 0;
		const removed = database.run(
			"DELETE FROM messages WHERE number IN (SELECT number FROM mailbox_entries WHERE mailbox = ?1" +
				` UNION ALL SELECT number FROM messages WHERE number > ${ENTERED_TO} AND mailbox = ?1 LIMIT ?2)`,
			mailbox,
			limit,
		);
		if (removed < limit) {
			database.run("DELETE FROM conversations WHERE mailbox = ?", mailbox);
			database.run("DELETE FROM mailboxes WHERE number = ?", mailbox);
		}
		database.memory.forget();
		return removed;
	},
} as const;

function findConversation(database: WriteAccess, owner: string, peer: string): Place | undefined {
	return database.memory.place(owner, peer, () => {
		const row = database.get(
			"SELECT mailbox, conversations.number AS conversation, held_at, held_count FROM mailboxes" +
				" JOIN conversations ON mailbox = mailboxes.number WHERE owner = ? AND peer = ?",
			owner,
			peer,
		);
		if (row === undefined) return undefined;
		const [mailbox, conversation] = [integer(row, "mailbox"), integer(row, "conversation")];
		return { mailbox, conversation, isHeld: row["held_at"] !== null, heldCount: integer(row, "held_count") };
	});
}

function addConversation(database: WriteAccess, owner: string, peer: string): Place {
	database.run("INSERT INTO mailboxes (owner) VALUES (?) ON CONFLICT DO NOTHING", owner);
	database.run("INSERT INTO conversations (mailbox, peer) VALUES (?, ?)", findMailbox(database, owner) ?? null, peer);
	const place = findConversation(database, owner, peer);
	assert(place !== undefined, "a conversation was made");
	return place;
}

/** One more message is held. */
function holdConversation(database: WriteAccess, place: Place, heldAt: number, level: string): void {
	place.isHeld = true;
	place.heldCount += 1;
	database.run(
		"UPDATE conversations SET held_at = coalesce(held_at, ?), held_level = coalesce(held_level, ?), held_count = ?" +
			" WHERE number = ?",
		heldAt,
		level,
		place.heldCount,
		place.conversation,
	);
}

function releaseConversation(database: WriteAccess, place: Place): void {
	place.isHeld = false;
	place.heldCount = 0;
	database.run(
		"UPDATE conversations SET held_at = NULL, held_level = NULL, held_count = 0 WHERE number = ?",
		place.conversation,
	);
}

/** Whether a user keeps as many held conversations as one may. */
function isFolderFull(database: WriteAccess, owner: string): boolean {
	const kept = database.get(
		"SELECT count(*) AS count FROM mailboxes JOIN conversations ON mailbox = mailboxes.number" +
			" WHERE owner = ? AND held_at IS NOT NULL",
		owner,
	);
	return countOf(kept) >= HELD_CONVERSATIONS;
}

function findDialog(
	database: WriteAccess,
	conversation: number,
	callId: string,
	fromTag: string,
): ReceivedDialog | undefined {
	return database.memory.dialog(conversation, callId, fromTag, () => {
		const row = database.get(
			"SELECT number, first_message FROM received_dialogs WHERE conversation = ? AND call_id = ? AND from_tag = ?",
			conversation,
			callId,
			fromTag,
		);
		if (row === undefined) return undefined;
		const [number, firstMessage] = [integer(row, "number"), integer(row, "first_message")];
		const last = database.get(
			`SELECT max(sequence) AS greatest FROM (${SELECT_SEQUENCES})`,
			conversation,
			number,
			firstMessage,
		);
		return { number, firstMessage, greatest: (last && optionalInteger(last, "greatest")) ?? -1 };
	});
}

function addDialog(
	database: WriteAccess,
	conversation: number,
	callId: string,
	fromTag: string,
	firstMessage: number,
	createdAt: number,
): ReceivedDialog {
	database.run(
		"INSERT INTO received_dialogs (conversation, call_id, from_tag, first_message, created_at) VALUES (?, ?, ?, ?, ?)",
		conversation,
		callId,
		fromTag,
		firstMessage,
		createdAt,
	);
	const dialog = findDialog(database, conversation, callId, fromTag);
	assert(dialog !== undefined, "a dialog was made");
	return dialog;
}

/** The message that was stored of this MESSAGE, if one was: another method or a refused one may have had its number. */
function findArrival(
	database: WriteAccess,
	conversation: number,
	{ number, firstMessage }: ReceivedDialog,
	sequence: number,
): Message | undefined {
	const row = database.get(
		`${SELECT_MESSAGE} WHERE m.number = (SELECT number FROM (${SELECT_SEQUENCES}) WHERE sequence = ?4)`,
		conversation,
		number,
		firstMessage,
		sequence,
	);
	return row && messageFromRow(row);
}

/** Greater than every number that has entries, also where the last messages were removed. */
function nextNumber(database: WriteAccess): number {
	const { memory } = database;
	if (memory.nextNumber === undefined) {
		const row = database.get(
			"SELECT up_to, max(up_to, coalesce((SELECT max(number) FROM messages), 0)) AS last FROM message_entries",
		);
		assert(row !== undefined, "the store knows what has entries");
		memory.enteredTo = integer(row, "up_to");
		memory.nextNumber = integer(row, "last") + 1;
	}
	const number = memory.nextNumber;
	memory.nextNumber += 1;
	return number;
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
