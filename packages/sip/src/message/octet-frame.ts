/** One message as it stands among the octets that were read, before any of it is decoded. */
import { copyOctets, sliceOctets } from "../text/octet-copy.ts";
import { viewNumber } from "../text/octet-view.ts";
import { keepScanned } from "./head-index.ts";
import type { MessageHead } from "./message.ts";

/** One message as octets: head with index, and exactly Content-Length octets of body. */
export interface Frame {
	readonly head: MessageHead;
	/** A copy: the receiver may keep it, and small ones kept hold up to 16 KiB. */
	readonly body: Uint8Array;
}

/** Where a whole message stands among octets. */
export interface MessagePlace {
	/** Hold the message, and anything before and behind it. */
	readonly octets: Uint8Array;
	/** Offset of the head. */
	readonly start: number;
	/** Offset behind the empty line, where the body begins. */
	readonly headEnd: number;
	/** Offset behind the body. */
	readonly end: number;
}

const emptyBody = new Uint8Array(0);
const slabBytes = 16384;
const maxSharedBytes = 512;

/**
 * The octets of a message with the index of its head. A framer has one and uses it for every message: it holds good for the call in
 * which it is given, and what is to be kept must be copied.
 */
export class OctetFrame implements MessagePlace {
	octets: Uint8Array = emptyBody;
	start = 0;
	headEnd = 0;
	end = 0;
	/** As {@link MessageHead.fields}, whose offsets count from {@link start}; behind {@link fieldsLength} stands what was there before. */
	readonly fields: number[] = [];
	/** Numbers in {@link fields}: four for each field, and one. */
	fieldsLength = 0;
	/** Which octets were in view of the readers when the head was indexed: its own, as long as that is so. */
	view = 0;
	/** What remains of the memory that small bodies are copied to. */
	#slab: ArrayBufferLike = emptyBody.buffer;
	#slabUsed = 0;

	/** Head and body as values that may be kept. */
	decode(): Frame {
		return { head: this.decodeHead(), body: this.copyBody() };
	}

	/** The head as one latin1 string with an index of its own. */
	decodeHead(): MessageHead {
		const head = {
			text: sliceOctets(this.octets, this.start, this.headEnd),
			fields: this.fields.slice(0, this.fieldsLength),
		};
		if (this.view === viewNumber()) keepScanned(head);
		return head;
	}

	/**
	 * A copy of the body. Small ones share slabs: allocating each by itself costs more than all the rest of framing. What is
	 * handed out is overwritten whole, so that the memory need not be cleared first.
	 */
	copyBody(): Uint8Array {
		const { octets, headEnd, end } = this;
		const length = end - headEnd;
		if (length === 0) return emptyBody;
		let body: Uint8Array;
		if (length > maxSharedBytes) body = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
		else {
			if (this.#slabUsed + length > this.#slab.byteLength) {
				this.#slab = Buffer.allocUnsafeSlow(slabBytes).buffer;
				this.#slabUsed = 0;
			}
			body = new Uint8Array(this.#slab, this.#slabUsed, length);
			this.#slabUsed += length;
		}
		copyOctets(octets, headEnd, end, body, 0);
		return body;
	}

	/** Lets go of the memory for bodies. */
	releaseBodies(): void {
		this.#slab = emptyBody.buffer;
		this.#slabUsed = 0;
	}
}
