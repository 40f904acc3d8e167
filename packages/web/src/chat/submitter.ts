import type { Client } from "@causeway/admin";
import { explainError, isPassing, isTokenEnded } from "../api.ts";
import type { Clock } from "./env.ts";
import type { OutboxEntry } from "./state/chat-state.ts";
import { nextSubmissions } from "./state/outbox.ts";
import type { Action } from "./state/reduce.ts";

const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

/**
 * Hands the outbox in: for each recipient one message at a time, in order. Where no answer came it asks again with the
 * same key, so that a message whose answer was lost is not sent twice.
 */
export class Submitter {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #outbox: () => readonly OutboxEntry[];
	readonly #dispatch: (action: Action) => void;
	readonly #tokenEnded: () => void;
	/** Keys that wait for their next try, with what stops the wait. */
	readonly #retries = new Map<string, () => void>();
	readonly #tries = new Map<string, number>();
	#isClosed = false;

	constructor(options: {
		readonly client: Client;
		readonly clock: Clock;
		readonly outbox: () => readonly OutboxEntry[];
		readonly dispatch: (action: Action) => void;
		readonly tokenEnded: () => void;
	}) {
		this.#client = options.client;
		this.#clock = options.clock;
		this.#outbox = options.outbox;
		this.#dispatch = options.dispatch;
		this.#tokenEnded = options.tokenEnded;
	}

	/** Hands in whatever may be handed in now. */
	pump(): void {
		if (this.#isClosed) return;
		for (const entry of nextSubmissions(this.#outbox())) {
			this.#dispatch({ kind: "outbox-state", key: entry.key, state: { kind: "submitting" } });
			void this.#submit(entry);
		}
	}

	/** The server is there again: nothing waits for its time. */
	tryNow(): void {
		const keys = [...this.#retries.keys()];
		for (const key of keys) this.#again(key);
	}

	close(): void {
		this.#isClosed = true;
		for (const stop of this.#retries.values()) stop();
		this.#retries.clear();
	}

	async #submit({ key, to, text }: OutboxEntry): Promise<void> {
		try {
			const { id, fate } = await this.#client.call("submitMessage", {
				headers: { "idempotency-key": key },
				body: { to, text },
			});
			if (this.#isClosed) return;
			this.#tries.delete(key);
			this.#dispatch({ kind: "submitted", key, id, fate });
		} catch (error) {
			if (this.#isClosed) return;
			if (isTokenEnded(error)) {
				// It stays in the outbox, and goes out after the next log-in.
				this.#dispatch({ kind: "outbox-state", key, state: { kind: "retrying", reason: explainError(error) } });
				this.#tokenEnded();
				return;
			}
			if (isPassing(error)) this.#retryLater(key, explainError(error));
			else this.#dispatch({ kind: "outbox-state", key, state: { kind: "refused", reason: explainError(error) } });
		}
		this.pump();
	}

	#retryLater(key: string, reason: string): void {
		const tries = this.#tries.get(key) ?? 0;
		this.#tries.set(key, Math.min(tries + 1, 16));
		this.#dispatch({ kind: "outbox-state", key, state: { kind: "retrying", reason } });
		const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** tries);
		this.#retries.set(
			key,
			this.#clock.setTimer(delayMs, () => this.#again(key)),
		);
	}

	#again(key: string): void {
		this.#retries.get(key)?.();
		this.#retries.delete(key);
		if (!this.#outbox().some((entry) => entry.key === key)) return;
		this.#dispatch({ kind: "outbox-state", key, state: { kind: "waiting" } });
		this.pump();
	}
}
