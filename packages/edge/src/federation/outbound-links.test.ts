import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hop } from "@causeway/sip";
import { SimClock } from "@causeway/sip/testing";
import type { Link } from "./link.ts";
import { LinkTable } from "./link-table.ts";
import { type DialResult, OutboundLinks } from "./outbound-links.ts";
import { refusal } from "./outcome.ts";
import { createTestLink, createTestPeer, presentTestCertificate } from "./testing.ts";

const peer = createTestPeer({ domains: ["fabrikam.example"] });

function hop(serverName: string, address = "192.0.2.1"): Hop {
	return { address, port: 5061, serverName, source: "srv" };
}

const first = hop("sip1.fabrikam.example", "192.0.2.1");
const second = hop("sip2.fabrikam.example", "192.0.2.2");

function setUp(answers: Readonly<Record<string, "refused" | "timeout">> = {}) {
	const clock = new SimClock();
	const table = new LinkTable({ perEdge: 4, perNetwork: 40 });
	const dialled: string[] = [];
	const busy = new Map<Link, number>();
	const answering = new Map(Object.entries(answers));
	const links = new OutboundLinks({
		clock,
		links: table,
		load: () => 0,
		outstanding: (link) => busy.get(link) ?? 0,
		attemptMs: 10_000,
		dial: async ({ serverName, address }): Promise<DialResult> => {
			dialled.push(address);
			const answer = answering.get(address);
			if (answer !== undefined) {
				const why = refusal(504, 1007, "connect-failed", `${address} ${answer}`, "network");
				return { ok: false, refusal: why, isTimeout: answer === "timeout" };
			}
			const presented = presentTestCertificate("public", serverName);
			const link = createTestLink(presented, { dialledName: serverName, network: peer.name });
			table.add(link);
			return { ok: true, link };
		},
	});
	const to = async (...hops: readonly Hop[]): Promise<Link | string> => {
		const outcome = await links.toAny(peer, hops, clock.now() + 32_000);
		return outcome.ok ? outcome.link : outcome.refusal.reason;
	};
	return { clock, table, links, dialled, busy, answering, to };
}

test("protocol 1.5: one connection serves while it is not busy, and whoever wants it meanwhile waits for the same", async () => {
	const { to, dialled, busy } = setUp();
	const [one, two] = await Promise.all([to(first), to(first)]);
	assert.equal(one, two);
	busy.set(one as Link, 15);
	assert.equal(await to(first), one);
	assert.deepEqual(dialled, ["192.0.2.1"]);
});

test("protocol 1.5: a busy edge gets a further connection, four at most, and the least busy one is taken", async () => {
	const { to, table, dialled, busy } = setUp();
	for (let round = 0; round < 10; round += 1) {
		await to(first);
		for (const link of table) busy.set(link, 16 + link.connection.id);
	}
	assert.equal(table.size, 4);
	assert.equal(dialled.length, 4);
	const [, idle] = [...table];
	assert.ok(idle);
	busy.set(idle, 3);
	assert.equal(await to(first), idle);
});

test("protocol 1.2: an address that fails makes way for the next, and is not tried first for half a minute", async () => {
	const { clock, to, dialled, table } = setUp({ "192.0.2.1": "refused" });
	const link = await to(first, second);
	assert.deepEqual(dialled, ["192.0.2.1", "192.0.2.2"]);
	table.remove((link as Link).connection.id);
	await to(first, second);
	assert.deepEqual(dialled, ["192.0.2.1", "192.0.2.2", "192.0.2.2"]);
	table.remove([...table][0]?.connection.id ?? 0);
	clock.advance(30_000);
	await to(first, second);
	assert.deepEqual(dialled.slice(3), ["192.0.2.1", "192.0.2.2"]);
});

test("protocol 1.2: where every address refused, it is asked again; where one gave no answer, nobody waits for it again", async () => {
	const { clock, to, dialled, links, answering } = setUp({ "192.0.2.1": "refused", "192.0.2.2": "timeout" });
	assert.equal(await to(first, second), "192.0.2.2 timeout");
	assert.equal(await to(second), "192.0.2.2 timeout");
	assert.deepEqual(dialled, ["192.0.2.1", "192.0.2.2"]);
	assert.equal(await to(first), "192.0.2.1 refused");
	assert.equal(dialled.length, 3);
	answering.clear();
	links.forgetFailures();
	assert.equal(typeof (await to(second)), "object", "a policy edit forgets failures");
	assert.equal(dialled.length, 4);
	clock.advance(1);
});

test("REQ-42: with four draining connections a new dialog takes one of them rather than a fifth", async () => {
	const { to, table, dialled, busy } = setUp();
	for (let round = 0; round < 4; round += 1) {
		await to(first);
		for (const link of table) busy.set(link, 99);
	}
	await to(first);
	for (const link of table) link.isDraining = true;
	const link = await to(first);
	assert.equal(typeof link, "object");
	assert.equal(dialled.length, 4);
});

test("product 6: after its close nothing is dialled", async () => {
	const { to, links, dialled } = setUp();
	links.close();
	assert.equal(await to(first), "this edge is stopping");
	assert.deepEqual(dialled, []);
});

test("an empty list of addresses is a refusal", async () => {
	const { to } = setUp();
	assert.equal(await to(), "fabrikam.example has no edge to dial");
});

/** A link from an address to us, or of ours to it. */
function linkAt(address: string, port: number, names: string, dialledName?: string): Link {
	const link = createTestLink(presentTestCertificate("public", ...names.split(" ")), {
		dialledName,
		network: peer.name,
	});
	return { ...link, connection: Object.assign(link.connection, { remote: { address, port } }) };
}

const behindOne = [
	["sip1, dialled by its port", linkAt("192.0.2.1", 5061, "sip1.fabrikam.example", "sip1.fabrikam.example"), "none"],
	["another port of theirs", linkAt("192.0.2.1", 5062, "sip1.fabrikam.example", "sip1.fabrikam.example"), "sip1"],
	["sip1, which dialled us", linkAt("192.0.2.1", 40000, "sip1.fabrikam.example"), "none"],
	["sip2, which dialled us from the same address", linkAt("192.0.2.1", 40000, "sip2.fabrikam.example"), "sip1"],
	[
		"one certificate for both, dialling us",
		linkAt("192.0.2.1", 40000, "sip1.fabrikam.example sip2.fabrikam.example"),
		"none",
	],
	["sip1 at another address", linkAt("192.0.2.7", 5061, "sip1.fabrikam.example", "sip1.fabrikam.example"), "sip1"],
] as const;
for (const [name, link, wanted] of behindOne) {
	test(`protocol 1.2: after a 503 of ${name}, ${wanted === "none" ? "sip1 is not asked again" : "sip1 is asked"}`, async () => {
		const { links, clock } = setUp();
		const outcome = await links.toAny(peer, [first], clock.now() + 32_000, new Set([link]));
		assert.equal(outcome.ok ? outcome.link.dialledName?.split(".")[0] : "none", wanted);
	});
}

test("protocol 1.2: after a 503 of an edge that dialled us, its open links are not taken and those of its neighbour are", async () => {
	const { links, table, clock } = setUp();
	const sip1 = linkAt("192.0.2.1", 40000, "sip1.fabrikam.example");
	const alsoSip1 = linkAt("192.0.2.1", 40001, "sip1.fabrikam.example");
	const sip2 = linkAt("192.0.2.1", 40002, "sip2.fabrikam.example");
	for (const link of [sip1, alsoSip1, sip2]) table.add(link);
	const hops = [first, { ...second, address: "192.0.2.1", port: 5062 }];
	const outcome = await links.toAny(peer, hops, clock.now() + 32_000, new Set([sip1]));
	assert.equal(outcome.ok ? outcome.link : undefined, sip2);
	const none = await links.toAny(peer, hops, clock.now() + 32_000, new Set([sip1, sip2]));
	assert.equal(none.ok, false);
});
