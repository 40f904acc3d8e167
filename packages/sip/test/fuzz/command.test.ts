import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

function fuzz(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
	const main = fileURLToPath(new URL("main.ts", import.meta.url));
	return spawnSync(process.execPath, ["--conditions=causeway-source", main, ...args], { encoding: "utf8" });
}

test("fuzz prints the seed, and a line with runs, outcomes, the worst run and branches for each target", () => {
	const { status, stdout, stderr } = fuzz("--runs", "300", "--seed", "42", "--target", "via");
	assert.equal(stderr, "");
	const [seed, line] = stdout.split("\n");
	assert.equal(seed, "seed 42");
	assert.match(
		line ?? "",
		/^via +300 runs {2}\d+\/s {2}outcomes \d+ {2}worst [\d.]+ ms \(\d+ octets\) {2}branches \d+ of \d+$/,
	);
	assert.equal(status, 0);
});

test("fuzz --help names every target", () => {
	const { status, stdout } = fuzz("--help");
	assert.equal(status, 0);
	for (const name of ["framer", "message", "uri", "name-addr", "via", "sdp", "pidf"]) {
		assert.match(stdout, new RegExp(`^ +${name} `, "m"));
	}
});

test("wrong usage of fuzz exits with 2 and says why", () => {
	for (const [args, reason] of [
		[["--target", "nothing"], /there is no target nothing/],
		[["--seed", "-1"], /./],
		[["--runs", "1.5"], /1\.5 is no whole number/],
		[["--bogus"], /bogus/],
	] as const) {
		const { status, stderr } = fuzz(...args);
		assert.equal(status, 2, args.join(" "));
		assert.match(stderr, reason);
	}
});
