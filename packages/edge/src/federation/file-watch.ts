/** Notices that files were replaced, by looking at them: works with renames, symbolic links and network file systems alike. */
import { stat } from "node:fs/promises";
import type { Clock, Timer } from "@causeway/sip";

export interface FileWatchOptions {
	readonly clock: Pick<Clock, "setTimer">;
	/** Asked at each look. */
	readonly files: () => readonly string[];
	/** Called once the files have changed and then stayed the same for a look: half-written sets are not taken. */
	readonly changed: () => Promise<void>;
	/** What tells two states of a file apart; for tests. */
	readonly stamp?: (file: string) => Promise<string>;
	readonly lookEveryMs?: number;
	/** `changed` is called after this time though nothing was seen to change. */
	readonly atLeastEveryMs: number;
}

const LOOK_EVERY_MS = 5_000;

export class FileWatch {
	readonly #options: FileWatchOptions;
	#timer: Timer | undefined;
	#isClosed = false;
	/** State that was taken last, state of the last look. */
	#taken: string | undefined;
	#seen: string | undefined;
	#sinceTakenMs = 0;

	constructor(options: FileWatchOptions) {
		this.#options = options;
	}

	/** The state of now is the one in use. */
	async start(): Promise<void> {
		await this.taken();
		this.#arm();
	}

	/** Somebody else has just read the files. */
	async taken(): Promise<void> {
		this.#seen = await this.#look();
		this.#taken = this.#seen;
		this.#sinceTakenMs = 0;
	}

	close(): void {
		this.#isClosed = true;
		this.#timer?.stop();
	}

	#arm(): void {
		if (this.#isClosed) return;
		this.#timer = this.#options.clock.setTimer(this.#lookEveryMs, () => void this.#check().finally(() => this.#arm()));
	}

	get #lookEveryMs(): number {
		return this.#options.lookEveryMs ?? LOOK_EVERY_MS;
	}

	async #check(): Promise<void> {
		const now = await this.#look();
		const isSettled = now === this.#seen;
		this.#seen = now;
		this.#sinceTakenMs += this.#lookEveryMs;
		const isDue = this.#sinceTakenMs >= this.#options.atLeastEveryMs;
		if (this.#isClosed || !isSettled || (now === this.#taken && !isDue)) return;
		this.#taken = now;
		this.#sinceTakenMs = 0;
		await this.#options.changed();
	}

	async #look(): Promise<string> {
		const stamps = await Promise.all(this.#options.files().map((file) => (this.#options.stamp ?? stampOf)(file)));
		return stamps.join("\n");
	}
}

async function stampOf(file: string): Promise<string> {
	try {
		const { ino, size, mtimeMs } = await stat(file);
		return `${file} ${ino} ${size} ${mtimeMs}`;
	} catch {
		return `${file} absent`;
	}
}
