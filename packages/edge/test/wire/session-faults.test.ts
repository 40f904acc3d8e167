/** What a partner may do wrong, or at the wrong moment, around message sessions: the edge goes on and every message ends. */
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
} from "./wire-world.ts";

async function finalResponse(link: Link): Promise<SipResponse> {
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	return response;
}

async function openSession(link: Link, callId: string, from = "lena@fabrikam.example"): Promise<string> {
	link.write(formatRequest({ method: "INVITE", callId, from, body: sdp(MESSAGE_LINE) }));
	const response = await finalResponse(link);
	assert.equal(response.statusCode, 200);
	const toTag = response.to.tag ?? "";
	link.write(formatRequest({ method: "ACK", callId, from, toTag }));
	return toTag;
}

async function send(alice: WireUser, text: string): Promise<string> {
	const { id } = await alice.client.call("submitMessage", { body: { to: "lena@fabrikam.example", text } });
	return id;
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

async function isAlive(link: Link): Promise<void> {
	link.write(formatRequest({ method: "OPTIONS" }));
	assert.equal((await link.response()).statusCode, 200);
}

test("promise 7: an address longer than any of ours is refused, whatever the method, and the edge goes on", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const long = "x".repeat(600);
	for (const address of [{ from: `${long}@fabrikam.example` }, { to: `${long}@contoso.example` }]) {
		link.write(formatRequest({ method: "INVITE", ...address, body: sdp(MESSAGE_LINE) }));
		const refused = await finalResponse(link);
		assert.equal(refused.statusCode, "from" in address ? 400 : 404);
		link.write(formatRequest({ method: "SUBSCRIBE", ...address, headers: ["Event: presence"] }));
		assert.equal((await finalResponse(link)).statusCode, "from" in address ? 400 : 404);
	}
	await isAlive(link);
});

for (const [what, header] of [
	["a Contact", "Contact: <sip:a%zz@sip.fabrikam.example>"],
	["a Record-Route", "Record-Route: <<nonsense>"],
] as const) {
	test(`promise 7: a 200 to our INVITE with ${what} that cannot be read fails what waited, and the edge goes on`, async (context) => {
		const world = await startWireWorld(context);
		const alice = await world.createUser("alice@contoso.example", "Alice");
		const id = await send(alice, "hello");
		const link = await world.accepted();
		const invite = await link.request();
		const answer = formatAnswer(invite, "200 OK", { toTag: "t1", body: sdp(MESSAGE_LINE) });
		link.write(answer.replace("Contact: <sip:lena@sip.fabrikam.example:5061;transport=tls>", header));
		assert.deepEqual(await fateOf(alice, id), { fate: "failed", code: 502, blame: "peer" });
		await isAlive(link);
	});
}

test("RFC 3264 §6: a 200 that takes no message line ends the session, and what waited has failed", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const ids = [await send(alice, "one"), await send(alice, "two")];
	const link = await world.accepted();
	const invite = await link.request();
	link.write(formatAnswer(invite, "200 OK", { toTag: "t1", body: sdp("message 0 sip/tcp *") }));
	assert.equal((await link.request()).method, "ACK");
	const bye = await link.request();
	assert.equal(bye.method, "BYE");
	link.write(formatAnswer(bye, "200 OK"));
	for (const id of ids) assert.deepEqual(await fateOf(alice, id), { fate: "failed", code: 488, blame: "peer" });
	await isAlive(link);
});

test("protocol 2.5: a sender who escapes letters of his name is one person, with one session for both directions", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const from = "%6Cen%61@fabrikam.example";
	const toTag = await openSession(link, "escaped", from);
	link.write(
		formatRequest({
			method: "MESSAGE",
			callId: "escaped",
			from,
			toTag,
			cseq: 2,
			body: "hi",
			contentType: "text/plain",
		}),
	);
	assert.equal((await finalResponse(link)).statusCode, 202);
	assert.equal((await alice.event("message", ({ direction }) => direction === "in")).with, "lena@fabrikam.example");
	const id = await send(alice, "answer");
	const message = await link.request();
	assert.equal(bodyText(message), "answer");
	link.write(formatAnswer(message, "200 OK"));
	assert.equal((await fateOf(alice, id)).fate, "delivered");
});

test("REQ-69: the Request-URI says whom an INVITE is for; To does where it names the edge", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	await world.createUser("carol@contoso.example", "Carol");
	const link = await world.connect();
	const status = async (uri: string, to: string): Promise<number> => {
		link.write(formatRequest({ method: "INVITE", uri, to, body: sdp(MESSAGE_LINE) }));
		const response = await finalResponse(link);
		if (response.statusCode !== 200) return response.statusCode;
		const { callId } = response;
		link.write(formatRequest({ method: "ACK", callId, to, toTag: response.to.tag ?? "" }));
		return 200;
	};
	assert.equal(await status("sip:carol@contoso.example", "nobody@contoso.example"), 200);
	assert.equal(await status("sip:nobody@contoso.example", "carol@contoso.example"), 404);
	assert.equal(await status("sip:sip.contoso.example:5061;transport=tls", "carol@contoso.example"), 200);
});

test("promise 1: nothing that a person wrote is answered 200 and thrown away", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const link = await world.connect();
	const toTag = await openSession(link, "kept");
	let cseq = 1;
	const message = async (body: string, contentType: string): Promise<number> => {
		cseq += 1;
		link.write(formatRequest({ method: "MESSAGE", callId: "kept", toTag, cseq, body, contentType }));
		return (await finalResponse(link)).statusCode;
	};
	assert.equal(await message('<img src="cid:1">', "text/html"), 415);
	assert.equal(await message(" ", "text/plain"), 200);
	const parts = [
		"--b",
		"Content-Type: text/plain",
		"",
		"",
		"--b",
		"Content-Type: text/html",
		"",
		"<b>bold</b>",
		"--b--",
	];
	assert.equal(await message(parts.join("\n"), "multipart/alternative;boundary=b"), 200);
	const { messages } = await alice.client.call("listMessages", { query: {} });
	assert.deepEqual(
		messages.map(({ text }) => text),
		[" ", "bold"],
	);
});

test("protocol 3.6: with offline = refuse a MESSAGE to a user who has gone gets 480", async (context) => {
	const world = await startWireWorld(context, '[im]\noffline = "refuse"\n');
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const link = await world.connect();
	const toTag = await openSession(link, "gone");
	await alice.client.call("putPresence", { body: { state: "offline" } });
	link.write(
		formatRequest({ method: "MESSAGE", callId: "gone", toTag, cseq: 2, body: "there?", contentType: "text/plain" }),
	);
	assert.equal((await finalResponse(link)).statusCode, 480);
	assert.deepEqual((await alice.client.call("listMessages", { query: {} })).messages, []);
});

test("a blocked sender's MESSAGE that crosses our BYE is refused and not kept", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const toTag = await openSession(link, "blocked");
	await isAlive(link);
	await alice.client.call("putBlock", { params: { aor: "lena@fabrikam.example" } });
	assert.equal((await link.request()).method, "BYE");
	link.write(
		formatRequest({
			method: "MESSAGE",
			callId: "blocked",
			toTag,
			cseq: 2,
			body: "still me",
			contentType: "text/plain",
		}),
	);
	assert.equal((await finalResponse(link)).statusCode, 480);
	assert.deepEqual((await alice.client.call("listMessages", { query: {} })).messages, []);
});

test("REQ-48, REQ-52: an ACK on another connection, or with a sips: URI, confirms nothing", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const own = await world.connect();
	const other = await world.connect();
	own.write(formatRequest({ method: "INVITE", callId: "acked", body: sdp(MESSAGE_LINE) }));
	const toTag = (await finalResponse(own)).to.tag ?? "";
	other.write(formatRequest({ method: "ACK", callId: "acked", toTag }));
	await isAlive(other);
	own.write(
		formatRequest({ method: "ACK", callId: "acked", toTag, headers: ["Reply-To: <sips:lena@fabrikam.example>"] }),
	);
	await send(alice, "after the ACK");
	// The 200 comes again as long as no ACK counts, and no MESSAGE leaves before.
	const again = await own.next();
	assert.equal(again.kind === "response" && again.statusCode, 200);
	own.write(formatRequest({ method: "ACK", callId: "acked", toTag }));
	assert.equal(bodyText(await requestOf(own, "MESSAGE")), "after the ACK");
});
