/**
 * Product contract 7: memory of 100,000 presence subscriptions that are held, 4 connections, each with its dialog, its place
 * in the tables and its timer. Prints bytes of heap for each; fails only where they are not all there. `--count N`.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createRequest, createResponse } from "@causeway/sip";
import { RecordingConnection, SimClock, SimRandom } from "@causeway/sip/testing";
import type { Link } from "../../src/federation/link.ts";
import { discoveredPeer } from "../../src/federation/peers.ts";
import { subscriptionDialogMs } from "../../src/presence/dialog-age.ts";
import { NotifierService } from "../../src/presence/notifier-service.ts";
import { Presentities } from "../../src/presence/presentities.ts";
import { Reception } from "../../src/proxy/reception.ts";
import { openTestStore } from "../../src/store/testing.ts";
import { DialogKeeper } from "../../src/ua/dialog-keeper.ts";
import { createTestContactKeys } from "../../src/ua/testing.ts";
import { UserAgent } from "../../src/ua/user-agent.ts";

const { values } = parseArgs({ options: { count: { type: "string", default: "100000" } }, allowPositionals: true });
const COUNT = Number(values.count);
const USERS = 1_000;
const CONNECTIONS = 4;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const log = { debug() {}, info() {}, warn() {}, error() {} };
const clock = new SimClock();
const random = new SimRandom(1);
const store = await openTestStore({ clock });
for (let number = 0; number < USERS; number += 1) {
	await store.users.add({ address: `user${number}@contoso.example` });
	await store.watchers.decide(`user${number}@contoso.example`, "@fabrikam.example", "allow");
}
const identity = () => ({ fqdn: "sip.contoso.example", port: 5061 });
const peer = { ...discoveredPeer("fabrikam.example"), kind: "allowed" as const };
const links = Array.from({ length: CONNECTIONS }, (_, index) => {
	const connection = new RecordingConnection(index + 1);
	return { connection, network: peer.name, requestsOut: 0, requestsIn: 0 } as unknown as Link;
});
const reception = new Reception({
	clock,
	random,
	log,
	findLink: (id) => links[id - 1],
	rules: {
		hostedDomains: new Set(["contoso.example"]),
		fqdn: identity().fqdn,
		bind: () => ({ ok: true, peer }),
		proxy: undefined,
	},
});
const agent = new UserAgent({
	clock,
	random,
	log,
	identity,
	reception,
	hidesUsersFrom: () => false,
	outsideOf: () => "all",
	federation: () => ({
		findLink: (id) => links[id - 1],
		linkTo: () => Promise.reject(new Error("nothing is dialled")),
	}),
	keys: createTestContactKeys(clock),
	tokenRefused: () => {},
	counted: () => {},
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
		notifySpacingMs: 5_000,
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

/** One subscription, its NOTIFY answered; everything that only the exchange needed is over. */
function subscribe(number: number): void {
	const link = links[number % CONNECTIONS];
	assert.ok(link !== undefined);
	const presentity = `user${number % USERS}@contoso.example`;
	const connection = link.connection as RecordingConnection;
	reception.received(
		link,
		createRequest({
			method: "SUBSCRIBE",
			requestUri: `sip:${presentity}`,
			headers: [
				["Via", `SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKs${number}`],
				["From", `<sip:watcher${number}@fabrikam.example>;tag=w${number}abcdef`],
				["To", `<sip:${presentity}>`],
				["Call-ID", `call-${number}-6f1d2c7be0a94c13@fabrikam.example`],
				["CSeq", "1 SUBSCRIBE"],
				["Record-Route", "<sip:sip.fabrikam.example:5061;transport=tls;lr>"],
				["Contact", `<sip:watcher${number}@192.0.2.7:5061;transport=tls>`],
				["Event", "presence"],
				["Accept", "application/pidf+xml"],
				["Expires", "28800"],
			],
		}),
	);
	for (const message of connection.take()) {
		if (message.kind === "response") assert.equal(message.statusCode, 200);
		else reception.received(link, answer(message));
	}
}

function answer(request: Parameters<typeof createResponse>[0]): ReturnType<typeof createResponse> {
	return createResponse(request, 200);
}

for (let number = 0; number < USERS; number += 1) subscribe(number);
// Timer J and its like end what the exchanges left behind.
clock.advance(40_000);
collect();
const before = process.memoryUsage();
for (let number = USERS; number < USERS + COUNT; number += 1) subscribe(number);
clock.advance(40_000);
collect();
const after = process.memoryUsage();
assert.equal(notifier.size, USERS + COUNT, "not every subscription is held");
const each = (after.heapUsed + after.external - before.heapUsed - before.external) / COUNT;
process.stdout.write(`held subscriptions: ${COUNT}, ${each.toFixed(0)} bytes each (goal: 900)\n`);
