/** The one fall-back to another form of message line, and how long it is remembered (protocol sheet 3.3). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@causeway/sip";
import { MESSAGE_SDP, openImWorld } from "./testing.ts";

const LYNC_SDP = MESSAGE_SDP.replace("sip/tcp *", "sip null");
const HOUR_MS = 3_600_000;

function lineOf(invite: SipMessage): string {
	return /m=[^\r]*/.exec(Buffer.from(invite.body).toString())?.[0] ?? "";
}

for (const status of [488, 415, 606]) {
	test(`REQ-25, protocol 3.3: after a ${status} that shows another form, the offer is made once more in that form`, async (context) => {
		const world = await openImWorld(context);
		await world.write("hello");
		const first = world.take("INVITE");
		assert.equal(lineOf(first), "m=message 5060 sip/tcp *");
		world.answer(first, status, LYNC_SDP);
		await world.settled();
		const second = world.take("INVITE");
		assert.equal(lineOf(second), "m=message 5060 sip null");
		assert.notEqual(second.callId, first.callId);
		assert.deepEqual(world.fates, []);
		world.answer(second, 200, MESSAGE_SDP);
		await world.settled();
		world.answer(world.take("MESSAGE"), 200);
		await world.settled();
		assert.deepEqual(world.fates, ["hello: sending", "hello: delivered 200"]);
	});
}

test("protocol 3.3: what a network takes is remembered for a day and then asked anew", async (context) => {
	const world = await openImWorld(context);
	await world.write("one");
	world.answer(world.take("INVITE"), 488, LYNC_SDP);
	await world.settled();
	world.answer(world.take("INVITE"), 480);
	await world.settled();
	world.clock.advance(23.9 * HOUR_MS);
	await world.write("two");
	const within = world.take("INVITE");
	assert.equal(lineOf(within), "m=message 5060 sip null");
	world.answer(within, 480);
	await world.settled();
	world.clock.advance(0.2 * HOUR_MS);
	await world.write("three");
	assert.equal(lineOf(world.take("INVITE")), "m=message 5060 sip/tcp *");
});

test("protocol 3.3: the other form's own refusal is the end, and it is forgotten", async (context) => {
	const world = await openImWorld(context);
	await world.write("one");
	world.answer(world.take("INVITE"), 488, LYNC_SDP);
	await world.settled();
	world.answer(world.take("INVITE"), 488, LYNC_SDP);
	await world.settled();
	assert.deepEqual(world.fates, ["one: failed 488"]);
	await world.write("two");
	assert.equal(lineOf(world.take("INVITE")), "m=message 5060 sip/tcp *");
});

for (const [what, status, body] of [
	["a 488 that shows our own form", 488, MESSAGE_SDP],
	["a 488 without a body", 488, ""],
	["a 488 that shows no messages at all", 488, MESSAGE_SDP.replace("message 5060 sip/tcp *", "audio 4000 RTP/AVP 0")],
	["a 603 with another form", 603, LYNC_SDP],
] as const) {
	test(`protocol 3.3: ${what} is not tried again`, async (context) => {
		const world = await openImWorld(context);
		await world.write("hello");
		world.answer(world.take("INVITE"), status, body);
		await world.settled();
		assert.deepEqual([world.sent(), world.fates], [["ACK"], [`hello: failed ${status}`]]);
	});
}

test("protocol 3.3: a form that the administrator chose is offered, and not replaced", async (context) => {
	const world = await openImWorld(context, { imProfile: "uri" });
	await world.write("hello");
	const invite = world.take("INVITE");
	assert.match(lineOf(invite), /^m=message 5060 sip sip:alice@sip\.contoso\.example/);
	world.answer(invite, 488, LYNC_SDP);
	await world.settled();
	assert.deepEqual(world.fates, ["hello: failed 488"]);
});
