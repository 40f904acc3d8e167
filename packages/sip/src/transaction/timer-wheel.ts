/**
 * A hashed timer wheel: many coarse timers over one timer of a {@link Clock}. Starting and stopping cost the same however
 * many run, and allocate nothing. A timer fires at the first tick at or after its time, never before it.
 */

import type { Clock, Timer } from "../env.ts";
import { invariant } from "../text/assert.ts";

/** Told when its entry expires. */
export interface WheelUser {
	expired(entry: WheelEntry): void;
}

/** A timer that runs on one wheel at most; made once with {@link createWheelEntry} and started as often as needed. */
export interface WheelEntry {
	readonly user: WheelUser;
	/** Neighbours in the slot's ring; undefined while the entry does not run. Only the wheel writes them. */
	next: WheelEntry | undefined;
	previous: WheelEntry | undefined;
	/** The tick at which the entry expires. */
	tick: number;
}

/** A timer that is not running yet. */
export function createWheelEntry(user: WheelUser): WheelEntry {
	return { user, next: undefined, previous: undefined, tick: 0 };
}

/** Grain and size of a wheel. */
export interface TimerWheelOptions {
	/** Length of a tick in milliseconds; default 20. */
	readonly tickMs?: number;
	/** Slots of the wheel; default 2,048. Longer timers are looked at once a turn. */
	readonly slots?: number;
}

const noUser: WheelUser = { expired: () => undefined };

/** Any number of timers on one timer of the clock; starting and stopping one takes constant time. */
export class TimerWheel {
	readonly #clock: Clock;
	readonly #tickMs: number;
	/** Heads of the rings; a ring with nothing but its head is empty. */
	readonly #slots: readonly WheelEntry[];
	/** Entries that are due, in the order in which they fire. */
	readonly #due = createHead();
	readonly #advance = (): void => this.#onTimer();
	#size = 0;
	/** Every tick up to this one has been dealt with. */
	#doneTick: number;
	#armed: Timer | undefined;
	#armedTick = Number.POSITIVE_INFINITY;

	constructor(clock: Clock, options: TimerWheelOptions = {}) {
		const { tickMs = 20, slots = 2_048 } = options;
		invariant(tickMs > 0, "a tick lasts longer than nothing");
		invariant(Number.isInteger(slots) && slots > 0, "a wheel has slots");
		this.#clock = clock;
		this.#tickMs = tickMs;
		this.#slots = Array.from({ length: slots }, createHead);
		this.#doneTick = Math.floor(clock.now() / tickMs);
	}

	/** Timers that run. */
	get size(): number {
		return this.#size;
	}

	/** Starts `entry`; one that runs starts again. */
	start(entry: WheelEntry, delayMs: number): void {
		if (entry.next !== undefined) this.stop(entry);
		const tick = Math.ceil((this.#clock.now() + delayMs) / this.#tickMs);
		// A tick that is done would wait for a whole turn of the wheel.
		entry.tick = tick > this.#doneTick ? tick : this.#doneTick + 1;
		link(this.#slotOf(entry.tick), entry);
		this.#size += 1;
		if (entry.tick < this.#armedTick) this.#arm(entry.tick);
	}

	/** Stops `entry`; one that does not run stays so. */
	stop(entry: WheelEntry): void {
		if (entry.next === undefined) return;
		unlink(entry);
		// The clock's timer stays armed: it fires once at most for a wheel that is empty, which is cheaper than stopping and
		// starting it with every message of a quiet connection.
		this.#size -= 1;
	}

	/** Stops every timer, and the one of the clock. */
	close(): void {
		this.#disarm();
		for (const head of this.#slots) clear(head);
		clear(this.#due);
		this.#size = 0;
	}

	#onTimer(): void {
		this.#armed = undefined;
		this.#armedTick = Number.POSITIVE_INFINITY;
		const nowTick = Math.floor(this.#clock.now() / this.#tickMs);
		this.#collectDue(nowTick);
		try {
			for (let entry = this.#due.next; entry !== undefined && entry !== this.#due; entry = this.#due.next) {
				unlink(entry);
				this.#size -= 1;
				entry.user.expired(entry);
			}
		} finally {
			// A user that throws leaves the rest of the due entries for the next tick.
			if (this.#due.next !== this.#due) this.#arm(this.#doneTick + 1);
			this.#armNext();
		}
	}

	/** Moves what is due up to `nowTick` from its slots to the list of due entries. */
	#collectDue(nowTick: number): void {
		const turns = Math.min(nowTick - this.#doneTick, this.#slots.length);
		for (let offset = turns - 1; offset >= 0; offset--) {
			const head = this.#slotOf(nowTick - offset);
			for (let entry = head.next; entry !== undefined && entry !== head; ) {
				const { next } = entry;
				if (entry.tick <= nowTick) {
					unlink(entry);
					link(this.#due, entry);
				}
				entry = next;
			}
		}
		if (nowTick > this.#doneTick) this.#doneTick = nowTick;
	}

	/** Arms the clock for the next slot that holds an entry. */
	#armNext(): void {
		if (this.#size === 0) return;
		for (let tick = this.#doneTick + 1; tick <= this.#doneTick + this.#slots.length; tick++) {
			if (tick >= this.#armedTick) return;
			const head = this.#slotOf(tick);
			if (head.next !== head) {
				this.#arm(tick);
				return;
			}
		}
	}

	#arm(tick: number): void {
		this.#disarm();
		this.#armedTick = tick;
		this.#armed = this.#clock.setTimer(Math.max(0, tick * this.#tickMs - this.#clock.now()), this.#advance);
	}

	#disarm(): void {
		this.#armed?.stop();
		this.#armed = undefined;
		this.#armedTick = Number.POSITIVE_INFINITY;
	}

	#slotOf(tick: number): WheelEntry {
		// As a whole number of 32 bits: the engine divides those by itself, and asks the library of C for any other.
		const head = this.#slots[(tick >>> 0) % this.#slots.length];
		invariant(head !== undefined, "a tick has its slot");
		return head;
	}
}

function createHead(): WheelEntry {
	const head = createWheelEntry(noUser);
	head.next = head;
	head.previous = head;
	return head;
}

/** Puts `entry` at the end of the ring, so that timers of one tick fire in the order in which they were started. */
function link(head: WheelEntry, entry: WheelEntry): void {
	const last = head.previous;
	invariant(last !== undefined, "a head is always in its ring");
	entry.previous = last;
	entry.next = head;
	last.next = entry;
	head.previous = entry;
}

function unlink(entry: WheelEntry): void {
	const { next, previous } = entry;
	invariant(next !== undefined && previous !== undefined, "only an entry in a ring leaves it");
	previous.next = next;
	next.previous = previous;
	entry.next = undefined;
	entry.previous = undefined;
}

function clear(head: WheelEntry): void {
	for (let entry = head.next; entry !== undefined && entry !== head; entry = head.next) unlink(entry);
}
