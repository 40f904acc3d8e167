import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	destroyAllKeys,
	type KeyRing,
	type KeyRules,
	nextStepMs,
	prepareKeyRing,
	rotateKeyRing,
	stepKeyRing,
} from "./key-ring.ts";
import { createCountingKeySource } from "./testing.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const start = Date.UTC(2026, 0, 5, 9);
const dialog: KeyRules = { rotateMs: 6 * HOUR, expiry: "dialog" };
const profile: KeyRules = { rotateMs: 6 * HOUR, expiry: "profile" };

function states(ring: KeyRing): string {
	return ring.map(({ kid, state }) => `${kid} ${state}`).join(", ");
}

/** Steps at each moment at which something is due, until `untilMs`. */
function run(rules: KeyRules, untilMs: number): { readonly atMs: number; readonly what: string }[] {
	const source = createCountingKeySource();
	const seen: { readonly atMs: number; readonly what: string }[] = [];
	let ring: KeyRing = [];
	for (let atMs = start; atMs <= untilMs; atMs = nextStepMs(ring, rules)) {
		const step = stepKeyRing(ring, atMs, rules, source);
		for (const { kind, kid } of step.events) seen.push({ atMs: atMs - start, what: `${kid} ${kind}` });
		ring = step.ring;
		assert.ok(nextStepMs(ring, rules) > atMs, "a step does all that is due");
	}
	return seen;
}

function timesOf(kid: string, events: readonly { readonly atMs: number; readonly what: string }[]): readonly string[] {
	return events
		.filter(({ what }) => what.startsWith(kid))
		.map(({ atMs, what }) => `${what.slice(5)} at ${atMs / MINUTE} min`);
}

test("protocol 4.6: the first key signs at once; the next is made ten minutes before it signs", () => {
	const events = run(dialog, start + 100 * HOUR);
	assert.deepEqual(timesOf("0001", events), [
		"created at 0 min",
		"activated at 0 min",
		"retired at 360 min",
		`destroyed at ${(6 + 24) * 60 + 10} min`,
	]);
	assert.deepEqual(timesOf("0002", events), [
		"created at 350 min",
		"activated at 360 min",
		"retired at 720 min",
		`destroyed at ${(12 + 24) * 60 + 10} min`,
	]);
});

test('key_expiry = "profile": a key dies 24 hours after it was made', () => {
	const events = run(profile, start + 60 * HOUR);
	assert.deepEqual(timesOf("0001", events).at(-1), `destroyed at ${24 * 60} min`);
	assert.deepEqual(timesOf("0002", events).at(-1), `destroyed at ${24 * 60 + 350} min`);
	// A pause as long as a key's life: the next one takes over when the key dies, and there is always one that signs.
	const daily = run({ rotateMs: 24 * HOUR, expiry: "profile" }, start + 60 * HOUR);
	assert.deepEqual(timesOf("0002", daily).slice(0, 2), [
		`created at ${24 * 60 - 10} min`,
		`activated at ${24 * 60} min`,
	]);
});

test("at every moment exactly one key signs, and a key that signed a dialog verifies it for 24 hours", () => {
	const rotations = fc.integer({ min: 1, max: 24 });
	const pauses = fc.array(fc.integer({ min: 1, max: 30 * 60 }), { minLength: 1, maxLength: 40 });
	fc.assert(
		fc.property(rotations, pauses, (hours, minutes) => {
			const rules: KeyRules = { rotateMs: hours * HOUR, expiry: "dialog" };
			const source = createCountingKeySource();
			const signed: { readonly kid: string; readonly atMs: number }[] = [];
			let ring: KeyRing = [];
			let atMs = start;
			for (const pause of minutes) {
				ring = stepKeyRing(ring, atMs, rules, source).ring;
				const active = ring.filter(({ state }) => state === "active");
				assert.equal(active.length, 1);
				signed.push({ kid: active[0]?.kid ?? "", atMs });
				for (const { kid, atMs: signedAtMs } of signed) {
					if (atMs - signedAtMs > 24 * HOUR) continue;
					const found = ring.find((key) => key.kid === kid);
					assert.ok(found !== undefined && found.state !== "destroyed", `${kid} verifies`);
				}
				atMs += pause * MINUTE;
			}
		}),
	);
});

test("the administrator's rotation: the new key signs, the old one verifies", () => {
	const source = createCountingKeySource();
	let { ring } = stepKeyRing([], start, dialog, source);
	assert.equal(rotateKeyRing(ring, start).ring, ring, "there is nothing to rotate to");
	ring = prepareKeyRing(ring, start + HOUR, source).ring;
	assert.equal(states(ring), "0001 active, 0002 next");
	assert.equal(prepareKeyRing(ring, start + HOUR, source).ring, ring, "one next key is enough");
	const step = rotateKeyRing(ring, start + HOUR);
	assert.equal(states(step.ring), "0001 verify-only, 0002 active");
	assert.deepEqual(step.events, [
		{ kind: "retired", kid: "0001" },
		{ kind: "activated", kid: "0002" },
	]);
});

test("names are not used again for 72 hours after a key's end", () => {
	const names = ["aaaa", "aaaa", "aaaa", "bbbb", "aaaa"];
	const source = { kid: () => names.shift() ?? "zzzz", secret: () => new Uint8Array(32) };
	let { ring } = stepKeyRing([], start, dialog, source);
	ring = destroyAllKeys(ring, start + HOUR).ring;
	assert.deepEqual(destroyAllKeys(ring, start + 2 * HOUR), { ring, events: [] });
	ring = stepKeyRing(ring, start + HOUR, dialog, source).ring;
	assert.equal(states(ring), "aaaa destroyed, bbbb active");
	assert.ok(!("secret" in (ring[0] ?? {})), "nothing is left of a destroyed key but its name");
	ring = stepKeyRing(ring, start + 73 * HOUR, dialog, source).ring;
	assert.ok(!states(ring).includes("aaaa destroyed"), "the name is free again");
});

test("a key that signed longer than planned verifies its last dialog too", () => {
	const source = createCountingKeySource();
	let { ring } = stepKeyRing([], start, dialog, source);
	// The edge stood still for ten hours, or the pause was 16 hours and is 6 now.
	ring = stepKeyRing(ring, start + 16 * HOUR, dialog, source).ring;
	assert.equal(states(ring), "0001 verify-only, 0002 active");
	ring = stepKeyRing(ring, start + 40 * HOUR, dialog, source).ring;
	assert.ok(states(ring).startsWith("0001 verify-only"));
	ring = stepKeyRing(ring, start + 40 * HOUR + 10 * MINUTE, dialog, source).ring;
	assert.ok(states(ring).startsWith("0001 destroyed"));
});
