/** Fuzzes the readers of the library: `--help` says how. Those of the edge stand in `packages/edge/test/fuzz`. */
import { fileURLToPath } from "node:url";
import { runFuzzCommand, SLOW_MS } from "./command.ts";
import { createTargets } from "./targets.ts";

process.exitCode = await runFuzzCommand({
	targets: createTargets(),
	module: new URL("targets.ts", import.meta.url).href,
	args: process.argv.slice(2),
	folder: fileURLToPath(new URL("found", import.meta.url)),
	slowMs: SLOW_MS,
});
