import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SimClock } from "../testing/sim-clock.ts";
import { createWheelEntry, TimerWheel, type WheelEntry } from "./timer-wheel.ts";

/** An entry that notes when it fires. */
function noteEntry(clock: SimClock, fired: (readonly [string, number])[], name: string, then?: () => void): WheelEntry {
	return createWheelEntry({
		expired: () => {
			fired.push([name, clock.now()]);
			then?.();
		},
	});
}

test("a timer fires once, at the first tick at or after its time", () => {
	const clock = new SimClock({ nowMs: 7 });
	const wheel = new TimerWheel(clock, { tickMs: 20 });
	const fired: (readonly [string, number])[] = [];
	wheel.start(noteEntry(clock, fired, "a"), 100);
	clock.advance(112);
	assert.deepEqual(fired, []);
	clock.advance(10_000);
	assert.deepEqual(fired, [["a", 120]]);
	assert.equal(wheel.size, 0);
});

test("timers fire in the order of their ticks, and within a tick as they were started", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock, { tickMs: 10 });
	const fired: (readonly [string, number])[] = [];
	for (const [name, delayMs] of [
		["late", 50],
		["first", 11],
		["second", 12],
		["zero", 0],
	] as const) {
		wheel.start(noteEntry(clock, fired, name), delayMs);
	}
	clock.advance(50);
	assert.deepEqual(fired, [
		["zero", 10],
		["first", 20],
		["second", 20],
		["late", 50],
	]);
});

test("a stopped timer does not fire, and stopping twice does nothing", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock);
	const fired: (readonly [string, number])[] = [];
	const entry = noteEntry(clock, fired, "a");
	wheel.start(entry, 100);
	wheel.stop(entry);
	wheel.stop(entry);
	clock.runUntilIdle();
	assert.deepEqual(fired, []);
	assert.equal(wheel.size, 0);
});

test("starting a timer that runs moves it", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock, { tickMs: 20 });
	const fired: (readonly [string, number])[] = [];
	const entry = noteEntry(clock, fired, "a");
	wheel.start(entry, 100);
	clock.advance(60);
	wheel.start(entry, 100);
	assert.equal(wheel.size, 1);
	clock.advance(1_000);
	assert.deepEqual(fired, [["a", 160]]);
});

test("a timer longer than a turn of the wheel waits for its own turn", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock, { tickMs: 10, slots: 8 });
	const fired: (readonly [string, number])[] = [];
	wheel.start(noteEntry(clock, fired, "three turns"), 250);
	wheel.start(noteEntry(clock, fired, "this turn"), 10);
	clock.advance(249);
	assert.deepEqual(fired, [["this turn", 10]]);
	clock.advance(1);
	assert.deepEqual(fired, [
		["this turn", 10],
		["three turns", 250],
	]);
});

test("a timer may stop another one that is due in the same tick", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock);
	const fired: (readonly [string, number])[] = [];
	const victim = noteEntry(clock, fired, "victim");
	wheel.start(
		noteEntry(clock, fired, "killer", () => wheel.stop(victim)),
		100,
	);
	wheel.start(victim, 100);
	clock.advance(1_000);
	assert.deepEqual(fired, [["killer", 100]]);
	assert.equal(wheel.size, 0);
});

test("a timer may start itself again", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock, { tickMs: 20 });
	const fired: (readonly [string, number])[] = [];
	const entry = noteEntry(clock, fired, "a", () => {
		if (fired.length < 3) wheel.start(entry, 0);
	});
	wheel.start(entry, 40);
	clock.advance(1_000);
	assert.deepEqual(fired, [
		["a", 40],
		["a", 60],
		["a", 80],
	]);
});

test("one timer of the clock serves them all, and none is set for an empty wheel", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock);
	assert.equal(clock.pendingTimers, 0);
	const entries = Array.from({ length: 1_000 }, (_, index) => {
		const entry = createWheelEntry({ expired: () => undefined });
		wheel.start(entry, 32_000 + index);
		return entry;
	});
	assert.equal(wheel.size, 1_000);
	assert.equal(clock.pendingTimers, 1);
	for (const entry of entries) wheel.stop(entry);
	clock.advance(40_000);
	assert.equal(clock.pendingTimers, 0);
});

test("a timer started after a long silence fires on time", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock, { tickMs: 20, slots: 16 });
	const fired: (readonly [string, number])[] = [];
	clock.advance(86_400_000);
	wheel.start(noteEntry(clock, fired, "a"), 40);
	clock.advance(40);
	assert.deepEqual(fired, [["a", 86_400_040]]);
});

test("a user that throws does not keep the others from firing", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock, { tickMs: 20 });
	const fired: (readonly [string, number])[] = [];
	wheel.start(
		createWheelEntry({
			expired: () => {
				throw new Error("a mistake of the user");
			},
		}),
		100,
	);
	wheel.start(noteEntry(clock, fired, "other"), 100);
	wheel.start(noteEntry(clock, fired, "later"), 200);
	assert.throws(() => clock.advance(100), /a mistake of the user/);
	clock.advance(1_000);
	assert.deepEqual(fired, [
		["other", 120],
		["later", 200],
	]);
});

test("close stops every timer", () => {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock);
	const fired: (readonly [string, number])[] = [];
	const entry = noteEntry(clock, fired, "a");
	wheel.start(entry, 100);
	wheel.start(noteEntry(clock, fired, "b"), 90_000);
	wheel.close();
	assert.deepEqual([wheel.size, clock.pendingTimers], [0, 0]);
	wheel.stop(entry);
	clock.advance(100_000);
	assert.deepEqual(fired, []);
});

test("whatever is started, stopped and awaited: each timer fires at its tick, or the next where that one is over", () => {
	const step = fc.record({ name: fc.nat(9), delayMs: fc.nat(3_000), stops: fc.boolean(), passMs: fc.nat(700) });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const tickMs = 20;
			const clock = new SimClock();
			const wheel = new TimerWheel(clock, { tickMs, slots: 32 });
			const dueMs = new Map<number, number>();
			const entries = Array.from({ length: 10 }, (_, name) =>
				createWheelEntry({
					expired: () => {
						const due = dueMs.get(name);
						assert.ok(due !== undefined, "only a timer that runs fires");
						const lateMs = clock.now() - due;
						assert.ok(lateMs >= 0 && lateMs <= tickMs && clock.now() % tickMs === 0, `${lateMs} ms late`);
						dueMs.delete(name);
					},
				}),
			);
			for (const { name, delayMs, stops, passMs } of steps) {
				const entry = entries[name];
				assert.ok(entry);
				if (stops) {
					wheel.stop(entry);
					dueMs.delete(name);
				} else {
					wheel.start(entry, delayMs);
					dueMs.set(name, clock.now() + delayMs);
				}
				assert.equal(wheel.size, dueMs.size);
				clock.advance(passMs);
			}
			clock.advance(4_000);
			assert.deepEqual([wheel.size, dueMs.size], [0, 0]);
		}),
	);
});
