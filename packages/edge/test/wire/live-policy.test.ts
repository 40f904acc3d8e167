/** Live policy over the wire: an edit says what it would end, ends it at once, and survives a restart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "@causeway/admin";
import { HeaderId, headerValue, type SipMessage } from "@causeway/sip";
import {
	formatAnswer,
	formatRequest,
	type Link,
	MESSAGE_LINE,
	sdp,
	startWireWorld,
	type WireWorld,
} from "./wire-world.ts";

const alice = "alice@contoso.example";

/** The next request of our edge with this method; what else comes is answered. */
async function requestOf(link: Link, method: string): Promise<SipMessage> {
	for (;;) {
		const message = await link.next();
		if (message.kind !== "request") continue;
		if (message.method !== "ACK") link.write(formatAnswer(message, "200 OK"));
		if (message.method === method) return message;
	}
}

/** A partner's user watches alice and has a message session with her, over one connection. */
async function openBoth(world: WireWorld): Promise<Link> {
	const link = await world.connect();
	link.write(formatRequest({ method: "SUBSCRIBE", callId: "watch", headers: ["Event: presence", "Expires: 3600"] }));
	await requestOf(link, "NOTIFY");
	const invite = { method: "INVITE", callId: "talk", fromTag: "talk" };
	link.write(formatRequest({ ...invite, body: sdp(MESSAGE_LINE) }));
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	assert.equal(response.statusCode, 200);
	link.write(formatRequest({ ...invite, method: "ACK", toTag: response.to.tag ?? "" }));
	return link;
}

test("protocol 7.2: a block previews what it would end, ends it with NOTIFY and BYE, and closes the connection", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser(alice, "Alice");
	const link = await openBoth(world);
	const params = { domain: "fabrikam.example" };

	const { effect } = await world.admin.call("putDomainBlock", { params, query: { preview: true } });
	assert.deepEqual(effect, { preview: true, dialogs: 1, subscriptions: 1, connections: 1, notes: [] });
	assert.deepEqual((await world.admin.call("listDomainBlocks")).blocks, []);
	assert.ok(link.isOpen);

	const made = await world.admin.call("putDomainBlock", { params });
	assert.deepEqual(made.effect, { ...effect, preview: false });
	const [notify, bye] = [await link.request(), await link.request()].sort((one) => (one.method === "NOTIFY" ? -1 : 1));
	assert.match(headerValue(notify as SipMessage, HeaderId.subscriptionState) ?? "", /^terminated;.*reason=rejected/);
	assert.equal(bye?.method, "BYE");
	await link.closed();
	assert.deepEqual((await world.admin.call("listDialogs")).dialogs, []);

	const again = await world.connect();
	again.write(formatRequest({ method: "OPTIONS" }));
	assert.equal((await again.response()).statusCode, 403);
	const audit = await world.admin.call("listAudit", { query: { limit: 1 } });
	const [act] = audit.entries;
	assert.deepEqual([act?.actor, act?.action, act?.target], ["admin", "peer.block", "fabrikam.example"]);
	assert.deepEqual(act?.details, { dialogs: 1, subscriptions: 1, connections: 1 });

	await world.admin.call("deleteDomainBlock", { params });
	again.write(formatRequest({ method: "OPTIONS" }));
	assert.equal((await again.response()).statusCode, 200);
});

test("a domain that leaves its peer takes its dialogs along, and the connection of the others stays", async (context) => {
	const world = await startWireWorld(
		context,
		`[[peer]]\nkind = "direct"\nedge = "sip.northwind.example"\nconnect = "127.0.0.1:1"\ndomains = ["northwind.example"]\n`,
	);
	await world.createUser(alice, "Alice");
	const name = "sip.fabrikam.example";
	const both = { kind: "direct", edge: `${name}:5061`, domains: ["fabrikam.example", "second.example"] } as const;
	const { peer } = await world.admin.call("putPeer", {
		params: { name },
		body: { ...both, domains: [...both.domains] },
	});
	assert.deepEqual([peer.origin, peer.domains], ["store", both.domains]);
	const link = await openBoth(world);
	const second = await world.connect();
	const watch = { method: "SUBSCRIBE", headers: ["Event: presence", "Expires: 3600"] };
	second.write(formatRequest({ ...watch, callId: "second", from: "mia@second.example" }));
	await requestOf(second, "NOTIFY");

	const moved = await world.admin.call("putPeer", {
		params: { name: "sip.northwind.example" },
		body: { kind: "direct", edge: "sip.northwind.example", domains: ["northwind.example", "second.example"] },
	});
	assert.deepEqual(moved.effect, {
		preview: false,
		dialogs: 0,
		subscriptions: 1,
		connections: 0,
		notes: ["second.example moves here from sip.fabrikam.example"],
	});
	const ended = await requestOf(second, "NOTIFY");
	assert.match(headerValue(ended, HeaderId.subscriptionState) ?? "", /^terminated;.*reason=rejected/);
	assert.ok(link.isOpen && second.isOpen);
	second.write(formatRequest({ ...watch, callId: "third", from: "mia@second.example" }));
	assert.equal((await second.response()).statusCode, 403);
	second.write(formatRequest({ ...watch, callId: "fourth" }));
	assert.equal((await second.response()).statusCode, 200);

	const { peers } = await world.admin.call("listPeers");
	assert.deepEqual(
		peers.map((one) => [one.name, one.origin, one.domains]),
		[
			["sip.fabrikam.example", "store", ["fabrikam.example"]],
			["sip.northwind.example", "store", ["northwind.example", "second.example"]],
		],
	);
});

test("a live edit survives a restart, and one that is not valid changes nothing", async (context) => {
	const world = await startWireWorld(context);
	const params = { name: "northwind.example" };
	await world.admin.call("putPeer", { params, body: { kind: "allowed", domains: ["northwind.example"] } });
	await world.admin.call("putDomainBlock", { params: { domain: "spim.example" } });
	await assert.rejects(
		world.admin.call("putPeer", {
			params: { name: "contoso.example" },
			body: { kind: "allowed", domains: ["contoso.example"] },
		}),
		(error) =>
			error instanceof ApiError && error.code === "invalid-policy" && /we serve this domain/.test(error.detail),
	);
	const list = async () => {
		const { peers } = await world.admin.call("listPeers");
		const { blocks } = await world.admin.call("listDomainBlocks");
		return [
			...peers.map(({ name, origin }) => `${name} ${origin}`),
			...blocks.map(({ domain, origin }) => `!${domain} ${origin}`),
		];
	};
	const expected = ["northwind.example store", "sip.fabrikam.example file", "!spim.example store"];
	assert.deepEqual(await list(), expected);
	await world.restart();
	assert.deepEqual(await list(), expected);
	await world.admin.call("deletePeer", { params });
	assert.deepEqual(await list(), expected.slice(1));
	await assert.rejects(
		world.admin.call("deletePeer", { params: { name: "fabrikam.example" } }),
		(error) => error instanceof ApiError && error.code === "in-file",
	);
});
