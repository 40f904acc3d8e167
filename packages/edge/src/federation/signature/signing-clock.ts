/**
 * The time that signatures are made and judged by: the calendar, but never backwards. A calendar that is set back would make old
 * tokens young again, so time then goes on by the clock that cannot be set.
 */
import type { Clock } from "@causeway/sip";
import { SKEW_MS } from "./route-token.ts";

/**
 * No build of this program is older: a machine whose calendar says less has not been told the time, and would sign with a time that
 * comes again. 2026-01-01T00:00Z.
 */
export const EARLIEST_TIME_MS = 1_767_225_600_000;

export class SigningClock {
	readonly #clock: Clock;
	/** The latest time seen, and the steady clock at that moment. */
	#latestMs: number;
	#steadyMs: number;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#latestMs = clock.wall();
		this.#steadyMs = clock.now();
	}

	/** Milliseconds since 1970; never less than before. */
	now(): number {
		const steadyMs = this.#clock.now();
		const expectedMs = this.#latestMs + (steadyMs - this.#steadyMs);
		const wallMs = this.#clock.wall();
		this.#latestMs = wallMs > expectedMs ? wallMs : expectedMs;
		this.#steadyMs = steadyMs;
		return this.#latestMs;
	}

	/** How far the calendar is behind: above zero after it was set back. Milliseconds. */
	get behindMs(): number {
		return this.now() - this.#clock.wall();
	}

	/** Whether it is so far behind that somebody has to look. */
	get isSetBack(): boolean {
		return this.behindMs > SKEW_MS;
	}
}
