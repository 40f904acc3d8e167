/** Presence over the wire, both roles: SUBSCRIBE in and NOTIFY out, and the other way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue, type SipRequest } from "@causeway/sip";
import { bodyText, formatAnswer, formatRequest, type Link, startWireWorld } from "./wire-world.ts";

async function subscribe(
	link: Link,
	callId: string,
	expires = 3600,
): Promise<{ readonly toTag: string; readonly notify: SipRequest }> {
	link.write(formatRequest({ method: "SUBSCRIBE", callId, headers: ["Event: presence", `Expires: ${expires}`] }));
	// REQ-58: the 200 stands before the NOTIFY on the wire.
	const answer = await link.next();
	assert.equal(answer.kind === "response" && answer.statusCode, 200);
	const notify = await link.request();
	assert.equal(notify.method, "NOTIFY");
	link.write(formatAnswer(notify, "200 OK"));
	return { toTag: answer.to.tag ?? "", notify };
}

function pidf(entity: string, basic: string, activity = ""): string {
	const activities = activity === "" ? "" : `<ep:activities><ep:activity>${activity}</ep:activity></ep:activities>`;
	return `<?xml version="1.0" encoding="utf-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="${entity}"><tuple id="0"><status><basic>${basic}</basic>${activities}</status></tuple><ci:display-name>Lena</ci:display-name></presence>`;
}

test("REQ-09 to REQ-12, REQ-92: nothing about a user before the decision, the profile's document after it", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice at Contoso");
	await alice.client.call("putPresence", { body: { state: "away" } });
	const link = await world.connect();
	const { notify } = await subscribe(link, "s1");
	assert.match(headerValue(notify, HeaderId.subscriptionState) ?? "", /^pending;expires=\d+$/);
	assert.doesNotMatch(bodyText(notify), /open|away|Alice/);
	assert.equal(headerValue(notify, HeaderId.recordRoute), undefined);
	assert.match(headerValue(notify, HeaderId.contact) ?? "", /transport=tls/);
	assert.equal((await alice.event("request")).aor, "lena@fabrikam.example");
	await alice.client.call("decideRequest", { params: { aor: "lena@fabrikam.example" }, body: { decision: "allow" } });
	const second = await subscribeAgainFor(link, "s1b");
	assert.match(headerValue(second, HeaderId.subscriptionState) ?? "", /^active/);
	assert.match(
		bodyText(second),
		/<basic>open<\/basic><ep:activities><ep:activity>away<\/ep:activity><\/ep:activities>/,
	);
	assert.match(bodyText(second), /<ci:display-name>Alice at Contoso<\/ci:display-name>/);
});

async function subscribeAgainFor(link: Link, callId: string): Promise<SipRequest> {
	return (await subscribe(link, callId)).notify;
}

test("RFC 6665 §4.4.3: Expires 0 fetches once, and the subscription is over with its NOTIFY", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const { notify } = await subscribe(await world.connect(), "s2", 0);
	assert.equal(headerValue(notify, HeaderId.subscriptionState), "terminated;reason=timeout");
});

test("protocol 5.7: a denied watcher's subscription ends as rejected, and a new one gets 403", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	await subscribe(link, "s3");
	await alice.event("request");
	await alice.client.call("decideRequest", { params: { aor: "lena@fabrikam.example" }, body: { decision: "deny" } });
	const last = await link.request();
	assert.equal(headerValue(last, HeaderId.subscriptionState), "terminated;reason=rejected");
	link.write(formatAnswer(last, "200 OK"));
	link.write(formatRequest({ method: "SUBSCRIBE", callId: "s3b", headers: ["Event: presence"] }));
	assert.equal((await link.response()).statusCode, 403);
});

test("REQ-91: where users are hidden, an unknown, an undecided and a blocked one answer alike", async (context) => {
	const world = await startWireWorld(context, '[federation]\nhide_unknown_users = "always"\n');
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const carol = await world.createUser("carol@contoso.example", "Carol");
	await alice.client.call("putPresence", { body: { state: "available" } });
	await carol.client.call("putBlock", { params: { aor: "lena@fabrikam.example" } });
	const link = await world.connect();
	const seen: string[] = [];
	for (const to of ["nobody@contoso.example", "alice@contoso.example", "carol@contoso.example"]) {
		link.write(
			formatRequest({ method: "SUBSCRIBE", to, callId: `hide-${to}`, headers: ["Event: presence", "Expires: 600"] }),
		);
		const answer = await link.response();
		const notify = await link.request();
		link.write(formatAnswer(notify, "200 OK"));
		const user = to.slice(0, to.indexOf("@"));
		seen.push(
			[answer, notify]
				.map((message) => `${message.head.text}${bodyText(message)}`)
				.join("")
				.replaceAll(user, "USER")
				.replaceAll(/tag=[0-9a-z]+|fs=[^>]+|branch=[0-9A-Za-z]+|Call-ID: [^\r]+|Content-Length: \d+/g, "ID"),
		);
	}
	assert.equal(seen[0], seen[1]);
	assert.equal(seen[0], seen[2]);
	assert.match(seen[0] ?? "", /<basic>closed<\/basic>/);
});

test("REQ-49: the connection's loss ends its subscriptions", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const { toTag } = await subscribe(link, "s4");
	link.destroy();
	const other = await world.connect();
	other.write(formatRequest({ method: "SUBSCRIBE", callId: "s4", toTag, cseq: 2, headers: ["Event: presence"] }));
	assert.equal((await other.response()).statusCode, 481);
	assert.ok(alice);
});

test("protocol 2.6, 5.6: our watcher takes a NOTIFY that overtakes the 200, and shows what the documents say", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	const link = await world.accepted();
	const request = await link.request();
	assert.equal(request.method, "SUBSCRIBE");
	assert.equal(headerValue(request, HeaderId.event), "presence");
	const dialog = {
		callId: request.callId,
		from: "lena@fabrikam.example",
		to: "alice@contoso.example",
		fromTag: "n1",
		toTag: request.from.tag ?? "",
	};
	const uri = (headerValue(request, HeaderId.contact) ?? "").slice(1, -1);
	const notify = (cseq: number, state: string, body: string): void =>
		link.write(
			formatRequest({
				...dialog,
				method: "NOTIFY",
				uri,
				cseq,
				headers: ["Event: presence", `Subscription-State: ${state}`],
				body,
				contentType: "application/pidf+xml",
			}),
		);

	notify(1, "active;expires=3600", pidf("sip:lena@fabrikam.example", "open", "away"));
	assert.equal((await link.response()).statusCode, 200);
	assert.equal((await alice.event("presence")).state, "away");
	link.write(formatAnswer(request, "200 OK", { toTag: "n1", headers: ["Expires: 3600"] }));

	notify(2, "active;expires=3600", pidf("pres:LENA@fabrikam.example", "open"));
	assert.equal((await link.response()).statusCode, 200);
	const available = await alice.event("presence", ({ state }) => state === "available");
	assert.equal(available.name, "Lena");

	// A document about somebody else says nothing about this contact.
	notify(3, "active;expires=3600", pidf("sip:other@fabrikam.example", "closed"));
	assert.equal((await link.response()).statusCode, 200);
	notify(4, "active;expires=3600", "<!DOCTYPE x><presence/>");
	assert.equal((await link.response()).statusCode, 200);
	notify(5, "active;expires=3600", pidf("lena@fabrikam.example", "closed"));
	assert.equal((await link.response()).statusCode, 200);
	assert.equal((await alice.event("presence")).state, "offline");
});

test("protocol 5.6: a refused subscription is shown with its reason, and is not repeated by itself", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	const link = await world.accepted();
	link.write(formatAnswer(await link.request(), "403 Forbidden", { toTag: "n1" }));
	const { state, code, reason, blame } = await alice.event("presence", ({ code: said }) => said === 403);
	assert.deepEqual(
		{ state, code, reason, blame },
		{ state: "unknown", code: 403, reason: "They refused.", blame: "recipient" },
	);
});

test("a contact of a domain that is no partner is unknown, with the reason in words", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putContact", { params: { aor: "eve@stranger.example" }, body: {} });
	const { state, reason } = await alice.event("presence", ({ reason: said }) => said?.includes("partner") === true);
	assert.deepEqual([state, reason], ["unknown", "stranger.example is no partner of ours, and discovery is off"]);
});
