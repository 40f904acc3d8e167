/** Fuzzes the readers of the edge: `--help` says how. */
import { fileURLToPath } from "node:url";
import { runFuzzCommand, SLOW_MS } from "../../../sip/test/fuzz/command.ts";
import { createTargets } from "./targets.ts";

process.exitCode = await runFuzzCommand({
	targets: createTargets(),
	module: new URL("targets.ts", import.meta.url).href,
	args: process.argv.slice(2),
	folder: fileURLToPath(new URL("found", import.meta.url)),
	slowMs: SLOW_MS,
});
