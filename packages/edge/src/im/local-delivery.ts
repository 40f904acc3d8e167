/** Messages between two users of this edge: no SIP, the same promises. */
import type { Clock, Logger, Timer } from "@causeway/sip";
import type { Message, MessageFinish } from "../store/messages.ts";
import type { PresenceState } from "../store/published-presence.ts";
import type { Store } from "../store/store.ts";

export interface LocalDeliveryOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly store: Store;
	/** `[im] offline`. */
	readonly offline: "store" | "refuse";
	/** `[im] busy`. */
	readonly busy: "deliver" | "refuse";
	readonly publishedState: (owner: string) => PresenceState;
	/** A message is on disk for its recipient. */
	readonly received: (message: Message) => void;
	readonly fate: (message: Message, fate: "sending" | MessageFinish) => void;
}

/** After this the store is asked again for what it could not write. */
const STORE_PAUSE_MS = 5_000;

export class LocalDelivery {
	readonly #options: LocalDeliveryOptions;
	readonly #retries = new Set<Timer>();
	#isStopped = false;

	constructor(options: LocalDeliveryOptions) {
		this.#options = options;
	}

	/** Messages that wait for the store. */
	get waiting(): number {
		return this.#retries.size;
	}

	/** Takes a message that is on disk as `queued` to its recipient and to its end. */
	deliver(message: Message): void {
		void this.#deliver(message, false);
	}

	/** What is not done is left to the next start. */
	stop(): void {
		this.#isStopped = true;
		for (const timer of this.#retries) timer.stop();
		this.#retries.clear();
	}

	async #deliver(message: Message, wasMarked: boolean): Promise<void> {
		const { fate, log, store } = this.#options;
		let isMarked = wasMarked;
		try {
			if (!isMarked) {
				const marked = await store.messages.markSending(message.id);
				if (!marked.done) return;
				isMarked = true;
				fate(message, "sending");
			}
			const finish = await this.#handOver(message);
			const finished = await store.messages.finish(message.id, finish);
			if (finished.done) fate(message, finish);
		} catch (error) {
			log.error("message not delivered here", { reason: String(error) });
			// Handing over twice is harmless: the store knows the message by its id.
			this.#later(message, isMarked);
		}
	}

	#later(message: Message, isMarked: boolean): void {
		if (this.#isStopped) return;
		const timer = this.#options.clock.setTimer(STORE_PAUSE_MS, () => {
			this.#retries.delete(timer);
			void this.#deliver(message, isMarked);
		});
		this.#retries.add(timer);
	}

	async #handOver(message: Message): Promise<MessageFinish> {
		const { busy, offline, publishedState, received, store } = this.#options;
		const recipient = store.users.get(message.peer);
		if (recipient === undefined || recipient.suspended) {
			return { fate: "failed", code: 404, reason: "There is no such user here.", blame: "recipient" };
		}
		const state = publishedState(message.peer);
		const isOffline = state === "offline";
		const isBlocked = store.watchers.standing(message.peer, message.owner)?.decision === "block";
		if (isBlocked || (isOffline && offline === "refuse")) {
			return { fate: "failed", code: 480, reason: "The recipient cannot be reached now.", blame: "recipient" };
		}
		if (state === "busy" && busy === "refuse") {
			return { fate: "failed", code: 486, reason: "The recipient is busy.", blame: "recipient" };
		}
		const result = await store.messages.receive({
			owner: message.peer,
			from: message.owner,
			contentType: message.contentType,
			body: message.body,
			callId: `local:${message.id}`,
			fromTag: "",
			sequence: 0,
		});
		if (result.kind === "stored") received(result.message);
		return isOffline ? { fate: "accepted", code: 202 } : { fate: "delivered", code: 200 };
	}
}
