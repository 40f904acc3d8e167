/**
 * NOTIFYs that nobody waits for, one lane for each peer: at most so many unanswered with one peer, at most so many written
 * in one turn of the event loop. A user with thousands of watchers, or a peer that answers slowly, holds up nobody else.
 */
import type { Clock } from "@causeway/sip";

/** Something that has a NOTIFY to send. */
export interface FanOutItem {
	/** Name of the peer network that its NOTIFY goes to. */
	readonly lane: string;
	/** Sends what is due now; it reports what it sent with {@link FanOut.sent}. */
	release(): void;
}

export interface FanOutLimits {
	/** NOTIFYs with one peer that may wait for their answers before others follow. */
	readonly perPeer: number;
	/** NOTIFYs written in one turn. */
	readonly perTurn: number;
}

export const DEFAULT_FAN_OUT_LIMITS: FanOutLimits = { perPeer: 500, perTurn: 200 };

interface Lane {
	/** In the order in which they came; those before `next` have been released. */
	waiting: FanOutItem[];
	next: number;
	unanswered: number;
	/** In the ring of lanes that have something to release. */
	isListed: boolean;
}

export class FanOut {
	readonly #clock: Clock;
	readonly #limits: FanOutLimits;
	readonly #lanes = new Map<string, Lane>();
	/** Lanes that may go on, served in turn. */
	readonly #ready: Lane[] = [];
	/** Written in this turn. */
	#spent = 0;
	#isTurnTimed = false;
	#isRunning = false;

	constructor(clock: Clock, limits: FanOutLimits = DEFAULT_FAN_OUT_LIMITS) {
		this.#clock = clock;
		this.#limits = limits;
	}

	/** Items that wait. */
	get waiting(): number {
		let count = 0;
		for (const lane of this.#lanes.values()) count += lane.waiting.length - lane.next;
		return count;
	}

	/** Releases the item as soon as its lane and the turn allow: often at once. */
	add(item: FanOutItem): void {
		const lane = this.#lane(item.lane);
		lane.waiting.push(item);
		this.#list(lane);
		this.#run();
	}

	/** A NOTIFY has left, whoever caused it. */
	sent(name: string): void {
		this.#lane(name).unanswered += 1;
		this.#spent += 1;
		this.#timeTurn();
	}

	/** It was answered, or never will be. */
	answered(name: string): void {
		const lane = this.#lanes.get(name);
		if (lane === undefined) return;
		lane.unanswered -= 1;
		if (lane.next < lane.waiting.length) {
			this.#list(lane);
			this.#run();
		} else if (lane.unanswered === 0) this.#lanes.delete(name);
	}

	#lane(name: string): Lane {
		const known = this.#lanes.get(name);
		if (known !== undefined) return known;
		const made: Lane = { waiting: [], next: 0, unanswered: 0, isListed: false };
		this.#lanes.set(name, made);
		return made;
	}

	#list(lane: Lane): void {
		if (lane.isListed || lane.unanswered >= this.#limits.perPeer) return;
		lane.isListed = true;
		this.#ready.push(lane);
	}

	#run(): void {
		if (this.#isRunning) return;
		this.#isRunning = true;
		while (this.#spent < this.#limits.perTurn) {
			const lane = this.#ready.shift();
			if (lane === undefined) break;
			lane.isListed = false;
			const item = lane.waiting[lane.next];
			if (item === undefined) continue;
			lane.next += 1;
			if (lane.next === lane.waiting.length) {
				lane.waiting = [];
				lane.next = 0;
			}
			item.release();
			if (lane.next < lane.waiting.length) this.#list(lane);
		}
		this.#isRunning = false;
		if (this.#ready.length > 0) this.#timeTurn();
	}

	/** One timer for each turn in which something was written: then others follow. */
	#timeTurn(): void {
		if (this.#isTurnTimed) return;
		this.#isTurnTimed = true;
		this.#clock.setTimer(0, () => {
			this.#isTurnTimed = false;
			this.#spent = 0;
			this.#run();
		});
	}
}
