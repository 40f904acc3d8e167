/** The real clock, which a test moves ahead by hours: every timer that is due by then fires, in its order. */
import type { Clock, Timer } from "@causeway/sip";
import { systemClock } from "@causeway/sip/node";

interface Waiting {
	readonly dueMs: number;
	readonly run: () => void;
	real: Timer;
}

export class JumpClock implements Clock {
	readonly #system = systemClock();
	readonly #waiting = new Set<Waiting>();
	#aheadMs = 0;
	#wallAheadMs = 0;

	now(): number {
		return this.#system.now() + this.#aheadMs;
	}

	wall(): number {
		return this.#system.wall() + this.#aheadMs + this.#wallAheadMs;
	}

	setTimer(delayMs: number, run: () => void): Timer {
		const waiting: Waiting = {
			dueMs: this.now() + delayMs,
			run,
			real: this.#system.setTimer(delayMs, () => this.#fire(waiting)),
		};
		this.#waiting.add(waiting);
		return {
			stop: () => {
				this.#waiting.delete(waiting);
				waiting.real.stop();
			},
		};
	}

	jump(byMs: number): void {
		this.#aheadMs += byMs;
		for (const waiting of [...this.#waiting].sort((a, b) => a.dueMs - b.dueMs)) {
			waiting.real.stop();
			if (!this.#waiting.has(waiting)) continue;
			if (waiting.dueMs <= this.now()) this.#fire(waiting);
			else waiting.real = this.#system.setTimer(waiting.dueMs - this.now(), () => this.#fire(waiting));
		}
	}

	/** Moves the calendar alone, as an administrator does. */
	stepWall(byMs: number): void {
		this.#wallAheadMs += byMs;
	}

	#fire(waiting: Waiting): void {
		if (this.#waiting.delete(waiting)) waiting.run();
	}
}
