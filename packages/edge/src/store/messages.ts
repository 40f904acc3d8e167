import type { Clock } from "@causeway/sip";
import { aorKey } from "./aor.ts";
import { firstIdentifierAt } from "./identifier.ts";
import {
	type ConversationEnd,
	conversationFromRow,
	ENTERED_TO,
	type Fate,
	type Message,
	messageFromRow,
	SELECT_CONVERSATIONS,
	SELECT_MESSAGE,
} from "./message-record.ts";
import type { FinishResult, MessageFinish, messageWrites } from "./message-writes.ts";
import type { StoreFailed } from "./store-failed.ts";
import type { Settlement } from "./write-queue.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

/** A message that a hosted user hands in. */
export interface Submission {
	readonly owner: string;
	readonly to: string;
	readonly contentType: string;
	readonly body: string;
	/** The caller's own key: the same key again is the same message, not a second one. Unique per owner. */
	readonly idempotencyKey?: string;
}

/** What became of a submission; anything but `queued` and `repeated` stored nothing. */
export type SubmitResult =
	| { readonly kind: "queued"; readonly message: Message }
	/** The same key with the same content was there before: this is that message. */
	| { readonly kind: "repeated"; readonly message: Message }
	/** The key was used for another content; `id` is that message's. */
	| { readonly kind: "conflict"; readonly id: string }
	/** Too many messages wait for this recipient. */
	| { readonly kind: "queue-full"; readonly limit: number };

/** A MESSAGE that arrived for a hosted user, with what tells it from every other (RFC 3261 §12.2.2). */
export interface Arrival {
	readonly owner: string;
	readonly from: string;
	readonly contentType: string;
	readonly body: string;
	readonly callId: string;
	readonly fromTag: string;
	/** The number of its CSeq. */
	readonly sequence: number;
	/** The level of a sender whom the owner has not let in: the message is held. Left out where it is not. */
	readonly held?: "verified" | "unverified";
}

/** `duplicate`: the same MESSAGE was received before; `message` is the row of then. */
export type ReceiveResult =
	| { readonly kind: "stored" | "duplicate"; readonly message: Message }
	/** On disk, apart from the owner's messages until the owner has let its sender in. */
	| { readonly kind: "held"; readonly message: Message; readonly isFirst: boolean }
	/** Too much is held already: nothing was stored. */
	| { readonly kind: "held-full" };

/** Who waits for an ordinary arrival to be on disk. */
export interface Receiver {
	/** `isNew`: false where the same MESSAGE was received before. */
	stored(message: Message, isNew: boolean): void;
	failed(reason: StoreFailed): void;
}

type ReceiveInput = typeof messageWrites.receiveMessage extends (
	database: WriteAccess,
	...input: infer Input
) => unknown
	? Input
	: never;
/** The write behind an arrival, told to an object in place of a promise. */
export type ReceiveNow = (settlement: Settlement, ...input: ReceiveInput) => void;

/** Tells a receiver what the writer says of its message. */
class Receiving implements Settlement {
	readonly #message: Message;
	readonly #receiver: Receiver;

	constructor(message: Message, receiver: Receiver) {
		this.#message = message;
		this.#receiver = receiver;
	}

	resolve(note: unknown): void {
		// The writer's word about a message that it was not told to hold: nothing, or the message of then.
		const repeated = note as Extract<ReturnType<typeof messageWrites.receiveMessage>, { kind: "repeated" }> | undefined;
		this.#receiver.stored(repeated?.message ?? this.#message, repeated === undefined);
	}

	reject(reason: StoreFailed): void {
		this.#receiver.failed(reason);
	}
}

/** One page of a user's messages; without `after` and `before` it is the latest one. */
export interface MessagePage {
	/** Only the conversation with this address. */
	readonly with?: string;
	/** What waits for the owner's word about its sender, in place of everything else. */
	readonly held?: boolean;
	/** Only messages made after this id (exclusive): the oldest of them. `""` starts at the beginning. */
	readonly after?: string;
	/** Only messages made before this id (exclusive): the latest of them. Not together with `after`. */
	readonly before?: string;
	/** Longest page wanted, at most 1,000. */
	readonly limit: number;
}

const LONGEST_PAGE = 1_000;
/** Greater than any identifier: `{` follows `z` in ASCII. */
const AFTER_ALL = "{";

/** However many a stranger opens: what a list of conversations reads is bounded. */
const CONVERSATION_WINDOW = 5_000;

const MAILBOX = "SELECT number FROM mailboxes WHERE owner = ?1";
const CONVERSATION = `SELECT number FROM conversations WHERE mailbox = (${MAILBOX}) AND peer = ?4`;
const SELECT_QUEUED = `${SELECT_MESSAGE} WHERE m.number IN (SELECT number FROM messages INDEXED BY messages_waiting
	WHERE waiting_for IS NOT NULL AND fate = 'queued' AND id > ? ORDER BY id LIMIT ?) ORDER BY m.number`;
const SELECT_QUEUED_FOR = `${SELECT_MESSAGE} WHERE m.number IN (SELECT number FROM messages
	WHERE waiting_for = ? AND fate = 'queued' ORDER BY number LIMIT ?) ORDER BY m.number`;

export interface MessagesOptions {
	readonly clock: Pick<Clock, "wall">;
	readonly nextId: () => string;
	/** Messages that may wait for one recipient, `sending` ones included. */
	readonly queueLimit: number;
}

/** Messages of hosted users, both ways, and the fate of each: promise 1 of the product. */
export interface Messages {
	/** Takes responsibility for a message: when the promise fulfils with `queued` or `repeated` it is on disk. */
	submit(submission: Submission): Promise<SubmitResult>;
	/** queued → sending. To be awaited before the first octet leaves; `done: false` means: do not send. */
	markSending(id: string): Promise<FinishResult>;
	/** sending → queued, only where the MESSAGE certainly never left or was refused by a final answer. */
	requeue(id: string): Promise<FinishResult>;
	/** Ends a message. `failed` may follow `queued`; the other fates follow `sending`. What has ended never changes. */
	finish(id: string, fate: MessageFinish): Promise<FinishResult>;
	/** Stores a message that arrived: when the promise fulfils it is on disk and may be answered 200. */
	receive(arrival: Arrival): Promise<ReceiveResult>;
	/** The same for one whose sender is let in, without a promise: told at once or later, by one of the calls of `receiver`. */
	receiveOrdinary(arrival: Omit<Arrival, "held">, receiver: Receiver): void;
	/** One page, oldest first. */
	list(owner: string, page: MessagePage): readonly Message[];
	get(owner: string, id: string): Message | undefined;
	/** The last message with each other side, latest first, as far as the latest 5,000 messages of the user hold one. */
	conversations(
		owner: string,
		wanted: { readonly limit: number; readonly previewLength: number },
	): readonly ConversationEnd[];
	/** Messages still to be delivered, oldest first, by pages: the ones with an id after `after`. */
	queued(after: string, limit: number): readonly Message[];
	/** The same for one recipient. */
	queuedFor(recipient: string, limit: number): readonly Message[];
	/** Deletes finished messages made before this time, some at once; repeat until 0 comes back. */
	prune(createdBefore: number): Promise<number>;
}

export function createMessages(
	read: ReadAccess,
	writes: Writes<typeof messageWrites>,
	receive: ReceiveNow,
	options: MessagesOptions,
): Messages {
	const { clock, nextId, queueLimit } = options;
	return {
		async submit(submission) {
			const message = outgoing(nextId(), submission, clock.wall());
			const key = submission.idempotencyKey ?? null;
			const address = message.peerAddress === message.peer ? null : message.peerAddress;
			const { id, owner, peer, contentType, body, createdAt } = message;
			const found = await writes.submitMessage(id, owner, peer, address, contentType, body, createdAt, key, queueLimit);
			return found ?? { kind: "queued", message };
		},
		markSending: (id) => writes.markMessageSending(id),
		requeue: (id) => writes.requeueMessage(id),
		finish: (id, fate) => writes.finishMessage(id, fate, clock.wall()),
		async receive(arrival) {
			const message = incoming(nextId(), arrival, clock.wall());
			const address = message.peerAddress === message.peer ? null : message.peerAddress;
			const { id, owner, peer, contentType, body, createdAt } = message;
			const { callId, fromTag, sequence, held } = arrival;
			const note = await writes.receiveMessage(
				id,
				owner,
				peer,
				address,
				contentType,
				body,
				createdAt,
				callId,
				fromTag,
				sequence,
				held ?? null,
			);
			if (note === undefined) return { kind: "stored", message };
			if (note.kind === "held") return { kind: "held", message, isFirst: note.isFirst };
			return note.kind === "held-full" ? note : { kind: "duplicate", message: note.message };
		},
		receiveOrdinary(arrival, receiver) {
			const message = incoming(nextId(), arrival, clock.wall());
			const { id, owner, peer, contentType, body, createdAt } = message;
			receive(
				new Receiving(message, receiver),
				id,
				owner,
				peer,
				message.peerAddress === peer ? null : message.peerAddress,
				contentType,
				body,
				createdAt,
				arrival.callId,
				arrival.fromTag,
				arrival.sequence,
				null,
			);
		},
		list: (owner, page) => listPage(read, aorKey(owner), page),
		get(owner, id) {
			const row = read.get(`${SELECT_MESSAGE} WHERE m.id = ? AND owner = ?`, id, aorKey(owner));
			return row && messageFromRow(row);
		},
		conversations: (owner, { limit, previewLength }) =>
			read
				.all(SELECT_CONVERSATIONS, previewLength, aorKey(owner), CONVERSATION_WINDOW, bounded(limit))
				.map(conversationFromRow),
		queued: (after, limit) => read.all(SELECT_QUEUED, after, bounded(limit)).map(messageFromRow),
		queuedFor: (recipient, limit) => read.all(SELECT_QUEUED_FOR, aorKey(recipient), bounded(limit)).map(messageFromRow),
		prune: (createdBefore) => writes.pruneMessages(firstIdentifierAt(createdBefore), createdBefore, LONGEST_PAGE),
	};
}

function listPage(read: ReadAccess, owner: string, page: MessagePage): readonly Message[] {
	const forward = page.after !== undefined;
	const parts = { isForward: forward, isHeld: page.held === true, isOfOne: page.with !== undefined };
	const other = page.with === undefined ? [] : [aorKey(page.with)];
	const rows = read.all(
		selectPage(parts),
		owner,
		page.after ?? page.before ?? AFTER_ALL,
		bounded(page.limit),
		...other,
	);
	const messages = rows.map(messageFromRow);
	return forward ? messages : messages.reverse();
}

interface PageParts {
	readonly isForward: boolean;
	readonly isHeld: boolean;
	readonly isOfOne: boolean;
}

/** Parameters: owner, bound, limit, the other side if it is one. Both halves are read up to the limit, in their order. */
function selectPage({ isForward, isHeld, isOfOne }: PageParts): string {
	// Numbers grow as ids do; an id that is not there (pruned, "") stands for the place where it would be.
	const bound = isForward
		? "coalesce((SELECT number FROM messages WHERE id <= ?2 ORDER BY id DESC LIMIT 1), 0)"
		: "coalesce((SELECT number FROM messages WHERE id >= ?2 ORDER BY id LIMIT 1), 1 << 62)";
	const [compare, order] = isForward ? [">", ""] : ["<", " DESC"];
	const [column, key] = isOfOne ? ["conversation", CONVERSATION] : ["mailbox", MAILBOX];
	const half = (table: string, lowest: string): string =>
		`SELECT * FROM (SELECT e.number FROM ${table} AS e JOIN conversations ON conversations.number = e.conversation` +
		` WHERE e.${column} = (${key}) AND conversations.held_at IS ${isHeld ? "NOT NULL" : "NULL"}` +
		` AND e.number ${compare} ${bound}${lowest} ORDER BY e.number${order} LIMIT ?3)`;
	const entered = half(`${column}_entries`, "");
	const latest = half("messages", ` AND e.number > ${ENTERED_TO}`);
	return (
		`${SELECT_MESSAGE} WHERE m.number IN (SELECT number FROM (${entered} UNION ALL ${latest})` +
		` ORDER BY number${order} LIMIT ?3) ORDER BY m.number${order}`
	);
}

function bounded(limit: number): number {
	return Math.max(0, Math.min(limit, LONGEST_PAGE));
}

function outgoing(id: string, submission: Submission, now: number): Message {
	const { owner, to, contentType, body } = submission;
	return newMessage(id, owner, to, "out", contentType, body, now);
}

function incoming(id: string, { owner, from, contentType, body }: Arrival, now: number): Message {
	return newMessage(id, owner, from, "in", contentType, body, now);
}

function newMessage(
	id: string,
	owner: string,
	peerAddress: string,
	direction: Message["direction"],
	contentType: string,
	body: string,
	now: number,
): Message {
	const isIncoming = direction === "in";
	return {
		id,
		owner: aorKey(owner),
		peer: aorKey(peerAddress),
		peerAddress,
		direction,
		contentType,
		body: body.toWellFormed(),
		createdAt: now,
		fate: isIncoming ? "received" : "queued",
		code: undefined,
		reason: undefined,
		blame: undefined,
		finishedAt: isIncoming ? now : undefined,
	};
}

export type { Fate, Message } from "./message-record.ts";
export { type FinishResult, HELD_MESSAGES, type MessageFinish } from "./message-writes.ts";
/** Whether a message with this fate still waits for its end. */
export function isUnfinished(fate: Fate): boolean {
	return fate === "queued" || fate === "sending";
}
