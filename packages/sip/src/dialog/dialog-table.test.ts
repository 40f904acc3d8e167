import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DialogId, equalDialogIds } from "./dialog-id.ts";
import { DialogTable } from "./dialog-table.ts";

function id(callId: string, localTag: string, remoteTag: string): DialogId {
	return { callId, localTag, remoteTag };
}

test("§12: a dialog is found by Call-ID, local tag and remote tag together", () => {
	const table = new DialogTable<string>();
	assert.equal(table.add(id("c1", "l1", "r1"), 1, "first"), true);
	assert.equal(table.add(id("c1", "l1", "r2"), 1, "second"), true);
	assert.equal(table.add(id("c2", "l1", "r1"), 2, "third"), true);
	assert.equal(table.find(id("c1", "l1", "r1"))?.entry, "first");
	assert.equal(table.find(id("c1", "l1", "r2"))?.entry, "second");
	assert.equal(table.find(id("c2", "l1", "r1"))?.entry, "third");
	assert.equal(table.find(id("c1", "r1", "l1")), undefined);
	assert.equal(table.find(id("C1", "l1", "r1")), undefined);
	assert.equal(table.size, 3);
});

test("§12: parts that would join to the same text are different dialogs", () => {
	const table = new DialogTable<number>();
	const ids = [id("a;b", "c", "d"), id("a", "b;c", "d"), id("a", "b", "c;d"), id("ab", "", "cd"), id("", "ab", "cd")];
	for (const [index, each] of ids.entries()) assert.equal(table.add(each, 1, index), true);
	for (const [index, each] of ids.entries()) assert.equal(table.find(each)?.entry, index);
});

test("a dialog is added once", () => {
	const table = new DialogTable<string>();
	table.add(id("c", "l", "r"), 1, "first");
	assert.equal(table.add(id("c", "l", "r"), 2, "again"), false);
	assert.equal(table.find(id("c", "l", "r"))?.entry, "first");
	assert.deepEqual([table.size, table.countOnConnection(1), table.countOnConnection(2)], [1, 1, 0]);
});

test("protocol sheet 10, row 24: an early NOTIFY finds the subscription by Call-ID and our tag", () => {
	const table = new DialogTable<string>();
	table.add(id("c1", "l1", ""), 1, "waiting");
	table.add(id("c2", "l1", "r"), 1, "other");
	assert.deepEqual(
		table.findByLocalTag("c1", "l1").map(({ entry }) => entry),
		["waiting"],
	);
	assert.deepEqual(table.findByLocalTag("c3", "l1"), []);
	assert.deepEqual(table.findByLocalTag("c1", "l2"), []);
});

test("REQ-49: the loss of a connection removes its dialogs and no others", () => {
	const table = new DialogTable<number>();
	for (let index = 0; index < 6; index += 1) table.add(id(`c${index}`, `l${index}`, "r"), index % 2, index);
	const removed = table.removeConnection(1).map(({ entry }) => entry);
	assert.deepEqual(new Set(removed), new Set([1, 3, 5]));
	assert.deepEqual(new Set([...table].map(({ entry }) => entry)), new Set([0, 2, 4]));
	assert.deepEqual(table.removeConnection(1), []);
	assert.deepEqual([table.size, table.countOnConnection(0), table.countOnConnection(1)], [3, 3, 0]);
});

test("a dialog is pinned to another connection and leaves the first", () => {
	const table = new DialogTable<string>();
	table.add(id("c", "l", "r"), 1, "moved");
	assert.equal(table.pin(id("c", "l", "r"), 2), true);
	assert.equal(table.pin(id("c", "l", "x"), 2), false);
	assert.deepEqual(table.removeConnection(1), []);
	assert.equal(table.find(id("c", "l", "r"))?.connectionId, 2);
	assert.equal(table.removeConnection(2)[0]?.entry, "moved");
	assert.equal(table.find(id("c", "l", "r")), undefined);
});

test("iteration survives the removal of the dialog at hand", () => {
	const table = new DialogTable<string>();
	for (const tag of ["r1", "r2", "r3"]) table.add(id("c", "l", tag), 1, tag);
	const seen: string[] = [];
	for (const item of table) {
		seen.push(item.entry);
		table.remove(item.id);
	}
	assert.deepEqual(seen.sort(), ["r1", "r2", "r3"]);
	assert.equal(table.size, 0);
});

test("whatever happens, the table is the list of what was added and not removed", () => {
	const part = fc.constantFrom("a", "b");
	const move = fc.record({
		what: fc.constantFrom("add", "remove", "pin", "lose"),
		id: fc.record({ callId: part, localTag: part, remoteTag: part }),
		connectionId: fc.nat(2),
	});
	fc.assert(
		fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
			const table = new DialogTable<number>();
			let model: { id: DialogId; connectionId: number; entry: number }[] = [];
			for (const [entry, { what, id: at, connectionId }] of moves.entries()) {
				const known = model.find((item) => equalDialogIds(item.id, at));
				if (what === "add") {
					assert.equal(table.add(at, connectionId, entry), known === undefined);
					if (known === undefined) model.push({ id: at, connectionId, entry });
				} else if (what === "remove") {
					assert.equal(table.remove(at), known?.entry);
					model = model.filter((item) => item !== known);
				} else if (what === "pin") {
					assert.equal(table.pin(at, connectionId), known !== undefined);
					if (known !== undefined) known.connectionId = connectionId;
				} else {
					const gone = model.filter((item) => item.connectionId === connectionId);
					const removed = table.removeConnection(connectionId).map((item) => item.entry);
					assert.deepEqual(new Set(removed), new Set(gone.map((item) => item.entry)));
					model = model.filter((item) => item.connectionId !== connectionId);
				}
				assert.equal(table.size, model.length);
				assert.deepEqual(new Set([...table].map((item) => item.entry)), new Set(model.map((item) => item.entry)));
				for (const connection of [0, 1, 2]) {
					const count = model.filter((item) => item.connectionId === connection).length;
					assert.equal(table.countOnConnection(connection), count);
				}
			}
		}),
		{ numRuns: 200 },
	);
});
