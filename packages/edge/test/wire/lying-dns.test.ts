/** Name servers, and whoever answers in their place, that do not tell the truth: nothing they say makes the edge dial elsewhere. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { type TestContext, test } from "node:test";
import { type Answer, decode, encode, type Packet, type Question, TRUNCATED_RESPONSE } from "dns-packet";
import { createTrustWorld } from "./trust-world.ts";

const DOMAIN = "fabrikam.example";
const SRV = `_sipfederationtls._tcp.${DOMAIN}`;
const TARGET = `sip.${DOMAIN}`;
const TRAP = "198.51.100.7";

type Reply = Packet | Buffer | undefined;
/** What is sent for a question; undefined is silence. */
type Script = (question: Question, id: number) => readonly Reply[];

async function startLiar(context: TestContext, script: Script): Promise<number> {
	const socket = createSocket("udp4");
	socket.on("message", (message, remote) => {
		const { id = 0, questions = [] } = decode(message);
		const [question] = questions;
		if (question === undefined) return;
		for (const reply of script(question, id)) {
			if (reply === undefined) continue;
			socket.send(Buffer.isBuffer(reply) ? reply : encode(reply), remote.port, remote.address);
		}
	});
	await new Promise<void>((resolve) => void socket.bind(0, "127.0.0.1", resolve));
	context.after(() => void socket.close());
	return socket.address().port;
}

function answer(question: Question, id: number, answers: readonly Answer[], parts: Partial<Packet> = {}): Packet {
	return { type: "response", id, questions: [question], answers: [...answers], ...parts };
}

function srv(target: string, port = 5061, name = SRV): Answer {
	return { type: "SRV", name, ttl: 60, data: { priority: 0, weight: 0, port, target } };
}

function a(data: string, name = TARGET): Answer {
	return { type: "A", name, ttl: 60, data };
}

const rcode = (code: number) => ({ flags: code });
/** An honest SRV record; `address` answers the look-up of its target. */
const withAddress =
	(address: (question: Question, id: number) => readonly Reply[]): Script =>
	(question, id) =>
		question.type === "SRV" ? [answer(question, id, [srv(TARGET)])] : address(question, id);

/** A header and a question whose name points at itself. */
function pointerLoop(id: number): Buffer {
	const octets = Buffer.alloc(12 + 2 + 4);
	octets.writeUInt16BE(id, 0);
	octets.writeUInt16BE(0x8180, 2);
	octets.writeUInt16BE(1, 4);
	octets.writeUInt16BE(0xc00c, 12);
	octets.writeUInt16BE(33, 14);
	octets.writeUInt16BE(1, 16);
	return octets;
}

function aliases(from: string, names: readonly string[]): readonly Answer[] {
	const chain = [from, ...names];
	return names.map((data, index) => ({ type: "CNAME", name: chain[index] ?? "", ttl: 60, data }));
}

/** The lie, and the diagnostics id of the refusal (protocol sheet 7.7). */
const lies: readonly (readonly [lie: string, diagnosticsId: number, script: Script])[] = [
	["an answer with another id", 1008, (question, id) => [answer(question, id ^ 1, [srv(TARGET)])]],
	[
		"an answer to another question",
		1008,
		(question, id) => [answer({ ...question, name: "_sipfederationtls._tcp.evil.example" }, id, [srv(TARGET)])],
	],
	["a question in place of an answer", 1008, (question, id) => [{ type: "query", id, questions: [question] }]],
	["octets that are no message", 1008, (_, id) => [Buffer.from([id >> 8, id & 0xff, 0xff])]],
	["a name that points at itself", 1008, (_, id) => [pointerLoop(id)]],
	[
		"an answer cut in the middle",
		1008,
		(question, id) => [encode(answer(question, id, [srv(TARGET)])).subarray(0, 40)],
	],
	["a server failure", 1008, (question, id) => [answer(question, id, [], rcode(2))]],
	["a refusal", 1008, (question, id) => [answer(question, id, [srv(TARGET)], rcode(5))]],
	[
		"records beside the word that there is no such name",
		1008,
		(question, id) => [answer(question, id, [srv(TARGET)], rcode(3))],
	],
	[
		"a record of another name",
		1008,
		(question, id) => [answer(question, id, [srv(TARGET, 5061, "_sip._tcp.evil.example")])],
	],
	[
		"a record of another class",
		1008,
		(question, id) => [answer(question, id, [{ ...srv(TARGET), class: "CH" } as Answer])],
	],
	[
		"an alias that leads back to itself",
		1008,
		(question, id) => [answer(question, id, aliases(SRV, ["x.example", SRV]))],
	],
	[
		"an alias of too many aliases",
		1008,
		(question, id) => {
			const names = Array.from({ length: 12 }, (_, index) => `a${index}.example`);
			return [answer(question, id, [...aliases(SRV, names), srv(TARGET, 5061, "a11.example")])];
		},
	],
	[
		"an answer marked as cut, and nobody at its TCP port",
		1008,
		(question, id) => [answer(question, id, [srv(TARGET)], { flags: TRUNCATED_RESPONSE })],
	],
	["port 0", 1008, (question, id) => [answer(question, id, [srv(TARGET, 0)])]],
	["an address in place of the target's name", 1008, (question, id) => [answer(question, id, [srv(TRAP)])]],
	["the root as target: there is no service", 1005, (question, id) => [answer(question, id, [srv(".")])]],
	["a target in another domain", 1009, (question, id) => [answer(question, id, [srv("sip.evil.example")])]],
	["a target whose name only ends alike", 1009, (question, id) => [answer(question, id, [srv(`sip.evil${DOMAIN}`)])]],
	[
		"a target that has the domain in front",
		1009,
		(question, id) => [answer(question, id, [srv(`${TARGET}.evil.example`)])],
	],
	["a target that has no address", 1014, withAddress((question, id) => [answer(question, id, [], rcode(3))])],
	[
		"an address of the target that nobody asked for",
		1014,
		(question, id) =>
			question.type === "SRV"
				? [answer(question, id, [srv(TARGET)], { additionals: [a(TRAP)] })]
				: [answer(question, id, [], { additionals: [a(TRAP)] })],
	],
	[
		"an address of another name",
		1014,
		withAddress((question, id) => [answer(question, id, [a(TRAP, "evil.example")])]),
	],
	...["127.0.0.1", "10.0.0.5", "169.254.169.254", "192.168.1.1", "0.0.0.0"].map(
		(address) =>
			[
				`the inside address ${address}`,
				1014,
				withAddress((question, id) => [answer(question, id, question.type === "A" ? [a(address)] : [])]),
			] as const,
	),
	...["::1", "::ffff:10.0.0.5", "fe80::1", "fd00::1"].map(
		(address) =>
			[
				`the inside address ${address}`,
				1014,
				withAddress((question, id) => [
					answer(
						question,
						id,
						question.type === "AAAA" ? [{ type: "AAAA", name: TARGET, ttl: 60, data: address }] : [],
					),
				]),
			] as const,
	),
];

for (const [lie, diagnosticsId, script] of lies) {
	test(`security 1: ${lie} leads nowhere, and is ${diagnosticsId}`, async (context) => {
		const port = await startLiar(context, script);
		const world = await createTrustWorld(context);
		const { federation, dialled } = await world.federation(
			`[federation]\ndiscovery = true\n[dns]\nservers = ["127.0.0.1:${port}"]\n`,
			{ dnsTimeoutMs: 150 },
		);
		const outcome = await federation.linkTo(DOMAIN);
		assert.ok(!outcome.ok);
		assert.deepEqual(
			[outcome.refusal.status, outcome.refusal.diagnosticsId],
			[504, diagnosticsId],
			outcome.refusal.reason,
		);
		assert.deepEqual(dialled, []);
	});
}

test("security 1: the truth is taken though a lie came first", async (context) => {
	const port = await startLiar(context, (question, id) => [
		answer(question, id ^ 0x5555, [srv("sip.evil.example")]),
		Buffer.from("noise"),
		answer(question, id, question.type === "SRV" ? [srv("none.fabrikam.example")] : []),
	]);
	const world = await createTrustWorld(context);
	const { federation } = await world.federation(
		`[federation]\ndiscovery = true\n[dns]\nservers = ["127.0.0.1:${port}"]\n`,
	);
	const outcome = await federation.linkTo(DOMAIN);
	assert.ok(!outcome.ok);
	assert.equal(outcome.refusal.diagnosticsId, 1014, outcome.refusal.reason);
});

test("security 1: a flood of domains is looked up at a bounded rate, and answers are remembered", async (context) => {
	let asked = 0;
	const port = await startLiar(context, (question, id) => {
		asked += 1;
		return [answer(question, id, [], rcode(3))];
	});
	const world = await createTrustWorld(context);
	// The calendar and every age stand still.
	const clock = { now: () => 0, wall: () => Date.now(), setTimer: () => ({ stop() {} }) };
	const { lookup } = await world.federation(`[dns]\nservers = ["127.0.0.1:${port}"]\n`, { clock });
	const ask = (count: number, prefix: string) =>
		Promise.all(Array.from({ length: count }, (_, index) => lookup.srv(`${prefix}${index}.example`)));
	for (let round = 0; round < 10; round += 1) await ask(100, `r${round}x`);
	assert.equal(asked, 1_000);
	const more = await ask(5, "more");
	assert.deepEqual(new Set(more.map(({ kind }) => kind)), new Set(["failed"]));
	assert.equal(asked, 1_000);
	assert.equal((await lookup.srv("r9x99.example")).kind, "no-name", "remembered");
});
