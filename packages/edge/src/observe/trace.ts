/** The always-on SIP trace: the last messages that were really sent and received, newest last, in memory. */
import assert from "node:assert/strict";
import {
	type Clock,
	type Connection,
	type HeadLimits,
	indexHead,
	type MessagePlace,
	parseMessage,
	type SipMessage,
} from "@causeway/sip";
import { type OctetRecord, OctetRing } from "./octet-ring.ts";

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

class Recorded implements TraceEntry {
	readonly seq: number;
	readonly at: number;
	readonly direction: "in" | "out";
	readonly connectionId: number;
	readonly peer: string;
	readonly #head: string;
	readonly #body: Uint8Array;

	constructor({ seq, at, isOut, connectionId, peer, head, body }: OctetRecord) {
		this.seq = seq;
		this.at = at;
		this.direction = isOut ? "out" : "in";
		this.connectionId = connectionId;
		this.peer = peer;
		this.#head = head;
		this.#body = body;
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

/** A ring of trace entries with listeners. Recording copies octets and makes no object. */
export class Trace {
	readonly #capacity: number;
	readonly #clock: Clock;
	readonly #ring: OctetRing;
	readonly #listeners = new Set<(entry: TraceEntry) => void>();
	readonly #refusals: TraceRefusal[] = [];
	readonly #refusalListeners = new Set<(refusal: TraceRefusal) => void>();
	#seq = 0;

	/** `capacity`: messages kept, at least 1 (`[trace] ring`), fewer where they have more than `mostBytes` octets. */
	constructor(capacity: number, clock: Clock, mostBytes = MOST_TRACE_BYTES) {
		this.#capacity = capacity;
		this.#clock = clock;
		this.#ring = new OctetRing(capacity, mostBytes);
	}

	/** `place`: where the message stands now; its octets are copied. */
	record(direction: "in" | "out", connection: Connection, peer: string, place: MessagePlace): void {
		const seq = ++this.#seq;
		const at = this.#clock.wall();
		const isOut = direction === "out";
		this.#ring.add(seq, at, isOut, connection.id, peer, place);
		if (this.#listeners.size === 0) return;
		const { octets, start, headEnd, end } = place;
		const head = Buffer.prototype.latin1Slice.call(octets, start, headEnd);
		const body = octets.slice(headEnd, end);
		const entry = new Recorded({ seq, at, isOut, connectionId: connection.id, peer, head, body });
		for (const listener of this.#listeners) listener(entry);
	}

	/** Entries with `seq > after`, oldest first, at most `limit`. */
	list(after = 0, limit = this.#capacity): TraceEntry[] {
		const entries: TraceEntry[] = [];
		for (const record of this.#ring.since(after)) {
			if (entries.length >= limit) break;
			entries.push(new Recorded(record));
		}
		return entries;
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
