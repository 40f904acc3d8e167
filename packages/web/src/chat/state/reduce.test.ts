import assert from "node:assert/strict";
import { test } from "node:test";
import type { Contact, Message, UserEventContent } from "@causeway/admin";
import { listPeople } from "../people.ts";
import { bob, createMessage, createRequest, me } from "../testing.ts";
import { type ChatState, createChatState, type OutboxEntry, totalUnread } from "./chat-state.ts";
import { nextSubmissions, shownEntries } from "./outbox.ts";
import { type Action, reduceChat } from "./reduce.ts";

const lena = "lena@fabrikam.example";

function reduce(...actions: readonly Action[]): ChatState {
	return actions.reduce(reduceChat, createChatState(me, []));
}

function event(content: UserEventContent): Action {
	return { kind: "event", event: { seq: 1, at: "2026-11-23T10:00:00.000Z", ...content } };
}

function arrived(id: string, change: Partial<Message> = {}): Action {
	return event({ kind: "message", ...createMessage(id, change) });
}

function conversation(state: ChatState, withAor = bob) {
	const found = state.conversations.get(withAor);
	assert(found !== undefined);
	return found;
}

function ids(state: ChatState): readonly string[] {
	return conversation(state).messages.map(({ id }) => id);
}

function latest(page: { messages: readonly Message[]; previous?: string }, readUpTo?: string): Action {
	return { kind: "latest-page", with: bob, page, readUpTo };
}

function queued(key: string, change: Partial<OutboxEntry> = {}): Action {
	const entry: OutboxEntry = {
		key,
		to: bob,
		text: "Hi",
		at: 0,
		state: { kind: "waiting" },
		seenAs: undefined,
		...change,
	};
	return { kind: "queue", entry };
}

const contact: Contact = { aor: bob, state: "available", name: "Bob" };

test("messages: whatever order they come in, they stand in the order of their ids, each once", () => {
	const state = reduce(
		arrived("3"),
		arrived("1"),
		arrived("3"),
		latest({ messages: [createMessage("2"), createMessage("3")] }),
	);
	assert.deepEqual(ids(state), ["1", "2", "3"]);
	assert.equal(conversation(state).last?.id, "3");
});

test("promise 1: a final fate does not change, whatever an older event or page says", () => {
	const out = createMessage("1", { direction: "out", fate: "queued" });
	const fate = (word: "sending" | "delivered") => event({ kind: "fate", id: "1", with: bob, fate: word });
	const state = reduce(
		event({ kind: "message", ...out }),
		fate("sending"),
		fate("delivered"),
		fate("sending"),
		latest({ messages: [out] }),
		event({ kind: "message", ...out }),
	);
	assert.equal(conversation(state).messages[0]?.fate, "delivered");
	assert.equal(conversation(state).last?.fate, "delivered");
});

test("a failure keeps its code, reason and whose fault it is", () => {
	const failed = { code: 404, reason: "Their server knows no such user.", blame: "recipient" } as const;
	const state = reduce(
		arrived("1", { direction: "out", fate: "sending" }),
		event({ kind: "fate", id: "1", with: bob, fate: "failed", ...failed }),
	);
	const [message] = conversation(state).messages;
	assert.deepEqual({ code: message?.code, reason: message?.reason, blame: message?.blame }, failed);
});

test("unread: what comes in counts once; what is shown to somebody is read; one's own counts for nothing", () => {
	const away: Action = { kind: "watched", isWatched: false };
	const select: Action = { kind: "select", aor: bob };
	assert.equal(totalUnread(reduce(arrived("1"), arrived("2"), arrived("2"), arrived("3", { direction: "out" }))), 2);
	assert.equal(totalUnread(reduce(select, arrived("1"))), 0);
	assert.equal(totalUnread(reduce(select, away, arrived("1"))), 1);
	assert.equal(totalUnread(reduce(select, away, arrived("1"), { kind: "watched", isWatched: true })), 0);
	assert.equal(totalUnread(reduce(arrived("1"), select)), 0);
	assert.equal(totalUnread(reduce({ kind: "select", aor: lena }, arrived("1"))), 1);
});

test("unread: a page counts what came in behind the mark, else behind what one wrote oneself", () => {
	const messages = [
		createMessage("1"),
		createMessage("2", { direction: "out" }),
		createMessage("3"),
		createMessage("4"),
	];
	assert.equal(totalUnread(reduce(latest({ messages }))), 2);
	assert.equal(totalUnread(reduce(latest({ messages }, "3"))), 1);
	assert.equal(totalUnread(reduce(latest({ messages }, "4"))), 0);
	const unread = conversation(
		reduce(latest({ messages: [createMessage("8"), createMessage("9")], previous: "8" }, "1")),
	);
	assert.deepEqual([unread.unread, unread.unreadIsMore], [2, true]);
});

test("pages: earlier ones join above; a latest page that leaves a gap replaces what is behind the gap", () => {
	const first = latest({ messages: [createMessage("5"), createMessage("6")], previous: "5" });
	const earlier: Action = {
		kind: "earlier-page",
		with: bob,
		page: { messages: [createMessage("3"), createMessage("4")], previous: "3" },
	};
	assert.deepEqual(ids(reduce(first, earlier)), ["3", "4", "5", "6"]);
	assert.equal(conversation(reduce(first, earlier)).previous, "3");
	const joined = latest({ messages: [createMessage("6"), createMessage("7")], previous: "6" });
	assert.deepEqual(ids(reduce(first, earlier, joined)), ["3", "4", "5", "6", "7"]);
	assert.equal(conversation(reduce(first, earlier, joined)).previous, "3");
	const apart = latest({ messages: [createMessage("8"), createMessage("9")], previous: "8" });
	assert.deepEqual(ids(reduce(first, earlier, apart)), ["8", "9"]);
	assert.equal(conversation(reduce(first, earlier, apart)).previous, "8");
});

test("outbox: for each recipient one message at a time, in order; a refused one does not hold up the others", () => {
	const state = reduce(queued("a"), queued("b"), queued("c", { to: lena }));
	assert.deepEqual(
		nextSubmissions(state.outbox).map(({ key }) => key),
		["a", "c"],
	);
	const submitting = reduceChat(state, { kind: "outbox-state", key: "a", state: { kind: "submitting" } });
	assert.deepEqual(
		nextSubmissions(submitting.outbox).map(({ key }) => key),
		["c"],
	);
	const retrying = reduceChat(state, { kind: "outbox-state", key: "a", state: { kind: "retrying", reason: "" } });
	assert.deepEqual(
		nextSubmissions(retrying.outbox).map(({ key }) => key),
		["c"],
	);
	const refused = reduceChat(state, { kind: "outbox-state", key: "a", state: { kind: "refused", reason: "" } });
	assert.deepEqual(
		nextSubmissions(refused.outbox).map(({ key }) => key),
		["b", "c"],
	);
});

test("outbox: a message is shown once, whether its answer or its event comes first", () => {
	const submitting: Action = { kind: "outbox-state", key: "a", state: { kind: "submitting" } };
	const own = arrived("1", { direction: "out", text: "Hi" });
	const answer: Action = { kind: "submitted", key: "a", id: "1", fate: "queued" };
	for (const order of [
		[own, answer],
		[answer, own],
	]) {
		let state = reduce(queued("a"), submitting);
		for (const action of order) {
			state = reduceChat(state, action);
			assert.equal(shownEntries(state.outbox, bob).length + conversation(state).messages.length, 1);
		}
		assert.deepEqual(ids(state), ["1"]);
		assert.deepEqual(state.outbox, []);
	}
});

test("outbox: an answer that comes behind the fate does not take it back", () => {
	const state = reduce(
		queued("a", { state: { kind: "submitting" } }),
		arrived("1", { direction: "out", text: "Hi" }),
		event({ kind: "fate", id: "1", with: bob, fate: "delivered" }),
		{ kind: "submitted", key: "a", id: "1", fate: "queued" },
	);
	assert.equal(conversation(state).messages[0]?.fate, "delivered");
});

test("typing ends with a message, by itself, and with the connection", () => {
	const typing = event({ kind: "typing", with: bob, typing: true });
	assert.equal(conversation(reduce(typing)).isTyping, true);
	const ends: readonly Action[] = [
		arrived("1"),
		event({ kind: "typing", with: bob, typing: false }),
		{ kind: "typing-expired", with: bob },
		{ kind: "link", link: { kind: "lost", reason: "", retryAt: 0 } },
	];
	for (const end of ends) assert.equal(conversation(reduce(typing, end)).isTyping, false);
	assert.equal(conversation(reduce(typing, arrived("1", { direction: "out" }))).isTyping, true);
});

test("lists: what was read replaces them, and events go on from there", () => {
	const state = reduce(
		event(createRequest(lena)),
		{
			kind: "loaded",
			lists: {
				presence: { state: "busy" },
				contacts: [contact],
				requests: [],
				held: [],
				blocks: [],
				conversations: [
					{
						with: lena,
						id: "4",
						direction: "in",
						preview: "Hi",
						created_at: "2026-11-23T10:00:00.000Z",
						fate: "received",
					},
				],
			},
		},
		event({ kind: "presence", ...contact, state: "away" }),
	);
	assert.equal(state.requests.size, 0);
	assert.deepEqual(state.contacts.get(bob), { ...contact, state: "away" });
	const { contacts, others } = listPeople(state);
	assert.deepEqual([contacts.map(({ name }) => name), others.map(({ aor }) => aor)], [["Bob"], [lena]]);
});

test("lists: whoever wrote last stands first, the others by name", () => {
	const carl = "carl@fabrikam.example";
	const state = reduce(
		{ kind: "contact", contact },
		{ kind: "contact", contact: { aor: carl, state: "offline" } },
		{ kind: "contact", contact: { aor: lena, state: "offline", name: "Anna" } },
		arrived("1", { with: carl }),
	);
	assert.deepEqual(
		listPeople(state).contacts.map(({ aor }) => aor),
		[carl, lena, bob],
	);
});

test("a decision takes the request away; a block also stands among the blocks until it is lifted", () => {
	const request = event(createRequest(bob));
	assert.equal(reduce(request).requests.size, 1);
	assert.equal(reduce(request, { kind: "request-decided", aor: bob }).requests.size, 0);
	const blocked = reduce(request, { kind: "blocked", block: { aor: bob, blocked_at: "2026-11-23T10:00:00.000Z" } });
	assert.deepEqual([blocked.requests.size, blocked.blocks.size], [0, 1]);
	assert.equal(reduceChat(blocked, { kind: "unblocked", aor: bob }).blocks.size, 0);
});

test("a reset forgets what may have gaps; a loss of the connection forgets nothing", () => {
	assert.equal(reduce(arrived("1"), { kind: "loading", forget: true }).conversations.size, 0);
	const lost: Action = { kind: "link", link: { kind: "lost", reason: "", retryAt: 0 } };
	assert.deepEqual(ids(reduce(arrived("1"), lost, { kind: "loading", forget: false })), ["1"]);
});

test("notices: the last three stand there, each until it is read", () => {
	const notices = [1, 2, 3, 4].map((number): Action => ({ kind: "notice", number, text: `${number}` }));
	const state = reduce(...notices);
	assert.deepEqual(
		state.notices.map(({ number }) => number),
		[2, 3, 4],
	);
	assert.deepEqual(
		reduceChat(state, { kind: "notice-read", number: 3 }).notices.map(({ number }) => number),
		[2, 4],
	);
});
