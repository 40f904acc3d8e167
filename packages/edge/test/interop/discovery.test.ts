// Peers found by SRV with a real name server: changes, targets that are down, and how long an answer holds.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@causeway/sip";
import { systemClock } from "@causeway/sip/node";
import { createEdgeCertificate } from "../../src/pki/authority.ts";
import { createTrustWorld, type RawEdge, startRawEdge, type TrustWorld } from "../wire/trust-world.ts";
import { requirePackages } from "./harness/debian-packages.ts";
import { createLab, type Lab } from "./harness/lab.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import type { Program } from "./harness/process.ts";

enterPrivateNamespace(import.meta.filename);

const DOMAIN = "fabrikam.example";
const TTL_SECONDS = 100;

interface Target {
	readonly host: string;
	readonly port: number;
	readonly priority: number;
	/** Absent: the name has no address record. */
	readonly address?: string;
}

/** dnsmasq on 127.0.0.1:53 with these records, every one of them valid for 100 s. */
async function startDns(lab: Lab, targets: readonly Target[]): Promise<Program> {
	requirePackages(["dnsmasq-base"]);
	const program = await lab.run({
		name: "dnsmasq",
		command: "dnsmasq",
		args: [
			...["--conf-file=/dev/null", "--no-daemon", "--log-facility=-", "--log-queries"],
			...["--no-resolv", "--no-hosts", "--local=/example/", "--listen-address=127.0.0.1", "--bind-interfaces"],
			...[`--pid-file=${lab.path("dnsmasq.pid")}`, `--local-ttl=${TTL_SECONDS}`],
			...targets.map(
				({ host, port, priority }) => `--srv-host=_sipfederationtls._tcp.${DOMAIN},${host},${port},${priority},10`,
			),
			...targets.flatMap(({ host, address }) => (address === undefined ? [] : [`--host-record=${host},${address}`])),
		],
	});
	await program.waitForLine("its start", (line) => line.includes("started, version"));
	return program;
}

/** Ages pass when the test says so. */
function agingClock(): Clock & { age(seconds: number): void } {
	const clock = systemClock();
	let aged = 0;
	return {
		...clock,
		now: () => clock.now() + aged,
		age(seconds) {
			aged += seconds * 1000;
		},
	};
}

async function edgeOf(world: TrustWorld, context: Parameters<typeof startRawEdge>[0], host: string): Promise<RawEdge> {
	return startRawEdge(context, await createEdgeCertificate(world.authority, { ...world.dates, names: [host] }));
}

const DISCOVERY = `[federation]
discovery = true
[dns]
servers = ["127.0.0.1:53"]
allow_private_addresses = true
`;

test("protocol 1.2: SRV order, a target that is down, all of them down, a change, and the TTL, with dnsmasq", async (context) => {
	const lab = createLab(context);
	const world = await createTrustWorld(context);
	const [first, second, third] = [
		await edgeOf(world, context, `sip1.${DOMAIN}`),
		await edgeOf(world, context, `sip2.${DOMAIN}`),
		await edgeOf(world, context, `sip3.${DOMAIN}`),
	];
	const at = (edge: RawEdge, number: number, priority: number): Target => ({
		host: `sip${number}.${DOMAIN}`,
		port: edge.port,
		priority,
		address: "127.0.0.1",
	});
	let dns = await startDns(lab, [at(second, 2, 20), at(first, 1, 10)]);
	const clock = agingClock();
	const { federation, dialled } = await world.federation(DISCOVERY, { clock });
	const go = async (): Promise<string> => {
		const outcome = await federation.linkTo(DOMAIN);
		return outcome.ok
			? (outcome.link.dialledName ?? "")
			: `${outcome.refusal.status} ${outcome.refusal.diagnosticsId} ${outcome.refusal.code}`;
	};
	const closeLinks = async (): Promise<void> => {
		for (const link of federation.links) link.connection.close("the test wants another");
		const until = Date.now() + 30_000;
		while ([...federation.links].length > 0) {
			assert.ok(Date.now() < until);
			await new Promise((resolve) => setImmediate(resolve));
		}
	};

	await context.test("the lowest priority first", async () => {
		assert.equal(await go(), `sip1.${DOMAIN}`);
		await closeLinks();
	});
	await context.test("the next where the first is down", async () => {
		first.close();
		assert.equal(await go(), `sip2.${DOMAIN}`);
		await closeLinks();
	});
	await context.test("504 with 1007 where all are down", async () => {
		second.close();
		assert.equal(await go(), "504 1007 connect-failed");
	});
	await context.test("a change is not seen before the TTL is over, and is then", async () => {
		await dns.close();
		dns = await startDns(lab, [at(third, 3, 10)]);
		const asked = (): number => dns.lines.filter((line) => line.includes("query[SRV]")).length;
		clock.age(TTL_SECONDS - 10);
		assert.equal(await go(), "504 1007 connect-failed");
		assert.equal(asked(), 0, "the old answer still holds");
		clock.age(11);
		assert.equal(await go(), `sip3.${DOMAIN}`);
		assert.equal(asked(), 1);
		await closeLinks();
	});
	await context.test("504 with 1010 where the certificate is another", async () => {
		third.show(world.own);
		assert.equal(await go(), "504 1010 certificate-refused");
	});
	await context.test(
		"504 with 1014 where the target has no address, 1009 where it lies elsewhere, 1008 without a record",
		async () => {
			const cases = [
				["504 1014 address-absent", [{ host: `none.${DOMAIN}`, port: 5061, priority: 0 }]],
				[
					"504 1009 domain-conflict",
					[{ host: "sip.elsewhere.example", port: 5061, priority: 0, address: "127.0.0.1" }],
				],
				["504 1008 srv-absent", []],
			] as const;
			const before = dialled.length;
			for (const [expected, targets] of cases) {
				await dns.close();
				dns = await startDns(lab, targets);
				clock.age(TTL_SECONDS + 1);
				assert.equal(await go(), expected);
			}
			assert.equal(dialled.length, before, "none of them is dialled");
		},
	);
	await context.test("504 with 1008 where the name server is down; a negative answer holds a minute", async () => {
		await dns.close();
		clock.age(59);
		assert.equal(await go(), "504 1008 srv-absent");
		clock.age(2);
		assert.equal(await go(), "504 1008 srv-failed");
	});
});

test("REQ-41, profile 4.1: a hosted domain with one A record and no name of its own works as a static peer, and not by discovery", async (context) => {
	const lab = createLab(context);
	const world = await createTrustWorld(context);
	const host = "edge.hosting.example";
	const edge = await edgeOf(world, context, host);
	await startDns(lab, [{ host, port: edge.port, priority: 0, address: "127.0.0.1" }]);
	const provider = `[[peer]]
kind = "provider"
domains = ["${DOMAIN}", "northwind.example"]
edge = "${host}:${edge.port}"
[dns]
servers = ["127.0.0.1:53"]
allow_private_addresses = true
`;
	const listed = (await world.federation(provider)).federation;
	for (const domain of [DOMAIN, "northwind.example"]) {
		const outcome = await listed.linkTo(domain);
		assert.ok(outcome.ok, JSON.stringify(outcome));
		assert.deepEqual((await listed.bind(outcome.link, domain)).ok, true);
	}
	assert.equal([...listed.links].length, 1, "one connection for all its domains");

	const discovered = await world.federation(DISCOVERY);
	const outcome = await discovered.federation.linkTo(DOMAIN);
	assert.ok(!outcome.ok);
	assert.equal(outcome.refusal.diagnosticsId, 1009);
	assert.deepEqual(discovered.dialled, []);
	// The same certificate, and the same domain by discovery, where the peer dials.
	const [link] = listed.links;
	assert.ok(link);
	const verdict = await discovered.federation.bind(
		{ ...link, bindings: new Map(), network: undefined, admittedAs: [] },
		DOMAIN,
	);
	assert.deepEqual(verdict.ok ? [] : [verdict.status, verdict.code], [403, "srv-mismatch"]);
});
