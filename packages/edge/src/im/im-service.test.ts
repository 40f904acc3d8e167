import assert from "node:assert/strict";
import { test } from "node:test";
import type { BindingVerdict } from "../federation/outcome.ts";
import { discoveredPeer } from "../federation/peers.ts";
import { StoreFailed } from "../store/store-failed.ts";
import { MOST_DIALOGS_PER_CONNECTION } from "../ua/user-agent.ts";
import { ALICE, LENA, MESSAGE_SDP, openImWorld } from "./testing.ts";

const peer = discoveredPeer("fabrikam.example");

test("product contract 9: after a 100 and nothing more the INVITE is cancelled at 60 s, and what waited has failed", async (context) => {
	const world = await openImWorld(context);
	await world.write("hello");
	world.answer(world.take("INVITE"), 100);
	world.clock.advance(59_000);
	await world.settled();
	assert.deepEqual([world.sent(), world.fates], [[], []]);
	world.clock.advance(1_000);
	await world.settled();
	assert.deepEqual([world.sent(), world.fates], [["CANCEL"], ["hello: failed 408"]]);
});

test("promise 5: a stop while our INVITE is under way leaves what waits queued, and calls nobody", async (context) => {
	const world = await openImWorld(context);
	const message = await world.write("tomorrow");
	world.answer(world.take("INVITE"), 180);
	world.im.close();
	await world.settled();
	assert.deepEqual([world.sent(), world.fates], [["CANCEL"], []]);
	assert.equal(world.store.messages.get(ALICE, message.id)?.fate, "queued");
	await world.write("this too");
	assert.deepEqual(world.sent(), []);
	assert.equal(world.store.messages.queued("", 10).length, 2);
});

test("a stop leaves no timer behind that would keep the process: not of a session whose call was answered a moment ago", async (context) => {
	const world = await openImWorld(context);
	await world.write("hello");
	world.answer(world.take("INVITE"), 200, MESSAGE_SDP);
	await world.settled();
	world.answer(world.take("MESSAGE"), 200);
	await world.settled();
	world.im.close();
	world.answer(world.take("BYE"), 200);
	world.reception.close();
	assert.equal(world.clock.pendingTimers, 0);
});

test("promise 5: a stop in an open session lets the message under way end, and leaves the next one queued", async (context) => {
	const world = await openImWorld(context);
	await world.write("first");
	await world.write("second");
	world.answer(world.take("INVITE"), 200, MESSAGE_SDP);
	await world.settled();
	const first = world.take("MESSAGE");
	world.im.close();
	world.answer(world.take("BYE"), 200);
	world.answer(first, 200);
	await world.settled();
	assert.deepEqual([world.sent(), world.fates], [[], ["first: sending", "first: delivered 200"]]);
	assert.deepEqual(
		world.store.messages.queued("", 10).map(({ body }) => body),
		["second"],
	);
});

test("RFC 3261 §9.2: an INVITE that is cancelled while its sender is looked up makes no session", async (context) => {
	const asked = Promise.withResolvers<BindingVerdict>();
	const world = await openImWorld(context, { bind: () => asked.promise });
	world.receive(world.request("INVITE", { branch: "one", body: MESSAGE_SDP }));
	world.receive(world.request("CANCEL", { branch: "one" }));
	asked.resolve({ ok: true, peer });
	await world.settled();
	assert.deepEqual(world.sent(), ["200 CANCEL", "487 INVITE"]);
	assert.equal(world.agent.dialogs.size, 0);
});

test("REQ-49: an INVITE whose connection is lost while its sender is looked up makes no session", async (context) => {
	const asked = Promise.withResolvers<BindingVerdict>();
	const world = await openImWorld(context, { bind: () => asked.promise });
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	world.lose();
	asked.resolve({ ok: true, peer });
	await world.settled();
	assert.equal(world.agent.dialogs.size, 0);
});

test("RFC 3261 §13.3.1.4: a session hung up before its ACK ends with BYE when the ACK does not come", async (context) => {
	const world = await openImWorld(context);
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	world.take("200 INVITE");
	world.im.hangUp(ALICE, LENA);
	world.clock.advance(31_000);
	assert.ok(world.sent().includes("200 INVITE"));
	world.clock.advance(2_000);
	const bye = world.take("BYE");
	assert.equal(world.agent.dialogs.size, 1);
	world.answer(bye, 200);
	assert.equal(world.agent.dialogs.size, 0);
});

test("protocol 3.5: a session of the other side that opens while we look for the way carries what waits", async (context) => {
	const found = Promise.withResolvers<void>();
	const world = await openImWorld(context, {
		linkTo: async (link, its) => {
			await found.promise;
			return { ok: true, link, peer: its };
		},
	});
	await world.write("hello");
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	const toTag = world.take("200 INVITE").to.tag ?? "";
	world.receive(world.request("ACK", { toTag }));
	await world.settled();
	world.answer(world.take("MESSAGE"), 200);
	found.resolve();
	await world.settled();
	assert.deepEqual([world.sent(), world.fates], [[], ["hello: sending", "hello: delivered 200"]]);
});

test("promise 1: a connection that is lost inside our call fails what waited", async (context) => {
	const world = await openImWorld(context, {
		linkTo: async (link, its) => {
			link.connection.close("gone");
			return { ok: true, link, peer: its };
		},
	});
	await world.write("hello");
	world.clock.advance(0);
	await world.settled();
	assert.deepEqual(world.fates, ["hello: failed 503"]);
});

test("promise 1: a fate that the store could not write is written when it can again", async (context) => {
	const world = await openImWorld(context);
	const message = await world.write("hello");
	world.answer(world.take("INVITE"), 200, MESSAGE_SDP);
	await world.settled();
	const full = context.mock.method(world.store.messages, "finish", () => Promise.reject(new Error("the disk is full")));
	world.answer(world.take("MESSAGE"), 200);
	await world.settled();
	assert.equal(world.store.messages.get(ALICE, message.id)?.fate, "sending");
	assert.equal(world.im.waiting, 1);
	full.mock.restore();
	world.clock.advance(5_000);
	await world.settled();
	assert.equal(world.store.messages.get(ALICE, message.id)?.fate, "delivered");
	assert.equal(world.im.waiting, 0);
});

test("promise 1: between our own users a message waits for the store, and is handed over once", async (context) => {
	const world = await openImWorld(context);
	const carol = "carol@contoso.example";
	const full = context.mock.method(world.store.messages, "receive", () =>
		Promise.reject(new Error("the disk is full")),
	);
	const message = await world.write("hello", carol);
	assert.equal(world.store.messages.get(ALICE, message.id)?.fate, "sending");
	full.mock.restore();
	world.clock.advance(5_000);
	await world.settled();
	assert.deepEqual(world.fates, ["hello: sending", "hello: delivered 200"]);
	assert.equal(world.store.messages.list(carol, { limit: 10 }).length, 1);
});

test("a suspended user's messages do not leave", async (context) => {
	const world = await openImWorld(context);
	await world.store.users.suspend(ALICE);
	await world.write("hello");
	assert.deepEqual([world.sent(), world.fates], [[], ["hello: failed 403"]]);
});

test("REQ-66: an idle session is ended, and nothing of it is left", async (context) => {
	const world = await openImWorld(context);
	world.im.load();
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	world.receive(world.request("ACK", { toTag: world.take("200 INVITE").to.tag ?? "" }));
	world.clock.advance(930_000);
	world.answer(world.take("BYE"), 200);
	assert.equal(world.agent.dialogs.size, 0);
	world.clock.advance(930_000);
	assert.deepEqual(world.sent(), []);
});

test("REQ-66: a session that is never without a message is left before it is a day old", async (context) => {
	const world = await openImWorld(context, { idleMs: 86_400_000 });
	world.im.load();
	await world.write("first");
	world.answer(world.take("INVITE"), 200, MESSAGE_SDP);
	await world.settled();
	world.answer(world.take("MESSAGE"), 200);
	await world.settled();
	world.clock.advance(22.7 * 3_600_000);
	await world.write("one more");
	for (let seconds = 0; seconds < 0.8 * 3_600 - 25; seconds += 25) {
		const message = world.take("MESSAGE");
		await world.write("and one more");
		world.clock.advance(25_000);
		world.answer(message, 200);
		await world.settled();
		assert.ok(world.im.waiting > 0);
	}
	world.clock.advance(30_000);
	assert.ok(world.sent().includes("BYE"));
});

test("RFC 3994 §3.6: typing that was refused with 415 is told no more; a 481 ends the session", async (context) => {
	const world = await openImWorld(context);
	const offer = `${MESSAGE_SDP}a=accept-types:text/plain application/im-iscomposing+xml\r\n`;
	const open = (parts: { readonly cseq?: number }): void => {
		world.receive(world.request("INVITE", { ...parts, body: offer }));
		world.receive(world.request("ACK", { ...parts, toTag: world.take("200 INVITE").to.tag ?? "" }));
	};
	open({});
	world.im.typing(ALICE, LENA, true);
	world.answer(world.take("MESSAGE"), 415);
	world.im.typing(ALICE, LENA, false);
	assert.deepEqual(world.sent(), []);
	world.im.hangUp(ALICE, LENA);
	world.answer(world.take("BYE"), 200);
	open({ cseq: 10 });
	world.im.typing(ALICE, LENA, true);
	world.answer(world.take("MESSAGE"), 481);
	assert.equal(world.agent.dialogs.size, 0);
});

test("a request that the store cannot serve is answered 503, and the edge goes on", async (context) => {
	const world = await openImWorld(context);
	context.mock.method(world.store.users, "get", () => {
		throw new StoreFailed({ code: "io", detail: "the disk does not read" });
	});
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	assert.deepEqual(world.sent(), ["503 INVITE"]);
});

test("security 1: a connection with too many dialogs gets no more of them", async (context) => {
	const world = await openImWorld(context);
	const { dialogs } = world.agent;
	const usage = {
		usage: "invite",
		localContact: undefined,
		request() {},
		acknowledged() {},
		repeated() {},
		lost() {},
		rejected() {},
	} as const;
	const description = { local: ALICE, remote: LENA, role: "uas", state: "confirmed", createdAt: 0 } as const;
	for (let number = 0; number < MOST_DIALOGS_PER_CONNECTION; number += 1) {
		const id = { callId: "many", localTag: String(number), remoteTag: "" };
		dialogs.add(id, 1, { ...usage, describe: () => description });
	}
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	assert.deepEqual(world.sent(), ["503 INVITE"]);
});

test("promise 7: a session whose first request cannot be written fails what waited", async (context) => {
	const world = await openImWorld(context, {
		linkTo: async (link, its) => ({ ok: true, link: { ...link, connection: undefined } as never, peer: its }),
	});
	await world.write("hello");
	assert.deepEqual(world.fates, ["hello: failed 500"]);
});

test("RFC 3261 §13.2.2.4: a 200 that comes again is acknowledged again, and that of another branch is ended with BYE", async (context) => {
	const world = await openImWorld(context);
	await world.write("hello");
	const invite = world.take("INVITE");
	world.answer(invite, 200, MESSAGE_SDP);
	await world.settled();
	world.answer(world.take("MESSAGE"), 200);
	world.answer(invite, 200, MESSAGE_SDP);
	world.answer(invite, 200, MESSAGE_SDP, "other");
	assert.deepEqual(world.sent(), ["ACK", "ACK", "BYE"]);
	world.clock.advance(40_000);
	world.answer(invite, 200, MESSAGE_SDP);
	world.answer(invite, 200, MESSAGE_SDP, "third");
	assert.deepEqual(world.sent(), ["ACK"]);
	assert.equal(world.agent.dialogs.size, 1);
});
