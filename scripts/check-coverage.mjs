// Checks that the tests reach every branch of what must not err: framer, parser, URIs and addresses, header signature,
// names in certificates and the verdict about them.
// Usage: node scripts/check-coverage.mjs. Prints a table; exits 1 where a test fails or a branch is not reached.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { findPinnedNode } from "../packages/edge/bin/find-node.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const SOURCE = "packages/sip/src";
const CERTIFICATE = "packages/edge/src/federation/certificate";
const SIGNATURE = "packages/edge/src/federation/signature";
const PROXY = "packages/edge/src/proxy";
/** Files in which every branch is reached. */
const COVERED = [
	`${SOURCE}/message/framer.ts`,
	`${SOURCE}/message/head-index.ts`,
	`${SOURCE}/message/field-places.ts`,
	`${SOURCE}/message/head-splices.ts`,
	`${SOURCE}/message/octet-frame.ts`,
	`${SOURCE}/message/parse.ts`,
	`${SOURCE}/header/name-addr.ts`,
	// Where a relayed request goes, also past the parser.
	...[
		"dialog-route",
		"head-edits",
		"octet-text",
		"opening-request",
		"opening-response",
		"opening-way",
		"passage-memory",
		"short-request",
		"short-response",
		"short-transactions",
		"short-way",
	].map((name) => `${PROXY}/${name}.ts`),
	`${PROXY}/route-check.ts`,
	`${PROXY}/route-values.ts`,
	...globSync([`${SOURCE}/uri/*.ts`, `${SIGNATURE}/*.ts`]).filter((path) => !/(\.test|testing)\.ts$/.test(path)),
	...["build-path", "check-path", "name-constraints", "names", "verdict", "verify-chain"].map(
		(name) => `${CERTIFICATE}/${name}.ts`,
	),
].sort();
const TESTS = globSync([
	`${SOURCE}/{message,uri,header}/*.test.ts`,
	"packages/sip/test/torture/*.test.ts",
	`${SIGNATURE}/*.test.ts`,
	`${CERTIFICATE}/{verify-chain,revocation}.test.ts`,
	`${PROXY}/*.test.ts`,
]).sort();

const pinned = findPinnedNode(import.meta.url);
if (pinned !== undefined && pinned !== process.execPath) {
	// Which branches there are is for the engine to say: always ask the same one.
	const again = spawnSync(pinned, [fileURLToPath(import.meta.url)], { stdio: "inherit" });
	process.exit(again.status ?? 1);
}

/** Runs the tests; the summary of `node:test`, and what failed. */
async function measure() {
	const failures = [];
	let summary;
	let passed = 0;
	const stream = run({
		files: TESTS,
		concurrency: 2,
		execArgv: ["--conditions=causeway-source"],
		coverage: true,
		coverageIncludeGlobs: COVERED,
	});
	for await (const { type, data } of stream) {
		if (type === "test:coverage") summary = data.summary;
		else if (type === "test:fail") failures.push(`${relative(root, data.file ?? "")}: ${data.name}`);
		else if (type === "test:pass") passed += 1;
	}
	return { summary, passed, failures };
}

/** Branches not reached, as `line: its text`. A line with several of them is named once. */
function missedBranches(file) {
	const lines = readFileSync(file.path, "utf8").split("\n");
	const numbers = new Set(file.branches.filter(({ count }) => count === 0).map(({ line }) => line));
	return [...numbers].map((line) => `${line}: ${(lines[line - 1] ?? "").trim()}`);
}

const { summary, passed, failures } = await measure();
const found = new Map((summary?.files ?? []).map((file) => [relative(root, file.path).replaceAll("\\", "/"), file]));
const wrong = failures.map((name) => `failed: ${name}`);
if (passed === 0) wrong.push("no test ran");

const width = Math.max(...COVERED.map((path) => path.length));
process.stdout.write(`${"file".padEnd(width)}  branches  reached\n`);
for (const path of COVERED) {
	const file = found.get(path);
	if (file === undefined) {
		wrong.push(`${path}: no test loads it`);
		continue;
	}
	const { totalBranchCount, coveredBranchCount } = file;
	process.stdout.write(
		`${path.padEnd(width)}  ${String(totalBranchCount).padStart(8)}  ${String(coveredBranchCount).padStart(7)}\n`,
	);
	if (coveredBranchCount < totalBranchCount) {
		wrong.push(...missedBranches(file).map((branch) => `${path}:${branch}`));
	}
}
for (const line of wrong) process.stdout.write(`${line}\n`);
process.stdout.write(wrong.length === 0 ? `every branch is reached (${passed} tests)\n` : "coverage: not complete\n");
process.exit(wrong.length === 0 ? 0 : 1);
