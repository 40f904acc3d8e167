/** Rounds to text: one line each, then their medians. */
import type { Round } from "./benchmark.ts";

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
}

export function figuresOf(round: Round): Figures {
	const { succeeded, elapsedMs, server, generatorMs, errors } = round;
	const micros = (ms: number): number => (ms * 1000) / succeeded;
	return {
		operationsPerSecond: (succeeded * 1000) / elapsedMs,
		serverMicros: micros(server.totalMs),
		mainMicros: micros(server.mainMs),
		writerMicros: micros(server.writerMs),
		otherMicros: micros(server.totalMs - server.mainMs - server.writerMs),
		generatorMicros: micros(generatorMs),
		errors,
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
	};
}

export function median(values: readonly number[]): number {
	const sorted = values.toSorted((left, right) => left - right);
	const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
	const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
	return (lower + upper) / 2;
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
] as const;

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
