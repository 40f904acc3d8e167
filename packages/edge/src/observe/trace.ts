/** The always-on SIP trace: the last messages that were really sent and received, newest last, in memory. */
import assert from "node:assert/strict";
import { type Clock, type Connection, type HeadLimits, indexHead, parseMessage, type SipMessage } from "@causeway/sip";

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
	/** Read anew each time it is asked for. */
	readonly message: SipMessage;
}

/** What was read or written once is read again, however it was bounded then. */
const NO_LIMITS: HeadLimits = {
	startLineBytes: Number.MAX_SAFE_INTEGER,
	fieldBytes: Number.MAX_SAFE_INTEGER,
	textFieldBytes: Number.MAX_SAFE_INTEGER,
	fields: Number.MAX_SAFE_INTEGER,
	vias: Number.MAX_SAFE_INTEGER,
};

/**
 * One message, kept as its text. Its decoded parts are some thirty objects, which the garbage collector would have to carry
 * along for as long as the ring is; almost none of them is ever looked at.
 */
class Recorded implements TraceEntry {
	readonly seq: number;
	readonly at: number;
	readonly direction: "in" | "out";
	readonly connectionId: number;
	readonly peer: string;
	readonly #head: string;
	readonly #body: Uint8Array;

	constructor(
		seq: number,
		at: number,
		direction: "in" | "out",
		connectionId: number,
		peer: string,
		message: SipMessage,
	) {
		this.seq = seq;
		this.at = at;
		this.direction = direction;
		this.connectionId = connectionId;
		this.peer = peer;
		this.#head = message.head.text;
		this.#body = message.body;
	}

	/** Octets it keeps in memory. */
	get size(): number {
		return this.#head.length + this.#body.length;
	}

	get message(): SipMessage {
		const octets = Buffer.from(this.#head, "latin1");
		const indexed = indexHead(octets, 0, octets.length, NO_LIMITS);
		const outcome = indexed.ok ? parseMessage({ head: indexed.head, body: this.#body }) : indexed;
		assert(outcome.ok, "what went over the wire as a message reads as one again");
		return outcome.message;
	}
}

/** A connection that was refused or could not be made: no message went over it, and that is what the trace must show. */
export interface TraceRefusal {
	/** Of the same count as the messages. */
	readonly seq: number;
	/** Milliseconds since 1970. */
	readonly at: number;
	/** `in` where the peer dialled us. */
	readonly direction: "in" | "out";
	/** The edge name that was dialled, else the first name that was shown; undefined where there is none. */
	readonly peer: string | undefined;
	readonly remote: string;
	/** Stable code of the refusal. */
	readonly code: string;
	/** The verdict in lines, the main fault first. */
	readonly lines: readonly string[];
}

/** Refusals kept; a peer that tries again and again must not push the messages out. */
const MOST_REFUSALS = 200;

/** Octets kept: 20,000 ordinary messages take a third of it, and a peer that fills its bodies pushes older ones out. */
export const MOST_TRACE_BYTES = 64 * 1024 * 1024;

/** A ring of trace entries with listeners. Recording costs one object and keeps one text. */
export class Trace {
	readonly #capacity: number;
	readonly #mostBytes: number;
	readonly #clock: Clock;
	readonly #ring: (Recorded | undefined)[] = [];
	readonly #listeners = new Set<(entry: TraceEntry) => void>();
	readonly #refusals: TraceRefusal[] = [];
	readonly #refusalListeners = new Set<(refusal: TraceRefusal) => void>();
	#seq = 0;
	/** Messages recorded so far, and how many of them are not kept any more. */
	#recorded = 0;
	#dropped = 0;
	#bytes = 0;

	/** `capacity`: messages kept, at least 1 (`[trace] ring`), fewer where they have more than `mostBytes` octets. */
	constructor(capacity: number, clock: Clock, mostBytes = MOST_TRACE_BYTES) {
		this.#capacity = capacity;
		this.#mostBytes = mostBytes;
		this.#clock = clock;
	}

	record(direction: "in" | "out", connection: Connection, peer: string, message: SipMessage): void {
		const seq = ++this.#seq;
		const entry = new Recorded(seq, this.#clock.wall(), direction, connection.id, peer, message);
		if (this.#recorded - this.#dropped === this.#capacity) this.#dropOldest();
		this.#ring[this.#recorded % this.#capacity] = entry;
		this.#recorded += 1;
		this.#bytes += entry.size;
		while (this.#bytes > this.#mostBytes) this.#dropOldest();
		for (const listener of this.#listeners) listener(entry);
	}

	/** Entries with `seq > after`, oldest first, at most `limit`. */
	list(after = 0, limit = this.#capacity): TraceEntry[] {
		const entries: TraceEntry[] = [];
		for (let index = this.#dropped; index < this.#recorded && entries.length < limit; index += 1) {
			const entry = this.#ring[index % this.#capacity];
			if (entry !== undefined && entry.seq > after) entries.push(entry);
		}
		return entries;
	}

	#dropOldest(): void {
		const place = this.#dropped % this.#capacity;
		this.#bytes -= this.#ring[place]?.size ?? 0;
		this.#ring[place] = undefined;
		this.#dropped += 1;
	}

	/** Calls `listener` for each later message until the returned function is called. */
	listen(listener: (entry: TraceEntry) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	recordRefusal(parts: Omit<TraceRefusal, "seq">): void {
		const refusal: TraceRefusal = { ...parts, seq: ++this.#seq };
		this.#refusals.push(refusal);
		if (this.#refusals.length > MOST_REFUSALS) this.#refusals.shift();
		for (const listener of this.#refusalListeners) listener(refusal);
	}

	/** Refusals with `seq > after`, oldest first. */
	listRefusals(after = 0): readonly TraceRefusal[] {
		return this.#refusals.filter(({ seq }) => seq > after);
	}

	/** Calls `listener` for each later refusal until the returned function is called. */
	listenRefusals(listener: (refusal: TraceRefusal) => void): () => void {
		this.#refusalListeners.add(listener);
		return () => this.#refusalListeners.delete(listener);
	}
}
