/** Order of mailboxes and conversations is entered for thousands of messages at once: nobody who reads sees a difference. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { integer } from "./columns.ts";
import { Connection } from "./connection.ts";
import type { Arrival, Messages } from "./messages.ts";
import { MIGRATIONS, migrate } from "./migrations.ts";
import { Store } from "./store.ts";
import { openTestStore, testStoreOptions } from "./testing.ts";
import { MOST_WITHOUT_ENTRIES } from "./writer.ts";

const OMAR = "omar@contoso.example";
const LENA = "lena@fabrikam.example";
const ANNA = "anna@fabrikam.example";

function arrival(sequence: number, from = LENA): Arrival {
	return { owner: OMAR, from, contentType: "text/plain", body: `${sequence}`, callId: "c", fromTag: "f", sequence };
}

/** Ids of what arrives from two others in turns, in one batch. */
async function receive(messages: Messages, first: number, count: number): Promise<readonly string[]> {
	const results = await Promise.all(
		Array.from({ length: count }, (_, index) => messages.receive(arrival(first + index, index % 2 ? ANNA : LENA))),
	);
	return results.map((result) => {
		assert(result.kind === "stored");
		return result.message.id;
	});
}

function enteredTo(path: string): number {
	const reader = new DatabaseSync(path, { readOnly: true });
	const row = reader.prepare("SELECT up_to FROM message_entries").get();
	reader.close();
	assert(row !== undefined);
	return integer(row, "up_to");
}

function scratchFile(): { readonly path: string; readonly remove: () => void } {
	const folder = mkdtempSync(join(tmpdir(), "causeway-entries-"));
	return { path: join(folder, "store.sqlite"), remove: () => rmSync(folder, { recursive: true }) };
}

test("pages over messages with and without entries are those of all messages in their order", async () => {
	const { messages } = await openTestStore();
	const first = await receive(messages, 1, MOST_WITHOUT_ENTRIES + 1);
	const ids = [...first, ...(await receive(messages, 10_000, 10))];
	const lena = ids.filter((_, index) => (index < first.length ? index : index - first.length) % 2 === 0);
	const page = (wanted: Parameters<Messages["list"]>[1]) => messages.list(OMAR, wanted).map(({ id }) => id);
	for (const [all, other] of [
		[ids, {}],
		[lena, { with: LENA }],
	] as const) {
		assert.deepEqual(page({ ...other, limit: 30 }), all.slice(-30));
		assert.deepEqual(page({ ...other, limit: 3 }), all.slice(-3));
		assert.deepEqual(page({ ...other, before: all.at(-20) ?? "", limit: 5 }), all.slice(-25, -20));
		assert.deepEqual(page({ ...other, after: all.at(-20) ?? "", limit: 30 }), all.slice(-19));
		assert.deepEqual(page({ ...other, after: all.at(-20) ?? "", limit: 5 }), all.slice(-19, -14));
		assert.deepEqual(page({ ...other, after: "", limit: 5 }), all.slice(0, 5));
	}
	const ends = messages.conversations(OMAR, { limit: 10, previewLength: 10 });
	assert.deepEqual(
		ends.map(({ id }) => id),
		[ids.at(-1), ids.at(-2)],
	);
});

test("entries are written for thousands at once, and a start goes on from there", async () => {
	const { path, remove } = scratchFile();
	const store = await Store.open(path, testStoreOptions());
	const first = await receive(store.messages, 1, 1_000);
	assert.equal(enteredTo(path), 0);
	for (let at = 1; at < 4; at += 1) await receive(store.messages, at * 10_000, 1_000);
	assert.equal(enteredTo(path), 0);
	const last = await receive(store.messages, 50_000, 1_000);
	await store.close();
	assert.equal(enteredTo(path), 5_000);
	const again = await Store.open(path, testStoreOptions());
	const more = await receive(again.messages, 60_000, 2);
	const list = (limit: number) => again.messages.list(OMAR, { limit }).map(({ id }) => id);
	assert.deepEqual(list(4), [...last.slice(-2), ...more]);
	assert.deepEqual(again.messages.list(OMAR, { after: "", limit: 1 })[0]?.id, first[0]);
	await again.close();
	remove();
});

for (const [when, count] of [
	["before it has entries", 10],
	["after it has entries", MOST_WITHOUT_ENTRIES + 1],
] as const) {
	test(`REQ-32: a MESSAGE that comes again ${when}, over a start too, is known and stored once`, async () => {
		const { path, remove } = scratchFile();
		const store = await Store.open(path, testStoreOptions());
		const ids = await receive(store.messages, 1, count);
		const repeat = async (messages: Messages): Promise<void> => {
			for (const index of [0, 1, count - 2, count - 1]) {
				const result = await messages.receive(arrival(1 + index, index % 2 ? ANNA : LENA));
				assert(result.kind === "duplicate");
				assert.equal(result.message.id, ids[index]);
			}
		};
		await repeat(store.messages);
		await store.close();
		const again = await Store.open(path, testStoreOptions());
		await repeat(again.messages);
		assert.equal((await again.messages.receive(arrival(count + 1, LENA))).kind, "stored");
		assert.equal((await again.messages.receive(arrival(count + 1, LENA))).kind, "duplicate");
		await again.close();
		remove();
	});
}

test("a number that was refused before is stored when it comes late, and known from then on", async () => {
	const { messages } = await openTestStore();
	for (const sequence of [2, 4]) assert.equal((await messages.receive(arrival(sequence))).kind, "stored");
	assert.equal((await messages.receive(arrival(3))).kind, "stored");
	for (const sequence of [2, 3, 4]) assert.equal((await messages.receive(arrival(sequence))).kind, "duplicate");
});

test("after the last messages were removed, new ones still have a place in their conversation", async () => {
	const store = await openTestStore();
	await receive(store.messages, 1, MOST_WITHOUT_ENTRIES + 1);
	await store.users.add({ address: OMAR });
	await store.users.remove(OMAR);
	assert.deepEqual(store.messages.list(OMAR, { limit: 10 }), []);
	const [id] = await receive(store.messages, 1, 1);
	assert.deepEqual(
		store.messages.list(OMAR, { with: LENA, limit: 10 }).map((message) => message.id),
		[id],
	);
});

test("a store of the version before is brought over: order, held counts and known MESSAGEs", () => {
	const before = 4;
	const database = new Connection(() => new DatabaseSync(":memory:"));
	migrate(database, MIGRATIONS.slice(0, before));
	database.execute(`
		INSERT INTO mailboxes VALUES (1, '${OMAR}');
		INSERT INTO conversations (number, mailbox, peer) VALUES (1, 1, '${LENA}');
		INSERT INTO conversations (number, mailbox, peer, held_at, held_level) VALUES (2, 1, '${ANNA}', 5, 'verified');
		INSERT INTO messages (number, id, mailbox, conversation, direction, content_type, body, created_at, fate, finished_at,
			call_id, from_tag, sequence, waiting_for) VALUES
			(3, 'a', 1, 1, 'in', 'text/plain', 'one', 10, 'received', 10, 'c', 'f', 7, NULL),
			(5, 'b', 1, 2, 'in', 'text/plain', 'two', 11, 'received', 11, 'c', 'f', 7, NULL),
			(6, 'c', 1, 1, 'out', 'text/plain', 'three', 12, 'queued', NULL, NULL, NULL, NULL, '${LENA}'),
			(8, 'd', 1, 1, 'in', 'text/plain', 'four', 13, 'received', 13, 'c', 'f', 9, NULL);
	`);
	assert.equal(migrate(database), before);
	const rows = (sql: string) => database.all(sql).map((row) => Object.values(row));
	assert.deepEqual(rows("SELECT number, id, dialog, sequence, body FROM messages ORDER BY number"), [
		[3, "a", 1, 7, "one"],
		[5, "b", 2, 7, "two"],
		[6, "c", null, null, "three"],
		[8, "d", 1, 9, "four"],
	]);
	assert.deepEqual(rows("SELECT conversation, call_id, from_tag, first_message, created_at FROM received_dialogs"), [
		[1, "c", "f", 3, 10],
		[2, "c", "f", 5, 11],
	]);
	assert.deepEqual(rows("SELECT mailbox, number, conversation FROM mailbox_entries"), [
		[1, 3, 1],
		[1, 5, 2],
		[1, 6, 1],
		[1, 8, 1],
	]);
	assert.deepEqual(rows("SELECT conversation, number FROM conversation_entries"), [
		[1, 3],
		[1, 6],
		[1, 8],
		[2, 5],
	]);
	assert.deepEqual(rows("SELECT up_to FROM message_entries"), [[8]]);
	assert.deepEqual(rows("SELECT held_count FROM conversations ORDER BY number"), [[0], [1]]);
});
