/**
 * Product contract 7: what the relay holds in memory. Bytes of heap for each of 20,000 sessions and 100,000 subscriptions that are open at
 * once and each of use to its sides, what a transaction leaves behind that ended a moment ago, and how much the heap grows while a million messages go through; fails where a dialog is lost, or where it grows by 1 % or more.
 * `--sessions N --subscriptions N --messages N`.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { answerTo, INES, LENA, type OpenDialog, ProxyFixture, requestIn } from "../../src/proxy/testing.ts";

const { values } = parseArgs({
	options: {
		sessions: { type: "string", default: "20000" },
		subscriptions: { type: "string", default: "100000" },
		messages: { type: "string", default: "1000000" },
	},
	allowPositionals: true,
});
const SESSIONS = Number(values.sessions);
const SUBSCRIPTIONS = Number(values.subscriptions);
const MESSAGES = Number(values.messages);
/** Transactions that ended a moment ago. */
const RECENT = 5_000;
/** Through these the messages go. */
const USED = 100;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
	collect();
	collect();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

const fixture = new ProxyFixture();

async function openMany(method: "INVITE" | "SUBSCRIBE", count: number): Promise<OpenDialog[]> {
	const dialogs: OpenDialog[] = [];
	for (let number = 0; number < count; number += 1) {
		const dialog = await fixture.open({ method, callId: `${method}-${number}-0123456789abcdef@${method}.example` });
		dialogs.push(dialog);
		fixture.counted.length = 0;
		// Their transactions, which last half a minute, are no part of them; a connection may have 10,000.
		if (number % 1_000 === 999) fixture.clock.advance(10_000);
	}
	fixture.clock.advance(40_000);
	return dialogs;
}

/** Opens so many, of which each is of use to its sides; what was kept to try that is let go of. */
async function openAndTry(method: "INVITE" | "SUBSCRIBE", count: number): Promise<readonly OpenDialog[]> {
	const dialogs = await openMany(method, count);
	for (const [number, dialog] of dialogs.entries()) {
		if (method === "INVITE") exchange(dialog, "partner");
		exchange(dialog, "inside", method === "INVITE" ? "MESSAGE" : "NOTIFY");
		if (number % 1_000 === 999) fixture.clock.advance(1_000);
	}
	fixture.clock.advance(40_000);
	const used = dialogs.slice(0, USED);
	dialogs.length = 0;
	return used;
}

function exchange(dialog: OpenDialog, by: "partner" | "inside", method = "MESSAGE"): void {
	const [near, far] = by === "partner" ? [fixture.partner, fixture.inside] : [fixture.inside, fixture.partner];
	fixture.receive(near, requestIn(dialog, method, by, { body: "hello" }));
	fixture.receive(far, answerTo(far.takeOne(), "200 OK"));
	assert.match(near.takeOne(), /^SIP\/2\.0 200 /);
	fixture.counted.length = 0;
}

await fixture.open({ callId: "warm" });
const before = heapBytes();
const sessions = await openAndTry("INVITE", SESSIONS);
const withSessions = heapBytes();
assert.equal(fixture.relay.dialogs.size, SESSIONS + 1);
await openAndTry("SUBSCRIBE", SUBSCRIPTIONS);
const withAll = heapBytes();
const bytesOf = (bytes: number, count: number): string => `${Math.round(bytes / count)} bytes each`;
process.stdout.write(`${LENA} to ${INES}: ${SESSIONS} sessions, ${bytesOf(withSessions - before, SESSIONS)}\n`);
process.stdout.write(`${SUBSCRIPTIONS} subscriptions, ${bytesOf(withAll - withSessions, SUBSCRIPTIONS)}\n`);

/** What is held for a while of requests that have their answers: bytes for each, of which nothing is left when the while is over. */
async function reportRecent(name: string, make: (number: number) => void | Promise<void>): Promise<void> {
	for (let number = 0; number < RECENT; number += 1) await make(number);
	fixture.counted.length = 0;
	const held = heapBytes();
	fixture.clock.advance(40_000);
	process.stdout.write(`${RECENT} ${name}, ended a moment ago, ${bytesOf(held - heapBytes(), RECENT)}\n`);
}

await reportRecent("MESSAGE transactions", (number) => exchange(sessions[number % USED] as OpenDialog, "partner"));
await reportRecent("INVITE transactions", async (number) => {
	const dialog = await fixture.open({ callId: `recent-${number}-0123456789abcdef@INVITE.example` });
	fixture.receive(fixture.partner, requestIn(dialog, "BYE", "partner", { cseq: "CSeq: 9 BYE" }));
	fixture.receive(fixture.inside, answerTo(fixture.inside.takeOne(), "200 OK"));
	fixture.partner.takeOne();
});

function exchangeMany(count: number): void {
	for (let number = 0; number < count; number += 1) {
		exchange(sessions[number % sessions.length] as OpenDialog, number % 2 === 0 ? "partner" : "inside");
		if (number % 5_000 === 4_999) fixture.clock.advance(1_000);
	}
	fixture.clock.advance(40_000);
}

// What is made once, code above all, is there before the count begins.
exchangeMany(MESSAGES / 20);
const warm = heapBytes();
exchangeMany(MESSAGES);
const growth = (heapBytes() - warm) / warm;
process.stdout.write(`${MESSAGES} messages and their answers: the heap grew by ${(growth * 100).toFixed(2)} %\n`);
assert.equal(fixture.relay.dialogs.size, SESSIONS + SUBSCRIPTIONS + 1, "no dialog was lost");
assert.ok(growth < 0.01, `grew by ${growth}`);
