/** The 2xx to an INVITE until its ACK comes: RFC 3261 §13.3.1.4. Needed on every transport, since the exchange is end to end. */
import { createWheelEntry, type TimerWheel, type WheelEntry, type WheelUser } from "./timer-wheel.ts";
import type { Timing } from "./timing.ts";

/** Who wants to know how the repeating of a 2xx went (RFC 3261 §13.3.1.4). */
export interface RetransmitUntilAckUser {
	/** Sends the 2xx again; false ends the matter, because the connection is gone. */
	sendAgain(): boolean;
	/** No ACK came in 64·T1: the session is confirmed but should end with BYE. */
	unacknowledged(): void;
}

/**
 * Asks for a 2xx again after T1, 2·T1, 4·T1, … never more than T2 apart, until {@link acknowledged} or 64·T1 after
 * {@link start}.
 */
export class RetransmitUntilAck implements WheelUser {
	readonly #wheel: TimerWheel;
	readonly #timing: Timing;
	readonly #user: RetransmitUntilAckUser;
	readonly #entry: WheelEntry = createWheelEntry(this);
	#intervalMs = 0;
	#elapsedMs = 0;

	constructor(wheel: TimerWheel, timing: Timing, user: RetransmitUntilAckUser) {
		this.#wheel = wheel;
		this.#timing = timing;
		this.#user = user;
	}

	/** To be called when the 2xx has been sent for the first time. */
	start(): void {
		this.#elapsedMs = 0;
		this.#run(this.#timing.t1Ms);
	}

	/** The ACK has come: nothing is called any more. */
	acknowledged(): void {
		this.#wheel.stop(this.#entry);
	}

	/** Gives the matter up without a word: the session ended in another way. */
	close(): void {
		this.#wheel.stop(this.#entry);
	}

	expired(): void {
		this.#elapsedMs += this.#intervalMs;
		const limitMs = 64 * this.#timing.t1Ms;
		if (this.#elapsedMs >= limitMs) {
			this.#user.unacknowledged();
			return;
		}
		// Started first: the ACK may come before sendAgain returns, and must then find the timer it stops.
		this.#run(Math.min(this.#intervalMs * 2, this.#timing.t2Ms, limitMs - this.#elapsedMs));
		if (!this.#user.sendAgain()) this.close();
	}

	#run(delayMs: number): void {
		this.#intervalMs = delayMs;
		this.#wheel.start(this.#entry, delayMs);
	}
}
