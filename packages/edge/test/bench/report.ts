/** Rounds to text: one line each, then their medians. */
import type { Contender, Round } from "./benchmark.ts";

/** What is said of one round; microseconds of CPU are per operation. */
export interface Figures {
	readonly operationsPerSecond: number;
	readonly serverMicros: number;
	readonly mainMicros: number;
	readonly writerMicros: number;
	/** Garbage collection and compilation beside the event loop, and the thread pool. */
	readonly otherMicros: number;
	readonly generatorMicros: number;
	readonly errors: number;
	/** Round trips; not a number where the rate is not fixed. */
	readonly p50Ms: number;
	readonly p99Ms: number;
}

export function figuresOf(round: Round): Figures {
	const { succeeded, elapsedMs, server, generatorMs, errors, latency } = round;
	const micros = (ms: number): number => (ms * 1000) / succeeded;
	return {
		operationsPerSecond: (succeeded * 1000) / elapsedMs,
		serverMicros: micros(server.totalMs),
		mainMicros: micros(server.mainMs),
		writerMicros: micros(server.writerMs),
		otherMicros: micros(server.totalMs - server.mainMs - server.writerMs),
		generatorMicros: micros(generatorMs),
		errors,
		p50Ms: latency?.p50Ms ?? Number.NaN,
		p99Ms: latency?.p99Ms ?? Number.NaN,
	};
}

/** The middle of an odd number of rounds, the mean of the two in the middle of an even one; each figure for itself. */
export function medianFigures(rounds: readonly Figures[]): Figures {
	const of = (name: keyof Figures): number => median(rounds.map((figures) => figures[name]));
	return {
		operationsPerSecond: of("operationsPerSecond"),
		serverMicros: of("serverMicros"),
		mainMicros: of("mainMicros"),
		writerMicros: of("writerMicros"),
		otherMicros: of("otherMicros"),
		generatorMicros: of("generatorMicros"),
		errors: rounds.reduce((sum, { errors }) => sum + errors, 0),
		p50Ms: of("p50Ms"),
		p99Ms: of("p99Ms"),
	};
}

export function median(values: readonly number[]): number {
	const sorted = values.toSorted((left, right) => left - right);
	const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
	const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
	return (lower + upper) / 2;
}

/** The value below which this share of all lies (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((left, right) => left - right);
	return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** What is said of one contender beside its own table. */
export interface Compared {
	readonly name: string;
	readonly role: Contender["role"];
	readonly median: Figures;
}

/** How each stands to the reference of the row, one line each, and whether the subject reaches the goal. */
export function formatComparison(compared: readonly Compared[], goal: number | undefined): string {
	const reference = compared.find(({ role }) => role === "reference");
	return compared
		.map(({ name, role, median: own }) => {
			const said = [`${own.serverMicros.toFixed(1)} µs/op`];
			if (!Number.isNaN(own.p50Ms)) said.push(`p50 ${own.p50Ms.toFixed(3)} ms, p99 ${own.p99Ms.toFixed(3)} ms`);
			if (reference !== undefined && role !== "reference") {
				const ratio = own.serverMicros / reference.median.serverMicros;
				said.push(`${ratio.toFixed(3)} of ${reference.name}`);
				if (role === "subject" && goal !== undefined) {
					said.push(`goal ${goal}: ${ratio <= goal ? "reached" : "missed"}`);
				}
			}
			return `  ${name}: ${said.join("; ")}`;
		})
		.join("\n");
}

const COLUMNS = [
	"",
	"ops/s",
	"server µs/op",
	"main thread",
	"store writer",
	"other threads",
	"generator µs/op",
	"errors",
	"p50 ms",
	"p99 ms",
] as const;

function formatMs(value: number): string {
	return Number.isNaN(value) ? "-" : value.toFixed(3);
}

/** A table with one row for each entry, numbers to the right. */
export function formatTable(rows: readonly (readonly [label: string, figures: Figures])[]): string {
	const cells = rows.map(([label, figures]) => [
		label,
		figures.operationsPerSecond.toFixed(0),
		figures.serverMicros.toFixed(1),
		figures.mainMicros.toFixed(1),
		figures.writerMicros.toFixed(1),
		figures.otherMicros.toFixed(1),
		figures.generatorMicros.toFixed(1),
		String(figures.errors),
		formatMs(figures.p50Ms),
		formatMs(figures.p99Ms),
	]);
	const table = [COLUMNS, ...cells];
	const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
	return table
		.map((row) =>
			row
				.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
				.join("  "),
		)
		.join("\n");
}
