import { integer, optionalInteger, optionalText, optionalWord, text, word } from "./columns.ts";
import type { Row } from "./connection.ts";

export const FINAL_FATES = ["delivered", "accepted", "failed", "unknown"] as const;
export const FATES = ["queued", "sending", ...FINAL_FATES, "received"] as const;
export const BLAMES = ["us", "peer", "recipient", "network"] as const;
const DIRECTIONS = ["in", "out"] as const;

/** Where a message stands; `received` is the only fate of one that arrived. */
export type Fate = (typeof FATES)[number];
/** Who caused a failure. */
export type Blame = (typeof BLAMES)[number];

/** One message of one hosted user. Times are milliseconds since 1970. */
export interface Message {
	/** 26 characters; sorts by the time the message was made. */
	readonly id: string;
	/** The hosted user, as key (`user@domain` in lower case). */
	readonly owner: string;
	/** The other side, as key. */
	readonly peer: string;
	/** The other side as it was written. */
	readonly peerAddress: string;
	readonly direction: "in" | "out";
	readonly contentType: string;
	readonly body: string;
	readonly createdAt: number;
	readonly fate: Fate;
	/** SIP status that decided the fate. */
	readonly code: number | undefined;
	readonly reason: string | undefined;
	readonly blame: Blame | undefined;
	/** When the fate was final; undefined while `queued` or `sending`. */
	readonly finishedAt: number | undefined;
}

/** The columns that {@link messageFromRow} reads; a WHERE on `m` (messages) or `mailboxes.owner` follows. */
export const SELECT_MESSAGE =
	"SELECT m.id, owner, peer, peer_address, direction, content_type, body, created_at, fate, code, reason, blame, finished_at" +
	" FROM messages AS m" +
	" JOIN conversations ON conversations.number = m.conversation JOIN mailboxes ON mailboxes.number = m.mailbox";

export function messageFromRow(row: Row): Message {
	const peer = text(row, "peer");
	return {
		id: text(row, "id"),
		owner: text(row, "owner"),
		peer,
		peerAddress: optionalText(row, "peer_address") ?? peer,
		direction: word(row, "direction", DIRECTIONS),
		contentType: text(row, "content_type"),
		body: text(row, "body"),
		createdAt: integer(row, "created_at"),
		fate: word(row, "fate", FATES),
		code: optionalInteger(row, "code"),
		reason: optionalText(row, "reason"),
		blame: optionalWord(row, "blame", BLAMES),
		finishedAt: optionalInteger(row, "finished_at"),
	};
}

/** The last message of a conversation, its body cut. */
export interface ConversationEnd extends Pick<Message, "id" | "peer" | "direction" | "createdAt" | "fate"> {
	readonly preview: string;
}

/** Messages of greater numbers have no entries yet: they are looked through. */
export const ENTERED_TO = "(SELECT up_to FROM message_entries)";

/** Parameters: length of the preview, owner, how many of the owner's latest messages are looked at, how many rows. */
export const SELECT_CONVERSATIONS =
	"WITH own AS (SELECT number FROM mailboxes WHERE owner = ?2)" +
	" SELECT m.id, peer, direction, substr(body, 1, ?1) AS preview, created_at, fate" +
	" FROM messages AS m JOIN conversations ON conversations.number = m.conversation" +
	" WHERE conversations.held_at IS NULL AND m.number IN (SELECT max(number) FROM (" +
	"SELECT number, conversation FROM (SELECT number, conversation FROM mailbox_entries WHERE mailbox IN own" +
	" ORDER BY number DESC LIMIT ?3)" +
	` UNION ALL SELECT number, conversation FROM messages WHERE number > ${ENTERED_TO} AND mailbox IN own` +
	") GROUP BY conversation)" +
	" ORDER BY m.number DESC LIMIT ?4";

export function conversationFromRow(row: Row): ConversationEnd {
	return {
		id: text(row, "id"),
		peer: text(row, "peer"),
		direction: word(row, "direction", DIRECTIONS),
		preview: text(row, "preview"),
		createdAt: integer(row, "created_at"),
		fate: word(row, "fate", FATES),
	};
}
