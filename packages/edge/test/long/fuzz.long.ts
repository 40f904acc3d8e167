/**
 * Security sheet 3, G3: 10^7 runs of each fuzz target of the edge. Takes the options of \`npm run fuzz\`; the worst single run is
 * printed, and only what a reader does wrong fails.
 */
import { fileURLToPath } from "node:url";
import { runFuzzCommand } from "../../../sip/test/fuzz/command.ts";
import { createTargets } from "../fuzz/targets.ts";

const RUNS = 10_000_000;

const given = process.argv.slice(2);
const isBounded = given.some((arg) => /^--(runs|seconds|help)\b/.test(arg));
process.exitCode = await runFuzzCommand({
	targets: createTargets(),
	module: new URL("../fuzz/targets.ts", import.meta.url).href,
	args: isBounded ? given : [...given, "--runs", String(RUNS)],
	folder: fileURLToPath(new URL("../fuzz/found", import.meta.url)),
});
