/** The always-on SIP trace: the last messages that were really sent and received, newest last, in memory. */
import type { Clock, Connection, SipMessage } from "@causeway/sip";

/** One message on the wire. */
export interface TraceEntry {
	/** Rising by one with each message, from 1. */
	readonly seq: number;
	/** Milliseconds since 1970. */
	readonly at: number;
	readonly direction: "in" | "out";
	readonly connectionId: number;
	/** Name of the peer edge as its certificate proved it. */
	readonly peer: string;
	readonly message: SipMessage;
}

/** A ring of trace entries with listeners. Recording costs one object and no text. */
export class Trace {
	readonly #capacity: number;
	readonly #clock: Clock;
	readonly #ring: TraceEntry[] = [];
	readonly #listeners = new Set<(entry: TraceEntry) => void>();
	#seq = 0;

	/** `capacity`: messages kept, at least 1 (`[trace] ring`). */
	constructor(capacity: number, clock: Clock) {
		this.#capacity = capacity;
		this.#clock = clock;
	}

	record(direction: "in" | "out", connection: Connection, peer: string, message: SipMessage): void {
		const seq = ++this.#seq;
		const entry: TraceEntry = { seq, at: this.#clock.wall(), direction, connectionId: connection.id, peer, message };
		this.#ring[(seq - 1) % this.#capacity] = entry;
		for (const listener of this.#listeners) listener(entry);
	}

	/** Entries with `seq > after`, oldest first, at most `limit`. */
	list(after = 0, limit = this.#capacity): TraceEntry[] {
		const first = Math.max(after + 1, this.#seq - this.#capacity + 1, 1);
		const entries: TraceEntry[] = [];
		for (let seq = first; seq <= this.#seq && entries.length < limit; seq += 1) {
			const entry = this.#ring[(seq - 1) % this.#capacity];
			if (entry !== undefined) entries.push(entry);
		}
		return entries;
	}

	/** Calls `listener` for each later message until the returned function is called. */
	listen(listener: (entry: TraceEntry) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}
}
