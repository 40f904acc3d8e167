import type { Clock } from "./env.ts";

/** Who has not touched a key for so long does not write any more (RFC 3994 §3.2 counts 15 s). */
const idleMs = 10_000;
/** Told again while somebody goes on writing. */
const repeatMs = 60_000;

/** Tells the other side that one writes, and that one stopped, without telling every key. */
export class TypingTeller {
	readonly #clock: Clock;
	readonly #tell: (to: string, typing: boolean) => void;
	#active: { readonly to: string; readonly toldAt: number } | undefined;
	#stopIdle: (() => void) | undefined;

	constructor(clock: Clock, tell: (to: string, typing: boolean) => void) {
		this.#clock = clock;
		this.#tell = tell;
	}

	/** The text for `to` changed; an empty one is no writing. */
	changed(to: string, text: string): void {
		this.#stopIdle?.();
		if (this.#active !== undefined && (this.#active.to !== to || text === "")) this.stop();
		if (text === "") return;
		const now = this.#clock.now();
		if (this.#active === undefined || now - this.#active.toldAt >= repeatMs) {
			this.#active = { to, toldAt: now };
			this.#tell(to, true);
		}
		this.#stopIdle = this.#clock.setTimer(idleMs, () => this.stop());
	}

	/** The message was sent: that says it all. */
	sent(): void {
		this.#stopIdle?.();
		this.#active = undefined;
	}

	stop(): void {
		this.#stopIdle?.();
		const active = this.#active;
		this.#active = undefined;
		if (active !== undefined) this.#tell(active.to, false);
	}
}
