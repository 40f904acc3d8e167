import assert from "node:assert/strict";
import { test } from "node:test";
import type { Round } from "./benchmark.ts";
import { figuresOf, formatComparison, formatTable, median, medianFigures, percentile } from "./report.ts";

const round: Round = {
	succeeded: 2_000,
	errors: 1,
	firstError: "SIP/2.0 500 Server Internal Error",
	elapsedMs: 500,
	server: { totalMs: 120, mainMs: 80, writerMs: 30 },
	generatorMs: 20,
};

test("figures are per operation that succeeded, errors are counted", () => {
	assert.deepEqual(figuresOf(round), {
		operationsPerSecond: 4_000,
		serverMicros: 60,
		mainMicros: 40,
		writerMicros: 15,
		otherMicros: 5,
		generatorMicros: 10,
		errors: 1,
		p50Ms: Number.NaN,
		p99Ms: Number.NaN,
	});
});

const medians: readonly (readonly [string, readonly number[], number])[] = [
	["one value", [7], 7],
	["the middle of an odd number, by size and not by text", [100, 9, 20], 20],
	["the mean of the two in the middle of an even number", [1, 10, 4, 2], 3],
];
for (const [name, values, expected] of medians) {
	test(`median: ${name}`, () => assert.equal(median(values), expected));
}

test("medians are taken figure by figure, errors are added up", () => {
	const slower: Round = { ...round, elapsedMs: 1_000, generatorMs: 10 };
	const slowest: Round = { ...round, elapsedMs: 2_000, generatorMs: 30 };
	const figures = medianFigures([round, slower, slowest].map(figuresOf));
	assert.equal(figures.operationsPerSecond, 2_000);
	assert.equal(figures.generatorMicros, 10);
	assert.equal(figures.errors, 3);
});

test("a table has one line of equal length for its head and each row", () => {
	const lines = formatTable([
		["round 1", figuresOf(round)],
		["median", figuresOf(round)],
	]).split("\n");
	assert.equal(lines.length, 3);
	assert.equal(new Set(lines.map(({ length }) => length)).size, 1);
	assert.match(lines[1] ?? "", /^round 1 +4000 +60\.0 +40\.0 +15\.0 +5\.0 +10\.0 +1 +- +-$/);
});

test("a percentile is a value that was measured, by nearest rank", () => {
	const values = Array.from({ length: 200 }, (_, index) => 200 - index);
	assert.equal(percentile(values, 0.99), 198);
	assert.equal(percentile([7], 0.99), 7);
});

test("the subject is compared with the reference of its row, and the goal is not rounded", () => {
	const of = (serverMs: number, latency?: { readonly p50Ms: number; readonly p99Ms: number }) =>
		figuresOf({ ...round, server: { totalMs: serverMs, mainMs: 0, writerMs: 0 }, latency });
	const lines = (own: number): string =>
		formatComparison(
			[
				{ name: "Causeway", role: "subject", median: of(own) },
				{ name: "Kamailio", role: "reference", median: of(100, { p50Ms: 0.5, p99Ms: 2 }) },
				{ name: "copier", role: "beside", median: of(10) },
			],
			0.26,
		);
	assert.match(lines(26), /Causeway: 13\.0 µs\/op; 0\.260 of Kamailio; goal 0\.26: reached/);
	assert.match(lines(26.02), /goal 0\.26: missed/);
	assert.match(lines(26), /Kamailio: 50\.0 µs\/op; p50 0\.500 ms, p99 2\.000 ms\n/);
	assert.match(lines(26), /copier: 5\.0 µs\/op; 0\.100 of Kamailio$/);
});
