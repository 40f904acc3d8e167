import assert from "node:assert/strict";
import { test } from "node:test";
import type { Round } from "./benchmark.ts";
import { figuresOf, formatTable, median, medianFigures } from "./report.ts";

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
	assert.match(lines[1] ?? "", /^round 1 +4000 +60\.0 +40\.0 +15\.0 +5\.0 +10\.0 +1$/);
});
