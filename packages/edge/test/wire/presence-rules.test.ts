/** What a user decides about watchers, one by one and by domain, over the wire and the API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue, type SipRequest } from "@causeway/sip";
import { bodyText, formatAnswer, formatRequest, type Link, startWireWorld } from "./wire-world.ts";

const LENA = "lena@fabrikam.example";

async function subscribe(link: Link, callId: string, expires = 3600): Promise<SipRequest> {
	link.write(formatRequest({ method: "SUBSCRIBE", callId, headers: ["Event: presence", `Expires: ${expires}`] }));
	assert.equal((await link.response()).statusCode, 200);
	return nextNotify(link);
}

async function nextNotify(link: Link): Promise<SipRequest> {
	const notify = await link.request();
	link.write(formatAnswer(notify, "200 OK"));
	return notify;
}

function stateOf(notify: SipRequest): string {
	return headerValue(notify, HeaderId.subscriptionState)?.split(";")[0] ?? "";
}

test("protocol 5.7: a rule about a domain decides for its watchers, one about an address goes before it, and both can be taken back", async (context) => {
	const world = await startWireWorld(context, "[presence]\nnotify_spacing_seconds = 5\n");
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "busy" } });
	await alice.client.call("putRule", { params: { who: "@Fabrikam.example" }, body: { decision: "allow" } });
	const link = await world.connect();
	const allowed = await subscribe(link, "r1");
	assert.equal(stateOf(allowed), "active");
	assert.match(bodyText(allowed), /busy/);
	assert.deepEqual((await alice.client.call("listRequests")).requests, []);

	await alice.client.call("putRule", { params: { who: LENA }, body: { decision: "block" } });
	const blocked = await subscribe(link, "r2");
	assert.equal(stateOf(blocked), "active");
	assert.match(bodyText(blocked), /<basic>closed</);
	assert.deepEqual(
		(await alice.client.call("listRules")).rules.map(({ who, decision }) => [who, decision]),
		[
			["@fabrikam.example", "allow"],
			[LENA, "block"],
		],
	);
	await alice.client.call("deleteRule", { params: { who: LENA } });
	assert.match(bodyText(await subscribe(link, "r3")), /busy/);
	await assert.rejects(alice.client.call("deleteRule", { params: { who: LENA } }), /no rule/);
	await alice.client.call("putRule", { params: { who: LENA }, body: { decision: "ask" } });
	assert.equal(stateOf(await subscribe(link, "r4")), "pending");
	assert.equal((await alice.event("request")).aor, LENA);
});

test("RFC 3857 §4.7.1: a user sees who watches, who waits with a subscription and who waits without one", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	await subscribe(link, "w1");
	await alice.event("request");
	const watchers = async () => (await alice.client.call("listWatchers")).watchers.map(({ aor, state }) => [aor, state]);
	assert.deepEqual(await watchers(), [[LENA, "pending"]]);
	assert.equal((await alice.client.call("listRequests")).requests[0]?.state, "pending");
	link.destroy();
	while ((await watchers())[0]?.[1] !== "waiting") await new Promise(setImmediate);
	const [waiting] = (await alice.client.call("listRequests")).requests;
	assert.equal(waiting?.state, "waiting");
	assert.ok(waiting.expires_at !== undefined);
	await alice.client.call("decideRequest", { params: { aor: LENA }, body: { decision: "allow" } });
	assert.deepEqual(await watchers(), []);
	await subscribe(await world.connect(), "w2");
	assert.deepEqual(await watchers(), [[LENA, "active"]]);
});

test("REQ-83: a second fetch within five minutes is refused, whether or not the user exists", async (context) => {
	const world = await startWireWorld(context, '[federation]\nhide_unknown_users = "always"\n');
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	for (const to of ["alice@contoso.example", "nobody@contoso.example"]) {
		const fetch = () =>
			link.write(formatRequest({ method: "SUBSCRIBE", to, headers: ["Event: presence", "Expires: 0"] }));
		fetch();
		assert.equal((await link.response()).statusCode, 200);
		await nextNotify(link);
		fetch();
		const refused = await link.response();
		assert.equal(refused.statusCode, 403);
		assert.match(headerValue(refused, HeaderId.retryAfter) ?? "", /^(?:300|29\d)$/);
	}
});
