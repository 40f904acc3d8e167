/**
 * Mutation tests of framer, parser, URIs and addresses: every small change of these sources is tried, and at least 85 in a
 * hundred must make a test fail. `--file NAME` tries those whose path holds the word.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type MutationTarget, runMutants } from "../mutation/run-mutants.ts";

const LEAST_PERCENT = 85;

const FRAMER = "src/message/framer.test.ts";
const HEAD = "src/message/head-index.test.ts";
const MESSAGE = "src/message/message.test.ts";
const HEADER = "src/header/header.test.ts";
const URI = "src/uri/uri.test.ts";
const TORTURE = "test/torture/torture.test.ts";

const TARGETS: readonly MutationTarget[] = [
	{ file: "message/framer.ts", tests: [FRAMER, TORTURE] },
	{ file: "message/head-index.ts", tests: [HEAD, FRAMER, MESSAGE, TORTURE] },
	{ file: "message/parse.ts", tests: [MESSAGE, TORTURE] },
	{ file: "header/name-addr.ts", tests: [HEADER, TORTURE] },
	{ file: "uri/aor.ts", tests: [URI] },
	{ file: "uri/compare-uris.ts", tests: [URI] },
	{ file: "uri/format-uri.ts", tests: [URI] },
	{ file: "uri/host.ts", tests: [URI, HEADER, TORTURE] },
	{ file: "uri/params.ts", tests: [URI, HEADER] },
	{ file: "uri/parse-uri.ts", tests: [URI, TORTURE] },
	{ file: "uri/plain-name.ts", tests: [URI, HEADER] },
	{ file: "uri/plain-uri.ts", tests: [URI, HEADER] },
	{ file: "uri/uri.ts", tests: [URI] },
];

interface Equivalent {
	/** As the suite prints it. */
	readonly mutant: string;
	/** Why no test can notice it. */
	readonly reason: string;
}

const { values } = parseArgs({ options: { file: { type: "string" } } });
const equivalents = JSON.parse(
	readFileSync(new URL("../mutation/equivalent.json", import.meta.url), "utf8"),
) as readonly Equivalent[];
const leftOut = new Set(equivalents.map(({ mutant }) => mutant));
const targets = TARGETS.filter(({ file }) => values.file === undefined || file.includes(values.file));

const counts = new Map(targets.map(({ file }) => [file, { killed: 0, endless: 0, survived: 0 }]));
const found = new Set<string>();
const survivors: string[] = [];
for (const target of targets) {
	const count = { killed: 0, endless: 0, survived: 0 };
	counts.set(target.file, count);
	await runMutants(
		target,
		(id) => leftOut.has(id) && found.add(id).size > 0,
		(mutant, outcome) => {
			count[outcome] += 1;
			if (outcome === "survived") survivors.push(`${mutant.line.toString().padStart(4)} ${mutant.id}`);
		},
	);
}

const total = { killed: 0, endless: 0, survived: 0 };
process.stdout.write(`${"file".padEnd(24)}  killed  endless  survived  percent\n`);
for (const [file, { killed, endless, survived }] of counts) {
	total.killed += killed;
	total.endless += endless;
	total.survived += survived;
	printRow(file, killed, endless, survived);
}
printRow("all", total.killed, total.endless, total.survived);
process.stdout.write(`left out as equivalent: ${found.size}\n`);
for (const survivor of survivors.sort()) process.stdout.write(`survived: ${survivor}\n`);
const stale = values.file === undefined ? [...leftOut].filter((id) => !found.has(id)) : [];
for (const id of stale) process.stdout.write(`no such mutant any more: ${id}\n`);
const noticed = percent(total.killed + total.endless, total.survived);
if (noticed < LEAST_PERCENT) process.stdout.write(`fewer than ${LEAST_PERCENT} percent were noticed\n`);
process.exitCode = noticed < LEAST_PERCENT || stale.length > 0 ? 1 : 0;

function percent(noticed: number, survived: number): number {
	return (100 * noticed) / Math.max(noticed + survived, 1);
}

function printRow(name: string, killed: number, endless: number, survived: number): void {
	const columns = [String(killed).padStart(6), String(endless).padStart(7), String(survived).padStart(8)];
	process.stdout.write(
		`${name.padEnd(24)}  ${columns.join("  ")}  ${percent(killed + endless, survived)
			.toFixed(1)
			.padStart(7)}\n`,
	);
}
