/** Message sessions over the wire, both roles, and the fate of what is sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue, type SipRequest } from "@causeway/sip";
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

/** Opens a session from the partner's side and gives the tag of our user. */
async function openSession(
	link: Link,
	callId: string,
	...media: readonly string[]
): Promise<{ readonly toTag: string; readonly answer: string }> {
	link.write(formatRequest({ method: "INVITE", callId, body: sdp(...(media.length === 0 ? [MESSAGE_LINE] : media)) }));
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	assert.equal(response.statusCode, 200);
	const toTag = response.to.tag ?? "";
	link.write(formatRequest({ method: "ACK", callId, toTag }));
	return { toTag, answer: bodyText(response) };
}

async function send(alice: WireUser, text: string): Promise<string> {
	const { id } = await alice.client.call("submitMessage", { body: { to: "lena@fabrikam.example", text } });
	return id;
}

async function fateOf(alice: WireUser, id: string) {
	const { fate, code, blame } = await alice.event("fate", (event) => event.id === id && event.fate !== "sending");
	return { fate, code, blame };
}

/** Answers our edge's INVITE, and gives it. */
async function answerInvite(link: Link): Promise<SipRequest> {
	const invite = await link.request();
	assert.equal(invite.method, "INVITE");
	link.write(formatAnswer(invite, "200 OK", { toTag: "t1", body: sdp(MESSAGE_LINE) }));
	const ack = await link.request();
	assert.equal(ack.method, "ACK");
	assert.equal(headerValue(ack, HeaderId.contact), undefined);
	return invite;
}

test("REQ-31: line by line, what is not spoken here is answered with port 0, in the order of the offer", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const { answer } = await openSession(
		link,
		"mixed",
		"audio 4000 RTP/AVP 0",
		"x-ms-message 5060 sip null",
		"message 5060 sip/tcp *",
		"video 4002 RTP/AVP 31",
	);
	const lines = answer.split("\r\n").filter((line) => line.startsWith("m="));
	assert.deepEqual(
		lines.map((line) => line.split(" ").slice(0, 3).join(" ")),
		["m=audio 0 RTP/AVP", "m=x-ms-message 5060 sip", "m=message 0 sip/tcp", "m=video 0 RTP/AVP"],
	);
});

test("REQ-28, REQ-29: a MESSAGE in the session reaches the user; what cannot be read is refused by its type", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const link = await world.connect();
	const { toTag } = await openSession(link, "c1");
	let cseq = 1;
	const message = async (body: string, contentType: string, headers: readonly string[] = []): Promise<number> => {
		cseq += 1;
		link.write(formatRequest({ method: "MESSAGE", callId: "c1", toTag, cseq, body, contentType, headers }));
		return (await link.response()).statusCode;
	};
	assert.equal(await message("caf\u00e9 \u2615", "text/plain; charset=UTF-8", ["X-Unknown: <whatever>"]), 200);
	assert.equal((await alice.event("message")).text, "caf\u00e9 \u2615");
	assert.equal(await message("<p>one &amp; two<br>three<script>x()</script></p>", "text/html"), 200);
	assert.equal((await alice.event("message")).text, "one & two\nthree");
	assert.equal(await message("x", "application/x-ms-ink"), 415);
	assert.equal(await message("", "text/plain"), 200);
	const composing = '<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state></isComposing>';
	assert.equal(await message(composing, "application/im-iscomposing+xml"), 200);
	assert.equal((await alice.event("typing", ({ typing }) => typing)).with, "lena@fabrikam.example");
	assert.equal(await message("x".repeat(65_537), "text/plain"), 513);
	cseq += 1;
	link.write(formatRequest({ method: "BYE", callId: "c1", toTag, cseq }));
	assert.equal((await link.response()).statusCode, 200);
	assert.equal(await message("late", "text/plain"), 481);
});

test("[im] offline: a user with no published presence gets messages stored, and the sender is told 202", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const { toTag } = await openSession(link, "c2");
	link.write(
		formatRequest({ method: "MESSAGE", callId: "c2", toTag, cseq: 2, body: "for later", contentType: "text/plain" }),
	);
	assert.equal((await link.response()).statusCode, 202);
	const { messages } = await alice.client.call("listMessages", { query: { with: "lena@fabrikam.example" } });
	assert.deepEqual(
		messages.map(({ text, fate }) => [text, fate]),
		[["for later", "received"]],
	);
});

test("[im] offline = refuse: nobody takes the call of a user who is not there", async (context) => {
	const world = await startWireWorld(context, '[im]\noffline = "refuse"\n');
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	link.write(formatRequest({ method: "INVITE", body: sdp(MESSAGE_LINE) }));
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	assert.equal(response.statusCode, 480);
});

test("REQ-25, REQ-48, promise 1: our user's messages leave one at a time, in order, on the connection of their session", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice at Contoso");
	const ids = [await send(alice, "one"), await send(alice, "two")];
	const link = await world.accepted();
	const invite = await answerInvite(link);
	assert.match(bodyText(invite), /^m=message 5060 sip\/tcp \*\r$/m);
	assert.match(
		headerValue(invite, HeaderId.contact) ?? "",
		/^<sip:alice@sip\.contoso\.example:\d+;transport=tls;fs=1\.[^;>]+>$/,
	);
	assert.equal(headerValue(invite, HeaderId.msAssertedVerificationLevel), "ms-source-verification-level=verified");
	assert.equal(invite.from.displayName, "Alice at Contoso");
	const first = await link.request();
	assert.equal(bodyText(first), "one");
	assert.equal(first.cseq.number, 2);
	assert.equal(headerValue(first, HeaderId.contact), undefined);
	link.write(formatAnswer(first, "200 OK"));
	const second = await link.request();
	assert.equal(bodyText(second), "two");
	link.write(formatAnswer(second, "202 Accepted"));
	assert.deepEqual(await fateOf(alice, ids[0] ?? ""), { fate: "delivered", code: undefined, blame: undefined });
	assert.deepEqual(await fateOf(alice, ids[1] ?? ""), { fate: "accepted", code: undefined, blame: undefined });
});

test("promise 1: a message whose connection was lost before the answer is unknown, and is not sent again", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const id = await send(alice, "lost?");
	const link = await world.accepted();
	await answerInvite(link);
	assert.equal(bodyText(await link.request()), "lost?");
	link.destroy();
	assert.deepEqual(await fateOf(alice, id), { fate: "unknown", code: 503, blame: "network" });
	const next = await send(alice, "and now");
	const again = await world.accepted();
	await answerInvite(again);
	const message = await again.request();
	assert.equal(bodyText(message), "and now");
	again.write(formatAnswer(message, "200 OK"));
	assert.equal((await fateOf(alice, next)).fate, "delivered");
});

for (const [status, phrase, fate, blame] of [
	[486, "Busy Here", "failed", "recipient"],
	[404, "Not Found", "failed", "recipient"],
	[403, "Forbidden", "failed", "peer"],
	[480, "Temporarily Unavailable", "failed", "recipient"],
] as const) {
	test(`an INVITE answered ${status} fails what waited for it, with the reason and whose it is`, async (context) => {
		const world = await startWireWorld(context);
		const alice = await world.createUser("alice@contoso.example", "Alice");
		const ids = [await send(alice, "one"), await send(alice, "two")];
		const link = await world.accepted();
		const invite = await link.request();
		link.write(formatAnswer(invite, `${status} ${phrase}`, { toTag: "t1" }));
		assert.equal((await link.request()).method, "ACK");
		for (const id of ids) assert.deepEqual(await fateOf(alice, id), { fate, code: status, blame });
	});
}

test("REQ-67: a MESSAGE answered 481 is sent once more, in a new session; the second 481 is its end", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const id = await send(alice, "try twice");
	const link = await world.accepted();
	const first = await answerInvite(link);
	link.write(formatAnswer(await link.request(), "481 Call/Transaction Does Not Exist"));
	let request = await link.request();
	while (request.method !== "INVITE") {
		if (request.method === "BYE") link.write(formatAnswer(request, "481 Call/Transaction Does Not Exist"));
		request = await link.request();
	}
	assert.notEqual(request.callId, first.callId);
	link.write(formatAnswer(request, "200 OK", { toTag: "t2", body: sdp(MESSAGE_LINE) }));
	let message = await link.request();
	while (message.method !== "MESSAGE") {
		if (message.method === "BYE") link.write(formatAnswer(message, "481 Call/Transaction Does Not Exist"));
		message = await link.request();
	}
	assert.equal(bodyText(message), "try twice");
	link.write(formatAnswer(message, "481 Call/Transaction Does Not Exist"));
	assert.deepEqual(await fateOf(alice, id), { fate: "failed", code: 481, blame: "peer" });
});

test("REQ-48, product contract 9: a request of the dialog on another connection gets 481 with diagnostics 1004", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const own = await world.connect();
	const other = await world.connect();
	const { toTag } = await openSession(own, "pinned");
	other.write(
		formatRequest({ method: "MESSAGE", callId: "pinned", toTag, cseq: 2, body: "x", contentType: "text/plain" }),
	);
	const refused = await other.response();
	assert.equal(refused.statusCode, 481);
	assert.match(headerValue(refused, HeaderId.msDiagnosticsPublic) ?? "", /^1004;/);
	own.write(
		formatRequest({ method: "MESSAGE", callId: "pinned", toTag, cseq: 2, body: "x", contentType: "text/plain" }),
	);
	assert.equal((await own.response()).statusCode, 202);
});

test("a blocked sender is told what everybody is told who meets nobody", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putBlock", { params: { aor: "lena@fabrikam.example" } });
	const link = await world.connect();
	link.write(formatRequest({ method: "INVITE", body: sdp(MESSAGE_LINE) }));
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	assert.equal(response.statusCode, 480);
});

test("two users of the same edge write to each other without SIP, with the same fates", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const carol = await world.createUser("carol@contoso.example", "Carol");
	await carol.client.call("putPresence", { body: { state: "available" } });
	const { id } = await alice.client.call("submitMessage", { body: { to: carol.aor, text: "hello Carol" } });
	assert.equal((await carol.event("message", ({ direction }) => direction === "in")).text, "hello Carol");
	assert.equal((await alice.event("fate", (event) => event.id === id && event.fate !== "sending")).fate, "delivered");
});
