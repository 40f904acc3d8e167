import assert from "node:assert/strict";
import { test } from "node:test";
import { auditWrites } from "./audit.ts";
import type { Batch, BatchOutcome } from "./batch.ts";
import { integer, text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { contactWrites } from "./contacts.ts";
import { keptDialogWrites } from "./kept-dialogs.ts";
import { policyWrites } from "./live-policy.ts";
import { messageWrites } from "./message-writes.ts";
import { openDatabase } from "./open-database.ts";
import { OPERATIONS, type OperationName } from "./operations.ts";
import { presenceWrites } from "./published-presence.ts";
import { settingsWrites } from "./settings.ts";
import { tokenWrites } from "./tokens.ts";
import { userWrites } from "./users.ts";
import { watcherWrites } from "./watchers.ts";
import { Writer } from "./writer.ts";

const NAMES = Object.keys(OPERATIONS);

function command(name: OperationName, ...input: readonly unknown[]): Batch {
	return [NAMES.indexOf(name), input.length, ...input];
}

function audit(target: string): Batch {
	return command("appendAudit", 1, "admin", "test", target, "{}");
}

/** Breaks the CHECK on `kind`, as a bug of ours would. */
const BROKEN = command("putPolicy", "neither", "example.org", "{}", 1);

function openWriter(): { database: Connection; run: (...commands: readonly Batch[]) => BatchOutcome } {
	const { database } = openDatabase({ path: ":memory:", now: 0 });
	const writer = new Writer(database);
	return { database, run: (...commands) => writer.run(commands.flat()) };
}

function targets(database: Connection): readonly unknown[] {
	return database.all("SELECT target FROM audit ORDER BY number").map((row) => text(row, "target"));
}

test("the parts' operations have names of their own", () => {
	const parts = [
		auditWrites,
		contactWrites,
		messageWrites,
		policyWrites,
		keptDialogWrites,
		presenceWrites,
		settingsWrites,
		tokenWrites,
		userWrites,
		watcherWrites,
	];
	assert.deepEqual(parts.flatMap((part) => Object.keys(part)).toSorted(), NAMES.toSorted());
});

test("a batch is one transaction, and its results stand in the order of its commands", () => {
	const { database, run } = openWriter();
	const outcome = run(audit("a"), command("removePolicy", "peer", "example.org"), audit("b"));
	assert.deepEqual(outcome, { results: [undefined, false, undefined], failures: [], transactions: 1 });
	assert.deepEqual(targets(database), ["a", "b"]);
});

test("a command that breaks a rule of the schema fails alone", () => {
	const { database, run } = openWriter();
	const outcome = run(audit("a"), BROKEN, audit("b"), BROKEN, command("removePolicy", "peer", "example.org"));
	assert.deepEqual(
		outcome.failures.map(({ command, failure }) => [command, failure.code]),
		[
			[1, "constraint"],
			[3, "constraint"],
		],
	);
	assert.equal(outcome.failure, undefined);
	assert.deepEqual(outcome.results, [undefined, undefined, undefined, undefined, false]);
	assert.deepEqual(targets(database), ["a", "b"], "nothing of the first attempt is left");
	assert.equal(outcome.transactions, 1);
});

test("a command that fails half-way leaves nothing of itself", () => {
	const { database, run } = openWriter();
	database.execute("CREATE TRIGGER refuse BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'refused'); END");
	database.run("INSERT INTO retired_addresses VALUES ('lena@fabrikam.example', 1)");
	const user = {
		aor: "lena@fabrikam.example",
		address: "lena@fabrikam.example",
		displayName: undefined,
		suspended: false,
		verification: "verified",
		createdAt: 2,
	};
	const outcome = run(command("addUser", user, null, true), audit("after"));
	assert.deepEqual(
		outcome.failures.map((failure) => failure.command),
		[0],
	);
	assert.equal(database.all("SELECT * FROM retired_addresses").length, 1, "its first statement was undone");
	assert.deepEqual(targets(database), ["after"]);
});

test("a full disk fails the whole batch, and the store works again when there is room", () => {
	const { database, run } = openWriter();
	run(audit("before"));
	const pages = database.all("PRAGMA page_count").map((row) => integer(row, "page_count"))[0];
	database.execute(`PRAGMA max_page_count = ${pages}`);
	const full = run(audit("small"), audit("x".repeat(50_000)), audit("last"));
	assert.equal(full.failure?.code, "disk-full");
	assert.deepEqual(full.results, []);
	assert.deepEqual(targets(database), ["before"]);
	assert.equal(database.inTransaction, false);
	database.execute("PRAGMA max_page_count = 100000");
	assert.equal(run(audit("after")).failure, undefined);
	assert.deepEqual(targets(database), ["before", "after"]);
});

test("a command the table does not know is a fault of ours and fails alone", () => {
	const { database, run } = openWriter();
	const outcome = run([NAMES.length, 0], audit("a"));
	assert.equal(outcome.failure?.code ?? outcome.failures[0]?.failure.code, "internal");
	assert.equal(database.inTransaction, false);
});

function arrival(id: string, sequence: number, body = "Salut"): Batch {
	const [owner, peer] = ["omar@contoso.example", "lena@fabrikam.example"];
	return command("receiveMessage", id, owner, peer, null, "text/plain", body, 1, "call", "tag", sequence, null);
}

function bodies(database: Connection): readonly unknown[] {
	return database
		.all(
			"SELECT body FROM messages JOIN conversations ON conversations.number = conversation" +
				" JOIN mailboxes ON mailboxes.number = messages.mailbox ORDER BY messages.number",
		)
		.map((row) => text(row, "body"));
}

test("what a failed attempt had made of messages is made again, once", () => {
	const { database, run } = openWriter();
	const outcome = run(arrival("a", 1, "one"), BROKEN, arrival("b", 2, "two"));
	assert.deepEqual(
		outcome.failures.map(({ command }) => command),
		[1],
	);
	assert.deepEqual(bodies(database), ["one", "two"]);
	const again = run(arrival("c", 1), arrival("d", 2), arrival("e", 3, "three"));
	assert.deepEqual(
		again.results.map((result) => (result as { readonly kind?: string } | undefined)?.kind),
		["repeated", "repeated", undefined],
	);
	assert.deepEqual(bodies(database), ["one", "two", "three"]);
});

test("a MESSAGE whose batch found the disk full is new when it comes again", () => {
	const { database, run } = openWriter();
	const pages = database.all("PRAGMA page_count").map((row) => integer(row, "page_count"))[0];
	database.execute(`PRAGMA max_page_count = ${pages}`);
	assert.equal(run(arrival("a", 1), audit("x".repeat(500_000))).failure?.code, "disk-full");
	database.execute("PRAGMA max_page_count = 100000");
	assert.deepEqual(run(arrival("b", 1, "one")), { results: [undefined], failures: [], transactions: 1 });
	assert.deepEqual(bodies(database), ["one"]);
});
