/**
 * The last messages as octets, in memory that the garbage collector does not look into: kept as objects or strings they would all
 * be copied twice before they are old, and that costs more than everything else done with a message that is sent on.
 */
import assert from "node:assert/strict";

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

/** Numbers before the texts of a record: seq and at (8 octets each), connection, head, body (4), peer (2), direction (1). */
const PREFIX_BYTES = 31;
const AT = 8;
const CONNECTION = 16;
const HEAD = 20;
const BODY = 24;
const PEER = 28;
const DIRECTION = 30;

const LEAST_SEGMENT_BYTES = 65_536;
const MOST_SEGMENT_BYTES = 1_048_576;
/** What a message has on average, and more: so many segments are made as hold it sixteen times over. */
const USUAL_BYTES = 1_024;
const SEGMENTS = 16;

/** Records one behind the other; the segment as a whole is given up when none of them is wanted any more. */
interface Segment {
	readonly octets: Buffer;
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
	#spare: Buffer | undefined;
	#records = 0;
	/** Of heads and bodies. */
	#bytes = 0;

	/** `capacity`: records kept, at least 1, fewer where heads and bodies have more than `mostBytes` octets. */
	constructor(capacity: number, mostBytes: number) {
		this.#capacity = capacity;
		this.#mostBytes = mostBytes;
		const wanted = (capacity * USUAL_BYTES) / SEGMENTS;
		this.#segmentBytes = Math.min(Math.max(Math.ceil(wanted), LEAST_SEGMENT_BYTES), MOST_SEGMENT_BYTES);
	}

	add(
		seq: number,
		at: number,
		isOut: boolean,
		connectionId: number,
		peer: string,
		head: string,
		body: Uint8Array,
	): void {
		const bytes = PREFIX_BYTES + peer.length + head.length + body.length;
		let segment = this.#last;
		if (segment === undefined || segment.used + bytes > segment.octets.length) segment = this.#begin(bytes);
		const { octets } = segment;
		let to = segment.used;
		octets.writeDoubleLE(seq, to);
		octets.writeDoubleLE(at, to + AT);
		octets.writeUInt32LE(connectionId, to + CONNECTION);
		octets.writeUInt32LE(head.length, to + HEAD);
		octets.writeUInt32LE(body.length, to + BODY);
		octets.writeUInt16LE(peer.length, to + PEER);
		octets[to + DIRECTION] = isOut ? 1 : 0;
		to += PREFIX_BYTES;
		to += octets.write(peer, to, "latin1");
		to += octets.write(head, to, "latin1");
		if (body.length > 0) octets.set(body, to);
		segment.used += bytes;
		this.#records += 1;
		this.#bytes += head.length + body.length;
		while (this.#records > this.#capacity || this.#bytes > this.#mostBytes) this.#dropOldest();
	}

	/** The records kept, oldest first, those with `seq > after`. */
	*since(after: number): Generator<OctetRecord> {
		for (const { octets, dropped, used } of this.#segments) {
			for (let at = dropped; at < used; ) {
				const head = octets.readUInt32LE(at + HEAD);
				const body = octets.readUInt32LE(at + BODY);
				const peer = octets.readUInt16LE(at + PEER);
				if (octets.readDoubleLE(at) > after) yield readRecord(octets, at, peer, head, body);
				at += PREFIX_BYTES + peer + head + body;
			}
		}
	}

	#dropOldest(): void {
		const [segment] = this.#segments;
		assert(segment !== undefined, "a record that is kept has its segment");
		const { octets, dropped } = segment;
		const bytes = octets.readUInt32LE(dropped + HEAD) + octets.readUInt32LE(dropped + BODY);
		segment.dropped += PREFIX_BYTES + octets.readUInt16LE(dropped + PEER) + bytes;
		this.#records -= 1;
		this.#bytes -= bytes;
		if (segment.dropped < segment.used) return;
		if (segment === this.#last) {
			segment.dropped = 0;
			segment.used = 0;
			return;
		}
		this.#segments.shift();
		if (octets.length === this.#segmentBytes) this.#spare = octets;
	}

	#begin(bytes: number): Segment {
		const fits = this.#spare !== undefined && bytes <= this.#segmentBytes;
		const octets = fits ? (this.#spare as Buffer) : Buffer.allocUnsafeSlow(Math.max(bytes, this.#segmentBytes));
		if (fits) this.#spare = undefined;
		const segment: Segment = { octets, dropped: 0, used: 0 };
		// One that is empty, and too small for what comes now, would never be dropped from.
		if (this.#last?.used === 0) this.#segments.pop();
		this.#segments.push(segment);
		this.#last = segment;
		return segment;
	}
}

function readRecord(octets: Buffer, at: number, peer: number, head: number, body: number): OctetRecord {
	const peerAt = at + PREFIX_BYTES;
	const headAt = peerAt + peer;
	const bodyAt = headAt + head;
	return {
		seq: octets.readDoubleLE(at),
		at: octets.readDoubleLE(at + AT),
		isOut: octets[at + DIRECTION] === 1,
		connectionId: octets.readUInt32LE(at + CONNECTION),
		peer: octets.toString("latin1", peerAt, headAt),
		head: octets.toString("latin1", headAt, bodyAt),
		body: new Uint8Array(octets.subarray(bodyAt, bodyAt + body)),
	};
}
