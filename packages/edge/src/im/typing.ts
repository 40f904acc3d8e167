/** "Somebody writes", with the times of RFC 3994: told when it begins, refreshed while it goes on, ended when it is not. */
import type { Clock, Timer } from "@causeway/sip";

/** RFC 3994 §3.2: after so long without a key the composer is idle. */
const IDLE_MS = 15_000;
/** We refresh once a minute (§3.3: not more often) … */
const REFRESH_MS = 60_000;
/** … and say a longer time, so that a refresh on its way is not missed. */
export const REFRESH_SECONDS = 90;
/** RFC 3994 §3.3: how long an `active` holds that names no time. */
const DEFAULT_REFRESH_SECONDS = 120;

/** Our user as composer, toward one other side. */
export class Composer {
	readonly #clock: Clock;
	readonly #tell: (active: boolean) => void;
	#toldAtMs: number | undefined;
	#idleTimer: Timer | undefined;

	/** `tell` says so to the other side. */
	constructor(clock: Clock, tell: (active: boolean) => void) {
		this.#clock = clock;
		this.#tell = tell;
	}

	/** A key was struck, or the user stopped. */
	writes(active: boolean): void {
		this.#idleTimer?.stop();
		if (!active) {
			this.#idle();
			return;
		}
		this.#idleTimer = this.#clock.setTimer(IDLE_MS, () => this.#idle());
		const now = this.#clock.now();
		if (this.#toldAtMs !== undefined && now - this.#toldAtMs < REFRESH_MS) return;
		this.#toldAtMs = now;
		this.#tell(true);
	}

	/** The text itself left: for the other side that ends the writing (RFC 3994 §3.2). */
	sent(): void {
		this.close();
	}

	close(): void {
		this.#idleTimer?.stop();
		this.#toldAtMs = undefined;
	}

	#idle(): void {
		if (this.#toldAtMs === undefined) return;
		this.#toldAtMs = undefined;
		this.#tell(false);
	}
}

/** Others as composers: each is shown as writing until it stops, sends its text, or is not heard of in time. */
export class TypingWatch {
	readonly #clock: Clock;
	readonly #show: (owner: string, other: string, typing: boolean) => void;
	readonly #writing = new Map<string, Timer>();

	/** `show` tells our user's programs. */
	constructor(clock: Clock, show: (owner: string, other: string, typing: boolean) => void) {
		this.#clock = clock;
		this.#show = show;
	}

	/** A note came. `refreshSeconds`: how long its sender lets it hold, where it says so. */
	heard(owner: string, other: string, active: boolean, refreshSeconds: number = DEFAULT_REFRESH_SECONDS): void {
		if (!active) {
			this.ended(owner, other);
			return;
		}
		const key = `${owner} ${other}`;
		const before = this.#writing.get(key);
		before?.stop();
		this.#writing.set(
			key,
			this.#clock.setTimer(refreshSeconds * 1000, () => this.ended(owner, other)),
		);
		if (before === undefined) this.#show(owner, other, true);
	}

	/** The other side stopped, sent its text, or left. */
	ended(owner: string, other: string): void {
		const key = `${owner} ${other}`;
		const timer = this.#writing.get(key);
		if (timer === undefined) return;
		timer.stop();
		this.#writing.delete(key);
		this.#show(owner, other, false);
	}

	close(): void {
		for (const timer of this.#writing.values()) timer.stop();
		this.#writing.clear();
	}
}
