/** Parsing and forwarding, beside other libraries in the same run: `npm run bench -- sip-library [--rounds N]`. */
import assert from "node:assert/strict";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { createLazyDrachtio, createOthers, createOurs, type Library, type Values } from "./libraries.ts";
import { SAMPLES } from "./samples.ts";

const { values: options } = parseArgs({ options: { rounds: { type: "string", default: "60" } } });
const rounds = Number(options.rounds);

const ours = createOurs();
const others = await createOthers();
const lazy = createLazyDrachtio();
let sink: unknown;

print(
	`${cpus()[0]?.model.trim()}, ${cpus().length} cores; Node.js ${process.versions.node}; ${rounds} rounds, the fastest counts`,
);
for (const { name, octets } of SAMPLES) {
	const expected = ours.values(ours.parse(Buffer.from(octets)));
	for (const library of others) compare(library, expected, library.values(library.parse(Buffer.from(octets))), name);
}

const table: [string, ...number[]][] = [];
for (const library of [ours, ...others, lazy])
	table.push([library.name, ...SAMPLES.map(() => Number.POSITIVE_INFINITY)]);
const instantMessage = Buffer.from(SAMPLES[0]?.octets ?? []);
const rewriters = [...others, lazy].flatMap(({ name, rewrite, runs }) =>
	rewrite ? [{ name, rewrite, runs, best: Number.POSITIVE_INFINITY }] : [],
);
let forward = Number.POSITIVE_INFINITY;
// In turns, so that what else the machine does falls on all of them.
for (let round = 0; round < rounds; round += 1) {
	for (const [row, { parse, runs }] of [ours, ...others, lazy].entries()) {
		for (const [column, { octets }] of SAMPLES.entries()) {
			const figures = table[row];
			const input = Buffer.from(octets);
			if (figures !== undefined)
				figures[column + 1] = Math.min(
					Number(figures[column + 1]),
					time(() => parse(input), runs),
				);
		}
	}
	for (const rewriter of rewriters)
		rewriter.best = Math.min(
			rewriter.best,
			time(() => rewriter.rewrite(instantMessage), rewriter.runs),
		);
	forward = Math.min(
		forward,
		time(() => ours.forward(instantMessage), ours.runs),
	);
}

print(
	`\n${"parse, µs".padEnd(32)}${SAMPLES.map(({ name, octets }) => `${name} ${octets.length}`.padStart(14)).join("")}`,
);
for (const [name, ...figures] of table)
	print(name.padEnd(32) + figures.map((figure) => figure.toFixed(2).padStart(14)).join(""));
const fastest = SAMPLES.map((_, column) => Math.min(...table.slice(1, -1).map((row) => Number(row[column + 1]))));
print(
	"fastest other / ours".padEnd(32) +
		fastest.map((figure, column) => (figure / Number(table[0]?.[column + 1])).toFixed(2).padStart(14)).join(""),
);
print(`\n${"MESSAGE, µs".padEnd(46)}${"ours / it".padStart(10)}`);
print(`${"@causeway/sip parse, modify, serialize".padEnd(38)}${forward.toFixed(2).padStart(8)}`);
for (const { name, best } of rewriters) {
	print(
		`${`${name}: parse, stringify`.padEnd(38)}${best.toFixed(2).padStart(8)}${(forward / best).toFixed(2).padStart(10)}`,
	);
}
assert.ok(sink !== undefined);

/** Microseconds of one run, of the processor: garbage collection counts, what else the machine does does not. */
function time(run: () => unknown, runs: number): number {
	const started = process.cpuUsage();
	for (let count = 0; count < runs; count += 1) sink = run();
	const { user, system } = process.cpuUsage(started);
	return (user + system) / runs;
}

/** What a library decodes must be what we decode; what it leaves as text is said. */
function compare(library: Library, expected: Values, actual: Values, sample: string): void {
	const undecoded: string[] = [];
	for (const [name, value] of Object.entries(expected)) {
		if (!(name in actual)) undecoded.push(name);
		else assert.equal(actual[name], value, `${library.name} reads ${name} of the ${sample} otherwise`);
	}
	if (undecoded.length > 0) print(`${library.name} leaves undecoded in the ${sample}: ${undecoded.join(", ")}`);
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}
