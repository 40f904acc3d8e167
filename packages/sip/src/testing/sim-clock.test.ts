import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BrokenInvariant } from "../text/assert.ts";
import { SimClock } from "./sim-clock.ts";

test("time stands still until it is advanced, and then both clocks go on together", () => {
	const clock = new SimClock({ nowMs: 5, wallMs: 1_000 });
	assert.deepEqual([clock.now(), clock.wall()], [5, 1_000]);
	clock.advance(250);
	assert.deepEqual([clock.now(), clock.wall()], [255, 1_250]);
});

test("stepping the calendar leaves time alone", () => {
	const clock = new SimClock({ wallMs: 1_000 });
	clock.stepWall(-90_000);
	assert.deepEqual([clock.now(), clock.wall()], [0, -89_000]);
});

test("timers run at their own time, those of one moment in the order in which they were set", () => {
	const clock = new SimClock();
	const ran: string[] = [];
	clock.setTimer(20, () => ran.push(`c ${clock.now()}`));
	clock.setTimer(10, () => ran.push(`a ${clock.now()}`));
	clock.setTimer(10, () => ran.push(`b ${clock.now()}`));
	clock.advance(15);
	assert.deepEqual(ran, ["a 10", "b 10"]);
	assert.deepEqual([clock.now(), clock.pendingTimers, clock.nextDueMs], [15, 1, 20]);
	clock.advance(5);
	assert.deepEqual(ran, ["a 10", "b 10", "c 20"]);
});

test("a timer that is stopped does not run, and may be stopped again", () => {
	const clock = new SimClock();
	const ran: string[] = [];
	const stopped = clock.setTimer(10, () => ran.push("stopped"));
	clock.setTimer(5, () => stopped.stop());
	clock.advance(10);
	stopped.stop();
	assert.deepEqual(ran, []);
	assert.equal(clock.pendingTimers, 0);
});

test("stopping a timer that has run changes nothing", () => {
	const clock = new SimClock();
	const timer = clock.setTimer(1, () => undefined);
	clock.setTimer(50, () => undefined);
	clock.advance(1);
	timer.stop();
	assert.equal(clock.pendingTimers, 1);
});

test("a timer set by a timer runs in the same advance when it is due", () => {
	const clock = new SimClock();
	const ran: number[] = [];
	clock.setTimer(10, () => clock.setTimer(10, () => ran.push(clock.now())));
	clock.advance(30);
	assert.deepEqual(ran, [20]);
});

test("runUntilIdle runs everything, and refuses timers that never end", () => {
	const clock = new SimClock();
	const ran: number[] = [];
	clock.setTimer(10, () => clock.setTimer(90, () => ran.push(clock.now())));
	clock.runUntilIdle();
	assert.deepEqual([ran, clock.now(), clock.runNext()], [[100], 100, false]);
	const again = (): void => {
		clock.setTimer(1, again);
	};
	again();
	assert.throws(() => clock.runUntilIdle(100), BrokenInvariant);
});

test("time does not go back", () => {
	assert.throws(() => new SimClock().advance(-1), BrokenInvariant);
});

test("whatever is set and stopped, the timers run in the order of their times", () => {
	fc.assert(
		fc.property(fc.array(fc.record({ delayMs: fc.nat(100), stops: fc.boolean() }), { maxLength: 80 }), (timers) => {
			const clock = new SimClock();
			const ran: number[] = [];
			const set = timers.map(({ delayMs }, index) => clock.setTimer(delayMs, () => ran.push(index)));
			for (const [index, { stops }] of timers.entries()) if (stops) set[index]?.stop();
			clock.advance(100);
			const expected = timers
				.map(({ delayMs, stops }, index) => ({ delayMs, stops, index }))
				.filter(({ stops }) => !stops)
				.sort((left, right) => left.delayMs - right.delayMs || left.index - right.index)
				.map(({ index }) => index);
			assert.deepEqual(ran, expected);
		}),
	);
});
