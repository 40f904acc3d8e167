import type { ApiError, Client, UserEvent } from "@causeway/admin";
import type { Clock } from "./env.ts";

/** How the page is connected with its server. */
export type LinkState =
	| { readonly kind: "connecting" }
	| { readonly kind: "live" }
	/** It comes back by itself, at `retryAt` (milliseconds since 1970). */
	| { readonly kind: "lost"; readonly reason: string; readonly retryAt: number };

export interface EventFeedListener {
	readonly link: (state: LinkState) => void;
	/** Events may have been missed, or none was seen before: read everything anew. Called before the first event. */
	readonly fresh: () => void;
	readonly event: (event: UserEvent) => void;
	/** A connection could not be opened, and a browser does not say why: is it the token? */
	readonly probe: () => Promise<void>;
}

const firstDelayMs = 500;
const longestDelayMs = 30_000;
/** A connection that held so long has earned a quick return. */
const steadyMs = 10_000;

/** A user's events, across losses of the connection: it comes back with the number of the last event it saw. */
export class EventFeed {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #random: () => number;
	readonly #listener: EventFeedListener;
	#position: { readonly epoch: string; readonly after: number } | undefined;
	#tries = 0;
	#close: (() => void) | undefined;
	#stopTimer: (() => void) | undefined;
	#isClosed = false;

	constructor(client: Client, clock: Clock, random: () => number, listener: EventFeedListener) {
		this.#client = client;
		this.#clock = clock;
		this.#random = random;
		this.#listener = listener;
	}

	start(): void {
		this.#connect();
	}

	/** Does not wait for its time where the connection is lost. */
	tryNow(): void {
		if (this.#stopTimer === undefined) return;
		this.#stopTimer();
		this.#stopTimer = undefined;
		this.#connect();
	}

	/** Opens the connection anew: the present one may be dead without knowing. */
	renew(): void {
		if (this.#isClosed) return;
		if (this.#stopTimer !== undefined) {
			this.tryNow();
			return;
		}
		this.#close?.();
		this.#connect();
	}

	close(): void {
		this.#isClosed = true;
		this.#stopTimer?.();
		this.#close?.();
	}

	#connect(): void {
		this.#listener.link({ kind: "connecting" });
		let openedAt: number | undefined;
		let isCurrent = true;
		const close = this.#client.open("watchEvents", this.#position ?? {}, {
			frame: (frame) => {
				if (!isCurrent) return;
				if ("epoch" in frame) {
					openedAt = this.#clock.now();
					const isFirst = this.#position === undefined;
					this.#position = { epoch: frame.epoch, after: frame.seq };
					this.#listener.link({ kind: "live" });
					if (isFirst || frame.kind === "reset") this.#listener.fresh();
					return;
				}
				if (this.#position !== undefined) this.#position = { ...this.#position, after: frame.seq };
				this.#listener.event(frame);
			},
			closed: (error) => {
				if (!isCurrent) return;
				isCurrent = false;
				this.#lost(error, openedAt);
			},
		});
		this.#close = () => {
			isCurrent = false;
			close();
		};
	}

	#lost(error: ApiError, openedAt: number | undefined): void {
		if (this.#isClosed) return;
		const now = this.#clock.now();
		if (openedAt !== undefined && now - openedAt >= steadyMs) this.#tries = 0;
		const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** this.#tries) * (0.5 + this.#random() / 2);
		this.#tries = Math.min(this.#tries + 1, 16);
		this.#listener.link({ kind: "lost", reason: error.detail, retryAt: now + delayMs });
		this.#stopTimer = this.#clock.setTimer(delayMs, () => {
			this.#stopTimer = undefined;
			this.#connect();
		});
		// A browser does not say with which status a WebSocket was refused.
		if (openedAt === undefined) void this.#listener.probe();
	}
}
