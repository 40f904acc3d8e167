/** Conversations that wait for their owner's word about who began them: the message-request folder. */
import { aorKey } from "./aor.ts";
import { countOf, integer, text, word } from "./columns.ts";
import type { Row } from "./connection.ts";
import type { messageWrites } from "./message-writes.ts";
import type { ReadAccess, Writes } from "./writing.ts";

const LEVELS = ["verified", "unverified"] as const;

/** Somebody who wrote to a hosted user and is not let in. */
export interface MessageRequest {
	/** The hosted user, as key. */
	readonly owner: string;
	/** Who wrote, as key. */
	readonly peer: string;
	/** As it was when the first message came. */
	readonly verification: (typeof LEVELS)[number];
	/** When the first message came, in milliseconds since 1970. */
	readonly requestedAt: number;
	/** How many messages wait. */
	readonly messages: number;
}

const SELECT_HELD =
	"SELECT owner, peer, held_at, held_level, held_count AS count" +
	" FROM conversations JOIN mailboxes ON mailboxes.number = conversations.mailbox" +
	" WHERE owner = ? AND held_at IS NOT NULL";

export interface MessageRequests {
	/** By the time of the first message. */
	list(owner: string): readonly MessageRequest[];
	get(owner: string, peer: string): MessageRequest | undefined;
	/** Whether there is an ordinary conversation: the user has written there, or let the other side in. */
	isKnown(owner: string, peer: string): boolean;
	/** Makes its messages ordinary ones. False where nothing waits. */
	accept(owner: string, peer: string): Promise<boolean>;
	/** Forgets it and its messages. False where nothing waits. */
	decline(owner: string, peer: string): Promise<boolean>;
}

export function createMessageRequests(read: ReadAccess, writes: Writes<typeof messageWrites>): MessageRequests {
	return {
		list: (owner) => read.all(`${SELECT_HELD} ORDER BY held_at, peer`, aorKey(owner)).map(requestFromRow),
		get(owner, peer) {
			const row = read.get(`${SELECT_HELD} AND peer = ?`, aorKey(owner), aorKey(peer));
			return row && requestFromRow(row);
		},
		isKnown(owner, peer) {
			const row = read.get(
				"SELECT count(*) AS count FROM conversations JOIN mailboxes ON mailboxes.number = conversations.mailbox" +
					" WHERE owner = ? AND peer = ? AND held_at IS NULL",
				aorKey(owner),
				aorKey(peer),
			);
			return countOf(row) > 0;
		},
		accept: (owner, peer) => writes.acceptConversation(aorKey(owner), aorKey(peer)),
		decline: (owner, peer) => writes.declineConversation(aorKey(owner), aorKey(peer)),
	};
}

function requestFromRow(row: Row): MessageRequest {
	return {
		owner: text(row, "owner"),
		peer: text(row, "peer"),
		verification: word(row, "held_level", LEVELS),
		requestedAt: integer(row, "held_at"),
		messages: integer(row, "count"),
	};
}
