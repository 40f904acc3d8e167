import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readKeyFile, writeKeyFile } from "./key-file.ts";
import { destroyAllKeys, type KeyRing, prepareKeyRing, rotateKeyRing, stepKeyRing } from "./key-ring.ts";
import { createCountingKeySource } from "./testing.ts";

const folder = await mkdtemp(join(tmpdir(), "causeway-keys-"));
after(() => rm(folder, { recursive: true }));
const path = join(folder, "signing-keys.json");
const now = Date.UTC(2026, 0, 5, 9);

/** One key of each state. */
function fullRing(): KeyRing {
	const source = createCountingKeySource();
	let { ring } = stepKeyRing([], now, { rotateMs: 1, expiry: "dialog" }, source);
	ring = destroyAllKeys(ring, now).ring;
	for (let count = 0; count < 2; count++) ring = rotateKeyRing(prepareKeyRing(ring, now, source).ring, now).ring;
	return prepareKeyRing(ring, now, source).ring;
}

test("keys of every state survive on disk, in a file for its owner alone", async () => {
	const ring = fullRing();
	assert.deepEqual([...new Set(ring.map(({ state }) => state))].sort(), ["active", "destroyed", "next", "verify-only"]);
	await writeKeyFile(path, { ring, seenMs: now + 0.5 });
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	const read = await readKeyFile(path);
	assert.equal(read.kind, "read");
	assert.deepEqual(
		JSON.parse(JSON.stringify(read)),
		JSON.parse(JSON.stringify({ kind: "read", content: { ring: bytes(ring), seenMs: now } })),
	);
	assert.deepEqual(await readdir(folder), ["signing-keys.json"]);
});

/** Secrets as the reader has them. */
function bytes(ring: KeyRing): unknown {
	return ring.map((key) => ("secret" in key ? { ...key, secret: Buffer.from(key.secret) } : key));
}

test("a file left behind by a crash is replaced and closed to others", async () => {
	await writeFile(`${path}.new`, "half", { mode: 0o644 });
	await chmod(`${path}.new`, 0o644);
	await writeKeyFile(path, { ring: fullRing(), seenMs: now });
	assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("no file is no fault; a file that others can read is refused with the remedy", async () => {
	assert.deepEqual(await readKeyFile(join(folder, "none.json")), { kind: "absent" });
	await writeKeyFile(path, { ring: fullRing(), seenMs: now });
	await chmod(path, 0o640);
	assert.deepEqual(await readKeyFile(path), {
		kind: "refused",
		reason: `${path} can be read by others than its owner (mode 640); chmod 600`,
	});
});

test("what cannot be read is an error of the system; what cannot be written too", async () => {
	await assert.rejects(readKeyFile(join(path, "below")), { code: "ENOTDIR" });
	const isFolder = join(folder, "folder.json");
	await mkdir(isFolder, { mode: 0o700 });
	await assert.rejects(writeKeyFile(isFolder, { ring: [], seenMs: now }));
	await assert.rejects(writeKeyFile(join(folder, "absent", "keys.json"), { ring: [], seenMs: now }), {
		code: "ENOENT",
	});
});

const secret = Buffer.alloc(32, 1).toString("base64url");
const good = { state: "active", kid: "a1b2", secret, createdAtMs: 1, activatedAtMs: 2 };
const damaged: readonly (readonly [string, string, string])[] = [
	["no JSON", "{", "it is no JSON"],
	["an empty file", "", "it is no JSON"],
	["a number", "7", "its version is not 1"],
	["null", "null", "its version is not 1"],
	["another version", JSON.stringify({ version: 2, seenMs: 1, keys: [] }), "its version is not 1"],
	["no time", JSON.stringify({ version: 1, keys: [] }), "a part is missing"],
	["a time that is none", JSON.stringify({ version: 1, seenMs: -1, keys: [] }), "a part is missing"],
	["no keys", JSON.stringify({ version: 1, seenMs: 1 }), "a part is missing"],
	["too large", " ".repeat(1_000_001), "it is too large"],
	...[
		null,
		{ ...good, kid: undefined },
		{ ...good, kid: "A1B2" },
		{ ...good, kid: "a1b2c" },
		{ ...good, state: "other" },
		{ ...good, createdAtMs: "1" },
		{ ...good, secret: undefined },
		{ ...good, secret: secret.slice(1) },
		{ ...good, secret: `${secret}=` },
		{ ...good, activatedAtMs: undefined },
		{ ...good, state: "verify-only" },
		{ ...good, state: "destroyed" },
	].map((key) => ["a key", JSON.stringify({ version: 1, seenMs: 1, keys: [key] }), "key 1 is no key"] as const),
	[
		"a name twice",
		JSON.stringify({ version: 1, seenMs: 1, keys: [good, { ...good, state: "next" }] }),
		"key 2 is no key",
	],
	[
		"two keys that sign",
		JSON.stringify({ version: 1, seenMs: 1, keys: [good, { ...good, kid: "b" }] }),
		"more than one key is active",
	],
];

test("a damaged file is refused, and says what is wrong and what to do", async () => {
	for (const [name, text, reason] of damaged) {
		await writeFile(path, text, { mode: 0o600 });
		await chmod(path, 0o600);
		const read = await readKeyFile(path);
		assert.equal(read.kind, "refused", name);
		if (read.kind !== "refused") continue;
		assert.ok(
			read.reason.startsWith(`${path} is damaged: ${reason}; restore it from a backup`),
			`${name}: ${read.reason}`,
		);
	}
});

test("a file that is cut anywhere is refused", async () => {
	await writeKeyFile(path, { ring: fullRing(), seenMs: now });
	const text = (await readFile(path, "utf8")).trimEnd();
	for (let length = 0; length < text.length; length += 7) {
		await writeFile(path, text.slice(0, length), { mode: 0o600 });
		assert.equal((await readKeyFile(path)).kind, "refused", `cut to ${length}`);
	}
});
