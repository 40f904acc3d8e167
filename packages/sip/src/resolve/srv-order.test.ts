import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Random } from "../env.ts";
import { SimRandom } from "../testing/sim-random.ts";
import { orderSrvRecords, type SrvRecord } from "./srv-order.ts";

function record(priority: number, weight: number, target: string): SrvRecord {
	return { priority, weight, port: 5061, target };
}

/** Gives the listed numbers and keeps the bounds it was asked for. */
function listedRandom(...numbers: readonly number[]): Random & { readonly bounds: number[] } {
	const left = [...numbers];
	const bounds: number[] = [];
	return {
		bounds,
		token: () => "token",
		below(bound) {
			bounds.push(bound);
			const next = left.shift();
			assert.ok(next !== undefined && next < bound);
			return next;
		},
	};
}

test("RFC 2782: lower priorities come first, whatever the weights", () => {
	const records = [record(20, 9, "c"), record(10, 0, "a"), record(10, 0, "b"), record(30, 65535, "d")];
	const order = orderSrvRecords(records, new SimRandom(1)).map(({ target }) => target);
	assert.deepEqual([new Set(order.slice(0, 2)), ...order.slice(2)], [new Set(["a", "b"]), "c", "d"]);
});

test("RFC 2782: the first record whose running sum of weights reaches the number drawn is next", () => {
	const records = [record(1, 10, "a"), record(1, 30, "b"), record(1, 60, "c")];
	const cases: readonly [number, string][] = [
		[0, "a"],
		[9, "a"],
		[10, "b"],
		[39, "b"],
		[40, "c"],
		[99, "c"],
	];
	for (const [drawn, first] of cases) {
		assert.equal(orderSrvRecords(records, listedRandom(drawn, 0, 0))[0]?.target, first, `drawn ${drawn}`);
	}
});

test("RFC 2782: a drawn record is out of the next draw", () => {
	const random = listedRandom(45, 12, 0);
	const order = orderSrvRecords([record(1, 10, "a"), record(1, 30, "b"), record(1, 60, "c")], random);
	assert.deepEqual(
		order.map(({ target }) => target),
		["c", "b", "a"],
	);
	assert.deepEqual(random.bounds, [100, 40, 10]);
});

test("RFC 2782: records without weight follow the weighted ones of their priority in random order", () => {
	const records = [record(1, 0, "a"), record(1, 5, "b"), record(1, 0, "c")];
	assert.deepEqual(
		orderSrvRecords(records, listedRandom(4, 1, 0)).map(({ target }) => target),
		["b", "c", "a"],
	);
});

test("protocol sheet 1.2: two records of weight 1 lead equally often", () => {
	const random = new SimRandom(7);
	let leads = 0;
	for (let round = 0; round < 4000; round += 1) {
		if (orderSrvRecords([record(1, 1, "a"), record(1, 1, "b")], random)[0]?.target === "a") leads += 1;
	}
	assert.ok(leads > 1850 && leads < 2150, `${leads} of 4000`);
});

test("RFC 2782: every record comes out once, in order of priority", () => {
	const records = fc.array(fc.tuple(fc.nat(3), fc.nat(65535)), { maxLength: 32 });
	fc.assert(
		fc.property(records, fc.nat(), (pairs, seed) => {
			const input = pairs.map(([priority, weight], index) => record(priority, weight, `t${index}`));
			const output = orderSrvRecords(input, new SimRandom(seed));
			assert.deepEqual(new Set(output), new Set(input));
			assert.equal(output.length, input.length);
			assert.ok(output.every((item, index) => item.priority >= (output[index - 1]?.priority ?? 0)));
		}),
		{ numRuns: 200 },
	);
});
