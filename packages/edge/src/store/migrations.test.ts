import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { countOf, integer } from "./columns.ts";
import { Connection } from "./connection.ts";
import { MIGRATIONS, migrate } from "./migrations.ts";
import { StoreFailed } from "./store-failed.ts";

function openMemory(prepare = ""): Connection {
	return new Connection(() => {
		const database = new DatabaseSync(":memory:");
		database.exec(prepare);
		return database;
	});
}

function schemaOf(database: Connection): readonly unknown[] {
	return database.all("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").map((row) => ({ ...row }));
}

function versionOf(database: Connection): number {
	const row = database.get("PRAGMA user_version");
	assert(row !== undefined);
	return integer(row, "user_version");
}

const STEPS = [
	"CREATE TABLE first (a INTEGER) STRICT; INSERT INTO first VALUES (1)",
	"ALTER TABLE first ADD COLUMN b TEXT; UPDATE first SET b = 'moved'",
	"CREATE TABLE third (c INTEGER) STRICT",
];

for (let from = 0; from < MIGRATIONS.length; from += 1) {
	test(`a store of version ${from} comes to the schema of a new one`, () => {
		const fresh = openMemory();
		migrate(fresh);
		const older = openMemory();
		migrate(older, MIGRATIONS.slice(0, from));
		assert.equal(migrate(older), from);
		assert.deepEqual(schemaOf(older), schemaOf(fresh));
		assert.equal(versionOf(older), MIGRATIONS.length);
		assert.equal(migrate(older), MIGRATIONS.length, "a second run finds nothing to do");
	});
}

for (let from = 0; from <= STEPS.length; from += 1) {
	test(`steps after version ${from} run once, in order, and keep the rows`, () => {
		const database = openMemory();
		migrate(database, STEPS.slice(0, from));
		assert.equal(migrate(database, STEPS), from);
		assert.deepEqual({ ...database.get("SELECT * FROM first") }, { a: 1, b: "moved" });
		assert.equal(countOf(database.get("SELECT count(*) AS count FROM third")), 0);
	});
}

test("a step that fails leaves the version before it", () => {
	const database = openMemory();
	const broken = [STEPS[0] ?? "", "CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1)"];
	assert.throws(() => migrate(database, broken), StoreFailed);
	assert.equal(versionOf(database), 1);
	assert.equal(database.get("SELECT 1 FROM sqlite_schema WHERE name = 'half'"), undefined);
	assert.equal(migrate(database, STEPS), 1, "a corrected program goes on from there");
});

test("a store of a newer Causeway is refused and not changed", () => {
	const database = openMemory();
	migrate(database, [...MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT"]);
	const before = schemaOf(database);
	assert.throws(
		() => migrate(database),
		(error) => error instanceof StoreFailed && error.code === "newer-store" && /newer Causeway/.test(error.message),
	);
	assert.deepEqual(schemaOf(database), before);
});

test("another program's database is refused and not changed", () => {
	for (const prepare of [
		"CREATE TABLE theirs (a)",
		"PRAGMA user_version = 1",
		"PRAGMA application_id = 7; CREATE TABLE t (a)",
	]) {
		const database = openMemory(prepare);
		const before = schemaOf(database);
		assert.throws(
			() => migrate(database),
			(error) => error instanceof StoreFailed && error.code === "not-a-store",
		);
		assert.deepEqual(schemaOf(database), before);
	}
});
