/** A byte stream with SIP on it: octets in, whole messages out, and the other way (RFC 3261 §18). */
import type { Clock, Random, Timer } from "../env.ts";
import type { Fault } from "../fault.ts";
import { createErrorResponse } from "../message/build.ts";
import { Framer, type FramerUser } from "../message/framer.ts";
import type { HeadSplices } from "../message/head-splices.ts";
import type { FramerLimits } from "../message/limits.ts";
import type { MessageHead, SipMessage } from "../message/message.ts";
import type { MessagePlace } from "../message/octet-frame.ts";
import { parseMessage } from "../message/parse.ts";
import type { ByteStream, CloseCause, Endpoint, Room } from "./byte-stream.ts";
import type { Connection, ConnectionUser, MessageOctets } from "./connection.ts";
import { KeepAliveBudget } from "./keep-alive-budget.ts";

/** How long one message may take to arrive. Both count from its first octet, whatever arrives in between. */
export interface ArrivalTimes {
	readonly headMs: number;
	readonly bodyMs: number;
}

/** What a trace or a counter may want to see. Absent hooks cost nothing. */
export interface ConnectionHooks {
	/** A message, and where it stands while this is called. Not for what {@link ConnectionUser.framed} took. */
	readonly received?: (connection: Connection, place: MessagePlace, message: SipMessage) => void;
	/** The peer asked for signs of life, two CRLFs between messages each time; how often it did so at once, and how many were answered. */
	readonly pinged?: (connection: Connection, asked: number, answered: number) => void;
	/** The answer to a {@link SipConnection.ping} came: a single CRLF between messages. */
	readonly ponged?: (connection: Connection) => void;
	/** What was queued, and where it stands while this is called; `message` where it was not another's that was sent on. */
	readonly sent?: (connection: Connection, place: MessagePlace, message: MessageOctets | undefined) => void;
	/**
	 * Octets that are no message. `head` is there when one was complete, `answer` when an answer to it was sent. After
	 * faults of framing the connection closes; after others it goes on.
	 */
	readonly malformed?: (
		connection: Connection,
		fault: Fault,
		head: MessageHead | undefined,
		answer: MessageHead | undefined,
	) => void;
}

/** Stream, ports, limits and user of a connection. */
export interface SipConnectionOptions {
	readonly id: number;
	readonly direction: "inbound" | "outbound";
	readonly stream: ByteStream;
	readonly clock: Clock;
	readonly random: Random;
	readonly limits: FramerLimits;
	readonly times: ArrivalTimes;
	/** Octets that may wait for a peer that does not read; past it the connection ends. */
	readonly maxQueuedBytes?: number;
	readonly user: ConnectionUser;
	readonly hooks?: ConnectionHooks;
}

/** 10 s for a head and 20 s for a body, from the first octet (product contract 3). */
export const DEFAULT_ARRIVAL_TIMES: ArrivalTimes = { headMs: 10_000, bodyMs: 20_000 };
/** Octets that may wait to be written before a connection is given up: 1 MiB. */
export const DEFAULT_MAX_QUEUED_BYTES = 1024 * 1024;

const nothing = new Uint8Array(0);
const pingOctets = "\r\n\r\n";
const pongOctets = "\r\n";

/**
 * Whole messages on a byte stream: framing, parsing, deadlines, keep-alives, and the bound on what waits to be
 * written.
 */
export class SipConnection implements Connection {
	readonly id: number;
	readonly direction: "inbound" | "outbound";
	readonly #stream: ByteStream;
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #times: ArrivalTimes;
	readonly #maxQueuedBytes: number;
	readonly #user: ConnectionUser;
	readonly #hooks: ConnectionHooks;
	readonly #framer: Framer;
	readonly #framerUser: FramerUser;
	#closing = false;
	/** When the first octet of the unfinished message came; undefined where none is unfinished. */
	#begunAt: number | undefined;
	/** A message ended during the `push` under way: what is unfinished after it began in this push. */
	#hasFramed = false;
	#timer: Timer | undefined;
	#timerFiresAt = 0;
	/** Until when nothing is read; undefined where all is. */
	#delayedUntil: number | undefined;
	#delayTimer: Timer | undefined;
	/** What came with the message that was one too many, and is read later. */
	#kept: Uint8Array[] = [];
	/** CRLFs since the last message that are not read as an asking or an answer yet. */
	#lineEnds = 0;
	#awaitsPong = false;
	/** Where the message stands that was queued last. */
	readonly #place: { -readonly [Part in keyof MessagePlace]: MessagePlace[Part] } = {
		octets: nothing,
		start: 0,
		headEnd: 0,
		end: 0,
	};
	/** Undefined until the peer sent a line end. */
	#keepAlives: KeepAliveBudget | undefined;

	constructor(options: SipConnectionOptions) {
		this.id = options.id;
		this.direction = options.direction;
		this.#stream = options.stream;
		this.#clock = options.clock;
		this.#random = options.random;
		this.#times = options.times;
		this.#maxQueuedBytes = options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES;
		this.#user = options.user;
		this.#hooks = options.hooks ?? {};
		this.#framer = new Framer(options.limits);
		this.#framerUser = {
			frame: (frame) => {
				this.#hasFramed = true;
				this.#readLineEnds();
				this.#lineEnds = 0;
				if (this.#user.framed?.(this, frame) === true) return;
				const outcome = parseMessage(frame.decode());
				if (!outcome.ok) this.#refuse(outcome.fault, outcome.head);
				else {
					this.#hooks.received?.(this, frame, outcome.message);
					this.#user.received(this, outcome.message);
				}
			},
			ping: () => {
				this.#lineEnds += 1;
			},
			pong: () => {
				this.#lineEnds += 1;
			},
			fault: (fault, head) => {
				this.#refuse(fault, head);
				this.close(`cannot be framed: ${fault.code}`);
			},
		};
	}

	get remote(): Endpoint {
		return this.#stream.remote;
	}

	get local(): Endpoint {
		return this.#stream.local;
	}

	get isOpen(): boolean {
		return !this.#closing && this.#stream.isOpen;
	}

	/** Begins to read. Called once. */
	start(): void {
		this.#stream.start({
			data: (chunk) => this.#take(chunk),
			closed: (cause) => this.#ended(cause),
		});
	}

	send(message: MessageOctets): boolean {
		const { head, body } = message;
		const { text } = head;
		const room = this.#claim(text.length + body.length);
		if (room === undefined) return false;
		const { octets, start } = room;
		Buffer.prototype.latin1Write.call(octets, text, start, text.length);
		if (body.length > 0) octets.set(body, start + text.length);
		this.#stream.commit();
		this.#sent(octets, start, text.length, body.length, message);
		return true;
	}

	sendSpliced(message: MessagePlace, splices: HeadSplices): boolean {
		const headLength = message.headEnd - message.start + splices.growth;
		const bodyLength = message.end - message.headEnd;
		const room = this.#claim(headLength + bodyLength);
		if (room === undefined) return false;
		const { octets, start } = room;
		splices.write(message, octets, start);
		this.#stream.commit();
		this.#sent(octets, start, headLength, bodyLength, undefined);
		return true;
	}

	/** Asks the other end for a sign of life (RFC 5626 §3.5.1). False, and nothing is sent, where the connection is closed. */
	ping(): boolean {
		this.#awaitsPong = true;
		return this.#write(pingOctets);
	}

	delayReading(ms: number): void {
		if (this.#closing || ms <= 0) return;
		const until = this.#clock.now() + ms;
		if (this.#delayedUntil === undefined) {
			this.#framer.hold();
			this.#stream.pause();
		} else if (until <= this.#delayedUntil) return;
		this.#delayedUntil = until;
		this.#delayTimer?.stop();
		this.#delayTimer = this.#clock.setTimer(ms, () => this.#readOn());
	}

	close(reason: string): void {
		if (!this.#stop()) return;
		this.#stream.close(reason);
	}

	/** Ends the connection at once; what is queued is lost. */
	destroy(reason: string): void {
		this.#stop();
		this.#stream.destroy(reason);
	}

	#take(chunk: Uint8Array): void {
		if (this.#closing) return;
		if (this.#delayedUntil !== undefined) {
			this.#kept.push(chunk.slice());
			return;
		}
		this.#hasFramed = false;
		const taken = this.#framer.push(chunk, this.#framerUser);
		if (this.#closing) return;
		if (taken < chunk.length) this.#kept.push(chunk.slice(taken));
		this.#readLineEnds();
		if (this.#framer.progress === "idle") {
			this.#begunAt = undefined;
			return;
		}
		if (this.#begunAt === undefined || this.#hasFramed) this.#begunAt = this.#clock.now();
		// A body may take longer than a head: the timer of one that has ended meanwhile can be too late for what came next.
		if (this.#timer === undefined || this.#begunAt + this.#allowedMs() < this.#timerFiresAt)
			this.#armTimer(this.#begunAt);
	}

	/**
	 * RFC 5626 §3.5.1: two CRLFs ask, one answers. Which one an odd number holds is known only by what we wait for; both
	 * travel whole, so those that came together belong together.
	 */
	#readLineEnds(): void {
		const lineEnds = this.#lineEnds;
		if (lineEnds === 0) return;
		if (this.#awaitsPong && this.#lineEnds % 2 === 1) {
			this.#awaitsPong = false;
			this.#lineEnds -= 1;
			this.#hooks.ponged?.(this);
		}
		const pings = this.#lineEnds >> 1;
		this.#lineEnds -= pings * 2;
		// One that waits for its second half is counted when that comes.
		this.#keepAlives ??= new KeepAliveBudget();
		const { pongs, pauseMs } = this.#keepAlives.spend(this.#clock.now(), lineEnds - this.#lineEnds, pings);
		if (pongs > 0) this.#write(pongOctets.repeat(pongs));
		if (pings > 0) this.#hooks.pinged?.(this, pings, pongs);
		if (pauseMs > 0) this.delayReading(pauseMs);
	}

	#readOn(): void {
		this.#delayedUntil = undefined;
		this.#delayTimer = undefined;
		// Each may bring the next delay, behind which the rest is kept again, in order.
		for (const chunk of this.#kept.splice(0)) this.#take(chunk);
		if (this.#delayedUntil === undefined && !this.#closing) this.#stream.resume();
	}

	// One timer for the connection: a message that arrives whole never touches it, and one that fires for a message that
	// has come to its end in the meantime goes to sleep or moves on to the one that is unfinished now.
	#armTimer(begunAt: number): void {
		this.#timer?.stop();
		this.#timerFiresAt = begunAt + this.#allowedMs();
		const delayMs = Math.max(0, this.#timerFiresAt - this.#clock.now());
		this.#timer = this.#clock.setTimer(delayMs, () => this.#checkArrival());
	}

	#checkArrival(): void {
		this.#timer = undefined;
		const begunAt = this.#begunAt;
		if (begunAt === undefined || this.#closing) return;
		if (this.#clock.now() - begunAt < this.#allowedMs()) this.#armTimer(begunAt);
		else this.destroy(`${this.#framer.progress} of a message took too long`);
	}

	#allowedMs(): number {
		return this.#framer.progress === "head" ? this.#times.headMs : this.#times.bodyMs;
	}

	#refuse(fault: Fault, head: MessageHead | undefined): void {
		const answer = head && createErrorResponse(head, fault, this.#random.token());
		const isAnswered = answer !== undefined && this.#write(answer.text);
		this.#hooks.malformed?.(this, fault, head, isAnswered ? answer : undefined);
	}

	#write(text: string): boolean {
		const room = this.#claim(text.length);
		if (room === undefined) return false;
		Buffer.prototype.latin1Write.call(room.octets, text, room.start, text.length);
		this.#stream.commit();
		return true;
	}

	#claim(bytes: number): Room | undefined {
		if (this.#closing) return undefined;
		const room = this.#stream.claim(bytes);
		if (this.#stream.queuedBytes <= this.#maxQueuedBytes) return room;
		this.destroy("peer does not read");
		return undefined;
	}

	#sent(
		octets: Uint8Array,
		start: number,
		headLength: number,
		bodyLength: number,
		message: MessageOctets | undefined,
	): void {
		if (this.#hooks.sent === undefined) return;
		const place = this.#place;
		place.octets = octets;
		place.start = start;
		place.headEnd = start + headLength;
		place.end = place.headEnd + bodyLength;
		this.#hooks.sent(this, place, message);
		place.octets = nothing;
	}

	/** Stops reading and the timer; false where that was done before. */
	#stop(): boolean {
		if (this.#closing) return false;
		this.#closing = true;
		this.#framer.end();
		this.#timer?.stop();
		this.#timer = undefined;
		this.#begunAt = undefined;
		this.#delayTimer?.stop();
		this.#delayTimer = undefined;
		this.#kept = [];
		return true;
	}

	#ended(cause: CloseCause): void {
		this.#stop();
		this.#user.closed(this, cause);
	}
}
