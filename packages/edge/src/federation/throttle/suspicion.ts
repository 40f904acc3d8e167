/**
 * Whether a peer behaves suspiciously: more than half of its requests for new dialogs fail for want of somebody who wants
 * them, 50 at least in 10 minutes; until fewer than a fifth failed for half an hour (protocol sheet 7.4).
 */

const SLOT_MS = 60_000;
const SLOTS = 10;
const LEAST_ANSWERED = 50;
const RECOVERY_MS = 30 * 60_000;
/** Answers that say: nobody here, or nobody who wants you. */
const FAILURES: ReadonlySet<number> = new Set([403, 404, 480, 604]);

interface Slot {
	answered: number;
	failed: number;
}

export class Suspicion {
	/** The last ten minutes, one slot a minute, the present one last. */
	#slots: Slot[] = [{ answered: 0, failed: 0 }];
	#slotEndsAt: number;
	#isSuspicious = false;
	#belowSince: number | undefined;

	constructor(now: number) {
		this.#slotEndsAt = now + SLOT_MS;
	}

	/** A request for a new dialog got its final answer. */
	answered(statusCode: number, now: number): void {
		this.#roll(now);
		const slot = this.#slots.at(-1);
		if (slot === undefined) return;
		slot.answered += 1;
		if (FAILURES.has(statusCode)) slot.failed += 1;
		const { answered, failed } = this.#sum();
		if (answered >= LEAST_ANSWERED && failed * 2 > answered) {
			this.#isSuspicious = true;
			this.#belowSince = undefined;
		}
	}

	isSuspicious(now: number): boolean {
		this.#roll(now);
		return this.#isSuspicious;
	}

	#roll(now: number): void {
		// After a long silence nothing is left of the window, however many minutes it was.
		for (let rolled = 0; this.#slotEndsAt <= now; rolled += 1) {
			const endedAt = this.#slotEndsAt;
			if (rolled > SLOTS + RECOVERY_MS / SLOT_MS) {
				this.#slotEndsAt += Math.ceil((now - endedAt + 1) / SLOT_MS) * SLOT_MS;
				break;
			}
			this.#slots.push({ answered: 0, failed: 0 });
			if (this.#slots.length > SLOTS) this.#slots.shift();
			this.#slotEndsAt += SLOT_MS;
			this.#recover(endedAt);
		}
	}

	#recover(now: number): void {
		if (!this.#isSuspicious) return;
		const { answered, failed } = this.#sum();
		if (failed * 5 >= answered && answered > 0) {
			this.#belowSince = undefined;
			return;
		}
		this.#belowSince ??= now;
		if (now - this.#belowSince >= RECOVERY_MS) this.#isSuspicious = false;
	}

	#sum(): Slot {
		const sum = { answered: 0, failed: 0 };
		for (const { answered, failed } of this.#slots) {
			sum.answered += answered;
			sum.failed += failed;
		}
		return sum;
	}
}
