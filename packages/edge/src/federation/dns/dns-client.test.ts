import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { after, before, type TestContext, test } from "node:test";
import type { Clock, Logger } from "@causeway/sip";
import { SimClock } from "@causeway/sip/testing";
import { type Answer, decode, encode, type Packet } from "dns-packet";
import { DnsClient } from "./dns-client.ts";
import type { NameServer } from "./dns-message.ts";
import { ZoneServer } from "./zone-server.ts";

const log: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const zone = new ZoneServer({ address: "127.0.0.1", port: 0 });
let server: { readonly address: string; readonly port: number };

before(async () => {
	server = await zone.start();
	zone.setRecords([
		{
			name: "_sipfederationtls._tcp.fabrikam.example",
			type: "SRV",
			priority: 10,
			weight: 50,
			port: 5061,
			target: "sip.fabrikam.example",
			ttlSeconds: 300,
		},
		{ name: "sip.fabrikam.example", type: "A", address: "192.0.2.10", ttlSeconds: 40 },
		{ name: "sip.fabrikam.example", type: "AAAA", address: "2001:db8::10" },
		...Array.from({ length: 40 }, (_, index) => ({
			name: "many.fabrikam.example",
			type: "A" as const,
			address: `192.0.2.${index + 1}`,
		})),
	]);
});
after(() => zone.close());

function createClient(clock: Clock = new SimClock()): DnsClient {
	return new DnsClient({ servers: [server], clock, log, timeoutMs: 500 });
}

test("SRV records come with their TTL, which the system's resolver does not give", async () => {
	assert.deepEqual(await createClient().srv("_sipfederationtls._tcp.fabrikam.example"), {
		kind: "records",
		records: [{ priority: 10, weight: 50, port: 5061, target: "sip.fabrikam.example" }],
		ttlSeconds: 300,
	});
});

test("A and AAAA are asked together, and the smaller TTL counts", async () => {
	assert.deepEqual(await createClient().addresses("SIP.fabrikam.example"), {
		kind: "records",
		records: [
			{ address: "192.0.2.10", family: 4 },
			{ address: "2001:db8::10", family: 6 },
		],
		ttlSeconds: 40,
	});
});

test("a name that does not exist is told from one without such records", async () => {
	const client = createClient();
	assert.deepEqual(await client.srv("_sipfederationtls._tcp.nowhere.example"), { kind: "no-name" });
	assert.deepEqual(await client.srv("sip.fabrikam.example"), { kind: "no-data" });
});

test("an answer too long for UDP is asked again over TCP", async () => {
	const answer = await createClient().addresses("many.fabrikam.example");
	assert.equal(answer.kind, "records");
	assert.equal(answer.kind === "records" && answer.records.length, 40);
});

test("an answer is remembered for its TTL and asked again after it", async () => {
	const clock = new SimClock();
	const client = createClient(clock);
	const other = new ZoneServer({ address: "127.0.0.1", port: 0 });
	const place = await other.start();
	const moving = new DnsClient({ servers: [place], clock, log, timeoutMs: 500 });
	other.setRecords([{ name: "a.example", type: "A", address: "192.0.2.1", ttlSeconds: 100 }]);
	const address = async () => {
		const answer = await moving.addresses("a.example");
		return answer.kind === "records" ? answer.records[0]?.address : answer.kind;
	};
	assert.equal(await address(), "192.0.2.1");
	other.setRecords([{ name: "a.example", type: "A", address: "192.0.2.2", ttlSeconds: 100 }]);
	clock.advance(99_000);
	assert.equal(await address(), "192.0.2.1");
	clock.advance(2_000);
	assert.equal(await address(), "192.0.2.2");
	await other.close();
	assert.ok(client);
});

/** A server that answers every question with an address, and changes the reply as told. */
async function startLiar(context: TestContext, lie: (reply: Packet) => Packet): Promise<NameServer> {
	const liar = createSocket("udp4");
	liar.on("message", (message, remote) => {
		const { id, questions } = decode(message);
		const [asked] = questions ?? [];
		const answers: Answer[] = [{ type: "A", name: asked?.name ?? "", ttl: 60, data: "192.0.2.66" }];
		const reply: Packet = {
			type: "response",
			questions: questions ?? [],
			answers,
			...(id === undefined ? {} : { id }),
		};
		liar.send(encode(lie(reply)), remote.port, remote.address);
	});
	await new Promise<void>((resolve) => liar.bind(0, "127.0.0.1", resolve));
	context.after(() => new Promise<void>((resolve) => liar.close(() => resolve())));
	return { address: "127.0.0.1", port: liar.address().port };
}

const lies: readonly (readonly [name: string, kind: string, lie: (reply: Packet) => Packet])[] = [
	["as it should be", "records", (reply) => reply],
	["with another id", "failed", (reply) => ({ ...reply, id: ((reply.id ?? 0) + 1) % 0x1_0000 })],
	["to another name", "failed", (reply) => ({ ...reply, questions: [{ type: "A", name: "b.example" }] })],
	["to another type", "failed", (reply) => ({ ...reply, questions: [{ type: "TXT", name: "a.example" }] })],
	["without its question", "failed", (reply) => ({ ...reply, questions: [] })],
	["that is a question", "failed", (reply) => ({ ...reply, type: "query" })],
	["with SERVFAIL", "failed", (reply) => ({ ...reply, flags: 2, answers: [] })],
	[
		"with the address of another name",
		"no-data",
		(reply) => ({ ...reply, answers: [{ type: "A", name: "b.example", ttl: 60, data: "192.0.2.66" }] }),
	],
	[
		"with an alias and its address",
		"records",
		(reply) => ({
			...reply,
			answers: [
				{ type: "CNAME", name: "a.example", ttl: 60, data: "B.example" },
				{ type: "A", name: "b.example", ttl: 60, data: "192.0.2.66" },
			],
		}),
	],
	[
		"with an alias of itself",
		"failed",
		(reply) => ({ ...reply, answers: [{ type: "CNAME", name: "a.example", ttl: 60, data: "a.example" }] }),
	],
];
for (const [name, kind, lie] of lies) {
	test(`RFC 5452 §9: an answer ${name} gives ${kind}`, async (context) => {
		const server = await startLiar(context, lie);
		const client = new DnsClient({ servers: [server], clock: new SimClock(), log, timeoutMs: 50 });
		assert.equal((await client.addresses("a.example")).kind, kind);
	});
}

test("an answer from another port than the asked one is not heard", async (context) => {
	const other = createSocket("udp4");
	await new Promise<void>((resolve) => other.bind(0, "127.0.0.1", resolve));
	context.after(() => other.close());
	const asked = createSocket("udp4");
	asked.on("message", (message, remote) => {
		const { id, questions } = decode(message);
		const answers: Answer[] = [{ type: "A", name: "a.example", ttl: 60, data: "192.0.2.66" }];
		const reply = encode({
			type: "response",
			questions: questions ?? [],
			answers,
			...(id === undefined ? {} : { id }),
		});
		other.send(reply, remote.port, remote.address);
	});
	await new Promise<void>((resolve) => asked.bind(0, "127.0.0.1", resolve));
	context.after(() => asked.close());
	const servers = [{ address: "127.0.0.1", port: asked.address().port }];
	const client = new DnsClient({ servers, clock: new SimClock(), log, timeoutMs: 50 });
	assert.equal((await client.addresses("a.example")).kind, "failed");
});

const unusable: readonly (readonly [name: string, server: NameServer, asked: string])[] = [
	["a server on an interface that is not there", { address: "fe80::1%nosuch", port: 53 }, "a.example"],
	["a server without a port", { address: "127.0.0.1", port: 0 }, "a.example"],
	["a label of 70 characters", { address: "127.0.0.1", port: 1 }, `${"x".repeat(70)}.example`],
];
for (const [name, server, asked] of unusable) {
	test(`${name} is a failed answer and no exception, and can be asked again`, async () => {
		const client = new DnsClient({ servers: [server], clock: new SimClock(), log, timeoutMs: 50 });
		assert.equal((await client.srv(asked)).kind, "failed");
		assert.equal((await client.srv(asked)).kind, "failed");
	});
}

test("a server that refuses or is not there is a failure with its reason, and is not remembered", async () => {
	const client = new DnsClient({
		servers: [{ address: "127.0.0.1", port: 1 }],
		clock: new SimClock(),
		log,
		timeoutMs: 200,
	});
	const answer = await client.srv("a.example");
	assert.equal(answer.kind, "failed");
	assert.match(answer.kind === "failed" ? answer.reason : "", /127\.0\.0\.1:1/);
});
