import assert from "node:assert/strict";
import { test } from "node:test";
import type { DnsLookup } from "@causeway/sip";
import { createFixedDns, SimClock } from "@causeway/sip/testing";
import { DomainBinding } from "./domain-binding.ts";
import type { Link } from "./link.ts";
import { type Peer, PeerDirectory } from "./peers.ts";
import { createTestLink, createTestPeer, presentTestCertificate, testJudge } from "./testing.ts";

const srv = (target: string) => [{ priority: 0, weight: 0, port: 5061, target }];
const zone = {
	srv: {
		"_sipfederationtls._tcp.fabrikam.example": srv("SIP.fabrikam.example."),
		"_sipfederationtls._tcp.moved.example": srv("sip.fabrikam.example"),
		"_sipfederationtls._tcp.lookalike.example": srv("sip.notlookalike.example"),
	},
	failing: { "_sipfederationtls._tcp.broken.example": "timeout" },
};
const edge = { host: "sip.northwind.example", port: 5061 };
const northwind = createTestPeer({ domains: ["northwind.example", "second.example"], edge });

interface World {
	readonly binding: DomainBinding;
	readonly clock: SimClock;
	directory: PeerDirectory;
	hasRoom: boolean;
}

function createWorld(
	parts: { readonly peers?: readonly Peer[]; readonly discovery?: boolean; readonly lookup?: DnsLookup } = {},
): World {
	const { peers = [northwind], discovery = true, lookup = createFixedDns(zone) } = parts;
	const clock = new SimClock();
	const world = {
		clock,
		directory: new PeerDirectory({ peers, blocked: new Set(["spim.example"]), discovery }),
		hasRoom: true,
	};
	const binding = new DomainBinding(
		{
			clock,
			lookup,
			judge: testJudge,
			directory: () => world.directory,
			ownDomains: new Set(["contoso.example"]),
		},
		(link: Link, network) => {
			if (world.hasRoom) link.network ??= network;
			return world.hasRoom;
		},
	);
	return Object.assign(world, { binding });
}

const fabrikam = presentTestCertificate("public", "sip.fabrikam.example");

const table: readonly [rule: string, domain: string, certificate: typeof fabrikam, expected: string][] = [
	["our own domain from outside is forged", "contoso.example", fabrikam, "own-domain"],
	["a blocked domain is refused whoever sends it", "spim.example", fabrikam, "blocked-domain"],
	["a discovered domain whose SRV target the certificate carries", "fabrikam.example", fabrikam, "ok"],
	["a sub-domain is another domain", "a.fabrikam.example", fabrikam, "srv-mismatch"],
	["an SRV target outside the domain proves nothing", "moved.example", fabrikam, "srv-mismatch"],
	[
		"a name that only ends alike lies outside the domain",
		"lookalike.example",
		presentTestCertificate("public", "sip.notlookalike.example"),
		"srv-mismatch",
	],
	["without SRV there is no edge", "nowhere.example", fabrikam, "srv-mismatch"],
	["a look-up that failed binds nothing", "broken.example", fabrikam, "srv-failed"],
	["a listed domain of another edge", "northwind.example", fabrikam, "wrong-edge"],
	["the edge itself", "northwind.example", presentTestCertificate("public", edge.host), "ok"],
	["another domain of the same edge", "second.example", presentTestCertificate("public", edge.host), "ok"],
	[
		"the SRV target's name from an authority that is not trusted for it",
		"fabrikam.example",
		presentTestCertificate("northwind-ca", edge.host, "sip.fabrikam.example"),
		"srv-mismatch",
	],
];

for (const [rule, domain, presented, expected] of table) {
	test(`REQ-68: ${rule}: ${expected}`, async () => {
		const verdict = await createWorld().binding.bind(createTestLink(presented), domain);
		assert.equal(verdict.ok ? "ok" : verdict.code, expected);
		if (!verdict.ok) assert.equal(verdict.status, 403);
	});
}

test("promise 2: a peer let in by its own authority speaks for no domain of another peer", async () => {
	const withCa = createTestPeer({ domains: ["northwind.example"], edge, trust: ["northwind-ca"] });
	const world = createWorld({ peers: [withCa, createTestPeer({ domains: ["fabrikam.example"] })] });
	const link = createTestLink(presentTestCertificate("northwind-ca", edge.host, "sip.fabrikam.example"));
	assert.equal((await world.binding.bind(link, "northwind.example")).ok, true);
	const verdict = await world.binding.bind(link, "fabrikam.example");
	assert.equal(verdict.ok ? "ok" : verdict.code, "srv-mismatch");
});

test("REQ-45: an allowed peer with trust of its own is bound under that trust alone", async () => {
	const own = createTestPeer({ domains: ["fabrikam.example"], trust: ["fabrikam-ca"] });
	const world = createWorld({ peers: [own], discovery: false });
	const good = createTestLink(presentTestCertificate("fabrikam-ca", "sip.fabrikam.example"));
	assert.equal((await world.binding.bind(good, "fabrikam.example")).ok, true);
	assert.equal((await world.binding.bind(createTestLink(fabrikam), "fabrikam.example")).ok, false);
});

test("protocol 1.4: a verdict holds for the TTL, one hour at most; a refusal for a minute", async () => {
	const dns = createFixedDns({ ...zone, ttlSeconds: 100 });
	const { binding, clock } = createWorld({ lookup: dns });
	const link = createTestLink(fabrikam);
	await binding.bind(link, "fabrikam.example");
	clock.advance(99_000);
	assert.equal(binding.bind(link, "fabrikam.example") instanceof Promise, false);
	assert.equal(dns.asked.length, 1);
	clock.advance(1_000);
	await binding.bind(link, "fabrikam.example");
	assert.equal(dns.asked.length, 2);
	await binding.bind(link, "nowhere.example");
	clock.advance(59_999);
	assert.equal(binding.bind(link, "nowhere.example") instanceof Promise, false);
	clock.advance(1);
	await binding.bind(link, "nowhere.example");
	assert.equal(dns.asked.length, 4);
});

test("requests that come together ask the DNS once", async () => {
	const dns = createFixedDns(zone);
	const { binding } = createWorld({ lookup: dns });
	const link = createTestLink(fabrikam);
	const [first, second] = await Promise.all([
		binding.bind(link, "fabrikam.example"),
		binding.bind(link, "fabrikam.example"),
	]);
	assert.deepEqual([first.ok, second.ok, dns.asked.length], [true, true, 1]);
});

test("protocol 7.2: a domain blocked while the DNS is asked is blocked when the answer comes", async () => {
	const world = createWorld();
	const link = createTestLink(fabrikam);
	const pending = world.binding.bind(link, "fabrikam.example");
	world.directory = new PeerDirectory({ peers: [], blocked: new Set(["fabrikam.example"]), discovery: true });
	const verdict = await pending;
	assert.equal(verdict.ok ? "ok" : verdict.code, "blocked-domain");
	assert.equal(link.network, undefined);
});

test("REQ-43: a link that would be one too many for its network is bound to nothing", async () => {
	const world = createWorld();
	world.hasRoom = false;
	const verdict = await world.binding.bind(createTestLink(fabrikam), "fabrikam.example");
	assert.equal(verdict.ok ? "ok" : verdict.code, "connection-limit");
});

test("a peer that claims domain after domain leaves a bounded memory", async () => {
	const { binding } = createWorld({ discovery: false });
	const link = createTestLink(fabrikam);
	for (let number = 0; number < 2_500; number += 1) await binding.bind(link, `d${number}.example`);
	assert.ok(link.bindings.size <= 1_000, String(link.bindings.size));
});
