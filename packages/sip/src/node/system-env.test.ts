import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenInvariant } from "../text/assert.ts";
import { systemClock, systemRandom } from "./system-env.ts";

test("a timer runs once, not before its time", async () => {
	const clock = systemClock();
	const startMs = clock.now();
	const ranMs = await new Promise<number>((resolve) => {
		clock.setTimer(7.5, () => resolve(clock.now()));
	});
	assert.ok(ranMs - startMs >= 7.5, `ran after ${ranMs - startMs} ms`);
});

test("a stopped timer does not run", async () => {
	const clock = systemClock();
	let ran = false;
	const timer = clock.setTimer(0, () => {
		ran = true;
	});
	timer.stop();
	timer.stop();
	await new Promise<void>((resolve) => {
		clock.setTimer(5, resolve);
	});
	assert.equal(ran, false);
});

test("a delay longer than setTimeout can take does not run at once", async () => {
	const clock = systemClock();
	let ran = false;
	const timer = clock.setTimer(40 * 86_400_000, () => {
		ran = true;
	});
	await new Promise<void>((resolve) => {
		clock.setTimer(5, resolve);
	});
	timer.stop();
	assert.equal(ran, false);
});

test("the calendar is the machine's", () => {
	const before = Date.now();
	const wall = systemClock().wall();
	assert.ok(wall >= before && wall <= Date.now());
});

test("a token has 26 characters of [0-9a-v], 130 bits, and none comes twice across refills", () => {
	const random = systemRandom();
	const tokens = Array.from({ length: 5_000 }, () => random.token());
	for (const token of tokens) assert.match(token, /^[0-9a-v]{26}$/);
	assert.equal(new Set(tokens).size, tokens.length);
});

for (const bound of [1, 2, 3, 1_000, 0x8000_0000]) {
	test(`below(${bound}) stays below it`, () => {
		const random = systemRandom();
		for (let count = 0; count < 1_000; count++) {
			const value = random.below(bound);
			assert.ok(Number.isInteger(value) && value >= 0 && value < bound, String(value));
		}
	});
}

test("every result below a small bound comes", () => {
	const random = systemRandom();
	assert.equal(new Set(Array.from({ length: 1_000 }, () => random.below(6))).size, 6);
});

for (const bound of [0, -1, 1.5, 0x8000_0001]) {
	test(`below(${bound}) is refused`, () => {
		assert.throws(() => systemRandom().below(bound), BrokenInvariant);
	});
}
