import assert from "node:assert/strict";
import { test } from "node:test";
import { createFixedDns, type FixedDnsRecords } from "../testing/fixed-dns.ts";
import { SimRandom } from "../testing/sim-random.ts";
import { type HopsOutcome, type ResolveOptions, type ResolveTarget, resolveHops } from "./resolve-hops.ts";
import type { SrvRecord } from "./srv-order.ts";

const SERVICE = "_sipfederationtls._tcp.fabrikam.example";

function srv(priority: number, target: string, port = 5061): SrvRecord {
	return { priority, weight: 0, port, target };
}

async function resolve(
	target: ResolveTarget | string,
	records: FixedDnsRecords,
	changes: Partial<ResolveOptions> = {},
): Promise<{ readonly outcome: HopsOutcome; readonly asked: readonly string[] }> {
	const lookup = createFixedDns(records);
	const outcome = await resolveHops(typeof target === "string" ? { kind: "domain", domain: target } : target, {
		lookup,
		random: new SimRandom(1),
		requireSameDomain: true,
		refusePrivateAddresses: true,
		...changes,
	});
	return { outcome, asked: lookup.asked };
}

/** `name address:port …` or the refusal. */
function describe(outcome: HopsOutcome): string {
	if (!outcome.ok) return `${outcome.refusal.reason} ${outcome.refusal.diagnosticsId} ${outcome.refusal.status}`;
	return outcome.hops.map((hop) => `${hop.serverName} ${hop.address} ${hop.port} ${hop.source}`).join(", ");
}

test("REQ-36: a domain is asked for with the corrected owner name, and every address of a target is tried before the next", async () => {
	const { outcome, asked } = await resolve("Fabrikam.Example", {
		srv: { [SERVICE]: [srv(20, "sip2.fabrikam.example", 5071), srv(10, "SIP.fabrikam.example")] },
		addresses: {
			"sip.fabrikam.example": ["192.0.2.10", "2001:db8::10", "192.0.2.11"],
			"sip2.fabrikam.example": ["192.0.2.20"],
		},
		ttlSeconds: 600,
	});
	assert.equal(
		describe(outcome),
		"sip.fabrikam.example 192.0.2.10 5061 srv, sip.fabrikam.example 2001:db8::10 5061 srv, " +
			"sip.fabrikam.example 192.0.2.11 5061 srv, sip2.fabrikam.example 192.0.2.20 5071 srv",
	);
	assert.deepEqual(asked, [SERVICE, "sip.fabrikam.example", "sip2.fabrikam.example"]);
	assert.ok(outcome.ok && outcome.ttlSeconds === 600 && outcome.skipped.length === 0);
});

const good = { "sip.fabrikam.example": ["192.0.2.10"] };

const refusals: readonly [string, FixedDnsRecords, string][] = [
	[
		"protocol sheet 1.2: no SRV name, no fall-back to A",
		{ addresses: { "fabrikam.example": ["192.0.2.1"] } },
		"srv-absent 1008 504",
	],
	[
		"protocol sheet 1.2: no SRV data, no fall-back to A",
		{ addresses: { [SERVICE]: ["192.0.2.1"] } },
		"srv-absent 1008 504",
	],
	["a failed SRV look-up is told apart", { failing: { [SERVICE]: "time-out" } }, "srv-failed 1008 504"],
	["RFC 2782: a lone root target means no service", { srv: { [SERVICE]: [srv(0, ".")] } }, "service-absent 1005 504"],
	[
		"REQ-38: a target outside the domain",
		{ srv: { [SERVICE]: [srv(0, "sip.evil.example")] } },
		"domain-conflict 1009 504",
	],
	["protocol sheet 6.3: a numeric target", { srv: { [SERVICE]: [srv(0, "192.0.2.1")] } }, "bad-name 1008 504"],
	[
		"a target without a port",
		{ srv: { [SERVICE]: [srv(0, "sip.fabrikam.example", 0)] }, addresses: good },
		"bad-name 1008 504",
	],
	["a target without addresses", { srv: { [SERVICE]: [srv(0, "sip.fabrikam.example")] } }, "address-absent 1014 504"],
	[
		"a failed address look-up",
		{ srv: { [SERVICE]: [srv(0, "sip.fabrikam.example")] }, failing: { "sip.fabrikam.example": "SERVFAIL" } },
		"address-failed 1014 504",
	],
	[
		"security: addresses that lead inside",
		{
			srv: { [SERVICE]: [srv(0, "sip.fabrikam.example")] },
			addresses: { "sip.fabrikam.example": ["127.0.0.1", "::ffff:10.0.0.1", "fd00::1"] },
		},
		"address-private 1014 504",
	],
];

for (const [name, records, expected] of refusals) {
	test(`${name}: ${expected}`, async () => {
		assert.equal(describe((await resolve("fabrikam.example", records)).outcome), expected);
	});
}

test("protocol sheet 6.3: numbers, single labels and names that are not ASCII are refused without a look-up", async () => {
	for (const domain of ["192.0.2.1", "127.1", "[::1]", "localhost", "münchen.example", "", "a..b"]) {
		const { outcome, asked } = await resolve(domain, {});
		assert.equal(describe(outcome), "bad-name 1005 504", domain);
		assert.deepEqual(asked, []);
	}
	const { outcome } = await resolve({ kind: "static", host: "192.0.2.1", port: 5061 }, {});
	assert.equal(describe(outcome), "bad-name 1005 504");
});

test("a server that cannot be dialled is skipped with its reason, the others are used", async () => {
	const { outcome } = await resolve("fabrikam.example", {
		srv: {
			[SERVICE]: [srv(1, "sip.evil.example"), srv(2, "gone.fabrikam.example"), srv(3, "sip.fabrikam.example")],
		},
		addresses: { "sip.fabrikam.example": ["10.0.0.1", "192.0.2.10"] },
	});
	assert.equal(describe(outcome), "sip.fabrikam.example 192.0.2.10 5061 srv");
	assert.ok(outcome.ok);
	assert.deepEqual(
		outcome.skipped.map(({ reason, name }) => `${reason} ${name}`),
		["domain-conflict sip.evil.example", "address-absent gone.fabrikam.example"],
	);
});

test("the checks of discovery can be left off: a hosted peer, a laboratory", async () => {
	const records = {
		srv: { [SERVICE]: [srv(1, "edge.host.example")] },
		addresses: { "edge.host.example": ["127.0.0.1"] },
	};
	const { outcome } = await resolve("fabrikam.example", records, {
		requireSameDomain: false,
		refusePrivateAddresses: false,
	});
	assert.equal(describe(outcome), "edge.host.example 127.0.0.1 5061 srv");
});

test("an answer of any size leads to a bounded number of servers, look-ups and hops", async () => {
	const names = Array.from({ length: 100 }, (_, index) => `s${index}.fabrikam.example`);
	const addresses = Array.from({ length: 50 }, (_, index) => `192.0.2.${index}`);
	const { outcome, asked } = await resolve("fabrikam.example", {
		srv: { [SERVICE]: names.map((name) => srv(1, name)) },
		addresses: Object.fromEntries(names.map((name) => [name, addresses])),
	});
	assert.equal(asked.length, 1 + 32);
	assert.ok(outcome.ok && outcome.hops.length === 32 * 16);
});

test("the same target twice is dialled once", async () => {
	const { outcome } = await resolve("fabrikam.example", {
		srv: { [SERVICE]: [srv(1, "sip.fabrikam.example"), srv(2, "SIP.fabrikam.example")] },
		addresses: good,
	});
	assert.equal(describe(outcome), "sip.fabrikam.example 192.0.2.10 5061 srv");
});

test("REQ-40: a static peer needs address records alone, and may live on a private network", async () => {
	const { outcome, asked } = await resolve(
		{ kind: "static", host: "Edge.Hosting.Example", port: 5063 },
		{ addresses: { "edge.hosting.example": ["10.0.0.9"] } },
	);
	assert.equal(describe(outcome), "edge.hosting.example 10.0.0.9 5063 static");
	assert.deepEqual(asked, ["edge.hosting.example"]);
});

test("product 3: `connect` is dialled in place of the name that the certificate must carry", async () => {
	const host = "sip.fabrikam.example";
	const byAddress = await resolve(
		{ kind: "static", host, port: 5061, connect: { host: "127.0.0.1", port: 15061 } },
		{},
	);
	assert.equal(describe(byAddress.outcome), "sip.fabrikam.example 127.0.0.1 15061 static");
	assert.deepEqual(byAddress.asked, []);
	const byName = await resolve(
		{ kind: "static", host, port: 5061, connect: { host: "inside.example", port: 15061 } },
		{ addresses: { "inside.example": ["10.0.0.5"] } },
	);
	assert.equal(describe(byName.outcome), "sip.fabrikam.example 10.0.0.5 15061 static");
	const odd = await resolve({ kind: "static", host, port: 5061, connect: { host: "127.1", port: 15061 } }, {});
	assert.equal(describe(odd.outcome), "bad-name 1005 504");
});
