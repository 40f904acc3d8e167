import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf, SimRandom } from "@causeway/sip/testing";
import { createTestLink, presentTestCertificate } from "../federation/testing.ts";
import type { Passage } from "./passage-memory.ts";
import { ShortTransaction, ShortTransactions } from "./short-transactions.ts";

const arrival = createTestLink(presentTestCertificate("public", "sip.fabrikam.example"));
const other = createTestLink(presentTestCertificate("public", "sip.litware.example"));

function requestWith(topVia: string) {
	return frameOf(`MESSAGE sip:a@b.example SIP/2.0\r\nVia: ${topVia}\r\nContent-Length: 0\r\n\r\n`);
}

function arrivalHash(table: ShortTransactions, topVia: string, link = arrival): number {
	return table.hashOfArrival(link.connection.id, requestWith(topVia), 0);
}

function create(table: ShortTransactions, branch: string, topVia: string, link = arrival): ShortTransaction {
	// What the table asks of a passage is the connection over which it came.
	const passage = { arrival: link } as Passage;
	return new ShortTransaction(
		branch,
		"MESSAGE",
		passage,
		"",
		topVia,
		"1 MESSAGE",
		false,
		0,
		arrivalHash(table, topVia, link),
	);
}

function byBranch(table: ShortTransactions, branch: string): ShortTransaction | undefined {
	const octets = Buffer.from(`;branch=${branch};alias`, "latin1");
	const found = table.findByBranch(octets, 8, 8 + branch.length);
	assert.equal(table.get(branch), found, "by text and by octets");
	return found;
}

function byVia(table: ShortTransactions, topVia: string, link = arrival): ShortTransaction | undefined {
	return table.findArrived(arrivalHash(table, topVia, link), link.connection.id, requestWith(topVia), 0);
}

test("a transaction is found by its branch, and by its top Via on the connection over which it came", () => {
	const table = new ShortTransactions(7);
	const one = create(table, "z9hG4bK1.a.b", "SIP/2.0/TLS a;branch=z9hG4bK1");
	table.add(one);
	assert.equal(byBranch(table, "z9hG4bK1.a.b"), one);
	assert.equal(byVia(table, "SIP/2.0/TLS a;branch=z9hG4bK1"), one);
	assert.equal(byBranch(table, "z9hG4bK1.a.c"), undefined);
	assert.equal(byBranch(table, "x9hG4bK1.a.b"), undefined, "what is hashed of a branch is not all of it");
	assert.equal(byBranch(table, "K1.a.b"), undefined);
	assert.equal(byBranch(table, ""), undefined);
	assert.equal(byVia(table, "SIP/2.0/TLS a;branch=z9hG4bK2"), undefined);
	assert.equal(byVia(table, "SIP/2.0/TLS a;branch=z9hG4bK1", other), undefined);
	// The same numbers would do for another connection or another Via; the octets decide.
	const { arrivalHash: hash } = one;
	assert.equal(table.findArrived(hash, other.connection.id, requestWith(one.topVia), 0), undefined);
	assert.equal(
		table.findArrived(hash, arrival.connection.id, requestWith("SIP/2.0/TLS a;branch=z9hG4bK9"), 0),
		undefined,
	);
	assert.equal(table.findArrived(hash, arrival.connection.id, requestWith("SIP/2.0/TLS a"), 0), undefined);
});

test("what is removed is not there any more, and is removed once", () => {
	const table = new ShortTransactions(7);
	const [one, two] = [create(table, "b1", "v1"), create(table, "b2", "v2")];
	table.add(one);
	assert.equal(table.remove(two), false);
	assert.equal(table.remove(one), true);
	assert.equal(table.remove(one), false);
	assert.equal(byBranch(table, "b1"), undefined);
	assert.equal(byVia(table, "v1"), undefined);
	assert.equal(table.size, 0);
	table.add(two);
	table.clear();
	assert.deepEqual(table.values(), []);
	assert.equal(byBranch(table, "b2"), undefined);
});

test("two transactions with one top Via, of two connections, do not stand in each other's way", () => {
	const table = new ShortTransactions(7);
	const [one, two] = [create(table, "b1", "v"), create(table, "b2", "v", other)];
	table.add(one);
	table.add(two);
	assert.deepEqual([byVia(table, "v"), byVia(table, "v", other)], [one, two]);
	table.remove(one);
	assert.deepEqual([byVia(table, "v"), byVia(table, "v", other)], [undefined, two]);
});

test("thousands come and go in any order, and those that are there are found", () => {
	const table = new ShortTransactions(7);
	const random = new SimRandom(5);
	const there = new Map<string, ShortTransaction>();
	for (let step = 0; step < 12_000; step++) {
		const isGrowing = step % 4_000 < 3_000;
		const known = [...there.keys()];
		if (known.length > 0 && random.below(10) < (isGrowing ? 2 : 9)) {
			const branch = known[random.below(known.length)] ?? "";
			assert.equal(table.remove(there.get(branch) as ShortTransaction), true);
			there.delete(branch);
			assert.equal(byBranch(table, branch), undefined);
			assert.equal(byVia(table, `via ${branch}`), undefined);
		} else {
			const branch = `z9hG4bK${step}.${random.token()}`;
			const transaction = create(table, branch, `via ${branch}`);
			table.add(transaction);
			there.set(branch, transaction);
		}
		assert.equal(table.size, there.size);
	}
	assert.deepEqual(new Set(table.values()), new Set(there.values()));
	for (const [branch, transaction] of there) {
		assert.equal(byBranch(table, branch), transaction);
		assert.equal(byVia(table, `via ${branch}`), transaction);
	}
});
