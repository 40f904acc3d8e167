/** Rules of message sessions that need a clock or a second session: expiry, glare, replacement, conferences (protocol sheet 3.5, 3.7). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, type HeaderInput, headerValue } from "@causeway/sip";
import { ALICE, type ImWorld, LENA, MESSAGE_SDP, openImWorld } from "./testing.ts";

function call(world: ImWorld, callId: string, headers: readonly HeaderInput[] = []): string {
	world.receive(world.request("INVITE", { callId, headers, body: MESSAGE_SDP }));
	const toTag = world.take("200 INVITE").to.tag ?? "";
	world.receive(world.request("ACK", { callId, toTag }));
	return toTag;
}

test("protocol 3.5, replaced conversation: what has left waits for its answer in the old session, the rest goes on in the new one", async (context) => {
	const world = await openImWorld(context);
	call(world, "old");
	await world.write("first");
	await world.write("second");
	const first = world.take("MESSAGE");
	call(world, "new");
	assert.deepEqual(world.sent(), []);
	world.answer(first, 200);
	await world.settled();
	const after = world.peek();
	assert.deepEqual(after, ["BYE", "MESSAGE"]);
	assert.equal(world.take("BYE").callId, "old");
	assert.equal(world.take("MESSAGE").callId, "new");
	assert.deepEqual(world.fates, ["first: sending", "first: delivered 200", "second: sending"]);
});

test("protocol 3.5, replaced conversation: a peer that dropped the old dialog gets the unconfirmed message in the new one", async (context) => {
	const world = await openImWorld(context);
	call(world, "old");
	await world.write("first");
	const first = world.take("MESSAGE");
	call(world, "new");
	world.answer(first, 481);
	await world.settled();
	const again = world.take("MESSAGE");
	assert.equal(again.callId, "new");
	world.answer(again, 200);
	await world.settled();
	assert.deepEqual(world.fates, ["first: sending", "first: sending", "first: delivered 200"]);
});

test("protocol 3.5, glare: both sessions live, messages leave in ours, and the other one ends when it is idle", async (context) => {
	const world = await openImWorld(context, { idleMs: 600_000 });
	world.im.load();
	await world.write("mine");
	const invite = world.take("INVITE");
	call(world, "theirs");
	world.answer(invite, 200, MESSAGE_SDP);
	await world.settled();
	const message = world.take("MESSAGE");
	assert.equal(message.callId, invite.callId);
	world.answer(message, 200);
	await world.settled();
	assert.equal(world.agent.dialogs.size, 2);
	world.clock.advance(590_000);
	await world.write("again");
	world.answer(world.take("MESSAGE"), 200);
	await world.settled();
	world.clock.advance(30_000);
	assert.equal(world.take("BYE").callId, "theirs");
});

for (const [what, headers, status] of [
	["two members", [["EndPoints", '"Lena, L." <sip:lena@fabrikam.example>, <sip:alice@contoso.example>']], 200],
	[
		"three members",
		[["EndPoints", "<sip:lena@fabrikam.example>, <sip:alice@contoso.example>, <sip:bob@fabrikam.example>"]],
		488,
	],
	["TriggeredInvite: TRUE", [["TriggeredInvite", "TRUE"]], 488],
	["TriggeredInvite: FALSE", [["TriggeredInvite", "FALSE"]], 200],
] as const) {
	test(`protocol 3.7: an INVITE with ${what} is answered ${status}`, async (context) => {
		const world = await openImWorld(context);
		world.receive(world.request("INVITE", { headers, body: MESSAGE_SDP }));
		const answer = world.take(`${status} INVITE`);
		assert.match(Buffer.from(answer.body).toString(), /^m=message 5060 sip\/tcp \*\r$/m);
	});
}

test("protocol 3.5, session timer: the caller refreshes; one that stops refreshing is hung up before the time is over", async (context) => {
	const world = await openImWorld(context);
	const timer: readonly HeaderInput[] = [
		["Supported", "timer"],
		["Session-Expires", "600"],
	];
	world.receive(world.request("INVITE", { headers: timer, body: MESSAGE_SDP }));
	const answer = world.take("200 INVITE");
	assert.equal(headerValue(answer, HeaderId.sessionExpires), "600;refresher=uac");
	assert.equal(headerValue(answer, HeaderId.require), "timer");
	const toTag = answer.to.tag ?? "";
	world.receive(world.request("ACK", { toTag }));
	world.clock.advance(500_000);
	world.receive(world.request("INVITE", { toTag, cseq: 2, headers: timer, body: MESSAGE_SDP }));
	world.take("200 INVITE");
	world.receive(world.request("ACK", { toTag, cseq: 2 }));
	world.clock.advance(560_000);
	assert.deepEqual(world.sent(), []);
	world.clock.advance(10_000);
	assert.deepEqual(world.sent(), ["BYE"]);
});

for (const [what, headers, status, expires] of [
	["without Supported: timer is ignored", [["Session-Expires", "600"]], 200, undefined],
	[
		"that cannot be read is ignored",
		[
			["Supported", "timer"],
			["Session-Expires", "soon"],
		],
		200,
		undefined,
	],
	[
		"below 90 s is refused",
		[
			["Supported", "timer"],
			["Session-Expires", "60"],
		],
		422,
		undefined,
	],
	[
		"in its compact form counts",
		[
			["k", "timer"],
			["x", "90;refresher=uas"],
		],
		200,
		"90;refresher=uac",
	],
] as const) {
	test(`RFC 4028 §9: a Session-Expires ${what}`, async (context) => {
		const world = await openImWorld(context);
		world.receive(world.request("INVITE", { headers, body: MESSAGE_SDP }));
		const answer = world.take(`${status} INVITE`);
		assert.equal(headerValue(answer, HeaderId.sessionExpires), expires);
		if (status === 422) assert.equal(headerValue(answer, HeaderId.minSe), "90");
	});
}

test("product contract 6: a message that waited for its turn longer than [im] queue_hours has failed, and is not sent", async (context) => {
	const world = await openImWorld(context, { queueMs: 3_600_000 });
	const { store } = world;
	await store.messages.submit({ owner: ALICE, to: LENA, contentType: "text/plain", body: "old" });
	world.clock.advance(3_000_000);
	await store.messages.submit({ owner: ALICE, to: LENA, contentType: "text/plain", body: "young" });
	world.clock.advance(700_000);
	world.im.load();
	await world.settled();
	assert.deepEqual(world.fates, ["old: failed 408"]);
	world.answer(world.take("INVITE"), 200, MESSAGE_SDP);
	await world.settled();
	assert.equal(Buffer.from(world.take("MESSAGE").body).toString(), "young");
});

test("protocol 3.5, row 11: with [im] busy = refuse a busy user is not called, nor written to in a session", async (context) => {
	let state: "available" | "busy" = "available";
	const world = await openImWorld(context, { busy: "refuse", publishedState: () => state });
	const toTag = call(world, "open");
	state = "busy";
	world.receive(world.request("MESSAGE", { callId: "open", toTag, cseq: 2, body: "hello" }));
	world.receive(world.request("INVITE", { callId: "second", body: MESSAGE_SDP }));
	assert.deepEqual(world.sent(), ["486 MESSAGE", "486 INVITE"]);
});
