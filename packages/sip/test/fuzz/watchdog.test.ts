import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readFound } from "./found.ts";

/** Should the watchdog not bite, the process still ends, by another signal. */
const GIVE_UP_MS = 30_000;

test("a run that never ends is written down and ends the process", (context) => {
	const folder = mkdtempSync(join(tmpdir(), "causeway-fuzz-"));
	context.after(() => rmSync(folder, { recursive: true }));
	const program = fileURLToPath(new URL("endless-run.ts", import.meta.url));
	const { signal, stderr } = spawnSync(process.execPath, [program, folder], { encoding: "utf8", timeout: GIVE_UP_MS });
	assert.equal(signal, "SIGKILL", stderr);
	assert.match(stderr, /FAIL second: run 2 did not end/);
	assert.deepEqual(
		readFound(folder).map(({ target, octets }) => [target, Buffer.from(octets).toString()]),
		[["second", "endless"]],
	);
});
