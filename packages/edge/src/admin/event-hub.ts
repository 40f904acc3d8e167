import type { EventFrame, OpeningFrame, UserEvent, UserEventContent } from "@causeway/admin";
import type { Clock } from "@causeway/sip";
import { tokenEndedCode } from "./channels.ts";
import type { ChannelSink } from "./handlers.ts";

/** Events kept for each user, for those who come back. */
const defaultRingLength = 1_000;

/** Where a consumer left off: both from frames it was sent. */
export interface EventPosition {
	readonly epoch: string;
	readonly seq: number;
}

/** A consumer of one user's events, called in their order; the first frames come while `subscribe` runs. */
export interface EventListener {
	readonly frame: (frame: OpeningFrame | UserEvent) => void;
	/** The hub ends the subscription: the user's tokens were taken back. Nothing follows. */
	readonly ended: (reason: string) => void;
}

/**
 * An event as it is kept. Its content may be made when somebody reads it: a busy user has many events, and most of them are
 * never asked for.
 */
interface KeptEvent {
	readonly seq: number;
	readonly atMs: number;
	readonly content: UserEventContent | (() => UserEventContent);
}

interface EventLog {
	/** Sequence number of the newest event; 0 before the first. */
	seq: number;
	/** The newest events: number n lies at index n modulo the length of the ring. */
	readonly ring: KeptEvent[];
	readonly listeners: Set<EventListener>;
}

/**
 * The events of every hosted user since the process started: numbered, kept in a bounded ring, told to the user's
 * WebSockets. An epoch (random for each process) tells numbers of this process from those of an earlier one.
 */
export class EventHub {
	/** Names this run of the process. */
	readonly epoch: string;
	readonly #clock: Pick<Clock, "wall">;
	readonly #ringLength: number;
	readonly #logs = new Map<string, EventLog>();

	constructor(options: {
		readonly epoch: string;
		readonly clock: Pick<Clock, "wall">;
		readonly ringLength?: number;
	}) {
		this.epoch = options.epoch;
		this.#clock = options.clock;
		this.#ringLength = options.ringLength ?? defaultRingLength;
	}

	/** Gives the event its number and time, keeps it, and tells it to everybody who listens. */
	publish(aor: string, content: KeptEvent["content"]): void {
		const log = this.#log(aor);
		log.seq += 1;
		const kept: KeptEvent = { seq: log.seq, atMs: this.#clock.wall(), content };
		log.ring[log.seq % this.#ringLength] = kept;
		if (log.listeners.size === 0) return;
		const event = toEvent(kept);
		for (const listener of [...log.listeners]) {
			if (log.listeners.has(listener)) listener.frame(event);
		}
	}

	/**
	 * Tells `listener` first whether the position still holds (`welcome`, then what was missed) or not (`reset`), then
	 * every event as it comes. Without a position it begins with what happens from now on. Returns what stops it.
	 */
	subscribe(aor: string, position: EventPosition | undefined, listener: EventListener): () => void {
		const log = this.#log(aor);
		const holds = position === undefined || this.#holds(log, position);
		const from = holds && position !== undefined ? position.seq : log.seq;
		log.listeners.add(listener);
		listener.frame({ kind: holds ? "welcome" : "reset", epoch: this.epoch, seq: from });
		for (let seq = from + 1; seq <= log.seq; seq += 1) {
			const kept = log.ring[seq % this.#ringLength];
			if (kept !== undefined && log.listeners.has(listener)) listener.frame(toEvent(kept));
		}
		return () => {
			log.listeners.delete(listener);
		};
	}

	/** Runs a subscription on a WebSocket: `WS /api/v1/me/events`. A position needs both its parts. */
	serve(
		aor: string,
		query: { readonly after?: number | undefined; readonly epoch?: string | undefined },
		sink: ChannelSink<EventFrame>,
	): () => void {
		const position =
			query.after === undefined && query.epoch === undefined
				? undefined
				: { epoch: query.epoch ?? "", seq: query.after ?? 0 };
		return this.subscribe(aor, position, {
			frame: (frame) => sink.send(frame),
			ended: (reason) => sink.close(tokenEndedCode, reason),
		});
	}

	/** Ends every subscription of a user: suspended, removed, or given another password. */
	end(aor: string, reason: string): void {
		const log = this.#logs.get(aor.toLowerCase());
		if (log === undefined) return;
		const listeners = [...log.listeners];
		log.listeners.clear();
		for (const listener of listeners) listener.ended(reason);
	}

	/** Forgets a removed user's events; numbers begin anew should the address ever come back, so its consumers are reset. */
	forget(aor: string, reason: string): void {
		this.end(aor, reason);
		const log = this.#logs.get(aor.toLowerCase());
		if (log === undefined) return;
		log.ring.length = 0;
		// The count goes on: a consumer of the old user must not take the new one's numbers for a continuation.
		log.seq += this.#ringLength + 1;
	}

	/** Consumers of all users. */
	get listenerCount(): number {
		let count = 0;
		for (const log of this.#logs.values()) count += log.listeners.size;
		return count;
	}

	#holds(log: EventLog, position: EventPosition): boolean {
		const missed = log.seq - position.seq;
		return position.epoch === this.epoch && missed >= 0 && missed <= this.#ringLength;
	}

	#log(aor: string): EventLog {
		const key = aor.toLowerCase();
		const found = this.#logs.get(key);
		if (found !== undefined) return found;
		const log: EventLog = { seq: 0, ring: [], listeners: new Set() };
		this.#logs.set(key, log);
		return log;
	}
}

function toEvent({ atMs, content, seq }: KeptEvent): UserEvent {
	return { seq, at: new Date(atMs).toISOString(), ...(typeof content === "function" ? content() : content) };
}
