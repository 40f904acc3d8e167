/**
 * The relay's own part of a message's way, in one process and without TLS or sockets: from octets that were read to octets that are to be
 * written. `node … relay-path.ts [message|subscribe|dialog] [operations]`; what it prints is for comparing one change with another.
 */
import type { DnsLookup } from "@causeway/sip";
import { type DialOutcome, systemClock, systemRandom, type TlsDialler } from "@causeway/sip/node";
import { Federation } from "../../src/federation/federation.ts";
import { PeerDirectory } from "../../src/federation/peers.ts";
import { createTestPeer, presentTestCertificate, testJudge } from "../../src/federation/testing.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { Trace } from "../../src/observe/trace.ts";
import { Reception } from "../../src/proxy/reception.ts";
import { Relay } from "../../src/proxy/relay.ts";
import type { ProxyRules } from "../../src/proxy/steps.ts";
import { createTestContactKeys } from "../../src/ua/testing.ts";
import { UserAgent } from "../../src/ua/user-agent.ts";
import { createPair, type Pipe } from "./memory-pipe.ts";
import { CalleeConnection, CallerConnection, createRelayTally, type RelayFlow, Sample } from "./relay-load.ts";
import { insideDomain, insideName, PARTNER_DOMAIN, PARTNER_FQDN } from "./relay-text.ts";

const CONNECTIONS = 4;
const WINDOW = 64;
const DIALOGS = 1_000;
const ROUNDS = 9;
const FQDN = "relay.example.test";

const fail = (message: string) => (event: string, fields?: unknown) =>
	process.stderr.write(`${message}: ${event} ${JSON.stringify(fields)}\n`);
const log = { debug() {}, info() {}, warn: fail("warning"), error: fail("error") };
const clock = systemClock();
const random = systemRandom();
const domains = Array.from({ length: CONNECTIONS }, (_, index) => insideDomain(index));
const partner = createTestPeer({
	domains: [PARTNER_DOMAIN],
	edge: { host: PARTNER_FQDN, port: 5061 },
	kind: "direct",
	name: PARTNER_FQDN,
});
const directory = new PeerDirectory({
	peers: [
		partner,
		...domains.map((domain, index) =>
			createTestPeer({
				domains: [domain],
				edge: { host: insideName(index), port: 5061 },
				connect: { host: "127.0.0.1", port: 5061 },
				kind: "inside",
			}),
		),
	],
	blocked: new Set(),
	discovery: false,
});
const keys = createTestContactKeys(clock);
const identity = { fqdn: FQDN, port: 5061 };
const lookup: DnsLookup = {
	srv: () => Promise.reject(new Error("nothing is looked up")),
	addresses: () => Promise.reject(new Error("nothing is looked up")),
};
const proxy: ProxyRules = {
	identity,
	keys,
	relayDomains: new Set(domains),
	hostedDomains: new Set(),
	networkOf: (domain) => {
		const found = directory.find(domain);
		return found.kind === "peer" ? found.peer.name : "";
	},
	policy: () => directory,
};
const metrics = new Metrics();
const reception: Reception = new Reception({
	clock,
	random,
	log,
	findLink: (id) => federation.findLink(id),
	rules: {
		hostedDomains: new Set(),
		fqdn: FQDN,
		bind: (link, domain) => federation.bind(link, domain),
		proxy,
	},
});
const federation: Federation = new Federation({
	clock,
	random,
	log,
	lookup,
	dialler: {
		dial({ serverName }: { readonly serverName: string }): Promise<DialOutcome> {
			const [near, far] = createPair();
			pipes.push(far);
			nearPipes.push(near);
			new CalleeConnection(far, sample, () => tally, notified);
			return Promise.resolve({ ok: true, stream: near, presented: presentTestCertificate("public", serverName) });
		},
	} as unknown as TlsDialler,
	judge: testJudge,
	trace: new Trace(20_000, clock),
	directory: () => directory,
	ownDomains: new Set(),
	allowPrivateAddresses: true,
	linkLimits: { perEdge: 4, perNetwork: 40 },
	streamLimits: { headBytes: 65_536, bodyBytes: 262_144, headMs: 10_000, bodyMs: 20_000 },
	handshakeMs: 10_000,
	user: reception,
	refused: () => {},
});
const agent: UserAgent = new UserAgent({
	clock,
	random,
	log,
	identity: () => identity,
	reception,
	federation: () => federation,
	outsideOf: () => "all",
	hidesUsersFrom: () => false,
	throttles: undefined,
	keys,
	tokenRefused: () => {},
	counted: () => {},
});
const relay = new Relay({
	clock,
	random,
	log,
	rules: proxy,
	keys,
	node: "bench",
	markOutgoing: true,
	transactions: reception.transactions,
	federation: () => federation,
	counted: (method, status, code) => metrics.answered(method, status, code),
});
reception.serve(agent, relay);

const sample = new Sample();
let tally = createRelayTally(0, false);
const callers: CallerConnection[] = [];
const pipes: Pipe[] = [];
let lastNumber = 0;
const nextNumber = (): number => ++lastNumber;
const notified = (number: number): void => {
	for (const caller of callers) caller.notified(number);
};
const nearPipes: Pipe[] = [];
async function connect(name: string): Promise<Pipe> {
	const [near, far] = createPair();
	federation.accepted(near, presentTestCertificate("public", name));
	for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
	pipes.push(far);
	nearPipes.push(near);
	return far;
}
for (const domain of domains) {
	callers.push(new CallerConnection(await connect(PARTNER_FQDN), domain, nextNumber, sample));
}

/** Milliseconds in the relay. */
async function run(flow: RelayFlow | "open", operations: number, by = callers): Promise<number> {
	let spent = 0;
	let settledAt = -1;
	tally = createRelayTally(operations, false);
	for (const caller of by) caller.begin(flow, tally, WINDOW, () => {});
	while (tally.outstanding > 0 && settledAt !== tally.succeeded + tally.errors + 0.5) {
		const before = tally.succeeded + tally.errors;
		let idle = true;
		for (const pipe of pipes) {
			if (!pipe.isEmpty) idle = false;
			spent += pipe.flush();
		}
		for (const pipe of nearPipes) {
			if (!pipe.isEmpty) idle = false;
			pipe.flush();
		}
		// A first request waits for the promise of its connection.
		const started = performance.now();
		await new Promise<void>((resolve) => setImmediate(resolve));
		if (flow !== "message") spent += performance.now() - started;
		settledAt = idle && before === tally.succeeded + tally.errors ? before + 0.5 : -1;
	}
	if (tally.errors > 0 || tally.succeeded !== operations) {
		throw new Error(`${tally.succeeded} of ${operations}, ${tally.errors} errors: ${tally.firstError}`);
	}
	return spent;
}

const flow = (process.argv[2] ?? "message") as RelayFlow;
const operations = Number(process.argv[3] ?? 20_000);
for (const caller of callers) {
	await run("open", 1, [caller]);
	await run("open", DIALOGS / CONNECTIONS - 1, [caller]);
}
const figures: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
	const us = ((await run(flow, operations)) * 1000) / operations;
	figures.push(us);
}
process.stdout.write(
	`${flow}: ${figures.map((us) => us.toFixed(1)).join(" ")} µs each; least ${Math.min(...figures).toFixed(1)}\n`,
);
process.exit(0);
