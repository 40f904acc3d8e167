/** The connection is cut at every point of a session, by the partner: each message's fate is what really happened (promise 1). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipRequest, SipResponse } from "@causeway/sip";
import {
	bodyText,
	formatAnswer,
	formatRequest,
	type Link,
	MESSAGE_LINE,
	sdp,
	startWireWorld,
	type WireUser,
	type WireWorld,
} from "./wire-world.ts";

async function send(alice: WireUser, text: string): Promise<string> {
	return (await alice.client.call("submitMessage", { body: { to: "lena@fabrikam.example", text } })).id;
}

async function fateOf(alice: WireUser, id: string) {
	const { fate, code, blame } = await alice.event("fate", (event) => event.id === id && event.fate !== "sending");
	return { fate, code, blame };
}

async function requestOf(link: Link, method: string): Promise<SipRequest> {
	let request = await link.request();
	while (request.method !== method) request = await link.request();
	return request;
}

async function finalResponse(link: Link): Promise<SipResponse> {
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	return response;
}

function accept(link: Link, invite: SipRequest): void {
	link.write(formatAnswer(invite, "200 OK", { toTag: "t1", body: sdp(MESSAGE_LINE) }));
}

/** Takes the next session of our user's and everything that comes in it, and gives the texts in their order. */
async function takeTexts(world: WireWorld, count: number): Promise<readonly string[]> {
	const link = await world.accepted();
	accept(link, await requestOf(link, "INVITE"));
	const texts: string[] = [];
	while (texts.length < count) {
		const message = await requestOf(link, "MESSAGE");
		texts.push(bodyText(message));
		link.write(formatAnswer(message, "200 OK"));
	}
	return texts;
}

const LOST = { fate: "failed", code: 503, blame: "network" };

for (const [point, before] of [
	["the INVITE, before any answer", async () => {}],
	[
		"the INVITE, after 180",
		async (link: Link, invite: SipRequest) => link.write(formatAnswer(invite, "180 Ringing", { toTag: "t1" })),
	],
] as const) {
	test(`promise 1, cut at ${point}: nothing had left, so what waited has failed`, async (context) => {
		const world = await startWireWorld(context);
		const alice = await world.createUser("alice@contoso.example", "Alice");
		const ids = [await send(alice, "one"), await send(alice, "two")];
		const link = await world.accepted();
		await before(link, await requestOf(link, "INVITE"));
		link.destroy();
		for (const id of ids) assert.deepEqual(await fateOf(alice, id), LOST);
		const next = await send(alice, "three");
		assert.deepEqual(await takeTexts(world, 1), ["three"]);
		assert.equal((await fateOf(alice, next)).fate, "delivered");
	});
}

test("promise 1, cut at the 200, before the ACK is read: the message is sent once in all, or unknown", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const first = await send(alice, "one");
	const link = await world.accepted();
	accept(link, await requestOf(link, "INVITE"));
	link.destroy();
	const last = await send(alice, "two");
	const texts = await takeTexts(world, 1);
	const fate = await fateOf(alice, first);
	// Where the MESSAGE had left with the ACK it is unknown and never sent again; else it goes on in the next session.
	if (fate.fate === "unknown")
		assert.deepEqual([fate, texts], [{ fate: "unknown", code: 503, blame: "network" }, ["two"]]);
	else if (fate.fate === "failed") assert.deepEqual([fate, texts], [LOST, ["two"]]);
	else assert.deepEqual([fate.fate, texts], ["delivered", ["one"]]);
	assert.ok(
		["delivered", "queued", "sending"].includes((await alice.client.call("getMessage", { params: { id: last } })).fate),
	);
});

test("promise 1, cut at the MESSAGE, before its answer: unknown, and what waited behind it goes on in the next session", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const ids = [await send(alice, "one"), await send(alice, "two"), await send(alice, "three")];
	const link = await world.accepted();
	accept(link, await requestOf(link, "INVITE"));
	assert.equal(bodyText(await requestOf(link, "MESSAGE")), "one");
	link.destroy();
	assert.deepEqual(await takeTexts(world, 2), ["two", "three"]);
	const fates: string[] = [];
	for (const id of ids) fates.push((await fateOf(alice, id)).fate);
	assert.deepEqual(fates, ["unknown", "delivered", "delivered"]);
});

test("promise 1, cut behind the answer to a MESSAGE: delivered, and the next one goes on in the next session", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const first = await send(alice, "one");
	const link = await world.accepted();
	accept(link, await requestOf(link, "INVITE"));
	link.write(formatAnswer(await requestOf(link, "MESSAGE"), "200 OK"));
	assert.equal((await fateOf(alice, first)).fate, "delivered");
	link.destroy();
	const second = await send(alice, "two");
	assert.deepEqual(await takeTexts(world, 1), ["two"]);
	assert.equal((await fateOf(alice, second)).fate, "delivered");
});

for (const [point, isAnswered] of [
	["our BYE, before its answer", false],
	["our BYE, behind its answer", true],
] as const) {
	test(`promise 1, cut at ${point}: what was delivered stays so, and the next message opens a new session`, async (context) => {
		const world = await startWireWorld(context);
		const alice = await world.createUser("alice@contoso.example", "Alice");
		const first = await send(alice, "one");
		const link = await world.accepted();
		accept(link, await requestOf(link, "INVITE"));
		link.write(formatAnswer(await requestOf(link, "MESSAGE"), "200 OK"));
		assert.equal((await fateOf(alice, first)).fate, "delivered");
		await alice.client.call("endConversation", { params: { aor: "lena@fabrikam.example" } });
		const bye = await requestOf(link, "BYE");
		if (isAnswered) link.write(formatAnswer(bye, "200 OK"));
		link.destroy();
		const second = await send(alice, "two");
		assert.deepEqual(await takeTexts(world, 1), ["two"]);
		assert.equal((await fateOf(alice, second)).fate, "delivered");
		assert.equal((await alice.client.call("getMessage", { params: { id: first } })).fate, "delivered");
	});
}

test("promise 1, cut at the partner's BYE with a MESSAGE of ours under way: unknown", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const id = await send(alice, "one");
	const link = await world.accepted();
	const invite = await requestOf(link, "INVITE");
	accept(link, invite);
	await requestOf(link, "MESSAGE");
	const bye = { method: "BYE", callId: invite.callId, fromTag: "t1", toTag: invite.from.tag ?? "" };
	link.write(formatRequest(bye));
	assert.equal((await finalResponse(link)).statusCode, 200);
	link.destroy();
	assert.equal((await fateOf(alice, id)).fate, "unknown");
});

for (const [point, reads] of [
	["before it is read", "nothing"],
	["behind its answer", "answer"],
] as const) {
	test(`promise 1, the partner's MESSAGE, cut ${point}: stored once at most, surely where it was answered`, async (context) => {
		const world = await startWireWorld(context);
		const alice = await world.createUser("alice@contoso.example", "Alice");
		const first = await world.connect();
		const open = async (link: Link, callId: string): Promise<string> => {
			link.write(formatRequest({ method: "INVITE", callId, body: sdp(MESSAGE_LINE) }));
			const toTag = (await finalResponse(link)).to.tag ?? "";
			link.write(formatRequest({ method: "ACK", callId, toTag }));
			return toTag;
		};
		const text = (callId: string, toTag: string, body: string): string =>
			formatRequest({ method: "MESSAGE", callId, toTag, cseq: 2, body, contentType: "text/plain" });
		first.write(text("c1", await open(first, "c1"), "one"));
		if (reads === "answer") assert.equal((await finalResponse(first)).statusCode, 202);
		first.destroy();
		const second = await world.connect();
		second.write(text("c2", await open(second, "c2"), "two"));
		assert.equal((await finalResponse(second)).statusCode, 202);
		const { messages } = await alice.client.call("listMessages", { query: {} });
		const texts = messages.map((message) => message.text);
		assert.deepEqual(texts, reads === "answer" || texts.length === 2 ? ["one", "two"] : ["two"]);
	});
}

for (const point of ["INVITE", "ACK", "BYE"] as const) {
	test(`promise 7, the partner's ${point}, cut behind it: the dialog is gone, and the next call is taken`, async (context) => {
		const world = await startWireWorld(context);
		await world.createUser("alice@contoso.example", "Alice");
		const first = await world.connect();
		first.write(formatRequest({ method: "INVITE", callId: "c1", body: sdp(MESSAGE_LINE) }));
		if (point !== "INVITE") {
			const toTag = (await finalResponse(first)).to.tag ?? "";
			first.write(formatRequest({ method: "ACK", callId: "c1", toTag }));
			if (point === "BYE") first.write(formatRequest({ method: "BYE", callId: "c1", toTag, cseq: 2 }));
		}
		first.destroy();
		const second = await world.connect();
		second.write(formatRequest({ method: "INVITE", callId: "c2", body: sdp(MESSAGE_LINE) }));
		assert.equal((await finalResponse(second)).statusCode, 200);
	});
}
