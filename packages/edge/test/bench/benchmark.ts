/** What a benchmark is made of, and what one round of it gives. */

export interface BenchmarkSettings {
	/** Scratch folder of this contender, removed at the end of the run. */
	readonly folder: string;
	/** Where the server's CPU profiles are written; undefined: none are taken, as in every run whose figures count. */
	readonly profileFolder: string | undefined;
	/** Cores that the processes are pinned to; undefined: the machine has but one, or no `taskset`. */
	readonly cores: { readonly server: number; readonly generator: number } | undefined;
	/** Operations of one round; undefined: the benchmark's own number. */
	readonly operations: number | undefined;
}

/** One row of the figures to reach: the same work done by several servers in turns. */
export interface Benchmark {
	readonly name: string;
	/** One line: the work, and what counts as one operation. */
	readonly summary: string;
	/** Ratio of CPU per operation to reach, `subject` to `reference`; undefined where none is set. */
	readonly goal: number | undefined;
	readonly contenders: readonly Contender[];
}

export interface Contender {
	readonly name: string;
	/** `subject` is what is measured, `reference` what it is compared with, `beside` what only stands beside. */
	readonly role: "subject" | "reference" | "beside";
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
	/** All processes of the server and all their threads, those that have ended too. */
	readonly totalMs: number;
	/** The thread that runs the event loop. */
	readonly mainMs: number;
	/** The thread that writes the store. */
	readonly writerMs: number;
}

export interface Latency {
	readonly p50Ms: number;
	readonly p99Ms: number;
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
	/** From request to final response; only where the rate is fixed. */
	readonly latency?: Latency | undefined;
}
