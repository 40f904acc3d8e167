/** What a benchmark is made of, and what one round of it gives. */

export interface BenchmarkSettings {
	/** Scratch folder of this run, removed at its end. */
	readonly folder: string;
	/** Where the server's CPU profiles are written; undefined: none are taken, as in every run whose figures count. */
	readonly profileFolder: string | undefined;
	/** Cores that the processes are pinned to; undefined: the machine has but one, or no `taskset`. */
	readonly cores: { readonly server: number; readonly generator: number } | undefined;
	/** Operations of one round; undefined: the benchmark's own number. */
	readonly operations: number | undefined;
}

export interface Benchmark {
	readonly name: string;
	/** One line: the work, and what counts as one operation. */
	readonly summary: string;
	/** Starts server and load generator and warms both up; rejects with the reason in words. */
	open(settings: BenchmarkSettings): Promise<Subject>;
}

/** A server under load, ready for rounds. */
export interface Subject {
	/** What was set up, for the report: counts and sizes. */
	readonly setup: string;
	round(): Promise<Round>;
	close(): Promise<void>;
}

/** Time on the CPU in milliseconds, user and system. */
export interface ServerCpu {
	/** All threads of the server, those that have ended too. */
	readonly totalMs: number;
	/** The thread that runs the event loop. */
	readonly mainMs: number;
	/** The thread that writes the store. */
	readonly writerMs: number;
}

export interface Round {
	/** Operations that ended as they should. */
	readonly succeeded: number;
	readonly errors: number;
	/** The first error in words. */
	readonly firstError: string | undefined;
	readonly elapsedMs: number;
	readonly server: ServerCpu;
	/** Time on the CPU of the load generator: near `elapsedMs` it was the bottleneck. */
	readonly generatorMs: number;
}
