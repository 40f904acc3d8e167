/** What comes back to our Contact is verified before it is taken: protocol sheet 4.4, on a clock that a test moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequest, HeaderId, headerValue, type SipRequest } from "@causeway/sip";
import { type ImWorld, MESSAGE_SDP, openImWorld } from "./testing.ts";

const HOUR = 3_600_000;

/** Lena opens a session; the tag of Alice in it. */
function openSession(world: ImWorld, callId = "lenas-call"): string {
	world.receive(world.request("INVITE", { callId, body: MESSAGE_SDP }));
	const answer = world.take("200 INVITE");
	const toTag = answer.to.tag ?? "";
	world.receive(world.request("ACK", { callId, toTag }));
	world.sent();
	return toTag;
}

/** The same request to another URI. */
function moved(request: SipRequest, change: (uri: string) => string): SipRequest {
	const headers = ["Via", "From", "To", "Call-ID", "CSeq"].map((name) => {
		const line = request.head.text.split("\r\n").find((text) => text.startsWith(`${name}: `)) ?? "";
		return [name, line.slice(name.length + 2)] as const;
	});
	const { method, body } = request;
	return createRequest({
		method,
		requestUri: change(request.requestUri.text),
		headers: [...headers, ["Content-Type", "text/plain"]],
		body,
	});
}

/** The last character of the MAC changed. */
const forge = (uri: string): string => uri.slice(0, -1) + (uri.endsWith("A") ? "B" : "A");
const token = /;fs=[^;>]*/;
const faults: readonly (readonly [name: string, change: (uri: string) => string, status: number])[] = [
	["no token", (uri) => uri.replace(token, ""), 481],
	["the address of record in place of our Contact", () => "sip:alice@contoso.example", 481],
	["a token without a value", (uri) => uri.replace(token, ";fs"), 481],
	["a token that is none", (uri) => uri.replace(token, ";fs=nonsense"), 481],
	["a token cut", (uri) => uri.slice(0, -1), 481],
	["a token doubled", (uri) => uri + uri.slice(uri.indexOf(";fs=") + 4), 481],
	["the parameter doubled", (uri) => uri + uri.slice(uri.indexOf(";fs=")), 481],
	["an unknown key", (uri) => uri.replace("fs=1.test.", "fs=1.none."), 481],
	["another time", (uri) => uri.replace(/(fs=1\.test\.)\w+/, "$11vsf1"), 403],
	["another MAC", forge, 403],
	["another port", (uri) => uri.replace(":5061", ":5062"), 403],
	["another transport", (uri) => uri.replace("transport=tls", "transport=tcp"), 403],
];

test("protocol 4.4: what a MESSAGE in a session was sent to decides its fate, and the session goes on", async (context) => {
	const world = await openImWorld(context);
	const toTag = openSession(world);
	let cseq = 1;
	for (const [name, change, status] of faults) {
		cseq += 1;
		world.receive(moved(world.request("MESSAGE", { toTag, cseq, body: "hi" }), change));
		const answer = world.take(`${status} MESSAGE`);
		// The dialog is over for the peer: it builds another (product contract 9); a forgery is told nothing.
		const said = headerValue(answer, HeaderId.msDiagnosticsPublic);
		assert.equal(said?.startsWith("1004;") ?? false, status === 481, name);
	}
	world.receive(world.request("MESSAGE", { toTag, cseq: cseq + 1, body: "hi" }));
	await world.settled();
	assert.deepEqual(world.sent(), ["200 MESSAGE"]);
	// RFC 3261 §19.1.4: names of hosts and parameters have no case.
	const shouted = world.request("MESSAGE", { toTag, cseq: cseq + 2, body: "hi" });
	world.receive(
		moved(shouted, (uri) => uri.replace("sip.contoso.example", "SIP.CONTOSO.EXAMPLE").replace(";fs=", ";FS=")),
	);
	await world.settled();
	assert.deepEqual(world.sent(), ["200 MESSAGE"]);
});

test("a token is good in its own dialog and from its own peer alone", async (context) => {
	const world = await openImWorld(context);
	const first = openSession(world, "first");
	const second = openSession(world, "second");
	const own = world.request("MESSAGE", { callId: "second", toTag: second }).requestUri.text;
	const target = world.request("MESSAGE", { callId: "first", toTag: first }).requestUri.text;
	world.receive(
		moved(world.request("MESSAGE", { callId: "second", toTag: second, cseq: 2, body: "hi" }), () => target),
	);
	assert.deepEqual(world.sent(), ["403 MESSAGE"]);
	// A dialog that is not there, with the token of one that is.
	world.receive(moved(world.request("BYE", { callId: "third", toTag: first, cseq: 2 }), () => target));
	assert.deepEqual(world.sent(), ["403 BYE"]);
	assert.equal(world.agent.dialogs.size, 2);
	world.receive(world.request("BYE", { callId: "second", toTag: second, cseq: 3 }));
	assert.deepEqual(world.sent(), ["200 BYE"]);
	// Over, though its token is as good as ever.
	world.receive(moved(world.request("MESSAGE", { callId: "second", toTag: second, cseq: 4, body: "hi" }), () => own));
	assert.deepEqual(world.sent(), ["481 MESSAGE"]);
});

test("an ACK that cannot be verified is dropped in silence: the 200 is sent again", async (context) => {
	const world = await openImWorld(context);
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	const toTag = world.take("200 INVITE").to.tag ?? "";
	world.receive(moved(world.request("ACK", { toTag }), (uri) => uri.replace(token, ";fs=nonsense")));
	assert.deepEqual(world.sent(), []);
	world.clock.advance(600);
	assert.deepEqual(world.sent(), ["200 INVITE"]);
	world.receive(world.request("ACK", { toTag }));
	world.clock.advance(5_000);
	assert.deepEqual(world.sent(), []);
});

for (const method of ["BYE", "MESSAGE"]) {
	test(`REQ-63: a ${method} in a dialog older than 24 hours gets 481, and the dialog is no more`, async (context) => {
		const world = await openImWorld(context);
		const toTag = openSession(world);
		const request = world.request(method, { toTag, cseq: 2, ...(method === "BYE" ? {} : { body: "hi" }) });
		world.clock.stepWall(24 * HOUR + 130_000);
		// Forged, it ends nothing.
		world.receive(moved(world.request(method, { toTag, cseq: 2 }), forge));
		assert.deepEqual(world.sent(), [`481 ${method}`]);
		assert.equal(world.agent.dialogs.size, 1);
		world.receive(request);
		assert.deepEqual(world.sent(), [`481 ${method}`], "and no BYE of ours");
		assert.equal(world.agent.dialogs.size, 0);
		openSession(world, "new");
		assert.equal(world.agent.dialogs.size, 1);
	});
}

test("our INVITE carries the token in its Contact and in its offer; what comes back to it is verified", async (context) => {
	const world = await openImWorld(context, { imProfile: "uri" });
	await world.write("hello");
	const invite = world.take("INVITE");
	const contact = headerValue(invite, HeaderId.contact) ?? "";
	assert.match(
		contact,
		/^<sip:alice@sip\.contoso\.example:5061;transport=tls;fs=1\.test\.[0-9a-z]+\.9\.[0-9a-z]+-1\.[\w-]{22}>$/,
	);
	// REQ-26.
	assert.ok(Buffer.from(invite.body).toString().includes(contact.slice(1, -1)));
	world.answer(invite, 200, MESSAGE_SDP);
	await world.settled();
	const message = world.take("MESSAGE");
	assert.equal(headerValue(message, HeaderId.contact), undefined);
	world.answer(message, 200);
	const parts = { callId: invite.callId, toTag: invite.from.tag ?? "", cseq: 1 };
	world.receive(moved(world.request("MESSAGE", { ...parts, body: "hi" }), forge));
	assert.deepEqual(world.sent(), ["403 MESSAGE"]);
	world.receive(world.request("MESSAGE", { ...parts, cseq: 2, body: "hi" }));
	await world.settled();
	assert.deepEqual(world.sent(), ["200 MESSAGE"]);
});
