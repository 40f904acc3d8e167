import assert from "node:assert/strict";
import { test } from "node:test";
import { SubscriptionTable, type TableEntry } from "./subscription-table.ts";

const caps = { perPair: 2, perWatcher: 3, perPeer: 4 };
const entry = (presentity: string, watcher: string, peer = "fabrikam.example"): TableEntry => ({
	presentity,
	watcher,
	peer: { name: peer },
});

function tableOf(...entries: readonly TableEntry[]): SubscriptionTable<TableEntry> {
	const table = new SubscriptionTable<TableEntry>(caps);
	for (const one of entries) table.add(one);
	return table;
}

const table: readonly [rule: string, entries: readonly TableEntry[], expected: string | undefined][] = [
	["there is room", [entry("alice", "lena")], undefined],
	["one watcher with one user", [entry("alice", "lena"), entry("alice", "lena")], "perPair"],
	["one watcher with everybody", [entry("a", "lena"), entry("b", "lena"), entry("c", "lena")], "perWatcher"],
	["all users of a peer", [entry("a", "p"), entry("a", "q"), entry("a", "r"), entry("a", "s")], "perPeer"],
	[
		"another peer has its own",
		[entry("a", "p", "x"), entry("a", "q", "x"), entry("a", "r", "x"), entry("a", "s", "x")],
		undefined,
	],
];

for (const [rule, entries, expected] of table) {
	test(`security 1, subscription caps: ${rule}`, () => {
		assert.equal(tableOf(...entries).capReached("alice", "lena", "fabrikam.example"), expected);
	});
}

test("what ends makes room, and leaves nothing behind", () => {
	const [first, second] = [entry("alice", "lena"), entry("alice", "lena")];
	const subscriptions = tableOf(first, second);
	assert.deepEqual([...subscriptions.ofPresentity("alice")], [first, second]);
	subscriptions.remove(first);
	subscriptions.remove(first);
	assert.equal(subscriptions.size, 1);
	assert.deepEqual(subscriptions.ofPair("alice", "lena"), [second]);
	assert.equal(subscriptions.capReached("alice", "lena", "fabrikam.example"), undefined);
	for (const one of subscriptions.ofPresentity("alice")) subscriptions.remove(one);
	assert.deepEqual([...subscriptions, subscriptions.size], [0]);
});
