/** The program as a person starts it: wrong configurations stop the start with their place, a right one serves and stops cleanly. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createEdgeCertificate, createRootAuthority } from "../../src/pki/authority.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/causeway.mjs", import.meta.url));
const DAY_MS = 86_400_000;

interface Run {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

function run(args: readonly string[], onLine?: (line: string, stop: () => void) => void): Promise<Run> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [LAUNCHER, ...args], { env: { ...process.env, CAUSEWAY_FROM: "source" } });
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (chunk: Buffer) => {
			stdout += chunk.toString("utf8");
		});
		child.stderr.on("data", (chunk: Buffer) => {
			stderr += chunk.toString("utf8");
			for (const line of chunk.toString("utf8").split("\n")) onLine?.(line, () => child.kill("SIGTERM"));
		});
		child.on("exit", (code) => resolve({ code, stdout, stderr }));
	});
}

async function createFolder(context: TestContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-start-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

async function writeGood(folder: string): Promise<string> {
	const now = Date.now();
	const spec = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 30 * DAY_MS) };
	const authority = await createRootAuthority({ ...spec, commonName: "Start test authority" });
	const issued = await createEdgeCertificate(authority, { ...spec, names: ["sip.contoso.example"] });
	await writeFile(join(folder, "edge.pem"), issued.chain);
	await writeFile(join(folder, "edge.key"), issued.key);
	await writeFile(join(folder, "ca.pem"), authority.certificate);
	const file = join(folder, "causeway.toml");
	await writeFile(
		file,
		'[edge]\nfqdn = "sip.contoso.example"\nlisten = ["127.0.0.1:0"]\n[edge.tls]\ntrust = ["ca.pem"]\n[[domain]]\nname = "contoso.example"\nkind = "hosted"\n[http]\nlisten = "127.0.0.1:0"\n',
	);
	return file;
}

test("a wrong configuration stops the start with file, line, column, key and what would be right, all problems at once", async (context) => {
	const folder = await createFolder(context);
	const file = join(folder, "causeway.toml");
	await writeFile(
		file,
		'[edge]\nfqdn = "sip.contoso.example"\n[[peer]]\nkind = "direct"\ndomains = ["fabrikam.example"]\negde = "sip.fabrikam.example"\n[http]\nlisten = "8080"\n',
	);
	for (const command of ["serve", "check-config"]) {
		const { code, stderr } = await run([command, "--config", file]);
		assert.equal(code, 1);
		assert.ok(stderr.includes(`${file}:6:1: peer[0].egde: unknown key; did you mean "edge"?`), stderr);
		assert.match(stderr, /causeway\.toml:8:1: http\.listen: must be an address and a port/);
	}
	assert.deepEqual(await readdir(folder), ["causeway.toml"]);
});

test("no configuration, and wrong usage, end with 2", async () => {
	assert.equal((await run(["serve", "--confg", "x"])).code, 2);
	const missing = await run(["serve", "--config", "/nonexistent/causeway.toml"]);
	assert.equal(missing.code, 1);
	assert.match(missing.stderr, /\/nonexistent\/causeway\.toml/);
});

test("a command without its server says where it looked and what to do", async (context) => {
	const file = await writeGood(await createFolder(context));
	const { code, stderr } = await run(["status", "--config", file]);
	assert.equal(code, 1);
	assert.match(stderr, /^causeway: no Causeway answers at http:\/\/127\.0\.0\.1:0 .*causeway serve/);
});

test("check-config finds a good file good and creates nothing; serve serves it and stops at SIGTERM with 0", async (context) => {
	const folder = await createFolder(context);
	const file = await writeGood(folder);
	const checked = await run(["check-config", "--config", file]);
	assert.deepEqual([checked.code, checked.stdout], [0, `${file}: good\n`]);
	assert.deepEqual((await readdir(folder)).sort(), ["ca.pem", "causeway.toml", "edge.key", "edge.pem"]);
	const served = await run(["serve", "--config", file], (line, stop) => {
		if (line.includes('"event":"edge ready"')) stop();
	});
	assert.equal(served.code, 0, served.stderr);
	assert.match(served.stderr, /"event":"edge stopped"/);
});

test("a port that is taken stops the start with the address and the reason", async (context) => {
	const folder = await createFolder(context);
	const file = await writeGood(folder);
	let second: Promise<Run> | undefined;
	await run(["serve", "--config", file], (line, stop) => {
		const ready = /"listen":\["127\.0\.0\.1:(\d+)"\]/.exec(line);
		if (ready === null || second !== undefined) return;
		const other = join(folder, "other.toml");
		second = writeFile(
			other,
			`[edge]\nfqdn = "sip.contoso.example"\nlisten = ["127.0.0.1:${ready[1]}"]\ndata_dir = "./other"\n[edge.tls]\ntrust = ["ca.pem"]\n[[domain]]\nname = "contoso.example"\nkind = "hosted"\n[http]\nlisten = "127.0.0.1:0"\n`,
		)
			.then(() => run(["serve", "--config", other]))
			.finally(stop);
	});
	const outcome = await second;
	assert.equal(outcome?.code, 1);
	assert.match(outcome?.stderr ?? "", /cannot listen on 127\.0\.0\.1:\d+: listen EADDRINUSE/);
});
