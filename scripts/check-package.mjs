// Checks the package that `npm pack` makes of packages/sip: its files, its exports map, its types (publint, Are The Types Wrong).
// Usage: node scripts/check-package.mjs, after a build. Prints what is wrong and exits 1, or exits 0.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const folder = fileURLToPath(new URL("../packages/sip", import.meta.url));
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const wrong = [];

/** What may be in the package, and nothing else. */
const EXPECTED = [
	/^(package\.json|README\.md|LICENSE)$/,
	/^src\/([a-z-]+\/)?[a-z-]+\.ts$/,
	/^dist\/([a-z-]+\/)?[a-z-]+(\.js|\.js\.map|\.d\.ts|\.d\.ts\.map)$/,
];

function pack(into) {
	const result = spawnSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", into], {
		cwd: folder,
		encoding: "utf8",
	});
	if (result.status !== 0) throw new Error(`npm pack: ${result.stderr}`);
	const described = JSON.parse(result.stdout);
	return Array.isArray(described) ? described[0] : Object.values(described)[0];
}

function checkFiles(paths) {
	for (const path of paths) {
		if (!EXPECTED.some((pattern) => pattern.test(path)) || path.endsWith(".test.ts"))
			wrong.push(`a stray file: ${path}`);
	}
	for (const path of paths.filter((name) => name.startsWith("src/"))) {
		const compiled = path.replace(/^src\//, "dist/").replace(/\.ts$/, "");
		for (const ending of [".js", ".d.ts"]) {
			if (!paths.includes(compiled + ending)) wrong.push(`${path} is not compiled: run npm run build`);
		}
	}
	for (const path of paths.filter((name) => name.endsWith(".js"))) {
		if (!paths.includes(path.replace(/^dist\//, "src/").replace(/\.js$/, ".ts")))
			wrong.push(`${path} has no source any more`);
	}
	for (const [entry, conditions] of Object.entries(manifest.exports)) {
		for (const [condition, target] of Object.entries(conditions)) {
			if (!paths.includes(target.replace(/^\.\//, "")))
				wrong.push(`exports ${entry} ${condition}: ${target} is not there`);
		}
		if (Object.keys(conditions).at(-1) !== "default") wrong.push(`exports ${entry} does not end in "default"`);
	}
	const dependencies = Object.keys(manifest.dependencies ?? {});
	if (dependencies.join() !== "saxes")
		wrong.push(`the library depends on saxes and nothing else, not on ${dependencies}`);
}

async function checkTypes(tarball) {
	const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))));
	if (analysis.types === false) {
		wrong.push("attw: the package has no types");
		return;
	}
	// ES modules alone, on Node.js 24 and newer: neither `require` of older versions nor resolution without exports counts.
	for (const problem of analysis.problems) {
		if (problem.resolutionKind === "node10" || problem.resolutionKind === "node16-cjs") continue;
		wrong.push(`attw: ${JSON.stringify(problem)}`);
	}
}

const scratch = mkdtempSync(join(tmpdir(), "causeway-pack-"));
try {
	const { filename, files } = pack(scratch);
	const paths = files.map(({ path }) => path);
	checkFiles(paths);
	const tarball = join(scratch, filename.replace("@", "").replace("/", "-"));
	const octets = new Uint8Array(readFileSync(tarball)).buffer;
	const { messages } = await publint({ pack: { tarball: octets }, strict: true });
	for (const message of messages) wrong.push(`publint: ${formatMessage(message, manifest)}`);
	await checkTypes(tarball);
	for (const line of wrong) process.stdout.write(`${line}\n`);
	if (wrong.length === 0) process.stdout.write(`@causeway/sip: ${paths.length} files, publint and attw clean\n`);
} finally {
	rmSync(scratch, { recursive: true, force: true });
}
process.exit(wrong.length === 0 ? 0 : 1);
