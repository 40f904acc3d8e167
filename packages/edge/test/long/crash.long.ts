/**
 * Promise 1 over many kills of the edge: 10 in each phase of a message and 200 at random moments, our user's messages in one run
 * and the partner's in the other. `--phase N` and `--random N` make it shorter, `--only outgoing` or `--only incoming` is one run.
 */
import { parseArgs } from "node:util";
import { type CrashPlan, type CrashReport, runIncoming, runOutgoing } from "../crash/crash-runs.ts";

const option = { type: "string" } as const;
const { values } = parseArgs({ options: { phase: option, random: option, only: option }, strict: false });
const plan: CrashPlan = {
	perPhase: Number(values["phase"] ?? 10),
	atRandom: Number(values["random"] ?? 200),
	log: (text) => process.stderr.write(`${text}\n`),
};

function print(what: string, { broken, fates, kills, messages, unknownReceived }: CrashReport): void {
	const counts = Object.entries(fates).map(([fate, count]) => `${count} ${fate}`);
	process.stdout.write(`${what}: ${kills} kills, ${messages} messages: ${counts.join(", ")}\n`);
	if (fates["unknown"] !== undefined) {
		process.stdout.write(`  of the unknown ones the partner had received ${unknownReceived}\n`);
	}
	for (const fault of broken) process.stdout.write(`  BROKEN: ${fault}\n`);
	if (broken.length > 0) process.exitCode = 1;
}

if (values["only"] !== "incoming") print("our user's messages", await runOutgoing(plan));
if (values["only"] !== "outgoing") print("the partner's messages", await runIncoming(plan));
