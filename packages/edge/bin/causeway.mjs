#!/usr/bin/env node
// Starts Causeway with a Node.js that can run it. Plain JavaScript that Node.js 20 understands.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode, OLDEST_MAJOR } from "./find-node.mjs";

const node = findNode(import.meta.url);
if (node === undefined) {
	process.stderr.write(
		`causeway: this is Node.js ${process.versions.node}; Causeway needs ${OLDEST_MAJOR} or newer.\n` +
			"In a checkout, `npm ci` installs the pinned one; elsewhere install a newer Node.js.\n",
	);
	process.exit(1);
}

const source = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const compiled = fileURLToPath(new URL("../dist/main.js", import.meta.url));
// A checkout runs its sources, an installed package its compiled form; CAUSEWAY_FROM=source|dist decides otherwise.
const isInstalled = compiled.split(sep).includes("node_modules");
const wanted = process.env.CAUSEWAY_FROM ?? (isInstalled || !existsSync(source) ? "dist" : "source");
const fromSource = wanted === "source";
const script = fromSource ? ["--conditions=causeway-source", source] : [compiled];
if (!existsSync(fromSource ? source : compiled)) {
	process.stderr.write(
		`causeway: ${fromSource ? source : compiled} is missing${fromSource ? "" : "; `npm run build` makes it"}\n`,
	);
	process.exit(1);
}

if (node === process.execPath && !fromSource) {
	await import(new URL("../dist/main.js", import.meta.url).href);
} else {
	const child = spawn(node, [...script, ...process.argv.slice(2)], { stdio: "inherit" });
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"]) {
		process.on(signal, () => child.kill(signal));
	}
	child.on("error", (error) => {
		process.stderr.write(`causeway: cannot start ${node}: ${error.message}\n`);
		process.exit(1);
	});
	child.on("exit", (code, signal) => {
		process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0));
	});
}
