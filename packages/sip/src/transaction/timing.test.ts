import assert from "node:assert/strict";
import { test } from "node:test";
import { createTiming, defaultTiming, type Interval, type TimerName, timerDelayMs } from "./timing.ts";

const unreliable = createTiming({ reliable: false });

/** [timer, milliseconds on a reliable transport, milliseconds on an unreliable one]. */
const table: readonly (readonly [TimerName, number, number])[] = [
	["timer-a", 500, 500],
	["timer-b", 32_000, 32_000],
	["timer-c", 180_000, 180_000],
	["timer-d", 0, 32_000],
	["timer-e", 500, 500],
	["timer-f", 32_000, 32_000],
	["timer-g", 500, 500],
	["timer-h", 32_000, 32_000],
	["timer-i", 0, 5_000],
	["timer-j", 0, 32_000],
	["timer-k", 0, 5_000],
	["timer-l", 32_000, 32_000],
	["timer-m", 32_000, 32_000],
	["timer-cancel", 32_000, 32_000],
	["timer-answer", 37_000, 37_000],
	["timer-invite-answer", 300_000, 300_000],
];

for (const [timer, reliableMs, unreliableMs] of table) {
	test(`RFC 3261 Table 4, RFC 6026 §7: ${timer} runs ${reliableMs} ms on TLS and ${unreliableMs} ms on UDP`, () => {
		assert.equal(defaultTiming.delayMs[timer], reliableMs);
		assert.equal(unreliable.delayMs[timer], unreliableMs);
	});
}

test("§17.2.1: the 100 leaves within 200 ms, one tick of the wheel included", () => {
	assert.ok(defaultTiming.delayMs["timer-trying"] + 20 <= 200);
});

test("§17.1.1.1: another T1 changes everything derived from it", () => {
	const slow = createTiming({ t1Ms: 1_000, reliable: false });
	assert.equal(slow.delayMs["timer-b"], 64_000);
	assert.equal(slow.delayMs["timer-d"], 64_000);
	assert.equal(createTiming({ t1Ms: 100, reliable: false }).delayMs["timer-d"], 32_000, "§17.1.1.2: at least 32 s");
});

test("§16.8: Timer C is the caller's to choose", () => {
	assert.equal(createTiming({ timerCMs: 28_000 }).delayMs["timer-c"], 28_000);
});

for (const [rule, timer, interval, lastMs, expectedMs] of [
	["§17.1.1.2: Timer A doubles without a ceiling", "timer-a", "doubled", 8_000, 16_000],
	["§17.1.2.2: Timer E doubles", "timer-e", "doubled", 1_000, 2_000],
	["§17.1.2.2: Timer E stops at T2", "timer-e", "doubled", 4_000, 4_000],
	["§17.2.1: Timer G stops at T2", "timer-g", "doubled", 3_000, 4_000],
	["§17.1.2.2: Timer E runs T2 after a provisional response", "timer-e", "t2", 500, 4_000],
	["§17.2.1: Timer G begins at T1", "timer-g", "initial", 4_000, 500],
] as const satisfies readonly (readonly [string, TimerName, Interval, number, number])[]) {
	test(rule, () => {
		assert.equal(timerDelayMs(unreliable, timer, interval, lastMs), expectedMs);
	});
}
