/** Child processes of a benchmark, each on a core of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface ChildPlan {
	/** For failures. */
	readonly name: string;
	readonly script: string;
	readonly args?: readonly string[];
	/** Options of Node.js itself, beside those this process was started with. */
	readonly nodeOptions?: readonly string[];
	readonly core: number | undefined;
	/** Takes what the child prints. */
	readonly logFile: string;
}

const STOP_LIMIT_MS = 15_000;
const TAIL_LENGTH = 2_000;

/** One child that talks over its channel; it ends when this process does. */
export class Child {
	readonly #plan: ChildPlan;
	readonly #process: ChildProcess;

	constructor(plan: ChildPlan) {
		this.#plan = plan;
		const node = [...process.execArgv, ...(plan.nodeOptions ?? [])];
		// `taskset` becomes the program it starts: same process, same channel.
		const pinned =
			plan.core === undefined
				? { execArgv: node }
				: { execPath: "taskset", execArgv: ["-c", String(plan.core), process.execPath, ...node] };
		const log = openSync(plan.logFile, "a");
		this.#process = fork(plan.script, plan.args ?? [], { ...pinned, stdio: ["ignore", log, log, "ipc"] });
		closeSync(log);
		// A message to a child that has just ended: its end is told by whoever waits for the answer.
		this.#process.on("error", () => {});
	}

	get pid(): number {
		const { pid } = this.#process;
		if (pid === undefined) throw new Error(`${this.#plan.name} could not be started`);
		return pid;
	}

	send(message: object): void {
		this.#process.send(message);
	}

	/** The next message; rejects when the child ends first or none comes in time. */
	next<Message>(limitMs: number): Promise<Message> {
		const child = this.#process;
		return new Promise((resolve, reject) => {
			const settle = (): void => {
				clearTimeout(timer);
				child.off("message", onMessage);
				child.off("exit", onExit);
			};
			const fail = (what: string): void => {
				settle();
				reject(
					new Error(`${this.#plan.name} ${what}:\n${readFileSync(this.#plan.logFile, "utf8").slice(-TAIL_LENGTH)}`),
				);
			};
			const onMessage = (message: unknown): void => {
				settle();
				resolve(message as Message);
			};
			const onExit = (code: number | null, signal: string | null): void =>
				fail(`ended (${signal ?? `exit code ${code}`})`);
			const timer = setTimeout(() => fail(`did not answer within ${limitMs / 1000} s`), limitMs);
			child.on("message", onMessage);
			child.on("exit", onExit);
			if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode);
		});
	}

	/** Stops the child by SIGTERM, after a while by force. */
	async close(): Promise<void> {
		const child = this.#process;
		if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
			child.once("exit", () => {
				clearTimeout(timer);
				resolve();
			});
			child.kill("SIGTERM");
		});
	}
}
