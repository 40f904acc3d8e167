/** REQ-81 through the real pipeline, on a clock of the test's own: a minute of a peer that sends too much. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue } from "@causeway/sip";
import { createTestPeer } from "../../src/federation/testing.ts";
import { type BoundaryWorld, createBoundaryWorld, type FarEnd, formatFarRequest } from "./boundary-world.ts";

const EDGE = "sip.fabrikam.example";
const SECONDS = 60;
const limits = { messagesPerSecond: 20, suspiciousMessagesPerSecond: 1, distinctUsers: 1_000, dryRun: false };
const dns = {
	srv: {
		"_sipfederationtls._tcp.fabrikam.example": [{ priority: 0, weight: 0, port: 5061, target: EDGE }],
	},
	ttlSeconds: 3_600,
};
const discovered = { peers: [], discovery: true, dns, throttle: limits };

/** A minute with so many requests a second, evenly spread; what was answered, by status. */
async function sendForAMinute(
	world: BoundaryWorld,
	far: FarEnd,
	perSecond: number,
	next: (number: number) => string,
): Promise<Map<number, number>> {
	const counts = new Map<number, number>();
	for (let number = 0; number < SECONDS * perSecond; number += 1) {
		far.write(next(number));
		if (number === 0) await world.settle();
		world.clock.advance(1_000 / perSecond);
		for (const { statusCode, response } of far.take()) {
			counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1);
			const wait = response && headerValue(response, HeaderId.retryAfter);
			assert.equal(wait !== undefined, statusCode === 503, "503 alone says when to come again");
			if (wait === undefined || response === undefined) continue;
			assert.match(wait, /^[1-9]\d*$/);
			assert.match(headerValue(response, HeaderId.msDiagnosticsPublic) ?? "", /^1007;/);
		}
	}
	return counts;
}

function assertNear(actual: number, expected: number): void {
	assert.ok(Math.abs(actual - expected) <= expected * 0.05, `${actual} is not within 5 % of ${expected}`);
}

test("protocol 7.4: new dialogs of a discovered peer above 20 a second get 503 with Retry-After", async () => {
	const world = createBoundaryWorld(discovered);
	const far = await world.connect(EDGE);
	const counts = await sendForAMinute(world, far, 50, () => formatFarRequest({}));
	assertNear(counts.get(200) ?? 0, SECONDS * 20);
	assertNear(counts.get(503) ?? 0, SECONDS * 30);
	assert.equal(
		[...counts.values()].reduce((sum, count) => sum + count),
		SECONDS * 50,
	);
	assert.ok(far.isOpen);
});

test("protocol 7.4: at 19 a second nothing is refused and nothing delayed", async () => {
	const world = createBoundaryWorld(discovered);
	const far = await world.connect(EDGE);
	const counts = await sendForAMinute(world, far, 19, () => formatFarRequest({}));
	assert.deepEqual([...counts], [[200, SECONDS * 19]]);
});

test("protocol 7.4: requests in dialogs above 20 a second wait, and none is refused or lost", async () => {
	const world = createBoundaryWorld(discovered);
	const far = await world.connect(EDGE);
	far.write(formatFarRequest({}));
	await world.settle();
	far.take();
	const counts = await sendForAMinute(world, far, 50, () =>
		formatFarRequest({ method: "MESSAGE", inDialog: true, uri: world.contact }),
	);
	assert.deepEqual([...counts.keys()], [200]);
	assertNear(world.inDialog.length, SECONDS * 20);
	world.clock.advance(SECONDS * 2_000);
	assert.equal(world.inDialog.length, SECONDS * 50, "what waited is served in the end");
});

test("protocol 7.4: a burst in one piece is served at the same pace, in its order", async () => {
	const world = createBoundaryWorld(discovered);
	const far = await world.connect(EDGE);
	far.write(formatFarRequest({}));
	await world.settle();
	const methods = ["MESSAGE", "INFO"] as const;
	const burst = Array.from({ length: 200 }, (_, number) =>
		formatFarRequest({ method: methods[number % 2] ?? "INFO", inDialog: true, uri: world.contact }),
	);
	far.write(burst.join(""));
	const atOnce = world.inDialog.length;
	assert.ok(atOnce <= 21, `${atOnce} were served at once`);
	world.clock.advance(5_000);
	assertNear(world.inDialog.length - atOnce, 100);
	world.clock.advance(10_000);
	assert.deepEqual(
		world.inDialog,
		burst.map((_, number) => methods[number % 2]),
	);
});

test("protocol 7.4: an ACK is never counted", async () => {
	const world = createBoundaryWorld(discovered);
	const far = await world.connect(EDGE);
	far.write(formatFarRequest({}));
	await world.settle();
	for (let number = 0; number < 500; number += 1)
		far.write(formatFarRequest({ method: "ACK", inDialog: true, uri: world.contact }));
	assert.equal(world.inDialog.length, 500);
	far.take();
	far.write(formatFarRequest({}));
	assert.equal(far.take()[0]?.statusCode, 200);
});

test("protocol 7.4: a peer whose requests fail too often has one a second", async () => {
	const world = createBoundaryWorld(discovered);
	const far = await world.connect(EDGE);
	far.write(formatFarRequest({}));
	await world.settle();
	for (let number = 0; number < 60; number += 1) {
		far.write(formatFarRequest({ to: `sip:user${number}@northwind.example` }));
		world.clock.advance(100);
	}
	const statuses = far.take().map(({ statusCode }) => statusCode);
	assert.deepEqual(new Set(statuses.slice(1, 51)), new Set([404]));
	assert.ok(statuses.slice(51).every((status) => status === 503 || status === 404));
	assert.equal(world.throttles.list()[0]?.view.isSuspicious, true);
	const counts = await sendForAMinute(world, far, 10, () => formatFarRequest({}));
	assertNear(counts.get(200) ?? 0, SECONDS);
	assertNear(counts.get(503) ?? 0, SECONDS * 9);
});

test("protocol 7.4: the 1,001st address is refused with 403, the first thousand go on", async () => {
	const world = createBoundaryWorld(discovered);
	const far = await world.connect(EDGE);
	const write = (number: number): void => far.write(formatFarRequest({ to: `sip:user${number}@contoso.example` }));
	write(0);
	await world.settle();
	for (let number = 1; number < 1_000; number += 1) {
		world.clock.advance(50);
		write(number);
	}
	assert.ok(far.take().every(({ statusCode }) => statusCode === 200));
	world.clock.advance(1_000);
	write(1_000);
	write(999);
	write(1_001);
	assert.deepEqual(
		far.take().map(({ statusCode }) => statusCode),
		[403, 200, 403],
	);
});

test("a listed peer is free of ceilings, unless its own entry sets them", async () => {
	const peer = createTestPeer({ domains: ["fabrikam.example"], edge: { host: EDGE, port: 5061 } });
	const free = createBoundaryWorld({ ...discovered, peers: [peer] });
	const counts = await sendForAMinute(free, await free.connect(EDGE), 200, () => formatFarRequest({}));
	assert.deepEqual([...counts], [[200, SECONDS * 200]]);

	const throttle = {
		messagesPerSecond: 5,
		suspiciousMessagesPerSecond: undefined,
		distinctUsers: undefined,
		dryRun: false,
	};
	const held = createBoundaryWorld({ ...discovered, peers: [{ ...peer, throttle }] });
	const own = await sendForAMinute(held, await held.connect(EDGE), 10, () => formatFarRequest({}));
	assertNear(own.get(200) ?? 0, SECONDS * 5);
});

test("a dry run refuses nothing and counts what it would", async () => {
	const world = createBoundaryWorld({ ...discovered, throttle: { ...limits, dryRun: true } });
	const counts = await sendForAMinute(world, await world.connect(EDGE), 50, () => formatFarRequest({}));
	assert.deepEqual([...counts], [[200, SECONDS * 50]]);
	assertNear(world.throttles.list()[0]?.view.refused ?? 0, SECONDS * 30);
});
