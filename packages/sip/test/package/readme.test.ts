/** The example of the README, as it stands there, run by the package's own name. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../..", import.meta.url));
const LINES_TO_READ = 45;

test("README: the example answers an OPTIONS over a pair of streams in memory", () => {
	const text = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
	const [, example] = text.split("```ts\n");
	const code = example?.split("\n```")[0];
	assert.ok(code !== undefined, "the README has no example");
	assert.ok(code.split("\n").length <= LINES_TO_READ, "the example is too long to be read at once");
	const args = ["--conditions=causeway-source", "--input-type=module-typescript", "-"];
	const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: FOLDER, input: code, encoding: "utf8" });
	assert.equal(stderr, "");
	assert.deepEqual([status, stdout], [0, "200 OK\n"]);
});
