import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { Command, type CommandContext, prepareProgram, runProgram } from "@causeway/admin/cli";
import { checkFiles } from "../config/check-files.ts";
import { parseConfig } from "../config/load.ts";
import { registerInit } from "./init.ts";

async function createFolder(context: TestContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-init-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

/** Runs `causeway init`; `answers` are typed on a terminal, a line each, whenever it asks. */
async function init(args: readonly string[], answers?: readonly string[]) {
	const stdin = new PassThrough();
	const typed = [...(answers ?? [])];
	let stdout = "";
	let stderr = "";
	const context: CommandContext = {
		connect: () => Promise.reject(new Error("init asks no server")),
		stdin,
		stdout: {
			write(text) {
				stdout += text;
				if (text.endsWith(": ") && typed.length > 0) stdin.write(`${typed.shift()}\n`);
			},
		},
		stderr: {
			write(text) {
				stderr += text;
			},
		},
		isTty: answers !== undefined,
		env: { NO_COLOR: "1" },
		interrupted: new AbortController().signal,
	};
	const program = prepareProgram(new Command("causeway"), context);
	registerInit(program, context);
	return { code: await runProgram(program, ["init", ...args], context), stdout, stderr };
}

test("init with --test-ca writes a configuration that every check of the start finds good, and prints the records", async (context) => {
	const folder = join(await createFolder(context), "edge");
	const flags = ["--dir", folder, "--domain", "contoso.example", "--domain", "corp.example", "--test-ca"];
	const { code, stdout, stderr } = await init([...flags, "--partner", "fabrikam.example"]);
	assert.equal(code, 0, stderr);
	assert.deepEqual((await readdir(folder)).sort(), [
		"causeway.toml",
		"edge.key",
		"edge.pem",
		"test-ca.key",
		"test-ca.pem",
	]);
	const loaded = parseConfig(await readFile(join(folder, "causeway.toml"), "utf8"), join(folder, "causeway.toml"));
	assert.ok(loaded.ok, JSON.stringify(loaded));
	assert.deepEqual(loaded.warnings, []);
	assert.deepEqual(await checkFiles(loaded.config), []);
	assert.equal(loaded.config.edge.fqdn, "sip.contoso.example");
	assert.deepEqual(
		loaded.config.peer.map(({ kind, domains }) => [kind, domains]),
		[["allowed", ["fabrikam.example"]]],
	);
	// REQ-47: one name for each domain's record.
	const certificate = new X509Certificate(await readFile(join(folder, "edge.pem")));
	assert.equal(certificate.subjectAltName, "DNS:sip.contoso.example, DNS:sip.corp.example");
	assert.match(stdout, /_sipfederationtls\._tcp\.contoso\.example\. 3600 IN SRV 10 50 5061 sip\.contoso\.example\./);
	assert.match(stdout, /_sipfederationtls\._tcp\.corp\.example\. 3600 IN SRV 10 50 5061 sip\.corp\.example\./);
	for (const name of ["edge.key", "test-ca.key"]) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
});

test("init without an authority of its own writes a request for both purposes, and says what to do with it", async (context) => {
	const folder = await createFolder(context);
	const { code, stdout } = await init([
		"--dir",
		folder,
		"--fqdn",
		"Edge.Contoso.example",
		"--domain",
		"contoso.example",
	]);
	assert.equal(code, 0);
	assert.match(await readFile(join(folder, "edge.csr"), "latin1"), /^-----BEGIN CERTIFICATE REQUEST-----/);
	assert.match(stdout, /Send edge\.csr to your certification authority; it asks for edge\.contoso\.example/);
});

test("init replaces nothing: a file that is there stops it before it writes one", async (context) => {
	const folder = await createFolder(context);
	const flags = ["--dir", folder, "--domain", "contoso.example"];
	assert.equal((await init(flags)).code, 0);
	const key = await readFile(join(folder, "edge.key"), "latin1");
	const again = await init([...flags, "--test-ca"]);
	assert.equal(again.code, 1);
	assert.match(again.stderr, /edge\.key, .*causeway\.toml: there already/);
	assert.equal(await readFile(join(folder, "edge.key"), "latin1"), key);
	assert.equal((await readdir(folder)).includes("test-ca.pem"), false);
});

test("init asks on a terminal, again where an answer does not do, and takes Enter for what it proposes", async (context) => {
	const folder = await createFolder(context);
	const answers = ["contoso", "contoso.example", "", "", "test", "fabrikam.example"];
	const { code, stdout } = await init(["--dir", folder], answers);
	assert.equal(code, 0, stdout);
	assert.match(stdout, /"contoso" is no domain, such as contoso\.example/);
	const loaded = parseConfig(await readFile(join(folder, "causeway.toml"), "utf8"), "causeway.toml");
	assert.ok(loaded.ok);
	assert.equal(loaded.config.edge.fqdn, "sip.contoso.example");
	assert.deepEqual(loaded.config.edge.listen, ["0.0.0.0:5061"]);
	assert.deepEqual(
		loaded.config.peer.map(({ domains }) => domains),
		[["fabrikam.example"]],
	);
});

test("init away from a terminal asks nothing: a missing or impossible flag is wrong usage", async (context) => {
	const folder = await createFolder(context);
	const none = await init(["--dir", folder]);
	assert.deepEqual([none.code, none.stderr], [2, "causeway: --domain is missing: the domain whose users live here\n"]);
	const bad = await init(["--dir", folder, "--domain", "10.0.0.1", "--listen", "5061"]);
	assert.equal(bad.code, 2);
	assert.match(bad.stderr, /"10\.0\.0\.1" is no domain[\s\S]*"5061" is no address and port/);
	assert.deepEqual(await readdir(folder), []);
});
