/**
 * 10,000 odd bodies, more than 200 MB, from one peer: all content types, broken charsets, nested multipart, compressed bombs. Each is
 * refused with a right status or becomes safe text, the edge lives, its memory is bounded, and another peer's round trips are
 * printed beside those without the flood. Fails on correctness alone. `--seed N`, `--bodies N`.
 */
import { parseArgs } from "node:util";
import { runFlood } from "../odd-bodies/flood.ts";
import type { QuietReport } from "../odd-bodies/quiet-peer.ts";

const option = { type: "string" } as const;
const { values } = parseArgs({ options: { seed: option, bodies: option }, strict: false });
const seed = Number(values["seed"] ?? Math.floor(Math.random() * 1_000_000));
const bodies = Number(values["bodies"] ?? 10_000);
/** What 200 MB that were kept would pass. */
const MOST_GROWTH_MIB = 512;

function describe({ messages, p50Ms, p99Ms, longestMs }: QuietReport): string {
	return `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, longest ${longestMs.toFixed(0)} ms (${messages} messages)`;
}

process.stdout.write(`seed ${seed}\n`);
const report = await runFlood({ seed, bodies, quietMs: 20_000 });
const { before, most } = report.memoryMiB;
const broken = [...report.broken];
if (most - before > MOST_GROWTH_MIB) broken.push(`the edge grew by ${Math.round(most - before)} MiB`);
process.stdout.write(`${report.bodies} bodies, ${(report.octets / 1e6).toFixed(0)} MB, ${(report.elapsedMs / 1000).toFixed(0)} s
answers: ${Object.entries(report.statuses)
	.map(([status, count]) => `${count} × ${status}`)
	.join(", ")}; ${report.texts} texts
another peer without the flood: ${describe(report.before)}
another peer during the flood:  ${describe(report.during)}
memory of the edge: ${before.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most
`);
for (const fault of broken) process.stdout.write(`BROKEN: ${fault}\n`);
process.exitCode = broken.length > 0 ? 1 : 0;
