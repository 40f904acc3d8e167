import type {
	Block,
	Contact,
	Conversation,
	Fate,
	HeldRequest,
	Message,
	Presence,
	UserEvent,
	WatchRequest,
} from "@causeway/admin";
import type { LinkState } from "../event-feed.ts";
import { type ChatState, type ConversationState, emptyConversation, type OutboxEntry } from "./chat-state.ts";
import { countUnread, type Page, withEarlierPage, withFate, withLatestPage, withMessage } from "./conversation.ts";
import { bindEvent } from "./outbox.ts";

/** Everything the lists of the chat hold, as it was read at one time. */
export interface Lists {
	readonly presence: Presence;
	readonly contacts: readonly Contact[];
	readonly requests: readonly WatchRequest[];
	readonly held: readonly HeldRequest[];
	readonly blocks: readonly Block[];
	readonly conversations: readonly Conversation[];
}

/** What happens to the chat. */
export type Action =
	| { readonly kind: "link"; readonly link: LinkState }
	/** Events were missed: what is loaded of conversations has gaps. */
	| { readonly kind: "loading"; readonly forget: boolean }
	| { readonly kind: "load-failed"; readonly reason: string }
	| { readonly kind: "loaded"; readonly lists: Lists }
	| { readonly kind: "event"; readonly event: UserEvent }
	| { readonly kind: "select"; readonly aor: string | undefined }
	| { readonly kind: "watched"; readonly isWatched: boolean }
	| { readonly kind: "reading"; readonly with: string }
	| { readonly kind: "reading-failed"; readonly with: string; readonly reason: string }
	/** `readUpTo`: the last message that was looked at in an earlier session. */
	| { readonly kind: "latest-page"; readonly with: string; readonly page: Page; readonly readUpTo: string | undefined }
	| { readonly kind: "earlier-page"; readonly with: string; readonly page: Page }
	| { readonly kind: "typing-expired"; readonly with: string }
	| { readonly kind: "presence"; readonly presence: Presence }
	| { readonly kind: "contact"; readonly contact: Contact }
	| { readonly kind: "contact-removed"; readonly aor: string }
	| { readonly kind: "request-decided"; readonly aor: string }
	| { readonly kind: "held-decided"; readonly aor: string }
	| { readonly kind: "blocked"; readonly block: Block }
	| { readonly kind: "unblocked"; readonly aor: string }
	| { readonly kind: "queue"; readonly entry: OutboxEntry }
	| { readonly kind: "outbox-state"; readonly key: string; readonly state: OutboxEntry["state"] }
	| { readonly kind: "outbox-removed"; readonly key: string }
	/** The server took the message: it has an id. */
	| { readonly kind: "submitted"; readonly key: string; readonly id: string; readonly fate: Fate }
	| { readonly kind: "notice"; readonly number: number; readonly text: string }
	| { readonly kind: "notice-read"; readonly number: number };

/** The chat after what happened. */
export function reduceChat(state: ChatState, action: Action): ChatState {
	switch (action.kind) {
		case "link":
			return action.link.kind === "live"
				? { ...state, link: action.link }
				: stopTyping({ ...state, link: action.link });
		case "loading":
			return { ...state, loading: "loading", conversations: action.forget ? new Map() : state.conversations };
		case "load-failed":
			return { ...state, loading: { kind: "failed", reason: action.reason } };
		case "loaded":
			return withLists(state, action.lists);
		case "event":
			return withEvent(state, action.event);
		case "select":
			return seen({ ...state, selected: action.aor });
		case "watched":
			return seen({ ...state, isWatched: action.isWatched });
		case "reading":
			return change(state, action.with, (known) => ({ ...known, reading: "reading", fault: undefined }));
		case "reading-failed":
			return change(state, action.with, (known) => ({ ...known, reading: "failed", fault: action.reason }));
		case "latest-page":
			return seen(
				change(state, action.with, (known) => {
					const read = withLatestPage(known, action.page);
					const unread = countUnread(read.messages, action.readUpTo);
					return {
						...read,
						unread,
						unreadIsMore: unread > 0 && unread >= read.messages.length && read.previous !== undefined,
					};
				}),
			);
		case "earlier-page":
			return change(state, action.with, (known) => withEarlierPage(known, action.page));
		case "typing-expired":
			return change(state, action.with, (known) => ({ ...known, isTyping: false }));
		case "presence":
			return { ...state, presence: action.presence };
		case "contact":
			return { ...state, contacts: put(state.contacts, action.contact.aor, action.contact) };
		case "contact-removed":
			return { ...state, contacts: without(state.contacts, action.aor) };
		case "request-decided":
			return { ...state, requests: without(state.requests, action.aor) };
		case "held-decided":
			return { ...state, held: without(state.held, action.aor) };
		case "blocked":
			return {
				...state,
				blocks: put(state.blocks, action.block.aor, action.block),
				requests: without(state.requests, action.block.aor),
				held: without(state.held, action.block.aor),
			};
		case "unblocked":
			return { ...state, blocks: without(state.blocks, action.aor) };
		case "queue":
			return { ...state, outbox: [...state.outbox, action.entry] };
		case "outbox-state":
			return {
				...state,
				outbox: state.outbox.map((entry) => (entry.key === action.key ? { ...entry, state: action.state } : entry)),
			};
		case "outbox-removed":
			return { ...state, outbox: state.outbox.filter(({ key }) => key !== action.key) };
		case "submitted":
			return withSubmitted(state, action.key, action.id, action.fate);
		case "notice":
			return { ...state, notices: [...state.notices.slice(-2), { number: action.number, text: action.text }] };
		case "notice-read":
			return { ...state, notices: state.notices.filter(({ number }) => number !== action.number) };
	}
}

function withLists(state: ChatState, lists: Lists): ChatState {
	const conversations = new Map(state.conversations);
	for (const { with: withAor, preview, id, direction, created_at, fate } of lists.conversations) {
		const known = conversations.get(withAor) ?? emptyConversation(withAor);
		const last =
			known.last !== undefined && known.last.id > id ? known.last : { id, direction, created_at, fate, preview };
		conversations.set(withAor, { ...known, last });
	}
	return {
		...state,
		loading: "ready",
		presence: lists.presence,
		contacts: new Map(lists.contacts.map((contact) => [contact.aor, contact])),
		requests: new Map(lists.requests.map((request) => [request.aor, request])),
		held: new Map(lists.held.map((request) => [request.aor, request])),
		blocks: new Map(lists.blocks.map((block) => [block.aor, block])),
		conversations,
	};
}

function withEvent(state: ChatState, event: UserEvent): ChatState {
	switch (event.kind) {
		case "presence": {
			const { kind: _kind, seq: _seq, at: _at, ...contact } = event;
			return { ...state, contacts: put(state.contacts, contact.aor, contact) };
		}
		case "message": {
			const { kind: _kind, seq: _seq, at: _at, ...message } = event;
			const isNew = isUnheardOf(state.conversations.get(message.with), message);
			const received = change(state, message.with, (known) => {
				const next = withMessage(known, message);
				return message.direction === "in" && isNew ? { ...next, unread: next.unread + 1 } : next;
			});
			return seen({ ...received, outbox: bindEvent(state.outbox, message) });
		}
		case "fate":
			return state.conversations.has(event.with) ? change(state, event.with, (known) => withFate(known, event)) : state;
		case "typing":
			return change(state, event.with, (known) => ({ ...known, isTyping: event.typing }));
		case "request": {
			const { kind: _kind, seq: _seq, at: _at, wants, ...request } = event;
			if (wants === "presence") return { ...state, requests: put(state.requests, request.aor, request) };
			const { aor, verification, requested_at } = request;
			return { ...state, held: put(state.held, aor, { aor, verification, requested_at, messages: 1 }) };
		}
	}
}

/** Whether a message was not counted before; an event may tell again what a page has told. */
function isUnheardOf(conversation: ConversationState | undefined, message: Message): boolean {
	if (conversation === undefined) return true;
	if (conversation.last !== undefined && message.id <= conversation.last.id) return false;
	return !conversation.messages.some(({ id }) => id === message.id);
}

/** The answer of a submission: where its event has not come, the message is made from what was handed in. */
function withSubmitted(state: ChatState, key: string, id: string, fate: Fate): ChatState {
	const entry = state.outbox.find((candidate) => candidate.key === key);
	const outbox = state.outbox.filter((candidate) => candidate.key !== key);
	if (entry === undefined) return state;
	const conversation = state.conversations.get(entry.to);
	if (conversation?.messages.some((message) => message.id === id) === true) return { ...state, outbox };
	const message: Message = {
		id,
		direction: "out",
		with: entry.to,
		text: entry.text,
		created_at: new Date(entry.at).toISOString(),
		fate,
	};
	return change({ ...state, outbox }, entry.to, (known) => withMessage(known, message));
}

/** What is shown to somebody is read. */
function seen(state: ChatState): ChatState {
	const { selected, isWatched } = state;
	const shown = selected === undefined ? undefined : state.conversations.get(selected);
	if (shown === undefined || !isWatched || shown.unread === 0) return state;
	return change(state, shown.with, (known) => ({ ...known, unread: 0, unreadIsMore: false }));
}

/** Nothing is known of anybody's writing while there is no connection. */
function stopTyping(state: ChatState): ChatState {
	let next = state;
	for (const { with: withAor, isTyping } of state.conversations.values()) {
		if (isTyping) next = change(next, withAor, (known) => ({ ...known, isTyping: false }));
	}
	return next;
}

function change(state: ChatState, withAor: string, how: (known: ConversationState) => ConversationState): ChatState {
	const known = state.conversations.get(withAor) ?? emptyConversation(withAor);
	return { ...state, conversations: put(state.conversations, withAor, how(known)) };
}

function put<Value>(map: ReadonlyMap<string, Value>, key: string, value: Value): ReadonlyMap<string, Value> {
	return new Map(map).set(key, value);
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
	const next = new Map(map);
	next.delete(key);
	return next;
}
