/** Notices a run that never ends: another thread looks on, writes the input down and ends the process. */
import { Worker } from "node:worker_threads";
import { MAX_INPUT_BYTES } from "./mutate.ts";

/** What the two threads share: `counters` holds the run, the target's number and the input's length. */
export interface WatchdogMemory {
	readonly counters: Int32Array;
	readonly input: Uint8Array;
}

export interface WatchdogData extends WatchdogMemory {
	readonly folder: string;
	readonly targets: readonly string[];
	/** Milliseconds without progress that count as never ending. */
	readonly stallMs: number;
}

export class Watchdog {
	readonly #memory: WatchdogMemory;
	readonly #data: WatchdogData;
	#worker: Worker | undefined;

	constructor(options: { readonly folder: string; readonly targets: readonly string[]; readonly stallMs: number }) {
		this.#memory = {
			counters: new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)),
			input: new Uint8Array(new SharedArrayBuffer(MAX_INPUT_BYTES)),
		};
		this.#data = { ...options, ...this.#memory };
	}

	start(): void {
		this.#worker = new Worker(new URL("./watchdog-thread.ts", import.meta.url), {
			workerData: this.#data,
			// The thread needs none of the process's own options, and some of them would keep it from starting.
			execArgv: [],
		});
		this.#worker.unref();
	}

	/** Run `run` of the target with this number begins; 0 ends the watch until the next run. */
	begin(target: number, input: Uint8Array, run: number): void {
		const { counters } = this.#memory;
		this.#memory.input.set(input);
		counters[1] = target;
		counters[2] = input.length;
		Atomics.store(counters, 0, run);
	}

	async close(): Promise<void> {
		await this.#worker?.terminate();
	}
}
