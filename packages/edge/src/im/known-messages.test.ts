/** MESSAGEs that are known by their octets: answered and delivered as those that are read, or read. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createRequest, type HeaderInput, type SipRequest } from "@causeway/sip";
import { discoveredPeer, type Peer } from "../federation/peers.ts";
import { type ImWorld, type ImWorldOptions, MESSAGE_SDP, openImWorld } from "./testing.ts";

/** So many MESSAGEs of a dialog are read before one is known. */
const READ_FIRST = 3;

/** Lena calls Alice and writes until what she writes is known. */
async function openKnown(context: TestContext, options: ImWorldOptions = {}) {
	const world = await openImWorld(context, options);
	world.receive(world.request("INVITE", { body: MESSAGE_SDP }));
	const ok = world.take("200 INVITE");
	const toTag = ok.to.tag ?? "";
	world.receive(world.request("ACK", { toTag }));
	let cseq = 1;
	const write = (parts: Parameters<ImWorld["request"]>[1] = {}): SipRequest => {
		cseq += 1;
		return world.request("MESSAGE", { toTag, cseq, body: `text ${cseq}`, ...parts });
	};
	for (let sent = 0; sent < READ_FIRST; sent += 1) assert.equal(world.arrive(write()), false);
	await world.settled();
	const answers = world.octets();
	assert.equal(answers.length, READ_FIRST);
	world.messages();
	return { world, write, toTag, answers };
}

/** What the edge answered since the last look. */
function sent(world: ImWorld): readonly string[] {
	return world.octets().map((octets) => octets.replace(/^SIP\/2\.0 (\d+).*\r\nCSeq: \d+ (\w+).*$/s, "$1 $2"));
}

test("a MESSAGE written like those before it is not read, and stored, told and answered like them", async (context) => {
	const { world, write, answers } = await openKnown(context);
	const known = write();
	assert.equal(world.arrive(known), true);
	assert.deepEqual(world.octets(), [], "promise 1: no answer before it is on disk");
	await world.settled();
	const [answer] = world.octets();
	const branch = (octets: string | undefined): string => /z9hG4bK\w+/.exec(octets ?? "")?.[0] ?? "";
	const [last] = answers.slice(-1);
	assert.equal(
		answer,
		last?.replace(branch(last), branch(known.head.text)).replace(/CSeq: \d+/, `CSeq: ${known.cseq.number}`),
	);
	assert.deepEqual(world.messages(), ["text 5"]);
	assert.deepEqual(
		world.store.messages.list("alice@contoso.example", { limit: 10 }).map(({ body }) => body),
		["text 2", "text 3", "text 4", "text 5"],
	);
});

test("several Vias are copied in their order, each as it came", async (context) => {
	const second: HeaderInput = ["Via", "SIP/2.0/TCP 192.0.2.7;branch=z9hG4bKinside;rport"];
	const { world, write } = await openKnown(context);
	for (let read = 0; read < READ_FIRST; read += 1) world.arrive(write());
	await world.settled();
	world.octets();
	const vias = write()
		.head.text.split("\r\n")
		.filter((line) => line.startsWith("Via: "));
	const plain = write();
	const request = createRequest({
		method: "MESSAGE",
		requestUri: plain.requestUri.text,
		headers: [
			["Via", vias[0]?.slice(5) ?? ""],
			second,
			["From", "<sip:lena@fabrikam.example>;tag=lena"],
			["To", `<sip:alice@contoso.example>;tag=${plain.to.tag}`],
			["Call-ID", "lenas-call"],
			["CSeq", `${plain.cseq.number + 1} MESSAGE`],
			["Content-Type", "text/plain"],
		],
		body: Buffer.from("through two"),
	});
	assert.equal(world.arrive(request), true);
	await world.settled();
	const answered = world
		.octets()[0]
		?.split("\r\n")
		.filter((line) => line.startsWith("Via: "));
	assert.deepEqual(answered, [vias[0], `Via: ${second[1]}`]);
});

test("what was stored as text of the body is the same in both ways", async (context) => {
	const { world, write } = await openKnown(context);
	const texts = ["Grüße, 東京 😀", "a\u0007bell\u001b[31m\ttab\r\nline", "plain"];
	for (const body of texts) assert.equal(world.arrive(write({ body })), true, body);
	await world.settled();
	const known = world.messages();
	for (const body of texts) world.receive(write({ body }));
	await world.settled();
	assert.deepEqual(world.messages(), known);
});

test("REQ-32: the same MESSAGE again is answered, and told once", async (context) => {
	const { world, write } = await openKnown(context);
	const request = write();
	assert.equal(world.arrive(request), true);
	assert.equal(world.arrive(request), false);
	await world.settled();
	assert.deepEqual(new Set(sent(world)), new Set(["200 MESSAGE"]));
	assert.equal(world.messages().length, 1);
});

const OTHERWISE: readonly (readonly [string, Parameters<ImWorld["request"]>[1], string])[] = [
	["the CSeq of the last", { cseq: 5 }, "200 MESSAGE"],
	["a CSeq below the last", { cseq: 1 }, "500 MESSAGE"],
	["another type", { type: "text/html", body: "<b>bold</b>" }, "200 MESSAGE"],
	["a type of which there is nothing to read", { type: "image/png" }, "415 MESSAGE"],
	["an encoding", { headers: [["Content-Encoding", "gzip"]] }, "415 MESSAGE"],
	["an extension that is required", { headers: [["Require", "100rel"]] }, "420 MESSAGE"],
	["an extension required of proxies", { headers: [["Proxy-Require", "privacy"]] }, "420 MESSAGE"],
	["a sips: URI", { headers: [["P-Other", "<sips:a@b.example>"]] }, "400 MESSAGE"],
	["no hops left", { headers: [["Max-Forwards", "0"]] }, "483 MESSAGE"],
	["a Via of ours", { headers: [["Via", "SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKx"]] }, "200 MESSAGE"],
	["a text that cannot be read", { type: "text/plain;charset=utf-16", body: "x" }, "415 MESSAGE"],
	["an empty body", { body: "" }, "200 MESSAGE"],
];

for (const [what, parts, answer] of OTHERWISE) {
	test(`a MESSAGE with ${what} is read, and judged as ever`, async (context) => {
		const { world, write } = await openKnown(context);
		assert.equal(world.arrive(write()), true);
		await world.settled();
		assert.deepEqual(sent(world), ["200 MESSAGE"]);
		assert.equal(world.arrive(write(parts)), false);
		await world.settled();
		assert.deepEqual(sent(world), [answer]);
	});
}

test("a connection that may no longer speak for the sender's domain is refused", async (context) => {
	let isBound = true;
	const own: Peer = { ...discoveredPeer("fabrikam.example"), kind: "allowed", verification: "always-verified" };
	const { world, write } = await openKnown(context, {
		bind: () =>
			isBound ? { ok: true, peer: own } : { ok: false, status: 403, code: "blocked-domain", reason: "blocked" },
	});
	isBound = false;
	assert.equal(world.arrive(write()), false);
	await world.settled();
	assert.deepEqual(sent(world), ["403 MESSAGE"]);
});

test("a user who is busy and takes nothing then is asked before each message", async (context) => {
	let state: "available" | "busy" | "offline" = "available";
	const { world, write } = await openKnown(context, { busy: "refuse", publishedState: () => state });
	assert.equal(world.arrive(write()), true);
	await world.settled();
	state = "busy";
	assert.equal(world.arrive(write()), false);
	await world.settled();
	state = "offline";
	assert.equal(world.arrive(write()), true);
	await world.settled();
	assert.deepEqual(sent(world), ["200 MESSAGE", "486 MESSAGE", "202 MESSAGE"]);
});

test("a rule about contents is asked of each message", async (context) => {
	const { world, write } = await openKnown(context, {
		contentRules: [{ contains: ["lottery"], direction: "in", domains: [], reason: "no lotteries" }],
	});
	assert.equal(world.arrive(write({ body: "Win the Lottery" })), false);
	await world.settled();
	assert.deepEqual(sent(world), ["606 MESSAGE"]);
	assert.deepEqual(world.messages(), []);
});

test("after BYE nothing of the session is known", async (context) => {
	const { world, write, toTag } = await openKnown(context);
	world.receive(world.request("BYE", { toTag, cseq: 50 }));
	assert.equal(world.arrive(write({ cseq: 51 })), false);
	await world.settled();
	assert.deepEqual(sent(world), ["200 BYE", "481 MESSAGE"]);
});

test("near the end of its token's life a MESSAGE is read, and verified", async (context) => {
	const { world, write } = await openKnown(context, { idleMs: 30 * 3_600_000 });
	world.clock.advance(20 * 3_600_000);
	assert.equal(world.arrive(write()), true);
	world.clock.advance(4 * 3_600_000 - 60_000);
	assert.equal(world.arrive(write()), false);
});

test("promise 1: a store that does not write answers 500, and the sender may try again", async (context) => {
	const { world, write } = await openKnown(context);
	await world.store.close();
	const request = write();
	assert.equal(world.arrive(request), true);
	await world.settled();
	const [answer] = world.octets();
	assert.match(answer ?? "", /^SIP\/2\.0 500 [^\r]*\r\nVia: [^\r]*z9hG4bKlena/);
	assert.match(answer ?? "", /\r\nRetry-After: 60\r\n/);
	assert.deepEqual(world.messages(), []);
});
