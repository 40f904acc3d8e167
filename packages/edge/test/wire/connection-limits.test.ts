/** REQ-42 and REQ-43 as the operating system sees them: the sockets are counted, not our own table. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ZoneServer } from "../../src/federation/dns/zone-server.ts";
import { createEdgeCertificate } from "../../src/pki/authority.ts";
import { createTrustWorld, dialEdge, FABRIKAM_PEER, type RawEdge, startRawEdge, until } from "./trust-world.ts";
import { formatRequest } from "./wire-world.ts";

const ESTABLISHED = "01";

/** Established TCP connections of this network namespace, by local and by remote port. */
function countSockets(): { readonly byLocal: Map<number, number>; readonly byRemote: Map<number, number> } {
	const byLocal = new Map<number, number>();
	const byRemote = new Map<number, number>();
	const add = (counts: Map<number, number>, address: string): void => {
		const port = Number.parseInt(address.slice(address.indexOf(":") + 1), 16);
		counts.set(port, (counts.get(port) ?? 0) + 1);
	};
	for (const line of readFileSync("/proc/self/net/tcp", "utf8").split("\n").slice(1)) {
		const [, local, remote, state] = line.trim().split(/\s+/);
		if (state !== ESTABLISHED || local === undefined || remote === undefined) continue;
		add(byLocal, local);
		add(byRemote, remote);
	}
	return { byLocal, byRemote };
}

test("REQ-42, REQ-43: under load one network of 12 edges gets exactly 40 connections and no edge more than exactly 4", async (context) => {
	const world = await createTrustWorld(context);
	const zone = new ZoneServer({ address: "127.0.0.1", port: 0 });
	const dns = await zone.start();
	context.after(() => zone.close());
	const domains = Array.from({ length: 12 }, (_, index) => `d${index + 1}.fabrikam.example`);
	const edges: RawEdge[] = [];
	const records: Parameters<ZoneServer["setRecords"]>[0][number][] = [];
	for (const domain of domains) {
		const target = `sip.${domain}`;
		const shown = await createEdgeCertificate(world.authority, { ...world.dates, names: [target] });
		// It takes connections and requests and answers nothing: what it is asked stays outstanding.
		const edge = await startRawEdge(context, shown);
		edges.push(edge);
		records.push(
			{ name: `_sipfederationtls._tcp.${domain}`, type: "SRV", priority: 0, weight: 0, port: edge.port, target },
			{ name: target, type: "A", address: "127.0.0.1" },
		);
	}
	zone.setRecords(records);
	const started = await world.start(`[dns]
servers = ["127.0.0.1:${dns.port}"]
allow_private_addresses = true
[[peer]]
kind = "allowed"
domains = ${JSON.stringify(domains)}
`);
	const ports = edges.map(({ port }) => port);
	let most = 0;
	let mostPerEdge = 0;
	const sample = (): void => {
		const { byRemote } = countSockets();
		const counts = ports.map((port) => byRemote.get(port) ?? 0);
		const total = counts.reduce((sum, count) => sum + count, 0);
		most = Math.max(most, total);
		mostPerEdge = Math.max(mostPerEdge, ...counts);
		assert.ok(total <= 40, `${total} connections with one network`);
		assert.ok(Math.max(...counts) <= 4, `${Math.max(...counts)} connections to one edge`);
	};
	const users = await Promise.all(
		["alice", "bob", "carol"].map(async (name) => {
			const aor = `${name}@contoso.example`;
			await started.admin.call("putUser", { params: { aor }, body: { password: "correct horse" } });
			const { token } = await started.admin.call("login", { body: { aor, password: "correct horse" } });
			return started.admin.withToken(token);
		}),
	);
	// Each contact is a SUBSCRIBE that nobody answers. Round by round, so that every edge gets its share of the forty.
	let contacts = 0;
	while (contacts < 30 || most < 40) {
		assert.ok(contacts < 120, `${most} connections after ${contacts} contacts of each user at each domain`);
		contacts += 1;
		for (const user of users) {
			const added = domains.map((domain) =>
				user.call("putContact", { params: { aor: `user${contacts}@${domain}` }, body: {} }),
			);
			await Promise.all(added);
			sample();
		}
	}
	for (let turn = 0; turn < 50; turn += 1) {
		await setImmediate();
		sample();
	}
	assert.equal(most, 40);
	assert.equal(mostPerEdge, 4);
	assert.equal(
		edges.reduce((sum, { accepted }) => sum + accepted, 0),
		40,
		"the edges themselves took no more",
	);

	// The place is taken: one that the peer opens is closed after its handshake.
	const shown = await createEdgeCertificate(world.authority, { ...world.dates, names: [`sip.${domains[0]}`] });
	const surplus = await dialEdge(context, started.port, shown);
	await surplus.closed;
	const { refused } = await started.admin.call("listRefusedConnections");
	assert.deepEqual([refused[0]?.code, refused[0]?.stage], ["too-many-connections", "limit"]);
});

const kinds = [
	["a peer that we name", FABRIKAM_PEER],
	["a peer that is found by SRV", '[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\n'],
	["a peer that nobody listed", "[federation]\ndiscovery = true\n"],
] as const;

for (const [who, peer] of kinds) {
	test(`REQ-43: ${who} has forty inbound connections; the next is closed after its handshake, silent or not`, async (context) => {
		const world = await createTrustWorld(context);
		const zone = new ZoneServer({ address: "127.0.0.1", port: 0 });
		const dns = await zone.start();
		context.after(() => zone.close());
		zone.setRecords([
			{
				name: "_sipfederationtls._tcp.fabrikam.example",
				type: "SRV",
				priority: 0,
				weight: 0,
				port: 5061,
				target: "sip.fabrikam.example",
			},
		]);
		const started = await world.start(
			`${peer}[dns]\nservers = ["127.0.0.1:${dns.port}"]\nallow_private_addresses = true\n`,
		);
		const shown = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.fabrikam.example"] });
		const peers = await Promise.all(Array.from({ length: 40 }, () => dialEdge(context, started.port, shown)));
		await until("forty connections", async () => {
			const { connections } = await started.admin.call("listConnections");
			return connections.length === 40 ? true : undefined;
		});
		assert.equal(countSockets().byLocal.get(started.port), 40);
		const surplus = await dialEdge(context, started.port, shown);
		surplus.write(formatRequest({ method: "OPTIONS" }));
		await surplus.closed;
		assert.equal(surplus.text, "");
		// One of the forty says who it is: it stays, and the next is still one too many.
		const [first] = peers;
		first?.write(formatRequest({ method: "OPTIONS" }));
		await until("an answer", () => (first?.text.startsWith("SIP/2.0 200 ") === true ? true : undefined));
		const again = await dialEdge(context, started.port, shown);
		await again.closed;
		assert.equal(peers.filter(({ isOpen }) => isOpen).length, 40);
		// A place that is given back is free.
		peers[1]?.destroy();
		await until("the end of one", async () => {
			const { connections } = await started.admin.call("listConnections");
			return connections.length === 39 ? true : undefined;
		});
		const welcome = await dialEdge(context, started.port, shown);
		welcome.write(formatRequest({ method: "OPTIONS" }));
		await until("an answer", () => (welcome.text.startsWith("SIP/2.0 200 ") ? true : undefined));
	});
}

test("protocol 7.3: a stranger whose first ten requests name domains that are not its own is cut and kept out, until policy changes", async (context) => {
	const world = await createTrustWorld(context);
	const zone = new ZoneServer({ address: "127.0.0.1", port: 0 });
	const dns = await zone.start();
	context.after(() => zone.close());
	const rest = `[federation]\ndiscovery = true\n[dns]\nservers = ["127.0.0.1:${dns.port}"]\n`;
	const started = await world.start(rest);
	const shown = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.stranger.example"] });
	const peer = await dialEdge(context, started.port, shown);
	for (let number = 1; number <= 10; number += 1) {
		peer.write(formatRequest({ method: "OPTIONS", from: `eve@victim${number}.example` }));
	}
	await peer.closed;
	assert.equal(peer.text.match(/SIP\/2\.0 403 /g)?.length, 10, "each was answered");
	const other = await dialEdge(context, started.port, shown);
	await other.closed;
	const { refused } = await started.admin.call("listRefusedConnections");
	assert.deepEqual(
		refused.map(({ code, was_open }) => [code, was_open]),
		[
			["kept-out", false],
			["kept-out", true],
		],
	);
	await started.reload(rest);
	const third = await dialEdge(context, started.port, shown);
	third.write(formatRequest({ method: "OPTIONS", from: "eve@victim.example" }));
	await until("an answer", () => (third.text.includes(" 403 ") ? true : undefined));
});
