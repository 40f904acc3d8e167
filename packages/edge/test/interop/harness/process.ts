import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const RING_LINES = 15_000;
const GRACE_MS = 15_000;

export interface ProgramOptions {
	/** Name in failures and of the log file. */
	readonly name: string;
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd: string;
	/** Every line of output is added to this file. */
	readonly logFile: string;
	readonly env?: Readonly<Record<string, string>>;
}

export interface ExitStatus {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
}

interface LineWaiter {
	readonly matches: (line: string) => boolean;
	readonly found: (line: string) => void;
}

/** One child process in a process group of its own, with its latest output and a certain end. */
export class Program {
	readonly #options: ProgramOptions;
	readonly #lines: string[] = [];
	readonly #standardOutput: string[] = [];
	readonly #waiters = new Set<LineWaiter>();
	#child: ChildProcess | undefined;
	#exited: Promise<ExitStatus> | undefined;
	#exitStatus: ExitStatus | undefined;

	constructor(options: ProgramOptions) {
		this.#options = options;
	}

	/** Starts the process; rejects when the program cannot be executed. */
	async start(): Promise<void> {
		const { command, args, cwd, env } = this.#options;
		const { PATH = "" } = process.env;
		const child = spawn(command, args, {
			cwd,
			env: { ...process.env, PATH: `${PATH}:/usr/sbin:/sbin`, ...env },
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		this.#child = child;
		this.#exited = new Promise((resolve) => {
			// "close" and not "exit": the last lines of output are read by then.
			child.once("close", (code, signal) => {
				this.#exitStatus = { code, signal };
				resolve(this.#exitStatus);
			});
		});
		createInterface({ input: child.stdout }).on("line", (line) => {
			append(this.#standardOutput, line);
			this.#record(line);
		});
		createInterface({ input: child.stderr }).on("line", (line) => this.#record(line));
		await new Promise<void>((resolve, reject) => {
			child.once("spawn", resolve);
			child.once("error", reject);
		});
	}

	/** The latest lines of standard output and standard error, oldest first. */
	get lines(): readonly string[] {
		return this.#lines;
	}

	/** The latest lines of standard output alone. */
	get standardOutput(): readonly string[] {
		return this.#standardOutput;
	}

	/** Undefined while the process runs. */
	get exitStatus(): ExitStatus | undefined {
		return this.#exitStatus;
	}

	/** The first line, past or to come, that matches; rejects at the deadline or when the program ends without it. */
	waitForLine(what: string, matches: (line: string) => boolean, deadlineMs = 10_000): Promise<string> {
		const past = this.#lines.find(matches);
		if (past !== undefined) return Promise.resolve(past);
		return new Promise((resolve, reject) => {
			const settle = (): void => {
				clearTimeout(timer);
				this.#waiters.delete(waiter);
			};
			const fail = (reason: string): void => {
				settle();
				reject(new Error(this.#describe(`${reason} while waiting for ${what}`)));
			};
			const timer = setTimeout(() => fail(`${deadlineMs} ms passed`), deadlineMs);
			const waiter: LineWaiter = {
				matches,
				found: (line) => {
					settle();
					resolve(line);
				},
			};
			this.#waiters.add(waiter);
			void this.#exited?.then(() => {
				if (this.#waiters.has(waiter)) fail("it ended");
			});
		});
	}

	/** The exit status; rejects at the deadline, with the latest output. */
	async exited(deadlineMs: number): Promise<ExitStatus> {
		const status = await this.#exitWithin(deadlineMs);
		if (status === undefined) throw new Error(this.#describe(`still running after ${deadlineMs} ms`));
		return status;
	}

	signal(signal: NodeJS.Signals): void {
		this.#child?.kill(signal);
	}

	/** Asks the process to end, then ends its whole group; rejects where it had to be killed, when it is gone. */
	async close(): Promise<void> {
		const pid = this.#child?.pid;
		if (pid === undefined) return;
		this.signal("SIGTERM");
		const status = await this.#exitWithin(GRACE_MS);
		killGroup(pid);
		if (status !== undefined) return;
		await this.#exited;
		throw new Error(this.#describe(`still running ${GRACE_MS} ms after SIGTERM`));
	}

	#record(line: string): void {
		append(this.#lines, line);
		appendFileSync(this.#options.logFile, `${line}\n`);
		for (const waiter of this.#waiters) {
			if (waiter.matches(line)) waiter.found(line);
		}
	}

	async #exitWithin(deadlineMs: number): Promise<ExitStatus | undefined> {
		let timer: NodeJS.Timeout | undefined;
		const deadline = new Promise<undefined>((resolve) => {
			timer = setTimeout(() => resolve(undefined), deadlineMs);
		});
		try {
			return await Promise.race([this.#exited, deadline]);
		} finally {
			clearTimeout(timer);
		}
	}

	#describe(problem: string): string {
		return `${this.#options.name}: ${problem}; latest output:\n${this.#lines.slice(-40).join("\n")}`;
	}
}

function append(ring: string[], line: string): void {
	ring.push(line);
	if (ring.length > RING_LINES) ring.shift();
}

/** A launcher that was killed leaves its child behind; the group does not. */
function killGroup(pid: number): void {
	try {
		process.kill(-pid, "SIGKILL");
	} catch {
		// The whole group has ended already.
	}
}
