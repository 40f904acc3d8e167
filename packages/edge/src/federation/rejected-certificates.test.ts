import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { RejectedCertificates } from "./rejected-certificates.ts";
import { createTestLink, createTestPeer, presentTestCertificate } from "./testing.ts";

const MINUTE_MS = 60_000;
const presented = presentTestCertificate("public", "sip.stranger.example");

function judge(rejected: RejectedCertificates, verdicts: readonly boolean[], parts = {}): readonly boolean[] {
	const link = createTestLink(presented, parts);
	return verdicts.map((passed) => rejected.judged(link, passed));
}

const failed = (count: number): boolean[] => Array.from({ length: count }, () => false);

test("protocol 7.3: ten first requests that all fail keep the certificate out for a quarter of an hour", () => {
	const clock = new SimClock();
	const rejected = new RejectedCertificates(clock);
	const link = createTestLink(presented);
	for (let request = 1; request < 10; request += 1) assert.equal(rejected.judged(link, false), false);
	assert.equal(rejected.hasOnlyFailed(link), true);
	assert.equal(rejected.isRejected(link.identity.fingerprint), false);
	assert.equal(rejected.judged(link, false), true);
	assert.equal(rejected.isRejected(link.identity.fingerprint), true);
	assert.equal(rejected.isRejected("another"), false);
	clock.advance(15 * MINUTE_MS - 1);
	assert.equal(rejected.isRejected(link.identity.fingerprint), true);
	clock.advance(1);
	assert.equal(rejected.isRejected(link.identity.fingerprint), false);
});

test("protocol 7.3: one request that passes is enough, and listed peers are never kept out", () => {
	const rejected = new RejectedCertificates(new SimClock());
	assert.deepEqual(
		judge(rejected, [...failed(9), true, ...failed(20)]),
		Array.from({ length: 30 }, () => false),
	);
	const listed = { admittedAs: [createTestPeer({ domains: ["stranger.example"] })] };
	assert.deepEqual(judge(rejected, failed(20), listed), failed(20));
});

test("product 9: a policy edit lets everybody in again; 500 are remembered, and the oldest fifth goes", () => {
	const rejected = new RejectedCertificates(new SimClock());
	for (let number = 0; number < 501; number += 1) rejected.reject(String(number));
	assert.equal(rejected.isRejected("99"), false);
	assert.equal(rejected.isRejected("100"), true);
	assert.equal(rejected.isRejected("500"), true);
	rejected.clear();
	assert.equal(rejected.isRejected("500"), false);
});
