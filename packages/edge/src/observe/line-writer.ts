/** Writes lines to a file descriptor, many at a time: a write costs more than a line. */

export interface LineWriterOptions {
	/** Writes octets and gives how many were taken; throws the system's error. `fs.writeSync` of a descriptor. */
	readonly write: (octets: Uint8Array) => number;
	/** Blocks for so many milliseconds: at the end of the process nothing can wait any more. */
	readonly sleep: (ms: number) => void;
}

/** How long a line may wait for others. */
const LONGEST_WAIT_MS = 25;
/** What waits is written when it is so long. */
const BATCH_OCTETS = 64 * 1024;
/** What is kept while nobody takes it; above that the newest lines are dropped and counted. */
const MOST_WAITING_OCTETS = 1024 * 1024;
/** Pause before another try, and how often the last flush of all tries. */
const AGAIN_MS = 20;
const LAST_TRIES = 100;

export class LineWriter {
	readonly #options: LineWriterOptions;
	#lines: string[] = [];
	#length = 0;
	/** Octets of which a part was taken. */
	#rest: Uint8Array | undefined;
	#timer: NodeJS.Timeout | undefined;
	#lost = 0;
	/** Nobody reads: the other end of the pipe is closed. */
	#isBroken = false;

	constructor(options: LineWriterOptions) {
		this.#options = options;
	}

	/** A line with its end; it is written within a moment. */
	write(line: string): void {
		if (this.#isBroken) return;
		if (this.#length > MOST_WAITING_OCTETS) {
			this.#lost += 1;
			return;
		}
		this.#lines.push(line);
		this.#length += line.length;
		if (this.#length >= BATCH_OCTETS && this.#rest === undefined) this.flush();
		else this.#flushWithin(LONGEST_WAIT_MS);
	}

	/** Writes what waits, now; what nobody takes now is tried again in a moment. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (!this.#tryAll()) this.#flushWithin(AGAIN_MS);
	}

	/** Writes what waits before the process ends, and waits a little for somebody who is slow to take it. */
	flushAtEnd(): void {
		clearTimeout(this.#timer);
		for (let tries = 0; tries < LAST_TRIES && !this.#tryAll(); tries += 1) this.#options.sleep(AGAIN_MS);
	}

	#flushWithin(ms: number): void {
		this.#timer ??= setTimeout(() => this.flush(), ms).unref();
	}

	/** Whether nothing waits any more. */
	#tryAll(): boolean {
		while (this.#rest !== undefined || this.#lines.length > 0 || this.#lost > 0) {
			this.#rest ??= this.#takeWaiting();
			try {
				const taken = this.#options.write(this.#rest);
				this.#rest = taken < this.#rest.length ? this.#rest.subarray(taken) : undefined;
			} catch (error) {
				// A full disk or a slow reader may end; a reader that is gone does not come back.
				if (Reflect.get(Object(error), "code") !== "EPIPE") return false;
				this.#isBroken = true;
				this.#rest = undefined;
				this.#takeWaiting();
			}
		}
		return true;
	}

	#takeWaiting(): Uint8Array {
		if (this.#lost > 0) {
			const time = new Date().toISOString();
			this.#lines.push(`${JSON.stringify({ level: "error", time, event: "log lines lost", lines: this.#lost })}\n`);
		}
		const octets = Buffer.from(this.#lines.join(""));
		this.#lines = [];
		this.#length = 0;
		this.#lost = 0;
		return octets;
	}
}
