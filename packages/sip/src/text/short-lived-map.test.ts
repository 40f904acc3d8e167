import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ShortLivedMap } from "./short-lived-map.ts";

const byNumber = (one: number, other: number): number => one - other;

test("a ShortLivedMap holds what a Map holds, whatever came and went", () => {
	const key = fc.integer({ min: 0, max: 40 }).map((number) => `key ${number}`);
	const operation = fc.oneof(
		fc.record({ kind: fc.constant("set" as const), key, value: fc.integer() }),
		fc.record({ kind: fc.constant("delete" as const), key }),
		fc.record({ kind: fc.constant("get" as const), key }),
	);
	fc.assert(
		fc.property(fc.integer(), fc.array(operation, { maxLength: 300 }), (seed, operations) => {
			const map = new ShortLivedMap<number>(seed);
			const model = new Map<string, number>();
			for (const step of operations) {
				if (step.kind === "set") {
					map.set(step.key, step.value);
					model.set(step.key, step.value);
				} else if (step.kind === "delete") assert.equal(map.delete(step.key), model.delete(step.key));
				else assert.equal(map.get(step.key), model.get(step.key));
				assert.equal(map.has(step.key), model.has(step.key));
				assert.equal(map.size, model.size);
			}
			assert.deepEqual(map.values().sort(byNumber), [...model.values()].sort(byNumber));
		}),
	);
});

test("a ShortLivedMap that was large is small again when it is empty, and goes on", () => {
	const map = new ShortLivedMap<number>(7);
	for (let turn = 0; turn < 3; turn++) {
		for (let number = 0; number < 3_000; number++) map.set(`key ${number}`, number);
		assert.equal(map.get("key 2999"), 2_999);
		assert.equal(map.values().length, 3_000);
		for (let number = 0; number < 3_000; number++) assert.equal(map.delete(`key ${number}`), true);
		assert.equal(map.delete("key 1"), false);
		assert.equal(map.size, 0);
		assert.deepEqual(map.values(), []);
	}
});

test("a ShortLivedMap may be emptied at once", () => {
	const map = new ShortLivedMap<string>(1);
	map.set("a", "b");
	map.clear();
	assert.equal(map.has("a"), false);
	map.set("a", "c");
	assert.deepEqual(map.values(), ["c"]);
});
