import type { Block, Contact, HeldRequest, Message, Presence, WatchRequest } from "@causeway/admin";
import type { LinkState } from "../event-feed.ts";

/** Messages with one other side, as far as they are known here. */
export interface ConversationState {
	readonly with: string;
	/** Loaded messages, oldest first, without a gap. */
	readonly messages: readonly Message[];
	readonly reading: "not-read" | "reading" | "read" | "failed";
	/** Why reading failed. */
	readonly fault: string | undefined;
	/** Where earlier messages begin; undefined where all are loaded. */
	readonly previous: string | undefined;
	/** The last message, also where none is loaded. */
	readonly last: LastMessage | undefined;
	/** Incoming messages that nobody looked at; `unreadIsMore` where there are earlier ones that were not counted. */
	readonly unread: number;
	readonly unreadIsMore: boolean;
	/** The other side writes. */
	readonly isTyping: boolean;
}

export interface LastMessage extends Pick<Message, "id" | "direction" | "created_at" | "fate"> {
	/** The text, or its beginning. */
	readonly preview: string;
}

/** A message this page handed in, or tries to. It stands here until the server's answer names it. */
export interface OutboxEntry {
	/** Idempotency key: a second try with it sends nothing twice. */
	readonly key: string;
	readonly to: string;
	readonly text: string;
	/** Milliseconds since 1970. */
	readonly at: number;
	readonly state:
		| { readonly kind: "waiting" }
		| { readonly kind: "submitting" }
		/** No answer came; it is tried again by itself. */
		| { readonly kind: "retrying"; readonly reason: string }
		/** The server does not take it. */
		| { readonly kind: "refused"; readonly reason: string };
	/** The message of an event that is this one, seen before the answer came. */
	readonly seenAs: string | undefined;
}

/** Something that went wrong, told once. */
export interface Notice {
	readonly number: number;
	readonly text: string;
}

export interface ChatState {
	/** One's own address. */
	readonly me: string;
	readonly link: LinkState;
	/** Whether the lists below were read. */
	readonly loading: "loading" | "ready" | { readonly kind: "failed"; readonly reason: string };
	readonly presence: Presence | undefined;
	readonly contacts: ReadonlyMap<string, Contact>;
	readonly requests: ReadonlyMap<string, WatchRequest>;
	/** Who has written without being let in; their messages stand in no conversation. */
	readonly held: ReadonlyMap<string, HeldRequest>;
	readonly blocks: ReadonlyMap<string, Block>;
	readonly conversations: ReadonlyMap<string, ConversationState>;
	readonly outbox: readonly OutboxEntry[];
	/** Whose conversation is shown. */
	readonly selected: string | undefined;
	/** Whether somebody looks at the page: then what arrives in the shown conversation is read. */
	readonly isWatched: boolean;
	readonly notices: readonly Notice[];
}

export function createChatState(me: string, outbox: readonly OutboxEntry[]): ChatState {
	return {
		me,
		link: { kind: "connecting" },
		loading: "loading",
		presence: undefined,
		contacts: new Map(),
		requests: new Map(),
		held: new Map(),
		blocks: new Map(),
		conversations: new Map(),
		outbox,
		selected: undefined,
		isWatched: true,
		notices: [],
	};
}

export function emptyConversation(withAor: string): ConversationState {
	return {
		with: withAor,
		messages: [],
		reading: "not-read",
		fault: undefined,
		previous: undefined,
		last: undefined,
		unread: 0,
		unreadIsMore: false,
		isTyping: false,
	};
}

/** Messages nobody looked at, of all conversations. */
export function totalUnread(state: ChatState): number {
	let total = 0;
	for (const { unread } of state.conversations.values()) total += unread;
	return total;
}
