/** Connection affinity across the end of a connection and of the process: promise 5, protocol sheet 1.6 and 4.4. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "@causeway/admin";
import { HeaderId, headerValue, type SipRequest, type SipResponse } from "@causeway/sip";
import { bodyText, formatAnswer, formatRequest, type Link, MESSAGE_LINE, sdp, startWireWorld } from "./wire-world.ts";

const REBIND = 'affinity = "rebind"';
const ALICE = "alice@contoso.example";

async function finalResponse(link: Link): Promise<SipResponse> {
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	return response;
}

async function openSession(link: Link, callId: string): Promise<string> {
	link.write(formatRequest({ method: "INVITE", callId, body: sdp(MESSAGE_LINE) }));
	const toTag = (await finalResponse(link)).to.tag ?? "";
	link.write(formatRequest({ method: "ACK", callId, toTag }));
	// Behind the ACK on the same connection: once it is answered, the session is established.
	link.write(formatRequest({ method: "MESSAGE", callId, toTag, cseq: 2, body: "one", contentType: "text/plain" }));
	assert.equal((await finalResponse(link)).statusCode, 202);
	return toTag;
}

async function subscribe(link: Link, callId: string, parts: { readonly toTag?: string; readonly cseq?: number } = {}) {
	link.write(formatRequest({ method: "SUBSCRIBE", callId, ...parts, headers: ["Event: presence", "Expires: 600"] }));
	const answer = await finalResponse(link);
	if (answer.statusCode !== 200) return { answer, notify: undefined };
	const notify = await link.request();
	link.write(formatAnswer(notify, "200 OK"));
	return { answer, notify };
}

function assertStale(answer: SipResponse): void {
	assert.equal(answer.statusCode, 481);
	assert.match(headerValue(answer, HeaderId.msDiagnosticsPublic) ?? "", /^1004;/);
}

for (const affinity of ["strict", "rebind"]) {
	test(`promise 5: with affinity = "${affinity}" a session ${affinity === "strict" ? "ends with" : "outlives"} the edge that opened it`, async (context) => {
		const world = await startWireWorld(context, "", undefined, `affinity = "${affinity}"`);
		await world.createUser(ALICE, "Alice");
		const first = await world.connect();
		const toTag = await openSession(first, "c1");
		// The BYE of the stop is answered; where the session goes on, none comes.
		const bye =
			affinity === "strict"
				? first.request().then((request) => first.write(formatAnswer(request, "200 OK")))
				: undefined;
		await world.restart();
		await bye;
		const link = await world.connect();
		const text = { callId: "c1", toTag, contentType: "text/plain" } as const;
		link.write(formatRequest({ ...text, method: "MESSAGE", cseq: 3, body: "two" }));
		const answer = await finalResponse(link);
		if (affinity === "strict") {
			assertStale(answer);
			return;
		}
		assert.equal(answer.statusCode, 202);
		// What our user writes goes into the same dialog, with a number that was not used before.
		const anonymous = new Client({ url: world.edge.httpUrl });
		const { token } = await anonymous.call("login", { body: { aor: ALICE, password: "correct horse" } });
		const alice = anonymous.withToken(token);
		await alice.call("submitMessage", { body: { to: "lena@fabrikam.example", text: "three" } });
		const message = await link.request();
		assert.deepEqual([message.method, message.callId, bodyText(message)], ["MESSAGE", "c1", "three"]);
		assert.ok(message.cseq.number > 1_000);
		link.write(formatAnswer(message, "200 OK"));
		const { messages } = await alice.call("listMessages", { query: { with: "lena@fabrikam.example" } });
		assert.deepEqual(messages.map((stored) => stored.text).sort(), ["one", "three", "two"]);
		link.write(formatRequest({ method: "BYE", callId: "c1", toTag, cseq: 4 }));
		assert.equal((await finalResponse(link)).statusCode, 200);
		link.write(formatRequest({ ...text, method: "MESSAGE", cseq: 5, body: "late" }));
		assertStale(await finalResponse(link));
	});

	test(`promise 5: with affinity = "${affinity}" a subscription ${affinity === "strict" ? "ends with" : "outlives"} the edge that took it`, async (context) => {
		const world = await startWireWorld(context, "", undefined, `affinity = "${affinity}"`);
		await world.createUser(ALICE, "Alice");
		const first = await world.connect();
		const { answer } = await subscribe(first, "s1");
		const toTag = answer.to.tag ?? "";
		const last =
			affinity === "strict"
				? first.request().then((request) => first.write(formatAnswer(request, "200 OK")))
				: undefined;
		await world.restart();
		await last;
		const link = await world.connect();
		const again = await subscribe(link, "s1", { toTag, cseq: 2 });
		if (affinity === "strict") {
			assertStale(again.answer);
			return;
		}
		assert.equal(again.answer.statusCode, 200);
		assert.match(headerValue(again.notify as SipRequest, HeaderId.subscriptionState) ?? "", /^pending;expires=/);
		assert.equal(again.notify?.callId, "s1");
		assert.equal(again.notify?.from.tag, toTag);
		// It is as alive as any other: the next refresh finds it.
		assert.equal((await subscribe(link, "s1", { toTag, cseq: 3 })).answer.statusCode, 200);
	});
}

test('affinity = "rebind": a session goes on over the next connection of the peer when its own is lost', async (context) => {
	const world = await startWireWorld(context, "", undefined, REBIND);
	await world.createUser(ALICE, "Alice");
	const first = await world.connect();
	const toTag = await openSession(first, "c2");
	first.destroy();
	const link = await world.connect();
	link.write(
		formatRequest({ method: "MESSAGE", callId: "c2", toTag, cseq: 3, body: "two", contentType: "text/plain" }),
	);
	assert.equal((await finalResponse(link)).statusCode, 202);
	// A number that was used before is out of order, and the token still has to be the dialog's own.
	link.write(formatRequest({ method: "INFO", callId: "c2", toTag, cseq: 1 }));
	assert.equal((await finalResponse(link)).statusCode, 500);
	const forged = world.targetOf("c2").replace(/.$/, (last) => (last === "A" ? "B" : "A"));
	link.write(formatRequest({ method: "BYE", uri: forged, callId: "c2", toTag, cseq: 4 }));
	assert.equal((await finalResponse(link)).statusCode, 403);
	link.write(formatRequest({ method: "BYE", callId: "c2", toTag, cseq: 5 }));
	assert.equal((await finalResponse(link)).statusCode, 200);
});

test('affinity = "rebind": a session that was hung up does not come back', async (context) => {
	const world = await startWireWorld(context, "", undefined, REBIND);
	await world.createUser(ALICE, "Alice");
	const first = await world.connect();
	const toTag = await openSession(first, "c3");
	first.write(formatRequest({ method: "BYE", callId: "c3", toTag, cseq: 3 }));
	assert.equal((await finalResponse(first)).statusCode, 200);
	await world.restart();
	const link = await world.connect();
	link.write(
		formatRequest({ method: "MESSAGE", callId: "c3", toTag, cseq: 4, body: "late", contentType: "text/plain" }),
	);
	assertStale(await finalResponse(link));
});
