/** Messages of senders whom the user has not let in (protocol sheet 7.6), and what content rules refuse (3.6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue } from "@causeway/sip";
import { HELD_CONVERSATIONS, HELD_MESSAGES } from "../store/message-writes.ts";
import { ALICE, type ImWorld, type ImWorldOptions, LENA, MESSAGE_SDP, openImWorld } from "./testing.ts";

const AS_ASSERTED: ImWorldOptions = { verification: "as-asserted" };

/** Lena calls; gives what writes in her session and the status of each text. */
async function call(world: ImWorld, level = "unverified", callId = "first") {
	world.receive(
		world.request("INVITE", {
			callId,
			headers: [["Ms-asserted-verification-level", `ms-source-verification-level=${level}`]],
			body: MESSAGE_SDP,
		}),
	);
	const toTag = world.take("200 INVITE").to.tag ?? "";
	world.receive(world.request("ACK", { callId, toTag }));
	let cseq = 1;
	return async (body: string): Promise<string> => {
		cseq += 1;
		world.receive(world.request("MESSAGE", { callId, toTag, cseq, body }));
		await world.settled();
		return world.sent().at(-1) ?? "";
	};
}

function inbox(world: ImWorld, held = false): readonly string[] {
	return world.store.messages.list(ALICE, { after: "", limit: 100, held }).map(({ body }) => body);
}

test("protocol 7.6: an unverified stranger's messages are held, and are ordinary ones once the user has let it in", async (context) => {
	const world = await openImWorld(context, AS_ASSERTED);
	const write = await call(world);
	assert.equal(await write("hello"), "202 MESSAGE");
	assert.equal(await write("are you there?"), "202 MESSAGE");
	assert.deepEqual([world.requests(), world.messages()], [[`${LENA} (unverified): 1`], []]);
	assert.deepEqual([inbox(world), inbox(world, true)], [[], ["hello", "are you there?"]]);
	assert.equal(await world.im.letIn(ALICE, LENA), true);
	assert.deepEqual(world.messages(), ["hello", "are you there?"]);
	assert.deepEqual([inbox(world), inbox(world, true)], [["hello", "are you there?"], []]);
	assert.equal(await write("good"), "200 MESSAGE");
	assert.deepEqual(world.messages(), ["good"]);
	assert.equal(await world.im.letIn(ALICE, LENA), false);
});

test("protocol 7.6: whoever the user writes to is let in, in the session at hand and in the next", async (context) => {
	const world = await openImWorld(context, AS_ASSERTED);
	const write = await call(world);
	await write("hello");
	await world.im.letIn(ALICE, LENA);
	await world.write("who are you?");
	world.answer(world.take("MESSAGE"), 200);
	await world.settled();
	world.im.hangUp(ALICE, LENA);
	world.answer(world.take("BYE"), 200);
	const again = await call(world, "unverified", "second");
	assert.equal(await again("me"), "200 MESSAGE");
});

test("protocol 7.6: a verified stranger, and an unverified contact, are delivered", async (context) => {
	const world = await openImWorld(context, AS_ASSERTED);
	assert.equal(await (await call(world, "verified"))("hello"), "200 MESSAGE");
	const other = await openImWorld(context, AS_ASSERTED);
	await other.store.contacts.put(ALICE, { address: LENA });
	assert.equal(await (await call(other))("hello"), "200 MESSAGE");
});

test("protocol 7.6: who called verified once and calls unverified now is known already", async (context) => {
	const world = await openImWorld(context, AS_ASSERTED);
	await (await call(world, "verified"))("hello");
	world.im.hangUp(ALICE, LENA);
	world.answer(world.take("BYE"), 200);
	assert.equal(await (await call(world, "unverified", "second"))("again"), "200 MESSAGE");
});

test("protocol 7.6: a stranger's typing is not shown", async (context) => {
	const world = await openImWorld(context, AS_ASSERTED);
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	const toTag = world.take("200 INVITE").to.tag ?? "";
	world.receive(world.request("ACK", { toTag }));
	const body = '<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state></isComposing>';
	world.receive(world.request("MESSAGE", { toTag, cseq: 2, type: "application/im-iscomposing+xml", body }));
	assert.deepEqual([world.sent(), world.typing()], [["200 MESSAGE"], []]);
});

test("protocol 7.6: what is declined is gone, and the next message asks again", async (context) => {
	const world = await openImWorld(context, AS_ASSERTED);
	const write = await call(world);
	await write("hello");
	assert.equal(await world.store.messageRequests.decline(ALICE, LENA), true);
	assert.equal(await world.store.messageRequests.decline(ALICE, LENA), false);
	assert.deepEqual(inbox(world, true), []);
	assert.equal(await write("hello again"), "202 MESSAGE");
	assert.deepEqual(world.requests(), [`${LENA} (unverified): 1`, `${LENA} (unverified): 1`]);
});

test("security 1, spim: a stranger may leave 20 messages; the next one gets 480 and is not kept", async (context) => {
	const world = await openImWorld(context, AS_ASSERTED);
	const write = await call(world);
	for (let number = 1; number <= HELD_MESSAGES; number += 1) assert.equal(await write(`${number}`), "202 MESSAGE");
	assert.equal(await write("one too many"), "480 MESSAGE");
	assert.equal(inbox(world, true).length, HELD_MESSAGES);
});

test("security 1, spim: 1,000 strangers may wait for one user; one more is not kept", async (context) => {
	const { store } = await openImWorld(context);
	const arrival = {
		owner: ALICE,
		contentType: "text/plain",
		body: "x",
		fromTag: "f",
		sequence: 1,
		held: "unverified",
	} as const;
	for (let number = 0; number < HELD_CONVERSATIONS; number += 1) {
		await store.messages.receive({ ...arrival, from: `stranger${number}@fabrikam.example`, callId: `c${number}` });
	}
	assert.deepEqual(await store.messages.receive({ ...arrival, from: LENA, callId: "late" }), { kind: "held-full" });
	assert.equal(store.messageRequests.get(ALICE, LENA), undefined);
	assert.equal(store.messageRequests.list(ALICE).length, HELD_CONVERSATIONS);
});

for (const [unverified, expected] of [
	["refuse", "480 INVITE"],
	["deliver", "200 INVITE"],
] as const) {
	test(`protocol 7.6: with [im] unverified = ${unverified} a stranger's call is answered ${expected}`, async (context) => {
		const world = await openImWorld(context, { ...AS_ASSERTED, unverified });
		world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
		assert.deepEqual(world.sent(), [expected]);
	});
}

test("protocol 7.5: the user's settings decide what a blocked sender and a stranger are told", async (context) => {
	const world = await openImWorld(context);
	const answer = (callId: string): readonly string[] => {
		world.receive(world.request("INVITE", { callId, body: MESSAGE_SDP }));
		return world.sent();
	};
	await world.store.settings.put(ALICE, { messagesFrom: "contacts", blockedAnswer: "declined" });
	assert.deepEqual(answer("stranger"), ["480 INVITE"]);
	await world.store.watchers.decide(ALICE, LENA, "block");
	assert.deepEqual(answer("blocked"), ["603 INVITE"]);
	assert.equal(await world.store.settings.put("nobody@contoso.example", world.store.settings.get(ALICE)), false);
});

test("protocol 7.5: where users are hidden, blocked and unknown are told the same, after a while that tells nothing", async (context) => {
	const world = await openImWorld(context, { hideUnknownUsers: "always" });
	await world.store.settings.put(ALICE, { messagesFrom: "everyone", blockedAnswer: "declined" });
	await world.store.watchers.decide(ALICE, LENA, "block");
	for (const to of [ALICE, "nobody@contoso.example"]) {
		world.receive(world.request("INVITE", { callId: to, to, body: MESSAGE_SDP }));
		world.clock.advance(19);
		assert.deepEqual(world.sent(), []);
		world.clock.advance(101);
		assert.deepEqual(world.sent(), ["480 INVITE"]);
	}
});

test("protocol 3.6: what a content rule refuses gets 606 with Warning 309, and is not kept", async (context) => {
	const world = await openImWorld(context, {
		contentRules: [{ contains: ["casino"], direction: "in", domains: [], reason: "no advertising" }],
	});
	const write = await call(world);
	world.receive(world.request("INVITE", { callId: "second", body: MESSAGE_SDP }));
	const toTag = world.take("200 INVITE").to.tag ?? "";
	world.receive(world.request("ACK", { callId: "second", toTag }));
	world.receive(world.request("MESSAGE", { callId: "second", toTag, cseq: 2, body: "Casino!" }));
	assert.equal(headerValue(world.take("606 MESSAGE"), HeaderId.warning), '309 sip.contoso.example "no advertising"');
	assert.equal(await write("good morning"), "200 MESSAGE");
	assert.deepEqual(inbox(world), ["good morning"]);
});
