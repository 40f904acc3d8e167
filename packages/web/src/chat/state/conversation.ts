import { isFinalFate, type Message, type UserEvent } from "@causeway/admin";
import type { ConversationState, LastMessage } from "./chat-state.ts";

type FateEvent = Extract<UserEvent, { kind: "fate" }>;

/** A page of history as the API gives it. */
export interface Page {
	readonly messages: readonly Message[];
	readonly previous?: string | undefined;
}

/** Both lists by id; what has a final fate keeps it, whichever list has it. */
export function mergeMessages(left: readonly Message[], right: readonly Message[]): readonly Message[] {
	const byId = new Map(left.map((message) => [message.id, message]));
	for (const message of right) {
		const known = byId.get(message.id);
		if (known === undefined || !isSettled(known)) byId.set(message.id, message);
	}
	return [...byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

function isSettled(message: Message): boolean {
	return message.fate === "received" || isFinalFate(message.fate);
}

/** The latest page: what was loaded and is not in it stays only where no gap can lie between. */
export function withLatestPage(conversation: ConversationState, page: Page): ConversationState {
	const [first] = page.messages;
	const joins =
		page.previous === undefined || conversation.messages.some(({ id }) => first !== undefined && id === first.id);
	// Without a common message only what is newer than the page can be kept: it came as an event meanwhile.
	const kept = joins
		? conversation.messages
		: conversation.messages.filter(({ id }) => id > (page.messages.at(-1)?.id ?? ""));
	return withLast({
		...conversation,
		messages: mergeMessages(page.messages, kept),
		reading: "read",
		fault: undefined,
		previous: joins && isEarlier(conversation.messages[0], first) ? conversation.previous : page.previous,
	});
}

function isEarlier(one: Message | undefined, other: Message | undefined): boolean {
	return one !== undefined && other !== undefined && one.id < other.id;
}

/** The page before the ones loaded. */
export function withEarlierPage(conversation: ConversationState, page: Page): ConversationState {
	return {
		...conversation,
		messages: mergeMessages(page.messages, conversation.messages),
		reading: "read",
		fault: undefined,
		previous: page.previous,
	};
}

/** A message that came in or was handed in. It ends the writing of the other side. */
export function withMessage(conversation: ConversationState, message: Message): ConversationState {
	return withLast({
		...conversation,
		messages: mergeMessages(conversation.messages, [message]),
		isTyping: message.direction === "in" ? false : conversation.isTyping,
	});
}

/** A message went on to its next fate; a final one does not change any more. */
export function withFate(conversation: ConversationState, event: FateEvent): ConversationState {
	const { id, fate, finished_at, code, reason, blame } = event;
	const explained = {
		...(finished_at === undefined ? {} : { finished_at }),
		...(code === undefined ? {} : { code }),
		...(reason === undefined ? {} : { reason }),
		...(blame === undefined ? {} : { blame }),
	};
	const messages = conversation.messages.map((message) =>
		message.id === id && !isSettled(message) ? { ...message, fate, ...explained } : message,
	);
	const last = conversation.last?.id === id ? { ...conversation.last, fate } : conversation.last;
	return withLast({ ...conversation, messages, last });
}

/** How many loaded messages came in behind what was read: behind a mark, else behind what one wrote oneself. */
export function countUnread(messages: readonly Message[], readUpTo: string | undefined): number {
	let count = 0;
	for (const message of messages.toReversed()) {
		if (readUpTo === undefined ? message.direction === "out" : message.id <= readUpTo) break;
		if (message.direction === "in") count += 1;
	}
	return count;
}

function withLast(conversation: ConversationState): ConversationState {
	const newest = conversation.messages.at(-1);
	if (newest === undefined || (conversation.last !== undefined && conversation.last.id > newest.id))
		return conversation;
	return { ...conversation, last: toLast(newest) };
}

const previewLength = 200;

function toLast({ id, direction, created_at, fate, text }: Message): LastMessage {
	return { id, direction, created_at, fate, preview: text.slice(0, previewLength) };
}
