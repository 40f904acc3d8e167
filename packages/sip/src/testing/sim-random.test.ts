import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenInvariant } from "../text/assert.ts";
import { SimRandom } from "./sim-random.ts";

test("the same seed gives the same values, another seed others", () => {
	const take = (seed: number): readonly (string | number)[] => {
		const random = new SimRandom(seed);
		return [random.token(), random.below(1_000_000), random.token(), random.below(7)];
	};
	assert.deepEqual(take(42), take(42));
	assert.notDeepEqual(take(42), take(43));
});

test("a token has 26 characters of [0-9a-v], and none comes twice", () => {
	const random = new SimRandom(1);
	const tokens = Array.from({ length: 2_000 }, () => random.token());
	for (const token of tokens) assert.match(token, /^[0-9a-v]{26}$/);
	assert.equal(new Set(tokens).size, tokens.length);
});

for (const bound of [1, 2, 3, 1_000, 0x8000_0000]) {
	test(`below(${bound}) stays below it`, () => {
		const random = new SimRandom(bound);
		for (let count = 0; count < 1_000; count++) {
			const value = random.below(bound);
			assert.ok(Number.isInteger(value) && value >= 0 && value < bound, String(value));
		}
	});
}

test("every result is about as likely as the others", () => {
	const random = new SimRandom(9);
	const counts = [0, 0, 0, 0, 0, 0];
	for (let count = 0; count < 60_000; count++) {
		const value = random.below(6);
		counts[value] = (counts[value] ?? 0) + 1;
	}
	for (const count of counts) assert.ok(count > 9_500 && count < 10_500, counts.join(" "));
});

for (const bound of [0, -1, 1.5, 0x8000_0001]) {
	test(`below(${bound}) is refused`, () => {
		assert.throws(() => new SimRandom(1).below(bound), BrokenInvariant);
	});
}
