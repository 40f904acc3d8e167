/** The command behind `npm run fuzz`: arguments, one line a target, exit code. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { countBranches } from "./coverage.ts";
import { writeFound } from "./found.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { type RunReport, runTarget } from "./run-target.ts";
import { Watchdog } from "./watchdog.ts";

/** Security sheet 3, G3: no run may take longer. */
export const SLOW_MS = 50;
const STALL_MS = 10_000;
/** Runs whose branches are counted, behind the kept inputs. */
const COUNTED_RUNS = 2_000;
const MAX_SEED = 2 ** 32 - 1;

export interface FuzzCommand {
	readonly targets: readonly FuzzTarget[];
	/** URL of the module whose `createTargets` made them. */
	readonly module: string;
	readonly args: readonly string[];
	/** Where inputs go that make a target fail. */
	readonly folder: string;
	/** A run that takes longer each time it is tried fails; without it the worst run is printed and nothing is judged by time. */
	readonly slowMs?: number;
}

interface Wanted {
	readonly seed: number;
	readonly seconds: number | undefined;
	readonly runs: number | undefined;
	readonly targets: readonly FuzzTarget[];
}

function usage(targets: readonly FuzzTarget[]): string {
	return `usage: npm run fuzz -- [--seconds N] [--runs N] [--seed S] [--target NAME …]

  --seconds N    for each target (10)
  --runs N       ends a target after N runs, whatever the time
  --seed S       repeats a run; without it one is drawn and printed
  --target NAME  only this one; may be given several times

${targets.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}
`;
}

/** Runs the command and returns its exit code: 1 where a target failed, 2 on wrong usage. */
export async function runFuzzCommand({ targets, module, args, folder, slowMs }: FuzzCommand): Promise<number> {
	let wanted: Wanted | undefined;
	try {
		wanted = readArguments(targets, args);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage(targets)}`);
		return 2;
	}
	if (wanted === undefined) {
		process.stdout.write(usage(targets));
		return 0;
	}
	return (await runAll(wanted, module, folder, slowMs)) === 0 ? 0 : 1;
}

/** How many targets failed. */
async function runAll(
	{ seed, seconds, runs, targets }: Wanted,
	module: string,
	folder: string,
	slowMs: number | undefined,
): Promise<number> {
	process.stdout.write(`seed ${seed}\n`);
	const watchdog = new Watchdog({ folder, targets: targets.map(({ name }) => name), stallMs: STALL_MS });
	watchdog.start();
	let failed = 0;
	for (const [index, target] of targets.entries()) {
		const report = await runTarget(target, {
			seed,
			...(seconds !== undefined && { seconds }),
			...(runs !== undefined && { runs }),
			...(slowMs !== undefined && { slowMs }),
			now: () => performance.now(),
			begin: (input, run) => watchdog.begin(index, input, run),
		});
		watchdog.begin(index, new Uint8Array(0), 0);
		process.stdout.write(formatReport(target.name, report));
		if (report.failure === undefined) {
			const counted = { name: target.name, inputs: report.kept, seed, runs: Math.min(report.runs, COUNTED_RUNS) };
			const { reached, known } = await countBranches({ ...counted, module });
			process.stdout.write(`  branches ${reached} of ${known}\n`);
			continue;
		}
		failed += 1;
		const path = writeFound(folder, target.name, report.failure.input);
		process.stdout.write(
			`\nFAIL ${target.name}: seed ${seed}, run ${report.failure.run}\n  input: ${path}\n  ${report.failure.reason}\n`,
		);
	}
	await watchdog.close();
	return failed;
}

function formatReport(name: string, report: RunReport): string {
	const { runs, seconds, outcomes, worstMs, worstBytes } = report;
	const rate = Math.round(runs / Math.max(seconds, 0.001));
	return `${name.padEnd(12)} ${runs} runs  ${rate}/s  outcomes ${outcomes}  worst ${worstMs.toFixed(2)} ms (${worstBytes} octets)`;
}

/** Undefined for `--help`; throws where the arguments are wrong. */
function readArguments(targets: readonly FuzzTarget[], args: readonly string[]): Wanted | undefined {
	const { values } = parseArgs({
		args: [...args],
		options: {
			seconds: { type: "string" },
			runs: { type: "string" },
			seed: { type: "string" },
			target: { type: "string", multiple: true },
			help: { type: "boolean", default: false },
		},
	});
	if (values.help) return undefined;
	const names = values.target ?? [];
	const unknown = names.find((name) => !targets.some((target) => target.name === name));
	if (unknown !== undefined) throw new Error(`there is no target ${unknown}`);
	const runs = values.runs === undefined ? undefined : readNumber(values.runs, 1, Number.MAX_SAFE_INTEGER);
	const seconds = values.seconds === undefined ? undefined : readNumber(values.seconds, 1, Number.MAX_SAFE_INTEGER);
	return {
		seed: values.seed === undefined ? randomInt(MAX_SEED) : readNumber(values.seed, 0, MAX_SEED),
		seconds: seconds ?? (runs === undefined ? 10 : undefined),
		runs,
		targets: targets.filter(({ name }) => names.length === 0 || names.includes(name)),
	};
}

function readNumber(text: string, least: number, most: number): number {
	const value = Number(text);
	if (!Number.isInteger(value) || value < least || value > most) {
		throw new Error(`${text} is no whole number from ${least} to ${most}`);
	}
	return value;
}
