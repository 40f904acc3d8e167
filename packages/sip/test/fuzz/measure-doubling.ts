/** Measures whether a reader takes time in proportion to its input: the same kind of input, twice as long each time. */

export interface DoublingCase {
	/** The reader, and what its input is made of. */
	readonly name: string;
	/** An input of about so many octets. */
	readonly create: (bytes: number) => Uint8Array;
	readonly run: (input: Uint8Array) => unknown;
}

export interface DoublingFigures {
	readonly name: string;
	/** Milliseconds of one run at each size. */
	readonly times: readonly number[];
	/** The largest growth from one size to the next among times long enough to tell: 2 is linear, 4 is quadratic. */
	readonly ratio: number;
}

export const DOUBLING_BYTES: readonly number[] = [8_192, 16_384, 32_768, 65_000];

/** A ratio above this is worth a look. */
export const SUSPICIOUS_RATIO = 3;
const SHORTEST_TELLING_MS = 0.5;
const MOST_MEASUREMENTS = 4;
const ROUNDS = 7;
const ROUND_MS = 4;

/** Measures again while the outcome is suspicious: what is not linear stays so, what a busy machine did does not. */
export async function measureDoubling({ name, create, run }: DoublingCase): Promise<DoublingFigures> {
	const inputs = DOUBLING_BYTES.map((bytes) => create(bytes));
	const times = inputs.map(() => Number.POSITIVE_INFINITY);
	for (let count = 0; count < MOST_MEASUREMENTS; count += 1) {
		for (const [index, input] of inputs.entries()) {
			times[index] = Math.min(times[index] ?? 0, await shortestRun(input, run));
		}
		if (largestRatio(times) <= SUSPICIOUS_RATIO) break;
	}
	return { name, times, ratio: largestRatio(times) };
}

function largestRatio(times: readonly number[]): number {
	let ratio = 0;
	for (const [index, time] of times.entries()) {
		const before = times[index - 1];
		if (before !== undefined && time >= SHORTEST_TELLING_MS) ratio = Math.max(ratio, time / before);
	}
	return ratio;
}

/** Prints a table; returns how many cases are suspicious. */
export async function printDoubling(cases: readonly DoublingCase[]): Promise<number> {
	process.stdout.write(
		`${"milliseconds at".padEnd(44)}${DOUBLING_BYTES.map((bytes) => String(bytes).padStart(9)).join("")}    ratio\n`,
	);
	let suspicious = 0;
	for (const item of cases) {
		const { name, times, ratio } = await measureDoubling(item);
		const isSuspicious = ratio > SUSPICIOUS_RATIO;
		if (isSuspicious) suspicious += 1;
		const columns = times.map((time) => time.toFixed(3).padStart(9)).join("");
		process.stdout.write(
			`${name.padEnd(44)}${columns}${ratio.toFixed(1).padStart(9)}${isSuspicious ? "  not linear" : ""}\n`,
		);
	}
	return suspicious;
}

/** The shortest mean of several rounds, each long enough; time of the processor, so that a busy machine does not count. */
async function shortestRun(input: Uint8Array, run: (input: Uint8Array) => unknown): Promise<number> {
	let shortest = Number.POSITIVE_INFINITY;
	for (let round = 0; round < ROUNDS; round += 1) {
		const started = process.cpuUsage();
		let count = 0;
		let took = 0;
		do {
			const outcome = run(input);
			if (outcome instanceof Promise) await outcome;
			count += 1;
			const { user, system } = process.cpuUsage(started);
			took = (user + system) / 1_000;
		} while (took < ROUND_MS);
		shortest = Math.min(shortest, took / count);
	}
	return shortest;
}
