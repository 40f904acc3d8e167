/**
 * From octets to frames: finds head and body of each message in a stream, in whatever pieces it arrives
 * (RFC 3261 §7.5, §18.3). What it keeps never passes the limits, and no octet is searched twice.
 */
import { type Fault, refusal } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import { parseContentLength } from "../header/number.ts";
import { invariant } from "../text/assert.ts";
import { CharClass, hasClass } from "../text/char-class.ts";
import { type HeadOutcome, indexHead } from "./head-index.ts";
import type { FramerLimits } from "./limits.ts";
import { FIELD_STRIDE, type MessageHead } from "./message.ts";

/** One message as octets: head with index, and exactly Content-Length octets of body. */
export interface Frame {
	readonly head: MessageHead;
	/** A copy: the receiver may keep it, and small ones kept hold up to 4 KiB. */
	readonly body: Uint8Array;
}

/** Who takes what a framer finds, in the order of the stream. */
export interface FramerUser {
	frame(frame: Frame): void;
	/**
	 * A CRLF between messages: the answer to a keep-alive (RFC 5626 §3.5.1), or the first half of one. Two in a row are
	 * told as `pong` and then `ping`, so that what is told does not depend on how the octets were cut.
	 */
	pong(): void;
	/** A second CRLF in a row: a keep-alive that may be answered with one CRLF. */
	ping(): void;
	/**
	 * Nothing can be framed any more; the framer takes no further octets. `head` is there when the head was complete
	 * (its fields up to the fault), so that a request can still be answered with the fault's status.
	 */
	fault(fault: Fault, head: MessageHead | undefined): void;
}

/** What of a message has arrived: nothing, part of its head, part of its body. */
export type FramerProgress = "idle" | "head" | "body";

const emptyBody = new Uint8Array(0);
const slabBytes = 4096;
const maxSharedBytes = 512;

/** Cuts one stream into messages; has no clock and does no I/O. */
export class Framer {
	readonly #limits: FramerLimits;
	/** Octets of the unfinished head or body, in `#length` octets of a buffer that doubles as they come. */
	#pending: Uint8Array = emptyBody;
	#length = 0;
	/** Octets of CR LF CR LF that the unfinished head ends in. */
	#matched = 0;
	#state: FramerProgress | "cr" | "ended" = "idle";
	#evenLineEnds = true;
	#isHeld = false;
	/** The head whose body is awaited, and how long the body is. */
	#head: MessageHead | undefined;
	#bodyLength = 0;
	/** What remains of the memory that small bodies are copied to. */
	#slab: Uint8Array = emptyBody;
	#slabUsed = 0;

	constructor(limits: FramerLimits) {
		this.#limits = limits;
	}

	/** What is unfinished: nothing, a head, or a body. */
	get progress(): FramerProgress {
		return this.#state === "head" || this.#state === "body" ? this.#state : "idle";
	}

	/** Takes no further octets, not even those of a `push` under way. */
	end(): void {
		this.#state = "ended";
		this.#release();
		this.#slab = emptyBody;
		this.#head = undefined;
	}

	/** Ends a `push` under way behind the message at hand. */
	hold(): void {
		this.#isHeld = true;
	}

	/** Takes the octets of `chunk`, all of them unless held; returns how many. The chunk may be reused afterwards. */
	push(chunk: Uint8Array, user: FramerUser): number {
		let at = 0;
		this.#isHeld = false;
		while (at < chunk.length && this.#state !== "ended" && !this.#isHeld) {
			if (this.#state === "head") at = this.#continueHead(chunk, at, user);
			else if (this.#state === "body") at = this.#continueBody(chunk, at, user);
			else at = this.#betweenMessages(chunk, at, user);
		}
		return Math.min(at, chunk.length);
	}

	#betweenMessages(chunk: Uint8Array, from: number, user: FramerUser): number {
		const code = chunk[from] as number;
		if (this.#state === "cr") {
			if (code !== 0x0a) return this.#fail(user, strayOctet, undefined);
			this.#state = "idle";
			this.#evenLineEnds = !this.#evenLineEnds;
			if (this.#evenLineEnds) user.ping();
			else user.pong();
			return from + 1;
		}
		if (code === 0x0d) {
			this.#state = "cr";
			return from + 1;
		}
		// A start line begins with a method or with SIP: what begins otherwise is no SIP, and waiting for its end is in vain.
		if (!hasClass(code, CharClass.token)) return this.#fail(user, strayOctet, undefined);
		this.#evenLineEnds = true;
		this.#state = "head";
		// Nearly every head comes whole and well formed: then looking for its end and indexing it are one scan.
		const whole = indexHead(chunk, from, chunk.length, this.#limits.head);
		const end = whole.ok ? from + whole.head.text.length : findHeadEnd(chunk, from);
		if (end === undefined) return this.#keepHead(chunk, from, user);
		if (end - from > this.#limits.headBytes) return this.#fail(user, headTooLarge, undefined);
		this.#finishHead(whole.ok ? whole : indexHead(chunk, from, end, this.#limits.head), user);
		return end;
	}

	#keepHead(chunk: Uint8Array, from: number, user: FramerUser): number {
		if (this.#length + chunk.length - from > this.#limits.headBytes) return this.#fail(user, headTooLarge, undefined);
		this.#append(chunk, from, chunk.length, this.#limits.headBytes);
		this.#matched = matchedAtEnd(chunk, from);
		return chunk.length;
	}

	#continueHead(chunk: Uint8Array, from: number, user: FramerUser): number {
		let at = from;
		let end: number | undefined;
		let matched = this.#matched;
		while (matched > 0 && at < chunk.length) {
			matched = nextMatched(matched, chunk[at]);
			at++;
			if (matched === 4) {
				end = at;
				break;
			}
		}
		if (end === undefined && at < chunk.length) end = findHeadEnd(chunk, at);
		if (end === undefined) {
			const kept = this.#keepHead(chunk, from, user);
			// Where the chunk ended inside the run of line ends, what was matched before it counts.
			if (matched > 0) this.#matched = matched;
			return kept;
		}
		if (this.#length + end - from > this.#limits.headBytes) return this.#fail(user, headTooLarge, undefined);
		this.#append(chunk, from, end, this.#limits.headBytes);
		const octets = this.#pending;
		const length = this.#length;
		this.#release();
		this.#finishHead(indexHead(octets, 0, length, this.#limits.head), user);
		return end;
	}

	#finishHead(outcome: HeadOutcome, user: FramerUser): void {
		if (!outcome.ok) {
			this.#fail(user, outcome.fault, outcome.head);
			return;
		}
		const { head } = outcome;
		const length = readContentLength(head);
		if (typeof length !== "number") {
			this.#fail(user, length, head);
		} else if (length > this.#limits.bodyBytes) {
			this.#fail(user, bodyTooLarge, head);
		} else if (length === 0) {
			this.#state = "idle";
			user.frame({ head, body: emptyBody });
		} else {
			this.#state = "body";
			this.#head = head;
			this.#bodyLength = length;
		}
	}

	#continueBody(chunk: Uint8Array, from: number, user: FramerUser): number {
		const end = Math.min(chunk.length, from + this.#bodyLength - this.#length);
		const head = this.#head;
		invariant(head !== undefined, "a body is awaited without its head");
		if (this.#length === 0 && end - from === this.#bodyLength) {
			this.#finishBody(head, this.#copyBody(chunk, from, end), user);
			return end;
		}
		this.#append(chunk, from, end, this.#bodyLength);
		if (this.#length === this.#bodyLength) {
			const body = this.#copyBody(this.#pending, 0, this.#length);
			this.#release();
			this.#finishBody(head, body, user);
		}
		return end;
	}

	#finishBody(head: MessageHead, body: Uint8Array, user: FramerUser): void {
		this.#state = "idle";
		this.#head = undefined;
		user.frame({ head, body });
	}

	/** A copy of a body. Small ones share slabs: allocating each by itself costs more than all the rest of framing. */
	#copyBody(octets: Uint8Array, from: number, end: number): Uint8Array {
		const length = end - from;
		if (length > maxSharedBytes) return new Uint8Array(octets.subarray(from, end));
		if (this.#slabUsed + length > this.#slab.length) {
			this.#slab = new Uint8Array(slabBytes);
			this.#slabUsed = 0;
		}
		const start = this.#slabUsed;
		this.#slabUsed += length;
		const slab = this.#slab;
		slab.set(octets.subarray(from, end), start);
		return slab.subarray(start, start + length);
	}

	#append(chunk: Uint8Array, from: number, end: number, limit: number): void {
		const needed = this.#length + end - from;
		if (needed > this.#pending.length) {
			const grown = new Uint8Array(Math.min(limit, Math.max(needed, this.#pending.length * 2, 1024)));
			grown.set(this.#pending.subarray(0, this.#length));
			this.#pending = grown;
		}
		this.#pending.set(chunk.subarray(from, end), this.#length);
		this.#length = needed;
	}

	#release(): void {
		this.#pending = emptyBody;
		this.#length = 0;
		this.#matched = 0;
	}

	#fail(user: FramerUser, fault: Fault, head: MessageHead | undefined): number {
		this.end();
		user.fault(fault, head);
		return Number.POSITIVE_INFINITY;
	}
}

const strayOctet = refusal(
	"not-sip",
	"RFC 3261 §7.5",
	0,
	"Between messages stands something else than line ends.",
).fault;
const headTooLarge = refusal("head-too-large", "RFC 3261 §7.5", 0, "The head of the message is too large.", 513).fault;
const bodyTooLarge = refusal("body-too-large", "RFC 3261 §21.5.7", 0, "The body is too large.", 513).fault;

/** The one Content-Length of a head; no message on a stream goes without, and none has two, even equal ones. */
function readContentLength(head: MessageHead): number | Fault {
	const { text, fields } = head;
	let found = -1;
	for (let index = 0; index + FIELD_STRIDE < fields.length; index += FIELD_STRIDE) {
		if (fields[index] !== HeaderId.contentLength) continue;
		if (found >= 0) return lengthFault(fields[index + 1] as number, "The message has more than one Content-Length.");
		found = index;
	}
	if (found < 0) return lengthFault(text.length, "The message has no Content-Length.");
	const length = parseContentLength(text, fields[found + 2] as number, fields[found + 3] as number);
	return length.ok ? length.value : lengthFault(length.fault.offset, length.fault.detail);
}

function lengthFault(offset: number, detail: string): Fault {
	return refusal("bad-content-length", "RFC 3261 §18.3", offset, detail).fault;
}

/**
 * Offset behind the first CR LF CR LF at or after `from`. Looks at every fourth octet: whichever place the four octets
 * have, one of those looked at is among them.
 */
function findHeadEnd(chunk: Uint8Array, from: number): number | undefined {
	const end = chunk.length;
	for (let at = from + 3; at < end; at += 4) {
		const code = chunk[at];
		if (code !== 0x0d && code !== 0x0a) continue;
		for (let start = at - 3; start <= at; start++) {
			if (
				chunk[start] === 0x0d &&
				chunk[start + 1] === 0x0a &&
				chunk[start + 2] === 0x0d &&
				chunk[start + 3] === 0x0a
			) {
				return start + 4;
			}
		}
	}
	return undefined;
}

/** How many octets of CR LF CR LF stand at the end of the chunk; 0 to 3. */
function matchedAtEnd(chunk: Uint8Array, from: number): number {
	let matched = 0;
	for (let at = Math.max(from, chunk.length - 3); at < chunk.length; at++) matched = nextMatched(matched, chunk[at]);
	return matched;
}

function nextMatched(matched: number, code: number | undefined): number {
	if (code === 0x0a) return matched === 1 ? 2 : matched === 3 ? 4 : 0;
	if (code === 0x0d) return matched === 2 ? 3 : 1;
	return 0;
}
