import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { PeerDirectory } from "../peers.ts";
import { createTestLink, createTestPeer, presentTestCertificate } from "../testing.ts";
import { Pacing } from "./pacing.ts";
import { PeerThrottle, type ThrottleLimits } from "./peer-throttle.ts";
import { Suspicion } from "./suspicion.ts";
import { Throttles } from "./throttles.ts";
import { TokenBucket } from "./token-bucket.ts";

const MINUTE = 60_000;
const limits: ThrottleLimits = {
	messagesPerSecond: 20,
	suspiciousMessagesPerSecond: 1,
	distinctUsers: 3,
	dryRun: false,
};

test("a bucket gives what a second brings, saves one second, and says when the next is due", () => {
	const bucket = new TokenBucket(20, 0);
	for (let number = 0; number < 20; number += 1) assert.ok(bucket.tryTake(20, 0));
	assert.ok(!bucket.tryTake(20, 0));
	assert.equal(bucket.untilNextMs(20, 0), 50);
	assert.ok(bucket.tryTake(20, 50));
	assert.ok(!bucket.tryTake(20, 99));
	assert.equal(bucket.take(20, 100), 0);
	assert.deepEqual([bucket.take(20, 100), bucket.take(20, 100)], [50, 100]);
	assert.equal(bucket.level(20, 3_600_000), 20);
});

const suspicious: readonly (readonly [rule: string, ok: number, failed: number, expected: boolean])[] = [
	["49 failures are too few to judge", 0, 49, false],
	["50 failures are enough", 0, 50, true],
	["half is not more than half", 25, 25, false],
	["more than half is", 25, 26, true],
	["a good peer with some unknown users", 90, 20, false],
];

for (const [rule, ok, failed, expected] of suspicious) {
	test(`protocol 7.4, suspicion: ${rule}`, () => {
		const suspicion = new Suspicion(0);
		for (let number = 0; number < ok; number += 1) suspicion.answered(200, 0);
		for (let number = 0; number < failed; number += 1) suspicion.answered([403, 404, 480, 604][number % 4] ?? 404, 0);
		assert.equal(suspicion.isSuspicious(0), expected);
	});
}

test("protocol 7.4, suspicion: what is older than ten minutes does not count", () => {
	const suspicion = new Suspicion(0);
	for (let number = 0; number < 49; number += 1) suspicion.answered(404, 0);
	suspicion.answered(404, 11 * MINUTE);
	assert.equal(suspicion.isSuspicious(11 * MINUTE), false);
});

test("protocol 7.4, suspicion: it ends after half an hour below a fifth, and a relapse begins that time anew", () => {
	const suspicion = new Suspicion(0);
	for (let number = 0; number < 60; number += 1) suspicion.answered(404, 0);
	// The window empties after ten minutes; half an hour later it is over.
	assert.equal(suspicion.isSuspicious(39 * MINUTE), true);
	for (let number = 0; number < 5; number += 1) suspicion.answered(404, 39 * MINUTE);
	assert.equal(suspicion.isSuspicious(70 * MINUTE), true);
	assert.equal(suspicion.isSuspicious(80 * MINUTE), false);
	for (let number = 0; number < 60; number += 1) suspicion.answered(404, 80 * MINUTE);
	assert.equal(suspicion.isSuspicious(80 * MINUTE), true);
	assert.equal(suspicion.isSuspicious(1_000 * MINUTE), false);
});

test("protocol 7.4: one target too many is refused, those before it go on", () => {
	const throttle = new PeerThrottle(() => limits, 0);
	for (const target of ["a", "b", "c"]) assert.equal(throttle.opening(target, 0).kind, "pass");
	assert.equal(throttle.opening("d", 0).kind, "too-many-users");
	assert.equal(throttle.opening("a", 0).kind, "pass");
	assert.equal(throttle.opening(undefined, 0).kind, "pass");
});

test("a dry run counts and shows what it would refuse, and refuses nothing", () => {
	const throttle = new PeerThrottle(() => ({ ...limits, dryRun: true }), 0);
	for (let number = 0; number < 30; number += 1) assert.equal(throttle.opening("a", 0).kind, "pass");
	assert.equal(throttle.inside(0).kind, "pass");
	for (const target of ["b", "c", "d"]) assert.equal(throttle.opening(target, 10_000).kind, "pass");
	const { refused, delayed, distinctUsers, dryRun } = throttle.view(10_000);
	assert.deepEqual(
		{ refused, delayed, distinctUsers, dryRun },
		{ refused: 11, delayed: 1, distinctUsers: 3, dryRun: true },
	);
});

test("without a ceiling nothing is held back", () => {
	const none = { messagesPerSecond: undefined, suspiciousMessagesPerSecond: undefined, distinctUsers: undefined };
	const throttle = new PeerThrottle(() => ({ ...none, dryRun: false }), 0);
	for (let number = 0; number < 1_000; number += 1) {
		assert.equal(throttle.opening(String(number), 0).kind, "pass");
		assert.equal(throttle.inside(0).kind, "pass");
	}
	assert.deepEqual([throttle.view(0).tokens, throttle.view(0).distinctUsers], [undefined, 0]);
});

const fabrikam = presentTestCertificate("public", "sip.fabrikam.example", "sip.second.example");
const opening = { opensDialog: true, target: "alice@contoso.example" };

test("protocol 7.3: one certificate has one share, however many domains it speaks for and connections it opens", () => {
	const clock = new SimClock();
	const allowed = createTestPeer({ domains: ["allowed.example"] });
	const directory = new PeerDirectory({ peers: [allowed], blocked: new Set(), discovery: true });
	const throttles = new Throttles({
		clock,
		directory: () => directory,
		limits: () => ({ ...limits, distinctUsers: 9 }),
	});
	const links = [createTestLink(fabrikam), createTestLink(fabrikam)];
	let passed = 0;
	for (let number = 0; number < 60; number += 1) {
		const link = links[number % 2];
		assert.ok(link !== undefined);
		const domain = number % 3 === 0 ? "fabrikam.example" : "second.example";
		if (throttles.stranger(link, domain, opening).kind === "pass") passed += 1;
	}
	assert.equal(passed, 20);
	const other = createTestLink(presentTestCertificate("public", "sip.other.example"));
	assert.equal(throttles.stranger(other, "other.example", opening).kind, "pass");
	for (let number = 0; number < 100; number += 1) {
		assert.equal(throttles.stranger(other, "allowed.example", opening).kind, "pass");
	}
	assert.deepEqual(
		throttles.list().map(({ name, domains, view }) => [name, domains, view.refused, view.tokens]),
		[
			["sip.fabrikam.example", ["fabrikam.example", "second.example"], 40, 0],
			["sip.other.example", ["other.example"], 0, 19],
		],
	);
});

test("protocol 7.4: our own requests toward a peer that is found by SRV keep 20 a second, in their order", () => {
	const clock = new SimClock();
	const direct = createTestPeer({ domains: ["direct.example"], edge: { host: "sip.direct.example", port: 5061 } });
	const directory = new PeerDirectory({
		peers: [createTestPeer({ domains: ["allowed.example"] }), direct],
		blocked: new Set(),
		discovery: true,
	});
	const pacing = new Pacing({ clock, directory: () => directory, requestsPerSecond: () => 20 });
	for (const network of ["allowed.example", "stranger.example"]) {
		const link = createTestLink(fabrikam, { network });
		const delays = Array.from({ length: 60 }, () => pacing.reserve(link));
		assert.ok(delays.slice(0, 20).every((ms) => ms === 0));
		assert.deepEqual(
			delays.slice(20),
			Array.from({ length: 40 }, (_, number) => (number + 1) * 50),
		);
	}
	const listed = createTestLink(fabrikam, { network: direct.name });
	assert.ok(Array.from({ length: 60 }, () => pacing.reserve(listed)).every((ms) => ms === 0));
});
