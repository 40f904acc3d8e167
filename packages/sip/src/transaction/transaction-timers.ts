/** The two timers of one transaction on the wheel: one that sends again, one that ends a state. */
import type { TimerEffect } from "./machine.ts";
import { createWheelEntry, type TimerWheel, type WheelEntry, type WheelUser } from "./timer-wheel.ts";
import { type TimerName, type Timing, timerDelayMs } from "./timing.ts";

/** Told which timer of its transaction fired. */
export interface TransactionTimersUser<Timer extends TimerName> {
	timerFired(timer: Timer): void;
}

export class TransactionTimers<Timer extends TimerName> implements WheelUser {
	readonly #wheel: TimerWheel;
	readonly #timing: Timing;
	readonly #user: TransactionTimersUser<Timer>;
	/** Made when first needed: on a reliable transport most transactions never send again. */
	#sendAgain: WheelEntry | undefined;
	#sendAgainTimer: Timer | undefined;
	#sendAgainMs = 0;
	#deadline: WheelEntry | undefined;
	#deadlineTimer: Timer | undefined;

	constructor(wheel: TimerWheel, timing: Timing, user: TransactionTimersUser<Timer>) {
		this.#wheel = wheel;
		this.#timing = timing;
		this.#user = user;
	}

	/** `elapsedMs`: how much of the time of a timer that starts is over already. */
	apply(effect: TimerEffect<Timer>, elapsedMs = 0): void {
		const { timer } = effect;
		if (effect.kind === "stop-timer") {
			const entry = sendsAgain(timer) ? this.#sendAgain : this.#deadline;
			if (entry !== undefined) this.#wheel.stop(entry);
			return;
		}
		const wholeMs = timerDelayMs(this.#timing, timer, effect.interval, this.#sendAgainMs);
		const delayMs = elapsedMs === 0 ? wholeMs : Math.max(0, wholeMs - elapsedMs);
		if (sendsAgain(timer)) {
			this.#sendAgain ??= createWheelEntry(this);
			this.#sendAgainTimer = timer;
			this.#sendAgainMs = delayMs;
			this.#wheel.start(this.#sendAgain, delayMs);
		} else {
			this.#deadline ??= createWheelEntry(this);
			this.#deadlineTimer = timer;
			this.#wheel.start(this.#deadline, delayMs);
		}
	}

	stopAll(): void {
		if (this.#sendAgain !== undefined) this.#wheel.stop(this.#sendAgain);
		if (this.#deadline !== undefined) this.#wheel.stop(this.#deadline);
	}

	expired(entry: WheelEntry): void {
		const timer = entry === this.#deadline ? this.#deadlineTimer : this.#sendAgainTimer;
		if (timer !== undefined) this.#user.timerFired(timer);
	}
}

function sendsAgain(timer: TimerName): boolean {
	return timer === "timer-a" || timer === "timer-e" || timer === "timer-g" || timer === "timer-trying";
}
