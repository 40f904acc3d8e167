/** `npm run bench [-- name …]`: runs benchmarks and prints their figures; without names, all of them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Benchmark, BenchmarkSettings, Contender, Subject } from "./benchmark.ts";
import { handshake } from "./handshake.ts";
import { imBenchmarks } from "./hosted-im.ts";
import { chooseCores, describeMachine } from "./machine.ts";
import { presenceBenchmarks } from "./presence.ts";
import { relayBenchmarks } from "./relay.ts";
import { type Figures, figuresOf, formatComparison, formatTable, medianFigures } from "./report.ts";

const BENCHMARKS: readonly Benchmark[] = [...imBenchmarks, handshake, ...presenceBenchmarks, ...relayBenchmarks];

const USAGE = `usage: npm run bench -- [--rounds N] [--operations N] [--alone] [--cpu-prof FOLDER] [name …]

${BENCHMARKS.map(({ name, summary }) => `  ${name}  ${summary}`).join("\n")}

A name stands for that benchmark, or for every one that begins with it: relay, presence. Each runs its contenders in turns.

  --rounds N         rounds of each contender, in turns (3)
  --operations N     operations of a round, instead of each benchmark's own number
  --alone            Causeway without anything to compare it with
  --cpu-prof FOLDER  writes the servers' CPU profiles there; the figures of such a run do not count
`;

class WrongUsage extends Error {
	override readonly name = "WrongUsage";
}

interface Wanted {
	readonly benchmarks: readonly Benchmark[];
	readonly rounds: number;
	readonly operations: number | undefined;
	readonly profileFolder: string | undefined;
}

/** Undefined for `--help`; throws where the arguments are wrong. */
function readArguments(args: readonly string[]): Wanted | undefined {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: {
			rounds: { type: "string", default: "3" },
			operations: { type: "string" },
			alone: { type: "boolean", default: false },
			"cpu-prof": { type: "string" },
			help: { type: "boolean", default: false },
		},
	});
	if (values.help) return undefined;
	const unknown = positionals.find((name) => !BENCHMARKS.some((benchmark) => isNamed(benchmark, name)));
	if (unknown !== undefined) throw new WrongUsage(`there is no benchmark ${unknown}`);
	const profile = values["cpu-prof"];
	return {
		benchmarks: BENCHMARKS.filter(
			(benchmark) => positionals.length === 0 || positionals.some((wanted) => isNamed(benchmark, wanted)),
		).map((benchmark) => (values.alone ? withoutReferences(benchmark) : benchmark)),
		rounds: readCount(values.rounds),
		operations: values.operations === undefined ? undefined : readCount(values.operations),
		profileFolder: profile === undefined ? undefined : resolve(profile),
	};
}

function isNamed({ name }: Benchmark, wanted: string): boolean {
	const isWhole = BENCHMARKS.some((benchmark) => benchmark.name === wanted);
	return name === wanted || (!isWhole && name.startsWith(`${wanted}-`));
}

function withoutReferences(benchmark: Benchmark): Benchmark {
	return { ...benchmark, contenders: benchmark.contenders.filter(({ role }) => role === "subject") };
}

function readCount(text: string): number {
	const count = Number(text);
	if (!Number.isInteger(count) || count < 1) throw new WrongUsage(`${text} is not a whole number from 1`);
	return count;
}

/** Runs everything and prints it; the number of errors. */
async function runBenchmarks({ benchmarks, rounds, operations, profileFolder }: Wanted): Promise<number> {
	const scratch = mkdtempSync(join(tmpdir(), "causeway-bench-"));
	process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
	if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
	const cores = chooseCores();
	print(describeMachine());
	print(
		cores === undefined
			? "processes not pinned"
			: `server pinned to core ${cores.server}, generator to core ${cores.generator}`,
	);
	let errors = 0;
	for (const benchmark of benchmarks) {
		const folder = join(scratch, benchmark.name);
		mkdirSync(folder);
		errors += await runBenchmark(benchmark, rounds, { folder, profileFolder, cores, operations });
	}
	return errors;
}

interface Entrant {
	readonly contender: Contender;
	readonly subject: Subject;
	readonly figures: Figures[];
}

async function runBenchmark(benchmark: Benchmark, rounds: number, settings: BenchmarkSettings): Promise<number> {
	const entrants: Entrant[] = [];
	let errors = 0;
	print(`\n${benchmark.name}: ${benchmark.summary}`);
	try {
		for (const [index, contender] of benchmark.contenders.entries()) {
			const folder = join(settings.folder, String(index));
			mkdirSync(folder);
			entrants.push({ contender, subject: await contender.open({ ...settings, folder }), figures: [] });
		}
		// In turns, so that what else the machine does falls on all of them.
		for (let round = 0; round < rounds; round += 1) {
			for (const { contender, subject, figures } of entrants) {
				const result = await subject.round();
				figures.push(figuresOf(result));
				errors += result.errors;
				if (result.firstError !== undefined) print(`${contender.name}, round ${round + 1}: ${result.firstError}`);
			}
		}
	} finally {
		await Promise.all(entrants.map(({ subject }) => subject.close()));
	}
	for (const { contender, subject, figures } of entrants) {
		print(`\n${contender.name}: ${subject.setup}`);
		print(
			formatTable([
				...figures.map((round, index) => [`round ${index + 1}`, round] as const),
				["median", medianFigures(figures)],
			]),
		);
	}
	print("\nmedians:");
	print(
		formatComparison(
			entrants.map(({ contender: { name, role }, figures }) => ({ name, role, median: medianFigures(figures) })),
			benchmark.goal,
		),
	);
	return errors;
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}

process.once("SIGINT", () => process.exit(130));
try {
	const wanted = readArguments(process.argv.slice(2));
	if (wanted === undefined) print(USAGE);
	else process.exitCode = (await runBenchmarks(wanted)) === 0 ? 0 : 1;
} catch (error) {
	process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
	const isUsage =
		error instanceof WrongUsage ||
		(error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
	process.exitCode = isUsage ? 2 : 1;
}
