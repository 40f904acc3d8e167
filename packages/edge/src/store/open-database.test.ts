import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { integer, text } from "./columns.ts";
import { openDatabase } from "./open-database.ts";

test("promise 1: the log is synced at every COMMIT, also on a connection that was opened again", (context) => {
	const directory = mkdtempSync(join(tmpdir(), "causeway-store-"));
	context.after(() => rmSync(directory, { recursive: true, force: true }));
	const { database, close } = openDatabase({ path: join(directory, "causeway.db"), now: 0 });
	context.after(close);
	for (const reopened of [false, true]) {
		if (reopened) database.reopen();
		const [journal] = database.all("PRAGMA journal_mode").map((row) => text(row, "journal_mode"));
		const [synchronous] = database.all("PRAGMA synchronous").map((row) => integer(row, "synchronous"));
		assert.equal(journal, "wal");
		assert.equal(synchronous, 2, "2 is FULL");
	}
});
