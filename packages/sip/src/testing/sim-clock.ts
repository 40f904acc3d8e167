/** A clock that stands still until it is told to go on. */
import type { Clock, Timer } from "../env.ts";
import { invariant } from "../text/assert.ts";

/** Where simulated time begins, in milliseconds. */
export interface SimClockOptions {
	/** First value of `now`; default 0. */
	readonly nowMs?: number;
	/** First value of `wall`; default 2026-01-01T00:00Z. */
	readonly wallMs?: number;
}

interface SimTimer extends Timer {
	readonly dueMs: number;
	/** Timers that are due together run in the order in which they were set. */
	readonly order: number;
	readonly run: () => void;
	isStopped: boolean;
}

const START_OF_2026_MS = 1_767_225_600_000;

/** A clock that stands still until it is told to move on; timers fire in their order. */
export class SimClock implements Clock {
	#nowMs: number;
	#wallMs: number;
	#order = 0;
	#running = 0;
	/** A binary heap, the timer that is due first on top. */
	readonly #heap: SimTimer[] = [];

	constructor(options: SimClockOptions = {}) {
		this.#nowMs = options.nowMs ?? 0;
		this.#wallMs = options.wallMs ?? START_OF_2026_MS;
	}

	now(): number {
		return this.#nowMs;
	}

	wall(): number {
		return this.#wallMs;
	}

	setTimer(delayMs: number, run: () => void): Timer {
		const timer: SimTimer = {
			dueMs: this.#nowMs + Math.max(0, delayMs),
			order: this.#order++,
			run,
			isStopped: false,
			stop: () => {
				if (timer.isStopped) return;
				timer.isStopped = true;
				this.#running -= 1;
			},
		};
		this.#running += 1;
		this.#push(timer);
		return timer;
	}

	/** Timers that are set and have neither fired nor been stopped. */
	get pendingTimers(): number {
		return this.#running;
	}

	/** When the next timer is due on `now`; undefined without timers. */
	get nextDueMs(): number | undefined {
		return this.#first()?.dueMs;
	}

	/** Moves the calendar without moving time, as an administrator does. */
	stepWall(deltaMs: number): void {
		this.#wallMs += deltaMs;
	}

	/** Lets `ms` pass and runs what becomes due, in order, each timer at its own time. */
	advance(ms: number): void {
		invariant(ms >= 0, "time does not go back");
		const endMs = this.#nowMs + ms;
		for (let timer = this.#first(); timer !== undefined && timer.dueMs <= endMs; timer = this.#first())
			this.#fire(timer);
		this.#moveTo(endMs);
	}

	/** Goes to the next timer and runs it; false without timers. */
	runNext(): boolean {
		const timer = this.#first();
		if (timer === undefined) return false;
		this.#fire(timer);
		return true;
	}

	/** Runs timers until none is left; throws after `maxTimers`, because timers that set each other never end. */
	runUntilIdle(maxTimers = 1_000_000): void {
		for (let count = 0; this.runNext(); count++)
			invariant(count < maxTimers, `${maxTimers} timers ran and more are set`);
	}

	#fire(timer: SimTimer): void {
		this.#pop();
		timer.stop();
		this.#moveTo(timer.dueMs);
		timer.run();
	}

	#moveTo(nowMs: number): void {
		// A timer may itself have let time pass.
		if (nowMs <= this.#nowMs) return;
		this.#wallMs += nowMs - this.#nowMs;
		this.#nowMs = nowMs;
	}

	/** The timer that is due first; stopped ones are cleared away. */
	#first(): SimTimer | undefined {
		while (this.#heap[0]?.isStopped === true) this.#pop();
		return this.#heap[0];
	}

	#push(timer: SimTimer): void {
		const heap = this.#heap;
		let index = heap.push(timer) - 1;
		while (index > 0) {
			const parentIndex = (index - 1) >> 1;
			const parent = heap[parentIndex];
			if (parent === undefined || !isBefore(timer, parent)) break;
			heap[index] = parent;
			index = parentIndex;
		}
		heap[index] = timer;
	}

	#pop(): void {
		const heap = this.#heap;
		const last = heap.pop();
		if (last === undefined || heap.length === 0) return;
		let index = 0;
		for (;;) {
			const leftIndex = 2 * index + 1;
			const left = heap[leftIndex];
			const right = heap[leftIndex + 1];
			if (left === undefined) break;
			const goesRight = right !== undefined && isBefore(right, left);
			const child = goesRight ? right : left;
			if (!isBefore(child, last)) break;
			heap[index] = child;
			index = goesRight ? leftIndex + 1 : leftIndex;
		}
		heap[index] = last;
	}
}

function isBefore(left: SimTimer, right: SimTimer): boolean {
	return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order);
}
