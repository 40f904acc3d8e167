/**
 * The last messages as octets, in memory that the garbage collector does not look into: kept as objects or strings they would all
 * be copied twice before they are old, and that costs more than everything else done with a message that is sent on.
 */
import assert from "node:assert/strict";
import type { MessagePlace } from "@causeway/sip";

/** What is known of one message on the wire. */
export interface OctetRecord {
	readonly seq: number;
	/** Milliseconds since 1970. */
	readonly at: number;
	readonly isOut: boolean;
	readonly connectionId: number;
	readonly peer: string;
	/** Octets as latin1 characters. */
	readonly head: string;
	readonly body: Uint8Array;
}

/**
 * A record begins at a multiple of eight octets with its numbers: seq and at as 64-bit floats, then the lengths of head, body and peer, the
 * connection and the direction as 32-bit words. Behind them stand peer, head and body.
 */
const AT = 1;
const HEAD = 4;
const BODY = 5;
const PEER = 6;
const CONNECTION = 7;
const DIRECTION = 8;
const PREFIX_BYTES = 40;

const LEAST_SEGMENT_BYTES = 65_536;
const MOST_SEGMENT_BYTES = 1_048_576;
/** What a message has on average, and more: so many segments are made as hold it sixteen times over. */
const USUAL_BYTES = 1_024;
const SEGMENTS = 16;

/** Records one behind the other; the segment as a whole is given up when none of them is wanted any more. */
interface Segment {
	readonly octets: Buffer;
	/** The same memory. */
	readonly words: Uint32Array;
	readonly floats: Float64Array;
	/** Octets of records that are not wanted any more, at its beginning. */
	dropped: number;
	used: number;
}

/** A ring of records; adding one copies its octets and makes no object. */
export class OctetRing {
	readonly #capacity: number;
	readonly #mostBytes: number;
	readonly #segmentBytes: number;
	readonly #segments: Segment[] = [];
	#last: Segment | undefined;
	/** A segment that was given up, to be written again. */
	#spare: Segment | undefined;
	/** Octets of each record, and of its message alone, in the order in which they came: to look into a record that is to go costs a wait for memory. */
	readonly #recordBytes: Uint32Array;
	readonly #messageBytes: Uint32Array;
	/** One more than are kept: the newest comes before the oldest goes. */
	readonly #places: number;
	#oldest = 0;
	#records = 0;
	/** Of heads and bodies. */
	#bytes = 0;

	/** `capacity`: records kept, at least 1, fewer where heads and bodies have more than `mostBytes` octets. */
	constructor(capacity: number, mostBytes: number) {
		this.#capacity = capacity;
		this.#mostBytes = mostBytes;
		this.#places = capacity + 1;
		this.#recordBytes = new Uint32Array(this.#places);
		this.#messageBytes = new Uint32Array(this.#places);
		const wanted = (capacity * USUAL_BYTES) / SEGMENTS;
		this.#segmentBytes = Math.min(Math.max(wanted - (wanted % 8), LEAST_SEGMENT_BYTES), MOST_SEGMENT_BYTES);
	}

	add(seq: number, at: number, isOut: boolean, connectionId: number, peer: string, message: MessagePlace): void {
		const headBytes = message.headEnd - message.start;
		const bodyBytes = message.end - message.headEnd;
		const bytes = recordBytes(peer.length, headBytes, bodyBytes);
		let segment = this.#last;
		if (segment === undefined || segment.used + bytes > segment.octets.length) segment = this.#begin(bytes);
		const { octets, words, floats, used } = segment;
		floats[used >> 3] = seq;
		floats[(used >> 3) + AT] = at;
		const word = used >> 2;
		words[word + HEAD] = headBytes;
		words[word + BODY] = bodyBytes;
		words[word + PEER] = peer.length;
		words[word + CONNECTION] = connectionId;
		words[word + DIRECTION] = isOut ? 1 : 0;
		const peerAt = used + PREFIX_BYTES;
		Buffer.prototype.latin1Write.call(octets, peer, peerAt, peer.length);
		Buffer.prototype.copy.call(message.octets, octets, peerAt + peer.length, message.start, message.end);
		segment.used += bytes;
		const place = (this.#oldest + this.#records) % this.#places;
		this.#recordBytes[place] = bytes;
		this.#messageBytes[place] = headBytes + bodyBytes;
		this.#records += 1;
		this.#bytes += headBytes + bodyBytes;
		while (this.#records > this.#capacity || this.#bytes > this.#mostBytes) this.#dropOldest();
	}

	/** The records kept, oldest first, those with `seq > after`. */
	*since(after: number): Generator<OctetRecord> {
		for (const segment of this.#segments) {
			for (let at = segment.dropped; at < segment.used; ) {
				const record = readRecord(segment, at);
				if (record.seq > after) yield record;
				at += recordBytes(record.peer.length, record.head.length, record.body.length);
			}
		}
	}

	#dropOldest(): void {
		const [segment] = this.#segments;
		assert(segment !== undefined, "a record that is kept has its segment");
		const place = this.#oldest;
		this.#oldest = (place + 1) % this.#places;
		segment.dropped += this.#recordBytes[place] as number;
		this.#bytes -= this.#messageBytes[place] as number;
		this.#records -= 1;
		if (segment.dropped < segment.used) return;
		if (segment === this.#last) {
			segment.dropped = 0;
			segment.used = 0;
			return;
		}
		this.#segments.shift();
		if (segment.octets.length === this.#segmentBytes) this.#spare = segment;
	}

	#begin(bytes: number): Segment {
		const fits = this.#spare !== undefined && bytes <= this.#segmentBytes;
		const segment = fits ? (this.#spare as Segment) : createSegment(Math.max(bytes, this.#segmentBytes));
		if (fits) this.#spare = undefined;
		segment.dropped = 0;
		segment.used = 0;
		// One that is empty, and too small for what comes now, would never be dropped from.
		if (this.#last?.used === 0) this.#segments.pop();
		this.#segments.push(segment);
		this.#last = segment;
		return segment;
	}
}

function createSegment(bytes: number): Segment {
	const memory = new ArrayBuffer(bytes);
	const [octets, words, floats] = [Buffer.from(memory), new Uint32Array(memory), new Float64Array(memory)];
	return { octets, words, floats, dropped: 0, used: 0 };
}

function recordBytes(peer: number, head: number, body: number): number {
	return (PREFIX_BYTES + peer + head + body + 7) & ~7;
}

function readRecord({ octets, words, floats }: Segment, at: number): OctetRecord {
	const word = at >> 2;
	const peerAt = at + PREFIX_BYTES;
	const headAt = peerAt + (words[word + PEER] as number);
	const bodyAt = headAt + (words[word + HEAD] as number);
	return {
		seq: floats[at >> 3] as number,
		at: floats[(at >> 3) + AT] as number,
		isOut: words[word + DIRECTION] === 1,
		connectionId: words[word + CONNECTION] as number,
		peer: octets.toString("latin1", peerAt, headAt),
		head: octets.toString("latin1", headAt, bodyAt),
		body: new Uint8Array(octets.subarray(bodyAt, bodyAt + (words[word + BODY] as number))),
	};
}
