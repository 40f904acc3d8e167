/** Whether presence flows both ways with a peer, and what is known of who a contact is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipRequest } from "@causeway/sip";
import { runCommand } from "../cli/run-command.ts";
import {
	formatAnswer,
	formatRequest,
	type Link,
	MESSAGE_LINE,
	sdp,
	startWireWorld,
	type WireWorld,
} from "./wire-world.ts";

const ALICE = "alice@contoso.example";
const LENA = "lena@fabrikam.example";

/** Lena watches Alice; the first NOTIFY is answered. */
async function watchAlice(link: Link, callId: string, headers: readonly string[] = []): Promise<void> {
	link.write(formatRequest({ method: "SUBSCRIBE", callId, headers: ["Event: presence", "Expires: 3600", ...headers] }));
	assert.equal((await link.response()).statusCode, 200);
	link.write(formatAnswer(await link.request(), "200 OK"));
}

/** Takes the SUBSCRIBE of our edge; the partner can tell documents from here on. */
async function answerSubscribe(link: Link): Promise<SipRequest> {
	const request = await link.request();
	assert.equal(request.method, "SUBSCRIBE");
	link.write(formatAnswer(request, "200 OK", { toTag: "n1", headers: ["Expires: 3600"] }));
	return request;
}

let lastNotify = 0;

async function notify(link: Link, { callId, from }: SipRequest, headers: readonly string[] = []): Promise<void> {
	lastNotify += 1;
	link.write(
		formatRequest({
			method: "NOTIFY",
			from: LENA,
			fromTag: "n1",
			to: ALICE,
			toTag: from.tag ?? "",
			callId,
			cseq: lastNotify,
			headers: ["Event: presence", "Subscription-State: active;expires=3600", ...headers],
			contentType: "application/pidf+xml",
			body: `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:${LENA}"><tuple id="0"><status><basic>open</basic></status></tuple></presence>`,
		}),
	);
	assert.equal((await link.response()).statusCode, 200);
}

async function show(world: WireWorld): Promise<readonly string[]> {
	const { stdout } = await runCommand(world.admin, ["peer", "show", "fabrikam.example"]);
	return stdout
		.replaceAll(/\d{4}-\d\d-\d\dT\S+Z/g, "NOW")
		.split("\n")
		.filter((line) => /^(?:we|they) see/.test(line));
}

test("one-way presence is seen, in API and peer show: each direction with its subscriptions and its last NOTIFY", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser(ALICE, "Alice");
	const flow = async () => (await world.admin.call("listPeers")).peers[0]?.presence;
	const nothing = { subscriptions: 0 };
	assert.deepEqual(await flow(), { we_see_them: nothing, they_see_us: nothing });
	assert.deepEqual(await show(world), [
		"we see them   0 subscriptions, no NOTIFY since the start",
		"they see us   0 subscriptions, no NOTIFY since the start",
	]);

	const link = await world.connect();
	await watchAlice(link, "flow-1");
	const theySee = await flow();
	assert.equal(theySee?.they_see_us.subscriptions, 1);
	assert.ok(theySee.they_see_us.last_notify_at !== undefined);
	assert.deepEqual(theySee.we_see_them, nothing);
	assert.deepEqual(await show(world), [
		"we see them   0 subscriptions, no NOTIFY since the start",
		"they see us   1 subscription, last NOTIFY NOW",
	]);

	await alice.client.call("putContact", { params: { aor: LENA }, body: {} });
	await notify(link, await answerSubscribe(link));
	await alice.event("presence", ({ state }) => state === "available");
	const both = await flow();
	assert.equal(both?.we_see_them.subscriptions, 1);
	assert.ok(both.we_see_them.last_notify_at !== undefined);
	assert.deepEqual(await show(world), [
		"we see them   1 subscription, last NOTIFY NOW",
		"they see us   1 subscription, last NOTIFY NOW",
	]);
});

const VERIFIED = "Ms-asserted-verification-level: ms-source-verification-level=verified";
const UNVERIFIED = "Ms-asserted-verification-level: ms-source-verification-level=unverified";

test("REQ-73, REQ-76, protocol 7.6: a contact's level is what its server said last, in a NOTIFY or in the contact's own requests to our user; silence says nothing", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser(ALICE, "Alice");
	await alice.client.call("putContact", { params: { aor: LENA }, body: {} });
	const link = await world.accepted();
	const watch = await answerSubscribe(link);
	const level = async () => (await alice.client.call("getContact", { params: { aor: LENA } })).verification;
	// Nobody has said anything: not trusted.
	await notify(link, watch);
	await alice.event("presence", ({ state }) => state === "available");
	assert.equal(await level(), "unverified");
	// Lena subscribes, and her server vouches for her; what says nothing takes nothing back.
	await watchAlice(link, "level-1", [VERIFIED]);
	assert.equal((await alice.event("presence", ({ verification }) => verification === "verified")).state, "available");
	await notify(link, watch);
	assert.equal(await level(), "verified");
	await notify(link, watch, [UNVERIFIED]);
	assert.equal(await level(), "unverified");
	// A call says it too.
	link.write(formatRequest({ method: "INVITE", callId: "level-2", body: sdp(MESSAGE_LINE), verification: "verified" }));
	assert.equal((await alice.event("presence", ({ verification }) => verification === "verified")).state, "available");
	assert.equal(await level(), "verified");
});

test("REQ-74: with verification = always-unverified no statement raises a contact's level, and one who watches our user is known from the first NOTIFY on", async (context) => {
	for (const [policy, expected] of [
		["always-unverified", "unverified"],
		["as-asserted", "verified"],
	] as const) {
		const world = await startWireWorld(context, "", () => {}, `verification = "${policy}"`);
		const alice = await world.createUser(ALICE, "Alice");
		const link = await world.connect();
		await watchAlice(link, "early", [VERIFIED]);
		await alice.client.call("putContact", { params: { aor: LENA }, body: {} });
		await notify(link, await answerSubscribe(link));
		await alice.event("presence", ({ state }) => state === "available");
		assert.equal((await alice.client.call("getContact", { params: { aor: LENA } })).verification, expected);
	}
});
