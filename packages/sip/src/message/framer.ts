/**
 * From octets to frames: finds head and body of each message in a stream, in whatever pieces it arrives
 * (RFC 3261 §7.5, §18.3). What it keeps never passes the limits, and no octet is searched twice.
 */
import { type Fault, refusal } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import { invariant } from "../text/assert.ts";
import { CharClass, hasClass } from "../text/char-class.ts";
import { viewNumber } from "../text/octet-view.ts";
import { decimalOf } from "../text/scan.ts";
import { firstPlaced, lastPlaced } from "./field-places.ts";
import { indexHead, scanHead } from "./head-index.ts";
import type { FramerLimits } from "./limits.ts";
import { FIELD_STRIDE, type MessageHead } from "./message.ts";
import { OctetFrame } from "./octet-frame.ts";

/** Who takes what a framer finds, in the order of the stream. */
export interface FramerUser {
	/** A message, of which nothing is decoded yet; valid until this returns. */
	frame(frame: OctetFrame): void;
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

const nothing = new Uint8Array(0);
/** Memory for what is unfinished is kept for the next, unless it was larger than most need. */
const keptBytes = 4096;
/** Where the rest of a chunk begins that nobody will read. */
const ENDED = Number.POSITIVE_INFINITY;

/** Cuts one stream into messages; has no clock and does no I/O. */
export class Framer {
	readonly #limits: FramerLimits;
	/** Octets of the unfinished message, in `#length` octets of a buffer that doubles as they come. */
	#pending: Uint8Array = nothing;
	#length = 0;
	/** Octets of CR LF CR LF that the unfinished head ends in. */
	#matched = 0;
	#state: FramerProgress | "cr" | "ended" = "idle";
	#evenLineEnds = true;
	#isHeld = false;
	/** The message at hand; while its body is awaited, its index is that of the head that came. */
	readonly #frame = new OctetFrame();
	/** How long the message is whose body is awaited. */
	#wantedLength = 0;

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
		this.#pending = nothing;
		this.#length = 0;
		this.#frame.releaseBodies();
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
		// A connection that is silent must not hold what it read last.
		this.#frame.octets = nothing;
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
		const scanned = scanHead(chunk, from, chunk.length, this.#limits.head, this.#frame.fields);
		if (typeof scanned === "number") {
			const length = this.#measure(chunk, from, scanned, user);
			if (length === undefined) return ENDED;
			const end = from + length;
			if (end <= chunk.length) {
				this.#finish(chunk, from, end, user);
				return end;
			}
			this.#awaitBody(length);
			this.#append(chunk, from, chunk.length, length);
			return chunk.length;
		}
		const end = findHeadEnd(chunk, from);
		if (end === undefined) return this.#keepHead(chunk, from, user);
		if (end - from > this.#limits.headBytes) return this.#fail(user, headTooLarge, undefined);
		return this.#failHead(chunk, from, end, user);
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
		this.#matched = 0;
		const scanned = scanHead(this.#pending, 0, this.#length, this.#limits.head, this.#frame.fields);
		if (typeof scanned !== "number") return this.#failHead(this.#pending, 0, this.#length, user);
		const length = this.#measure(this.#pending, 0, scanned, user);
		if (length === undefined) return ENDED;
		this.#awaitBody(length);
		if (this.#length === length) this.#finishPending(user);
		return end;
	}

	/** Length of the message whose head is indexed in so many numbers; undefined where it is none. */
	#measure(octets: Uint8Array, start: number, fieldsLength: number, user: FramerUser): number | undefined {
		const frame = this.#frame;
		const headLength = (frame.fields[fieldsLength - 1] as number) + 2;
		frame.octets = octets;
		frame.start = start;
		frame.headEnd = start + headLength;
		frame.fieldsLength = fieldsLength;
		frame.view = viewNumber();
		if (headLength > this.#limits.headBytes) this.#fail(user, headTooLarge, undefined);
		else {
			const length = readContentLength(frame);
			if (typeof length !== "number") this.#fail(user, length, frame.decodeHead());
			else if (length > this.#limits.bodyBytes) this.#fail(user, bodyTooLarge, frame.decodeHead());
			else return headLength + length;
		}
		return undefined;
	}

	#awaitBody(messageLength: number): void {
		this.#state = "body";
		this.#wantedLength = messageLength;
	}

	#continueBody(chunk: Uint8Array, from: number, user: FramerUser): number {
		const end = Math.min(chunk.length, from + this.#wantedLength - this.#length);
		this.#append(chunk, from, end, this.#wantedLength);
		if (this.#length === this.#wantedLength) this.#finishPending(user);
		return end;
	}

	#finishPending(user: FramerUser): void {
		const octets = this.#pending;
		const end = this.#length;
		this.#length = 0;
		if (octets.length > keptBytes) this.#pending = nothing;
		this.#finish(octets, 0, end, user);
	}

	#finish(octets: Uint8Array, start: number, end: number, user: FramerUser): void {
		const frame = this.#frame;
		const headLength = frame.headEnd - frame.start;
		frame.octets = octets;
		frame.start = start;
		frame.headEnd = start + headLength;
		frame.end = end;
		this.#state = "idle";
		user.frame(frame);
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

	#failHead(octets: Uint8Array, from: number, end: number, user: FramerUser): number {
		const outcome = indexHead(octets, from, end, this.#limits.head);
		invariant(!outcome.ok, "what was at fault once is at fault again");
		return this.#fail(user, outcome.fault, outcome.head);
	}

	#fail(user: FramerUser, fault: Fault, head: MessageHead | undefined): number {
		this.end();
		user.fault(fault, head);
		return ENDED;
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

/** Of Content-Length (product contract 3). */
const MOST_DIGITS = 7;

/** The one Content-Length of the head that was scanned just now; no message on a stream goes without, and none has two, even equal ones. */
function readContentLength({ octets, start, headEnd, fields }: OctetFrame): number | Fault {
	const found = firstPlaced(HeaderId.contentLength);
	if (found < 0) return lengthFault(headEnd - start, "The message has no Content-Length.");
	for (let at = found + FIELD_STRIDE; at <= lastPlaced(HeaderId.contentLength); at += FIELD_STRIDE) {
		if (fields[at] !== HeaderId.contentLength) continue;
		return lengthFault(fields[at + 1] as number, "The message has more than one Content-Length.");
	}
	const valueStart = fields[found + 2] as number;
	const valueEnd = fields[found + 3] as number;
	const length = decimalOf(octets, start + valueStart, start + valueEnd, MOST_DIGITS);
	return length ?? lengthFault(valueStart, "Content-Length is no number of one to seven digits.");
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
