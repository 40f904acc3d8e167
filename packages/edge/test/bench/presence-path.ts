/**
 * The presence server's own part of its work, in one process and without TLS or sockets: from octets that were read to octets that are to
 * be written. `node … presence-path.ts [subscribe|change] [operations]`; what it prints is for comparing one change with another.
 */
import type { DnsLookup } from "@causeway/sip";
import { systemClock, systemRandom, type TlsDialler } from "@causeway/sip/node";
import { Federation } from "../../src/federation/federation.ts";
import { PeerDirectory } from "../../src/federation/peers.ts";
import { createTestPeer, presentTestCertificate, testJudge } from "../../src/federation/testing.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { Trace } from "../../src/observe/trace.ts";
import { subscriptionDialogMs } from "../../src/presence/dialog-age.ts";
import { NotifierService } from "../../src/presence/notifier-service.ts";
import { Presentities } from "../../src/presence/presentities.ts";
import { Reception } from "../../src/proxy/reception.ts";
import { openTestStore } from "../../src/store/testing.ts";
import { DialogKeeper } from "../../src/ua/dialog-keeper.ts";
import { createTestContactKeys } from "../../src/ua/testing.ts";
import { UserAgent } from "../../src/ua/user-agent.ts";
import { createPair, type Pipe } from "./memory-pipe.ts";
import { headerOf, MessageReader, statusOf } from "./message-reader.ts";
import { answerOf, formatSubscribe } from "./presence-text.ts";

const CONNECTIONS = 4;
const WINDOW = 128;
const CHANGES_AT_ONCE = 16;
const USERS = 200;
const WATCHERS = 10;
const ROUNDS = 9;
const FQDN = "sip.contoso.example";
const PARTNER_FQDN = "sip.bench.example";
const PARTNER_DOMAIN = "bench.example";

const flow = process.argv[2] ?? "subscribe";
const operations = Number(process.argv[3] ?? 10_000);

const fail = (message: string) => (event: string, fields?: unknown) =>
	process.stderr.write(`${message}: ${event} ${JSON.stringify(fields)}\n`);
const log = { debug() {}, info() {}, warn: fail("warning"), error: fail("error") };
const clock = systemClock();
const random = systemRandom();
const store = await openTestStore({ clock, random });
const users = Array.from({ length: USERS }, (_, index) => `user${index + 1}@contoso.example`);
for (const address of users) {
	await store.users.add({ address, displayName: "User" });
	await store.watchers.decide(address, `@${PARTNER_DOMAIN}`, "allow");
}
const partner = createTestPeer({
	domains: [PARTNER_DOMAIN],
	edge: { host: PARTNER_FQDN, port: 5061 },
	kind: "direct",
	name: PARTNER_FQDN,
});
const directory = new PeerDirectory({ peers: [partner], blocked: new Set(), discovery: false });
const identity = { fqdn: FQDN, port: 5061 };
const lookup: DnsLookup = {
	srv: () => Promise.reject(new Error("nothing is looked up")),
	addresses: () => Promise.reject(new Error("nothing is looked up")),
};
const metrics = new Metrics();
const reception: Reception = new Reception({
	clock,
	random,
	log,
	findLink: (id) => federation.findLink(id),
	rules: {
		hostedDomains: new Set(["contoso.example"]),
		fqdn: FQDN,
		bind: (link, domain) => federation.bind(link, domain),
		proxy: undefined,
	},
});
const federation: Federation = new Federation({
	clock,
	random,
	log,
	lookup,
	dialler: {} as TlsDialler,
	judge: testJudge,
	trace: new Trace(20_000, clock),
	directory: () => directory,
	ownDomains: new Set(["contoso.example"]),
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
	keys: createTestContactKeys(clock),
	tokenRefused: () => {},
	counted: (method, status, code) => metrics.answered(method, status, code),
});
reception.serve(agent);
const presentities = new Presentities(store, new Map());
const notifier = new NotifierService({
	clock,
	random,
	log,
	agent,
	store,
	keeper: new DialogKeeper({ clock, log, kept: store.keptDialogs, dialogMs: 24 * 3_600_000 }),
	presentities,
	rules: {
		minExpiresSeconds: 300,
		maxExpiresSeconds: 28_800,
		notifySpacingMs: 0,
		hideUnknownUsers: "never",
		longestDialogMs: subscriptionDialogMs(24),
	},
	requested: () => {},
	stated: () => {},
});
agent.start({
	invite: () => {},
	subscribe: (context) => notifier.subscribe(context),
	revive: () => {},
	earlyNotify: () => false,
});

const pipes: Pipe[] = [];
const nearPipes: Pipe[] = [];
/** Answers to SUBSCRIBE, and NOTIFYs, since the round began. */
let answers = 0;
let notified = 0;
for (let index = 0; index < CONNECTIONS; index += 1) {
	const [near, far] = createPair();
	federation.accepted(near, presentTestCertificate("public", PARTNER_FQDN));
	for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
	const reader = new MessageReader((head) => {
		const status = statusOf(head);
		if (status === undefined) {
			if (headerOf(head, "Subscription-State")?.startsWith("active") !== true) throw new Error(head);
			notified += 1;
			far.write(answerOf(head));
		} else if (status === 200) answers += 1;
		else throw new Error(head);
	});
	far.start({ data: (chunk) => reader.read(chunk), closed: () => undefined });
	pipes.push(far);
	nearPipes.push(near);
}

/** Milliseconds in the edge until nothing is under way. */
async function settle(): Promise<number> {
	let spent = 0;
	for (let isIdle = false; !isIdle; ) {
		isIdle = true;
		for (const pipe of pipes) {
			if (!pipe.isEmpty) isIdle = false;
			spent += pipe.flush();
		}
		for (const pipe of nearPipes) {
			if (!pipe.isEmpty) isIdle = false;
			pipe.flush();
		}
		const started = performance.now();
		await new Promise<void>((resolve) => setImmediate(resolve));
		spent += performance.now() - started;
		if (notifier.waiting > 0) isIdle = false;
	}
	return spent;
}

let lastNumber = 0;
async function subscribe(count: number): Promise<number> {
	let spent = 0;
	for (let left = count; left > 0; ) {
		for (let at = 0; at < WINDOW && left > 0; at += 1, left -= 1) {
			const number = lastNumber++;
			pipes[number % CONNECTIONS]?.write(
				formatSubscribe({ number, presentity: users[number % USERS] ?? "", port: 5061 }),
			);
		}
		spent += await settle();
	}
	return spent;
}

let changes = 0;
async function change(count: number): Promise<number> {
	let spent = 0;
	for (let left = count; left > 0; ) {
		const started = performance.now();
		for (let at = 0; at < CHANGES_AT_ONCE && left > 0; at += 1, left -= 1) {
			const aor = users[changes % USERS] ?? "";
			const state = Math.floor(changes / USERS) % 2 === 0 ? "busy" : "away";
			changes += 1;
			presentities.set(aor, { state, note: undefined, changedAt: clock.wall() });
			notifier.changed(aor);
		}
		spent += performance.now() - started;
		spent += await settle();
	}
	return spent;
}

async function run(count: number): Promise<number> {
	answers = 0;
	notified = 0;
	const spent = flow === "change" ? await change(count) : await subscribe(count);
	const wanted = flow === "change" ? count * WATCHERS : count;
	if (notified !== wanted) throw new Error(`${notified} NOTIFYs of ${wanted}`);
	if (flow !== "change" && answers !== count) throw new Error(`${answers} answers of ${count}`);
	return spent;
}

for (const aor of users) presentities.set(aor, { state: "available", note: undefined, changedAt: clock.wall() });
if (flow === "change") await subscribe(USERS * WATCHERS);
await run(operations);
const figures: number[] = [];
for (let round = 0; round < ROUNDS; round++) figures.push(((await run(operations)) * 1000) / operations);
process.stdout.write(
	`${flow}: ${figures.map((us) => us.toFixed(1)).join(" ")} µs each; least ${Math.min(...figures).toFixed(1)}\n`,
);
process.exit(0);
