import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@causeway/sip";
import { ALICE, type ImWorld, LENA, MESSAGE_SDP, openImWorld } from "./testing.ts";

const COMPOSING = "application/im-iscomposing+xml";
const OFFER = `${MESSAGE_SDP}a=accept-types:text/plain ${COMPOSING}\r\n`;
const WRITES = `${LENA} to ${ALICE}: writes`;
const STOPPED = `${LENA} to ${ALICE}: stopped`;

function composing(state: string, refresh = ""): string {
	return `<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>${state}</state>${refresh}</isComposing>`;
}

/** A session that Lena opened; gives the tag of our user. */
function open(world: ImWorld): string {
	world.receive(world.request("INVITE", { body: OFFER }));
	const toTag = world.take("200 INVITE").to.tag ?? "";
	world.receive(world.request("ACK", { toTag }));
	return toTag;
}

function textOf(message: SipMessage): string {
	return Buffer.from(message.body).toString();
}

/** States that left for Lena since the last look, each answered. */
function told(world: ImWorld): readonly string[] {
	const states: string[] = [];
	for (const name of world.peek()) {
		const message = world.take(name);
		if (name !== "MESSAGE") continue;
		states.push(/<state>([a-z]+)/.exec(textOf(message))?.[1] ?? "");
		world.answer(message, 200);
	}
	return states;
}

test("RFC 3994 §3.2: writing is told once, refreshed once a minute, and ends 15 s after the last key", async (context) => {
	const world = await openImWorld(context);
	open(world);
	const seen: string[] = [];
	for (let second = 0; second < 70; second += 5) {
		world.im.typing(ALICE, LENA, true);
		seen.push(...told(world).map((state) => `${second} ${state}`));
		world.clock.advance(5_000);
	}
	world.clock.advance(9_000);
	assert.deepEqual(told(world), []);
	world.clock.advance(2_000);
	seen.push(...told(world));
	assert.deepEqual(seen, ["0 active", "60 active", "idle"]);
});

test("RFC 3994 §3.3: what we write names a time longer than our refreshes are apart", async (context) => {
	const world = await openImWorld(context);
	open(world);
	world.im.typing(ALICE, LENA, true);
	assert.match(textOf(world.take("MESSAGE")), /<refresh>90<\/refresh>/);
});

test("RFC 3994 §3.2: the text itself ends the writing, without a note that says so", async (context) => {
	const world = await openImWorld(context);
	open(world);
	world.im.typing(ALICE, LENA, true);
	assert.deepEqual(told(world), ["active"]);
	await world.write("here it is");
	world.answer(world.take("MESSAGE"), 200);
	await world.settled();
	world.clock.advance(60_000);
	assert.deepEqual(told(world), []);
	world.im.typing(ALICE, LENA, true);
	assert.deepEqual(told(world), ["active"]);
});

for (const [what, refresh, holdsMs] of [
	["no time, and holds 120 s", "", 120_000],
	["its own time", "<refresh>75</refresh>", 75_000],
] as const) {
	test(`RFC 3994 §3.3: a note of writing that names ${what}`, async (context) => {
		const world = await openImWorld(context);
		const toTag = open(world);
		const write = (cseq: number): void =>
			world.receive(world.request("MESSAGE", { toTag, cseq, type: COMPOSING, body: composing("active", refresh) }));
		write(2);
		assert.deepEqual(world.typing(), [WRITES]);
		world.clock.advance(holdsMs - 1_000);
		write(3);
		world.clock.advance(holdsMs - 1_000);
		assert.deepEqual(world.typing(), []);
		world.clock.advance(1_000);
		assert.deepEqual(world.typing(), [STOPPED]);
	});
}

test("RFC 3994 §3.2: idle, a state that nobody knows, and the text itself end the writing", async (context) => {
	const world = await openImWorld(context);
	const toTag = open(world);
	let cseq = 1;
	const receive = async (type: string, body: string): Promise<void> => {
		cseq += 1;
		world.receive(world.request("MESSAGE", { toTag, cseq, type, body }));
		await world.settled();
	};
	for (const [type, body] of [
		[COMPOSING, composing("idle")],
		[COMPOSING, composing("dreaming")],
		["text/plain", "the text"],
	] as const) {
		await receive(COMPOSING, composing("active"));
		await receive(type, body);
		assert.deepEqual(world.typing(), [WRITES, STOPPED], body);
	}
});

test("protocol 3.8: KeyboardActivity is read in INFO, and answered in kind", async (context) => {
	const world = await openImWorld(context);
	const toTag = open(world);
	const body = '<KeyboardActivity><status status="type"/></KeyboardActivity>';
	world.receive(world.request("INFO", { toTag, cseq: 2, type: "application/xml", body }));
	assert.deepEqual(world.typing(), [WRITES]);
	world.take("200 INFO");
	world.im.typing(ALICE, LENA, true);
	assert.equal(textOf(world.take("INFO")), body);
	world.clock.advance(15_000);
	assert.match(textOf(world.take("INFO")), /status="idle"/);
});

test("protocol 3.8: nothing is told where the other side takes no notes", async (context) => {
	const world = await openImWorld(context);
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	world.receive(world.request("ACK", { toTag: world.take("200 INVITE").to.tag ?? "" }));
	world.im.typing(ALICE, LENA, true);
	assert.deepEqual(world.sent(), []);
});
