import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { equalSecrets, loadAdminToken } from "./admin-token.ts";
import { createKeptLog } from "./testing.ts";

async function createFolder(context: TestContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-token-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

test("admin token: made at the first start, 32 octets, readable by its owner alone, and the same ever after", async (context) => {
	const path = join(await createFolder(context), "data", "admin.token");
	const { log, lines } = createKeptLog();
	const made = await loadAdminToken(path, log);
	assert.equal(Buffer.from(made, "base64url").length, 32);
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	assert.equal(await readFile(path, "utf8"), `${made}\n`);
	assert.equal(await loadAdminToken(path, log), made);
	assert.deepEqual(
		lines.map((line) => line.event),
		["admin token made"],
	);
	assert.ok(!JSON.stringify(lines).includes(made), "a credential is never logged");
});

test("admin token: three that start at once agree on one", async (context) => {
	const path = join(await createFolder(context), "admin.token");
	const { log } = createKeptLog();
	const tokens = await Promise.all([loadAdminToken(path, log), loadAdminToken(path, log), loadAdminToken(path, log)]);
	const written = (await readFile(path, "utf8")).trim();
	assert.deepEqual(tokens, [written, written, written]);
	assert.deepEqual(await readdir(dirname(path)), ["admin.token"]);
});

test("admin token: a file that others can read is used, with a warning that says what to do", async (context) => {
	const path = join(await createFolder(context), "admin.token");
	await writeFile(path, "a-token-an-administrator-wrote\n");
	await chmod(path, 0o644);
	const { log, lines } = createKeptLog();
	assert.equal(await loadAdminToken(path, log), "a-token-an-administrator-wrote");
	assert.deepEqual(lines, [
		{
			level: "warn",
			event: "admin token readable by others",
			fields: { file: path, remedy: `chmod 600 ${path}` },
		},
	]);
});

for (const content of ["", "\n", "short\n", "two tokens of-fair-length-here\n", `${"x".repeat(2_000)}\n`]) {
	test(`admin token: ${JSON.stringify(content.slice(0, 30))} is refused`, async (context) => {
		const path = join(await createFolder(context), "admin.token");
		await writeFile(path, content, { mode: 0o600 });
		await assert.rejects(loadAdminToken(path, createKeptLog().log), /holds no admin token/);
		assert.equal(await readFile(path, "utf8"), content);
	});
}

test("admin token: secrets are equal only when every character is", () => {
	assert.equal(equalSecrets("abc", "abc"), true);
	for (const wrong of ["", "ab", "abcd", "abd", "ABC"]) assert.equal(equalSecrets(wrong, "abc"), false);
});
