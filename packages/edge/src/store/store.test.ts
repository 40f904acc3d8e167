import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { Store, type StoreOptions } from "./store.ts";
import { StoreFailed, type StoreFailureCode } from "./store-failed.ts";
import { openTestStore, testStoreOptions } from "./testing.ts";

const OMAR = "omar@contoso.example";
const LENA = "lena@fabrikam.example";

/** A path for a store in a directory of its own, removed with everything in it after the test. */
function storePath(context: TestContext): string {
	const directory = mkdtempSync(join(tmpdir(), "causeway-store-"));
	context.after(() => rmSync(directory, { recursive: true, force: true }));
	return join(directory, "data", "causeway.db");
}

async function openAt(context: TestContext, path: string, options: Partial<StoreOptions> = {}): Promise<Store> {
	const store = await Store.open(path, testStoreOptions(options));
	context.after(() => store.close());
	return store;
}

async function submit(store: Store, body: string): Promise<string> {
	const result = await store.messages.submit({ owner: OMAR, to: LENA, contentType: "text/plain", body });
	assert(result.kind === "queued");
	return result.message.id;
}

function failedWith(code: StoreFailureCode): (error: unknown) => boolean {
	return (error) => error instanceof StoreFailed && error.code === code && error.status === 503;
}

test("promise 1: writes of one turn of the loop share one transaction and are readable when they have settled", async (context) => {
	const store = await openAt(context, storePath(context));
	const ids = await Promise.all(Array.from({ length: 500 }, (_, place) => submit(store, `message ${place}`)));
	const { transactions, largestBatch, commands, waiting } = store.statistics();
	assert.deepEqual(
		{ transactions, largestBatch, commands, waiting },
		{ transactions: 1, largestBatch: 500, commands: 500, waiting: 0 },
	);
	assert.deepEqual(
		store.messages.list(OMAR, { limit: 1_000 }).map(({ id }) => id),
		ids,
	);
});

test("writes that come while the writer is busy share the next transaction, in the order of the calls", async (context) => {
	const store = await openAt(context, storePath(context));
	const first = submit(store, "first");
	await new Promise((resolve) => setImmediate(resolve));
	const settled: string[] = [];
	const later = Array.from({ length: 50 }, async (_, place) => {
		// One write to a turn of the loop, so that not the turn but the busy writer joins them.
		for (let turn = 0; turn < place % 5; turn += 1) await Promise.resolve();
		settled.push(await submit(store, `later ${place}`));
	});
	await Promise.all([first, ...later]);
	assert.equal(store.statistics().transactions, 2);
	assert.deepEqual(settled, settled.toSorted());
});

test("no batch is larger than a thousand commands", async (context) => {
	const store = await openAt(context, storePath(context), { queueLimit: 5_000 });
	await Promise.all(Array.from({ length: 2_500 }, (_, place) => submit(store, `message ${place}`)));
	const { transactions, largestBatch } = store.statistics();
	assert.deepEqual([transactions, largestBatch], [3, 1_000]);
});

test("promise 5: everything stored is there after a restart", async (context) => {
	const path = storePath(context);
	const store = await Store.open(path, testStoreOptions());
	await store.users.add({ address: OMAR, password: "swordfish" });
	await store.contacts.put(OMAR, { address: LENA, name: "Lena" });
	await store.presence.publish(OMAR, "away", "lunch");
	await store.watchers.request(OMAR, LENA);
	await store.policy.put("block", "spim.example", { note: "spim" });
	await store.audit.append({ actor: "admin", action: "user.add", target: OMAR, details: {} });
	const token = await store.tokens.create(OMAR, { lifetimeMs: 1_000 });
	assert(token.kind === "created");
	const id = await submit(store, "Salut");
	await store.close();
	assert.equal(existsSync(`${path}-wal`), false, "closing brought the log into the file");

	const again = await openAt(context, path);
	assert.notEqual(await again.users.verifyPassword(OMAR, "swordfish"), undefined);
	assert.equal(again.contacts.get(OMAR, LENA)?.name, "Lena");
	assert.equal(again.presence.get(OMAR)?.note, "lunch");
	assert.equal(again.watchers.get(OMAR, LENA)?.decision, "pending");
	assert.deepEqual(again.policy.get("block", "spim.example")?.value, { note: "spim" });
	assert.equal(again.audit.list({ limit: 5 }).length, 1);
	assert.equal(again.tokens.verify(token.secret)?.owner, OMAR);
	assert.equal(again.messages.get(OMAR, id)?.body, "Salut");
});

test("promise 1: after a restart what was sending is unknown, what was queued is handed out, what had ended is unchanged", async (context) => {
	const path = storePath(context);
	const store = await Store.open(path, testStoreOptions());
	const queued = await submit(store, "queued");
	const sending = await submit(store, "sending");
	const delivered = await submit(store, "delivered");
	await store.messages.markSending(sending);
	await store.messages.markSending(delivered);
	await store.messages.finish(delivered, { fate: "delivered", code: 200 });
	const before = store.messages.get(OMAR, delivered);
	await store.close();

	const again = await openAt(context, path);
	const unknown = again.messages.get(OMAR, sending);
	assert.equal(unknown?.fate, "unknown");
	assert.notEqual(unknown.finishedAt, undefined);
	assert.deepEqual(
		again.messages.queued("", 10).map(({ id }) => id),
		[queued],
	);
	assert.deepEqual(again.messages.get(OMAR, delivered), before);
	assert.deepEqual(await again.messages.finish(sending, { fate: "delivered", code: 200 }), {
		done: false,
		fate: "unknown",
	});
	assert.ok((await submit(again, "next")) > delivered, "identifiers go on where they were");
});

test("promise 1: every message acknowledged before kill -9 is there, and each has a fate", async (context) => {
	const path = storePath(context);
	const script = `${path}.child.mjs`;
	const store = new URL("./store.ts", import.meta.url).href;
	const testing = new URL("./testing.ts", import.meta.url).href;
	const first = await Store.open(path, testStoreOptions());
	await first.close();
	writeFileSync(
		script,
		`import { Store } from ${JSON.stringify(store)};
		import { testStoreOptions } from ${JSON.stringify(testing)};
		const store = await Store.open(${JSON.stringify(path)}, testStoreOptions({ queueLimit: 1_000_000 }));
		for (let worker = 0; worker < 8; worker += 1) submit();
		async function submit() {
			for (;;) {
				const { message } = await store.messages.submit({ owner: "${OMAR}", to: "${LENA}", contentType: "text/plain", body: "x" });
				process.stdout.write("queued " + message.id + "\\n");
				await store.messages.markSending(message.id);
				process.stdout.write("sending " + message.id + "\\n");
			}
		}`,
	);
	const child = spawn(process.execPath, ["--conditions=causeway-source", script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	context.after(() => child.kill("SIGKILL"));
	const exited = once(child, "exit");
	const acknowledged = new Map<string, string>();
	// Lines that were written before the kill are still read after it; each of them is a promise that was made.
	for await (const line of createInterface({ input: child.stdout })) {
		const [fate = "", id = ""] = line.split(" ");
		if (id.length === 26) acknowledged.set(id, fate);
		if (acknowledged.size === 200) child.kill("SIGKILL");
	}
	await exited;
	assert.ok(acknowledged.size >= 200);

	const again = await openAt(context, path);
	for (const [id, fate] of acknowledged) {
		const found = again.messages.get(OMAR, id)?.fate;
		// A mark that was committed but not yet acknowledged when the child ended is unknown as well.
		assert.ok(found === "unknown" || (fate === "queued" && found === "queued"), `${id} was ${fate} and is ${found}`);
	}
});

test("two programs cannot have one store open", async (context) => {
	const path = storePath(context);
	const store = await Store.open(path, testStoreOptions());
	const id = await submit(store, "mine");
	await store.messages.markSending(id);
	await assert.rejects(Store.open(path, testStoreOptions()), failedWith("in-use"));
	assert.equal(store.messages.get(OMAR, id)?.fate, "sending", "the attempt changed nothing");
	await store.close();
	await openAt(context, path);
});

test("a locked file fails exactly the writes that were waiting, and the store goes on when it is free", async (context) => {
	const path = storePath(context);
	const events: string[] = [];
	const note = (event: string): void => void events.push(event);
	const log = { debug: note, info: note, warn: note, error: note };
	const store = await openAt(context, path, { log, busyTimeoutMs: 1 });
	const kept = await submit(store, "before");
	const other = new DatabaseSync(path);
	context.after(() => other.close());
	other.exec("BEGIN IMMEDIATE");
	const results = await Promise.allSettled([submit(store, "lost 1"), submit(store, "lost 2")]);
	assert.ok(results.every((result) => result.status === "rejected" && failedWith("locked")(result.reason)));
	assert.equal(store.statistics().failing, true);
	assert.equal(store.messages.get(OMAR, kept)?.body, "before", "reads go on");
	other.exec("ROLLBACK");
	const after = await submit(store, "after");
	assert.equal(store.statistics().failing, false);
	assert.equal(store.statistics().failedCommands, 2);
	assert.deepEqual(
		store.messages.list(OMAR, { limit: 10 }).map(({ id }) => id),
		[kept, after],
	);
	assert.deepEqual(events, ["store open", "store cannot write", "store writes again"]);
});

test("more writes than may wait for the disk are refused at once", async (context) => {
	const store = await openAt(context, storePath(context), { writeLimit: 10 });
	const results = await Promise.allSettled(Array.from({ length: 12 }, (_, place) => submit(store, `message ${place}`)));
	const refused = results.filter((result) => result.status === "rejected");
	assert.equal(refused.length, 2);
	assert.ok(refused.every((result) => failedWith("overloaded")(result.reason)));
	await submit(store, "there is room again");
});

test("closing ends what was written before and refuses what comes after", async (context) => {
	const path = storePath(context);
	const store = await Store.open(path, testStoreOptions());
	const last = submit(store, "last");
	const closing = store.close();
	await assert.rejects(submit(store, "too late"), failedWith("closed"));
	const id = await last;
	await closing;
	await store.close();
	assert.throws(() => store.messages.get(OMAR, id), failedWith("closed"));
	const again = await openAt(context, path);
	assert.equal(again.messages.get(OMAR, id)?.body, "last");
});

test("the files of a store are its owner's alone", async (context) => {
	const path = storePath(context);
	const store = await openAt(context, path);
	await submit(store, "private");
	for (const file of [path, `${path}-wal`, `${path}.lock`]) assert.equal(statSync(file).mode & 0o077, 0, file);
	assert.equal(statSync(join(path, "..")).mode & 0o077, 0);
});

for (const [what, prepare, code] of [
	["a file that is no database", (path: string) => writeFileSync(path, "x".repeat(8_192)), "corrupt"],
	["another program's database", (path: string) => makeDatabase(path, "CREATE TABLE theirs (a)"), "not-a-store"],
	[
		"a newer Causeway's store",
		(path: string) => makeDatabase(path, "PRAGMA application_id = 1131897209; PRAGMA user_version = 9999"),
		"newer-store",
	],
] as const) {
	test(`${what} is refused with the reason ${code}`, async (context) => {
		const path = join(storePath(context), "..", "..", "found.db");
		prepare(path);
		await assert.rejects(Store.open(path, testStoreOptions()), failedWith(code));
		assert.deepEqual(existsSync(path), true);
	});
}

function makeDatabase(path: string, sql: string): void {
	const database = new DatabaseSync(path);
	database.exec(sql);
	database.close();
}

test("a store that cannot be opened says so", async (context) => {
	const path = storePath(context);
	writeFileSync(join(path, "..", "..", "file"), "");
	await assert.rejects(
		Store.open(join(path, "..", "..", "file", "causeway.db"), testStoreOptions()),
		failedWith("cannot-open"),
	);
});

test("a store in memory does the same without a thread", async () => {
	const store = await openTestStore();
	const ids = await Promise.all([submit(store, "one"), submit(store, "two")]);
	assert.equal(store.statistics().transactions, 1);
	assert.deepEqual(
		store.messages.list(OMAR, { limit: 10 }).map(({ id }) => id),
		ids,
	);
	await store.close();
	await assert.rejects(submit(store, "too late"), failedWith("closed"));
});
