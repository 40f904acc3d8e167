import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@causeway/admin";
import { ChatSession } from "./session.ts";
import {
	bob,
	createMessage,
	createRequest,
	createTestEnv,
	me,
	problem,
	settle,
	type TestEnv,
	TestServer,
} from "./testing.ts";

interface Chat {
	readonly session: ChatSession;
	readonly server: TestServer;
	readonly env: TestEnv;
	readonly endings: string[];
}

async function startChat(
	prepare: (server: TestServer) => void = () => {},
	env = createTestEnv(),
	server = new TestServer(),
): Promise<Chat> {
	prepare(server);
	const endings: string[] = [];
	const session = new ChatSession(server.client, me, env, (reason) => endings.push(reason));
	session.start();
	server.open();
	await settle();
	return { session, server, env, endings };
}

/** Takes messages as a server does: the same key is the same message. */
function takeMessages(server: TestServer): string[] {
	const taken = new Map<string, string>();
	const texts: string[] = [];
	server.answers.set("POST /api/v1/me/messages", ({ headers, body }) => {
		const key = headers["idempotency-key"] ?? "";
		const id = taken.get(key) ?? String(taken.size + 1);
		if (!taken.has(key)) texts.push((body as { text: string }).text);
		taken.set(key, id);
		return { status: 202, body: { id, fate: "queued" } };
	});
	return texts;
}

function history(...messages: readonly Message[]) {
	return () => ({ status: 200, body: { messages } });
}

test("start: the lists are read once events flow, and events that came meanwhile are applied behind them", async () => {
	const gate = Promise.withResolvers<void>();
	const { session, server } = await startChat((fake) => {
		fake.answers.set("GET /api/v1/me/contacts", async () => {
			await gate.promise;
			return { status: 200, body: { contacts: [{ aor: bob, state: "available" }] } };
		});
	});
	assert.equal(session.state.loading, "loading");
	server.publish({ kind: "presence", aor: bob, state: "away" });
	gate.resolve();
	await settle();
	assert.equal(session.state.loading, "ready");
	assert.equal(session.state.contacts.get(bob)?.state, "away");
});

test("start: lists that cannot be read are told in words and read again", async () => {
	let isBroken = true;
	const { session, env } = await startChat((fake) => {
		fake.answers.set("GET /api/v1/me/blocks", () =>
			isBroken ? problem(503, "store-unavailable", "the disk is full") : { status: 200, body: { blocks: [] } },
		);
	});
	assert.deepEqual(session.state.loading, { kind: "failed", reason: "The disk is full." });
	isBroken = false;
	env.clock.advance(5_000);
	await settle();
	assert.equal(session.state.loading, "ready");
});

test("start: unread messages are counted from the mark of an earlier session, which reading moves", async () => {
	const env = createTestEnv();
	const prepare = (server: TestServer): void => {
		const last = {
			with: bob,
			id: "3",
			direction: "in",
			preview: "",
			created_at: "2026-11-23T10:00:00.000Z",
			fate: "received",
		};
		server.answers.set("GET /api/v1/me/conversations", () => ({ status: 200, body: { conversations: [last] } }));
		server.answers.set("GET /api/v1/me/messages", history(createMessage("1"), createMessage("2"), createMessage("3")));
	};
	env.browserShelf.write(`causeway.read.${me}`, JSON.stringify([[bob, "1"]]));
	const first = await startChat(prepare, env);
	assert.equal(first.session.state.conversations.get(bob)?.unread, 2);
	first.session.select(bob);
	first.session.close();
	const second = await startChat(prepare, env);
	assert.equal(second.session.state.conversations.get(bob)?.unread ?? 0, 0);
});

test("send: messages to one person are handed in one after the other, each with a key of its own", async () => {
	const { session, server } = await startChat();
	const texts = takeMessages(server);
	for (const text of ["one", "two", "three"]) session.send(bob, text);
	assert.equal(server.count("POST"), 1);
	await settle();
	assert.deepEqual(texts, ["one", "two", "three"]);
	const keys = server.calls
		.filter(({ line }) => line.startsWith("POST"))
		.map(({ headers }) => headers["idempotency-key"]);
	assert.equal(new Set(keys).size, 3);
	assert.deepEqual(session.state.outbox, []);
	assert.deepEqual(
		session.state.conversations.get(bob)?.messages.map(({ text }) => text),
		["one", "two", "three"],
	);
});

test("send: a lost answer is asked for again with the same key, so that nothing is doubled, and order is kept", async () => {
	const { session, server, env } = await startChat();
	const texts = takeMessages(server);
	const take = server.answers.get("POST /api/v1/me/messages");
	let isLossy = true;
	server.answers.set("POST /api/v1/me/messages", async (call) => {
		const answer = await take?.(call);
		return isLossy || answer === undefined ? "lost" : answer;
	});
	session.send(bob, "one");
	session.send(bob, "two");
	await settle();
	assert.equal(session.state.outbox[0]?.state.kind, "retrying");
	assert.match(JSON.stringify(session.state.outbox[0]?.state), /server cannot be reached/);
	isLossy = false;
	env.clock.advance(1_000);
	await settle();
	assert.deepEqual(texts, ["one", "two"]);
	assert.equal(server.count("POST"), 3);
	assert.deepEqual(session.state.outbox, []);
});

test("send: when the connection comes back, what waits for its next try does not wait longer", async () => {
	const { session, server, env } = await startChat((fake) => fake.answers.set("POST", () => "lost"));
	session.send(bob, "one");
	await settle();
	for (let round = 0; round < 5; round += 1) {
		env.clock.advance(30_000);
		await settle();
	}
	server.socket.end();
	env.clock.advance(500);
	const texts = takeMessages(server);
	server.open();
	await settle();
	assert.deepEqual(texts, ["one"]);
});

test("send: a refusal stands there in the server's words until it is tried again or discarded", async () => {
	const { session, server } = await startChat((fake) => {
		fake.answers.set("POST", () => problem(403, "blocked-domain", "fabrikam.example is blocked here."));
	});
	session.send(bob, "one");
	session.send(bob, "two");
	await settle();
	assert.deepEqual(
		session.state.outbox.map(({ state }) => state),
		Array(2).fill({ kind: "refused", reason: "Fabrikam.example is blocked here." }),
	);
	const texts = takeMessages(server);
	const [one, two] = session.state.outbox;
	session.discard(one?.key ?? "");
	session.retry(two?.key ?? "");
	await settle();
	assert.deepEqual(texts, ["two"]);
	assert.deepEqual(session.state.outbox, []);
});

test("send: what had no answer when the page was left is asked for again after it, with the same key", async () => {
	const env = createTestEnv();
	const before = await startChat((fake) => fake.answers.set("POST", () => new Promise(() => {})), env);
	before.session.send(bob, "one");
	await settle();
	before.session.close();
	const server = new TestServer();
	const texts = takeMessages(server);
	await startChat(() => {}, env, server);
	assert.deepEqual(texts, ["one"]);
	const [handed] = server.calls.filter(({ line }) => line.startsWith("POST"));
	const [asked] = before.server.calls.filter(({ line }) => line.startsWith("POST"));
	assert.equal(handed?.headers["idempotency-key"], asked?.headers["idempotency-key"]);
	assert.equal(env.tabShelf.read(`causeway.outbox.${me}`), undefined);
});

test("history: a conversation is read when it is shown, backwards page by page, and a failure can be tried again", async () => {
	const { session, server } = await startChat();
	const latest = "GET /api/v1/me/messages?with=bob%40fabrikam.example&latest=true&limit=50";
	const earlier = "GET /api/v1/me/messages?with=bob%40fabrikam.example&before=2&limit=50";
	server.answers.set(latest, () => "lost");
	session.select(bob);
	await settle();
	assert.deepEqual(
		[session.state.conversations.get(bob)?.reading, session.state.conversations.get(bob)?.fault],
		["failed", "The server cannot be reached. Check your connection."],
	);
	server.answers.set(latest, () => ({ status: 200, body: { messages: [createMessage("2")], previous: "2" } }));
	server.answers.set(earlier, history(createMessage("1")));
	await session.readEarlier(bob);
	await session.readEarlier(bob);
	assert.deepEqual(
		session.state.conversations.get(bob)?.messages.map(({ id }) => id),
		["1", "2"],
	);
	await session.readEarlier(bob);
	assert.equal(server.count(earlier), 1);
});

test("contacts: an answer that is older than an event does not take the event's presence back", async () => {
	const { session, server } = await startChat();
	server.answers.set("PUT /api/v1/me/contacts", () => {
		server.publish({ kind: "presence", aor: bob, state: "unknown", reason: "They refused.", blame: "recipient" });
		return {
			status: 201,
			body: { aor: bob, state: "unknown", name: "Bobby", reason: "not answered yet", blame: "us" },
		};
	});
	assert.equal(await session.putContact(bob, "Bobby"), true);
	const { name, reason } = session.state.contacts.get(bob) ?? {};
	assert.deepEqual({ name, reason }, { name: "Bobby", reason: "They refused." });
});

test("acts: what the server refuses is told in its words, and the lists stay as they are", async () => {
	const { session, server } = await startChat((fake) => {
		fake.answers.set("DELETE /api/v1/me/contacts", () => problem(404, "unknown-contact", "there is no such contact"));
	});
	assert.equal(await session.removeContact(bob), false);
	assert.deepEqual(
		session.state.notices.map(({ text }) => text),
		["There is no such contact."],
	);
	session.dismiss(1);
	assert.deepEqual(session.state.notices, []);
	server.answers.set("POST /api/v1/me/requests", () => ({ status: 204 }));
	server.publish(createRequest(bob));
	assert.equal(await session.decide(bob, "allow"), true);
	assert.equal(session.state.requests.size, 0);
});

test("resume: after a loss nothing is read anew; after a reset everything is, the shown conversation too", async () => {
	const { session, server, env } = await startChat((fake) => {
		fake.answers.set("GET /api/v1/me/messages", history(createMessage("1")));
	});
	session.select(bob);
	await settle();
	server.socket.end();
	env.clock.advance(500);
	server.open();
	server.publish({ kind: "message", ...createMessage("2") });
	await settle();
	assert.equal(server.count("GET /api/v1/me/contacts"), 1);
	assert.deepEqual(
		session.state.conversations.get(bob)?.messages.map(({ id }) => id),
		["1", "2"],
	);
	server.socket.end();
	env.clock.advance(30_000);
	server.answers.set("GET /api/v1/me/messages", history(createMessage("1"), createMessage("2"), createMessage("3")));
	server.open("reset", 0, "e2");
	await settle();
	assert.equal(server.count("GET /api/v1/me/contacts"), 2);
	assert.deepEqual(
		session.state.conversations.get(bob)?.messages.map(({ id }) => id),
		["1", "2", "3"],
	);
	assert.equal(session.state.conversations.get(bob)?.unread, 0);
});

test("RFC 3994 §3.3: the other side's typing ends by itself", async () => {
	const { session, server, env } = await startChat();
	server.publish({ kind: "typing", with: bob, typing: true });
	env.clock.advance(119_999);
	assert.equal(session.state.conversations.get(bob)?.isTyping, true);
	env.clock.advance(1);
	assert.equal(session.state.conversations.get(bob)?.isTyping, false);
});

test("token: where it has ended, by a call or because no connection comes about, the session ends once, in words", async () => {
	const ended = (): ReturnType<typeof problem> => problem(401, "unauthorized");
	const byCall = await startChat((fake) => fake.answers.set("PUT /api/v1/me/presence", ended));
	assert.equal(await byCall.session.setPresence("away", ""), false);
	await byCall.session.setPresence("away", "");
	assert.equal(byCall.endings.length, 1);
	const bySocket = await startChat();
	bySocket.server.answers.set("GET /api/v1/me/presence", ended);
	bySocket.server.socket.end({ code: 4001, reason: "the password was changed" });
	bySocket.env.clock.advance(500);
	bySocket.server.socket.end();
	await settle();
	assert.match(bySocket.endings.join(), /^Your session has ended: .*Log in again\.$/);
	assert.equal(bySocket.env.clock.timerCount, 0);
});

test("log-out: one is shown as offline, with the note of before, and the token ends", async () => {
	const { session, server, env } = await startChat((fake) => {
		fake.answers.set("GET /api/v1/me/presence", () => ({ status: 200, body: { state: "away", note: "Lunch" } }));
		fake.answers.set("PUT /api/v1/me/presence", () => ({ status: 200, body: { state: "offline" } }));
		fake.answers.set("POST /api/v1/logout", () => ({ status: 204 }));
	});
	await session.logOut();
	const [published, ended] = server.calls.slice(-2);
	assert.deepEqual(published?.body, { state: "offline", note: "Lunch" });
	assert.equal(ended?.line, "POST /api/v1/logout");
	assert.equal(env.clock.timerCount, 0);
	assert.equal(server.socket.isClosed(), true);
});

test("who comes back to the page sees what other programs of the same user did", async () => {
	const { session, server } = await startChat();
	session.setWatched(false);
	server.answers.set("GET /api/v1/me/contacts", () => ({
		status: 200,
		body: { contacts: [{ aor: bob, state: "busy" }] },
	}));
	session.setWatched(true);
	await settle();
	assert.equal(session.state.contacts.get(bob)?.state, "busy");
});

test("message requests: they can be read before they are decided; accepted ones are a conversation, with what is unread", async () => {
	const { session, server } = await startChat((fake) => {
		fake.answers.set("POST /api/v1/me/message-requests", () => ({ status: 204 }));
		fake.answers.set("GET /api/v1/me/messages", history(createMessage("1"), createMessage("2")));
	});
	server.publish(createRequest(bob, "messages"));
	assert.deepEqual([session.state.held.size, session.state.requests.size, session.state.conversations.size], [1, 0, 0]);
	const held = await session.readHeld(bob);
	assert.deepEqual(
		held?.map(({ id }) => id),
		["1", "2"],
	);
	assert.match(server.calls.at(-1)?.line ?? "", /folder=requests/);
	assert.equal(session.state.conversations.size, 0);
	assert.equal(await session.decideHeld(bob, "accept"), true);
	assert.equal(session.state.held.size, 0);
	assert.equal(session.state.conversations.get(bob)?.unread, 2);
});
