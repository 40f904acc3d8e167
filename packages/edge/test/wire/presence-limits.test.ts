/** Presence where things end or go wrong: addresses too long, users that go and come back, other event packages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { HeaderId, headerValue, type SipRequest } from "@causeway/sip";
import { type PartnerLink, startDiscoveryWorld } from "./discovery-world.ts";
import { bodyText, formatAnswer, formatRequest, startWireWorld } from "./wire-world.ts";

const EVENT = ["Event: presence", "Expires: 600"];
const LONG = "x".repeat(600);

test("promise 7: addresses that no directory holds are refused, and the edge goes on", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	link.write(formatRequest({ method: "SUBSCRIBE", from: `${LONG}@fabrikam.example`, headers: EVENT }));
	assert.equal((await link.response()).statusCode, 400);
	link.write(formatRequest({ method: "SUBSCRIBE", to: `${LONG}@contoso.example`, headers: EVENT }));
	assert.equal((await link.response()).statusCode, 404);
	link.write(formatRequest({ method: "SUBSCRIBE", headers: EVENT }));
	assert.equal((await link.response()).statusCode, 200);
});

test("REQ-87: another event package gets 489 inside a subscription too", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	link.write(formatRequest({ method: "SUBSCRIBE", callId: "p1", headers: EVENT }));
	const toTag = (await link.response()).to.tag ?? "";
	link.write(formatAnswer(await link.request(), "200 OK"));
	const headers = ["Event: presence.winfo", "Expires: 600"];
	link.write(formatRequest({ method: "SUBSCRIBE", callId: "p1", toTag, cseq: 2, headers }));
	const refused = await link.response();
	assert.equal(refused.statusCode, 489);
	assert.equal(headerValue(refused, HeaderId.allowEvents), "presence");
});

const ALICE = { aor: "alice@contoso.example" };
const LENA = { aor: "lena@fabrikam.example" };
const EDGE = "sip.fabrikam.example";

/** The next request of our edge; answers are passed over. */
async function nextRequest(link: PartnerLink): Promise<SipRequest> {
	for (;;) {
		const message = await link.next();
		if (message.kind === "request") return message;
	}
}

test("REQ-91: where users are hidden, a suspended one shows nothing to whom he had allowed", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner([EDGE]);
	world.publish("fabrikam.example", EDGE, partner.port);
	const alice = await world.user();
	await alice.call("putPresence", { body: { state: "available" } });
	const link = await partner.connect(world.port);
	link.write(formatRequest({ method: "SUBSCRIBE", headers: EVENT }));
	const first = await nextRequest(link);
	link.write(formatAnswer(first, "200 OK"));
	while ((await alice.call("listRequests", {})).requests.length === 0) await setImmediate();
	await alice.call("decideRequest", { params: LENA, body: { decision: "allow" } });
	await world.admin.call("suspendUser", { params: ALICE, body: { suspended: true } });
	link.write(formatRequest({ method: "SUBSCRIBE", callId: "hidden", headers: EVENT }));
	for (;;) {
		const message = await nextRequest(link);
		link.write(formatAnswer(message, "200 OK"));
		if (message.callId !== "hidden") continue;
		assert.match(bodyText(message), /<basic>closed<\/basic>/);
		assert.doesNotMatch(bodyText(message), /Alice/);
		return;
	}
});

test("a removed user watches nobody any more; one who was suspended does again", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner([EDGE]);
	world.publish("fabrikam.example", EDGE, partner.port);
	const alice = await world.user();
	await alice.call("putContact", { params: LENA, body: {} });
	const link = await partner.accepted();
	const establish = async (): Promise<void> => {
		const request = await nextRequest(link);
		assert.equal(headerValue(request, HeaderId.expires), "3600");
		link.write(formatAnswer(request, "200 OK", { toTag: "n1", headers: ["Expires: 3600"] }));
		const tags = { callId: request.callId, fromTag: "n1", toTag: request.from.tag ?? "" };
		const headers = ["Event: presence", "Subscription-State: active;expires=3600"];
		const uri = (headerValue(request, HeaderId.contact) ?? "").slice(1, -1);
		link.write(formatRequest({ ...tags, method: "NOTIFY", uri, headers }));
		const answer = await link.next();
		assert.equal(answer.kind === "response" && answer.statusCode, 200);
	};
	const leave = async (): Promise<void> => {
		const request = await nextRequest(link);
		assert.deepEqual([request.method, headerValue(request, HeaderId.expires)], ["SUBSCRIBE", "0"]);
		link.write(formatAnswer(request, "200 OK", { headers: ["Expires: 0"] }));
	};
	await establish();
	await world.admin.call("suspendUser", { params: ALICE, body: { suspended: true } });
	await leave();
	await world.admin.call("suspendUser", { params: ALICE, body: { suspended: false } });
	await establish();
	await world.admin.call("deleteUser", { params: ALICE });
	await leave();
});
