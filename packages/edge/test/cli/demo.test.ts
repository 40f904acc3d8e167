/** `causeway demo` as a person uses it: it stays up, the commands it prints work, Ctrl-C ends it with everything it started. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("../../bin/causeway.mjs", import.meta.url));
const env = { ...process.env, CAUSEWAY_FROM: "source", NO_COLOR: "1" };

function collect(child: ChildProcess): { readonly text: () => string; readonly ended: Promise<number | null> } {
	let text = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on("data", (chunk: Buffer) => {
			text += chunk.toString("utf8");
		});
	}
	return { text: () => text, ended: new Promise((resolve) => child.on("exit", resolve)) };
}

async function causeway(...args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
	const { text, ended } = collect(spawn(process.execPath, [LAUNCHER, ...args], { env }));
	return { code: await ended, text: text() };
}

test("the demonstration stays up, its users can be driven by the commands, and Ctrl-C ends both edges", async (context) => {
	const folder = await mkdtemp(join(tmpdir(), "causeway-demo-test-"));
	const demo = spawn(process.execPath, [LAUNCHER, "demo", "--dir", folder], { env });
	const { text, ended } = collect(demo);
	context.after(async () => {
		demo.kill("SIGINT");
		await ended;
		await rm(folder, { recursive: true, force: true });
	});
	await new Promise<void>((resolve, reject) => {
		demo.stdout.on("data", () => {
			if (text().includes("Running. Ctrl-C stops both edges.")) resolve();
		});
		void ended.then((code) => reject(new Error(`the demonstration ended with ${code}:\n${text()}`)));
	});
	for (const domain of ["contoso.example", "fabrikam.example"])
		assert.match(text(), new RegExp(`${domain}\n  web chat +http://127`));
	assert.match(text(), /login +alice@contoso\.example +password: demo-password/);

	const contoso = ["--config", join(folder, "contoso.example", "causeway.toml")];
	const fabrikam = ["--config", join(folder, "fabrikam.example", "causeway.toml")];
	assert.equal((await causeway("presence", "bob@fabrikam.example", "available", ...fabrikam)).code, 0);
	const sent = await causeway("send", "alice@contoso.example", "bob@fabrikam.example", "Hello Bob", ...contoso);
	assert.equal(sent.code, 0, sent.text);
	assert.match(sent.text, /delivered/);
	const watched = await causeway(
		"watch",
		"alice@contoso.example",
		"bob@fabrikam.example",
		"--until",
		"pending",
		"--timeout",
		"10",
		...contoso,
	);
	assert.equal(watched.code, 0, watched.text);
	const status = await causeway("status", "--json", ...contoso);
	assert.equal(status.code, 0, status.text);
	const { fqdn, connections, users } = JSON.parse(status.text) as Record<string, unknown>;
	assert.deepEqual({ fqdn, connections, users }, { fqdn: "sip.contoso.example", connections: 1, users: 1 });
	const listed = await causeway("connections", ...contoso);
	assert.match(listed.text, /sip\.fabrikam\.example/);
	const refused = await causeway("send", "alice@contoso.example", "nobody@fabrikam.example", "Hello?", ...contoso);
	assert.equal(refused.code, 1);
	assert.match(refused.text, /failed.*knows no such user/s);

	demo.kill("SIGINT");
	assert.equal(await ended, 0, text());
});
