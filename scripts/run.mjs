// Runs the project's tasks with the pinned Node.js, so that they work on a machine whose own Node.js is 20 or newer.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode } from "../packages/edge/bin/find-node.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const node = findNode(import.meta.url);
if (node === undefined) {
	process.stderr.write("no Node.js that can run Causeway: run `npm ci` first (it installs the pinned one)\n");
	process.exit(1);
}
const env = { ...process.env, PATH: `${join(node, "..")}:${process.env.PATH}` };
const SOURCE = "--conditions=causeway-source";

function run(label, command, args, extraEnv = {}) {
	const result = spawnSync(command, args, { stdio: "inherit", env: { ...env, ...extraEnv } });
	if (result.error !== undefined) process.stderr.write(`${label}: ${result.error.message}\n`);
	return result.status ?? 1;
}

/** TypeScript 7 checks and compiles; `typescript` itself stays at 6 for dependency-cruiser, which needs its programming interface. */
const TSC = join("node_modules", "typescript-7", "bin", "tsc");

function bin(name) {
	return join("node_modules", ".bin", name);
}

/** What the pages for browsers are made of, and the file that a build writes. */
const WEB_SOURCES = ["packages/web", "packages/admin/src", "package-lock.json"];
const WEB_BUILT = join("packages", "web", "dist", "index.html");

/** Latest change below a file or folder, built files and installed packages left out; milliseconds since 1970. */
function changedAt(path) {
	const status = statSync(path);
	if (!status.isDirectory()) return status.mtimeMs;
	const inside = readdirSync(path)
		.filter((name) => name !== "dist" && name !== "node_modules" && name !== "test")
		.map((name) => changedAt(join(path, name)));
	// The folder of the package itself changes with every build; those in it, when a source comes or goes.
	return Math.max(path === WEB_SOURCES[0] ? 0 : status.mtimeMs, ...inside);
}

/** Builds the pages for browsers where they are missing or older than their sources. */
function buildWeb() {
	const builtAt = existsSync(WEB_BUILT) ? statSync(WEB_BUILT).mtimeMs : 0;
	if (builtAt > Math.max(...WEB_SOURCES.map(changedAt))) return 0;
	const started = Date.now();
	process.stdout.write("building the web chat … ");
	const status = run("vite", node, [
		join("node_modules", "vite", "bin", "vite.js"),
		"build",
		"packages/web",
		"--logLevel",
		"warn",
	]);
	process.stdout.write(status === 0 ? `done (${((Date.now() - started) / 1000).toFixed(1)} s)\n` : "failed\n");
	return status;
}

/** Compiles everything for publishing. */
function build() {
	return run("tsc", node, [TSC, "-b", "packages/edge/tsconfig.build.json"]) || buildWeb();
}

/** Every file below `packages/* /{src,test}` whose name ends with `.test.ts`. */
function testFiles() {
	const found = [];
	const walk = (folder) => {
		for (const entry of readdirSync(folder, { withFileTypes: true })) {
			if (entry.name === "node_modules" || entry.name === "dist") continue;
			const path = join(folder, entry.name);
			if (entry.isDirectory()) walk(path);
			else if (entry.name.endsWith(".test.ts")) found.push(path);
		}
	};
	for (const name of readdirSync("packages")) {
		for (const part of ["src", "test"]) {
			const folder = join("packages", name, part);
			if (existsSync(folder)) walk(folder);
		}
	}
	return found.sort();
}

/** Programs the interoperation tests need, with the Debian package of each. */
const INTEROP_PROGRAMS = {
	kamailio: "kamailio",
	sipp: "sip-tester",
	stunnel4: "stunnel4",
	dnsmasq: "dnsmasq-base",
	tshark: "tshark",
	strace: "strace",
	openssl: "openssl",
	ip: "iproute2",
	unshare: "util-linux",
	mount: "mount",
	faketime: "faketime",
	xmllint: "libxml2-utils",
	baresip: "baresip",
};

/** Debian's browser, which the tests of the pages drive. */
const CHROMIUM = "/usr/bin/chromium";

function missingPackages() {
	const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
	return Object.entries(INTEROP_PROGRAMS)
		.filter(([program]) => !folders.some((folder) => existsSync(join(folder, program))))
		.map(([, name]) => name);
}

function runTests(names) {
	const wanted =
		names.length === 0 ? testFiles() : testFiles().filter((file) => names.some((name) => file.includes(name)));
	const isInterop = (file) => file.includes(join("test", "interop"));
	const isBrowser = (file) => file.includes(join("test", "browser"));
	const unit = wanted.filter((file) => !isInterop(file) && !isBrowser(file));
	let browser = wanted.filter(isBrowser);
	let interop = wanted.filter(isInterop);
	const missing = missingPackages();
	// In CI a missing program fails the tests that need it; on a developer's machine it is said and the rest runs.
	if (interop.length > 0 && missing.length > 0 && !process.env.CI) {
		process.stdout.write(
			`The interoperation tests were left out: install ${missing.join(", ")} to run them (they need Debian packages and root).\n`,
		);
		interop = [];
	}
	if (browser.length > 0 && !existsSync(CHROMIUM) && !process.env.CI) {
		process.stdout.write(
			"The browser tests were left out: install chromium to run them (Debian's package; they start /usr/bin/chromium).\n",
		);
		browser = [];
	}
	if (buildWeb() !== 0) return 1;
	const folder = mkdtempSync(join(tmpdir(), "causeway-test-"));
	const totals = join(folder, "totals");
	const passedNames = join(folder, "names");
	const one = (files, concurrency) =>
		files.length === 0
			? 0
			: run(
					"tests",
					node,
					[
						SOURCE,
						"--test",
						`--test-concurrency=${concurrency}`,
						// What hangs is a failure with a name, not a run without an end; the slowest file takes a fifth of this.
						"--test-timeout=600000",
						"--test-reporter=./scripts/test-reporter.mjs",
						...files,
					],
					{ TEST_TOTALS: totals, TEST_NAMES: passedNames },
				);
	const statuses = [one(unit, 2), one(interop, 1), one(browser, 1)];
	let passed = 0;
	let failed = 0;
	for (const line of existsSync(totals) ? readFileSync(totals, "utf8").trim().split("\n") : []) {
		const [p, f] = line.split(" ").map(Number);
		passed += p ?? 0;
		failed += f ?? 0;
	}
	if (failed === 0 && statuses.some((status) => status !== 0)) failed = 1;
	// The page of RFC sections names tests: those of the files that ran must have run and passed.
	if (existsSync(passedNames)) {
		const everything = names.length === 0 && interop.length > 0 ? ["--all"] : [];
		const args = ["scripts/check-rfc-coverage.mjs", "--ran", passedNames, ...everything];
		failed += run("check-rfc-coverage", node, args);
	}
	rmSync(folder, { recursive: true, force: true });
	process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
	return failed === 0 && passed > 0 ? 0 : 1;
}

/** The long suites: `packages/* /test/long/NAME.long.ts`. */
function longSuites() {
	const found = [];
	for (const name of readdirSync("packages")) {
		const folder = join("packages", name, "test", "long");
		if (!existsSync(folder)) continue;
		for (const file of readdirSync(folder)) if (file.endsWith(".long.ts")) found.push(join(folder, file));
	}
	return found.sort();
}

/**
 * Runs the long suites one after the other, each as a program of its own that prints its figures and exits 0 where all it
 * asserts holds. Words select suites by path; what follows the first `--option` is handed to each of them.
 */
function runLong(args) {
	const option = args.findIndex((arg) => arg.startsWith("--"));
	const words = option < 0 ? args : args.slice(0, option);
	const options = option < 0 ? [] : args.slice(option);
	const suites = longSuites().filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
	if (suites.length === 0) {
		process.stderr.write(`no long suite has ${words.join(" or ")} in its path; there are:\n`);
		for (const file of longSuites()) process.stderr.write(`  ${file}\n`);
		return 2;
	}
	const failed = [];
	for (const file of suites) {
		process.stdout.write(`\n=== ${file}\n`);
		const started = Date.now();
		const status = run(file, node, [SOURCE, file, ...options]);
		const seconds = ((Date.now() - started) / 1000).toFixed(1);
		process.stdout.write(`${status === 0 ? "ok  " : "FAIL"} ${file} (${seconds} s)\n`);
		if (status !== 0) failed.push(file);
	}
	process.stdout.write(`\n${suites.length - failed.length} passed, ${failed.length} failed\n`);
	return failed.length === 0 ? 0 : 1;
}

/** Benchmarks of the library alone, `packages/sip/test/bench/NAME.bench.ts`; all others are the edge's. */
function runBench(args) {
	const folder = join("packages", "sip", "test", "bench");
	const ours = readdirSync(folder)
		.filter((file) => file.endsWith(".bench.ts"))
		.map((file) => file.slice(0, -".bench.ts".length));
	const named = ours.filter((name) => args.includes(name));
	const rest = args.filter((arg) => !named.includes(arg));
	let status = 0;
	if (named.length === 0 || rest.some((arg) => !/^-|^\d+$/.test(arg))) {
		status = run("bench", node, [SOURCE, "packages/edge/test/bench/main.ts", ...rest]);
		if (rest.includes("--help")) process.stdout.write(`of the library: ${ours.join(", ")}\n`);
	}
	for (const name of args.length === 0 ? ours : named) {
		const options = named.length === 1 && rest.every((arg) => /^-|^\d+$/.test(arg)) ? rest : [];
		status = run("bench", node, [SOURCE, join(folder, `${name}.bench.ts`), ...options]) || status;
	}
	return status;
}

const CHECKS = [
	[
		"format and lint",
		() => run("biome", bin("biome"), ["check", "--error-on-warnings", "--diagnostic-level=warn", "."]),
	],
	[
		"promises and correctness",
		() => run("oxlint", node, ["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings", "packages"]),
	],
	["types", () => run("tsc", node, [TSC, "-p", "tsconfig.json"]) || run("tsc", node, [TSC, "-p", "packages/web"])],
	[
		"import rules",
		() =>
			run("dependency-cruiser", node, [
				"node_modules/dependency-cruiser/bin/dependency-cruiser.mjs",
				"--config",
				".dependency-cruiser.cjs",
				"packages",
			]),
	],
	["API reference", () => run("write-api", node, ["scripts/write-api.mjs", "--check"])],
	["RFC coverage page", () => run("check-rfc-coverage", node, ["scripts/check-rfc-coverage.mjs"])],
	["branch coverage of the readers", () => run("check-coverage", node, ["scripts/check-coverage.mjs"])],
	["unused exports", () => run("knip", node, ["node_modules/knip/bin/knip.js"])],
	["compiles for publishing", build],
	["package of the library", () => run("check-package", node, ["scripts/check-package.mjs"])],
];

function check() {
	const failed = [];
	for (const [name, step] of CHECKS) {
		const started = Date.now();
		const status = step();
		process.stdout.write(
			`${status === 0 ? "ok  " : "FAIL"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`,
		);
		if (status !== 0) failed.push(name);
	}
	if (failed.length > 0) process.stdout.write(`check failed: ${failed.join(", ")}\n`);
	return failed.length === 0 ? 0 : 1;
}

const [task, ...rest] = process.argv.slice(2);
const TASKS = {
	test: () => runTests(rest),
	check,
	format: () => run("biome", bin("biome"), ["check", "--write", "."]),
	build,
	web: buildWeb,
	fuzz: () =>
		run("fuzz", node, [SOURCE, "packages/sip/test/fuzz/main.ts", ...rest]) ||
		run("fuzz", node, [SOURCE, "packages/edge/test/fuzz/main.ts", ...rest]),
	long: () => runLong(rest),
	bench: () => runBench(rest),
};
if (TASKS[task] === undefined) {
	process.stderr.write(`usage: node scripts/run.mjs ${Object.keys(TASKS).join("|")}\n`);
	process.exit(2);
}
process.exit(TASKS[task]());
