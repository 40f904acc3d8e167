import assert from "node:assert/strict";
import { test } from "node:test";
import { createIdentifiers, firstIdentifierAt, IDENTIFIER_LENGTH } from "./identifier.ts";
import { createCountingRandom, createTestCalendar } from "./testing.ts";

test("an identifier has 26 characters of base 32", () => {
	const identifier = createIdentifiers(createTestCalendar(), createCountingRandom())();
	assert.equal(identifier.length, IDENTIFIER_LENGTH);
	assert.equal(IDENTIFIER_LENGTH, 26);
	assert.match(identifier, /^[0-9a-hjkmnp-tv-z]{26}$/);
});

test("identifiers sort as they were made: within a millisecond, over time, and after the calendar was set back", () => {
	const calendar = createTestCalendar();
	const next = createIdentifiers(calendar, createCountingRandom());
	const made: string[] = [];
	for (const step of [0, 0, 1, 5_000, -86_400_000, 0, 10, 86_400_000, 0]) {
		calendar.advance(step);
		made.push(next());
	}
	assert.deepEqual(made.toSorted(), made);
	assert.equal(new Set(made).size, made.length);
});

test("the millionth and later identifiers of one millisecond still sort after the earlier ones", () => {
	const next = createIdentifiers(createTestCalendar(), { token: () => "", below: () => 0 });
	let last = next();
	for (let count = 0; count < 32 ** 4 + 2; count += 1) {
		const made = next();
		if (made <= last) assert.fail(`${made} does not sort after ${last}`);
		last = made;
	}
});

test("the order holds over a restart with the calendar behind", () => {
	const calendar = createTestCalendar();
	const latest = createIdentifiers(calendar, createCountingRandom())();
	calendar.advance(-3_600_000);
	const restarted = createIdentifiers(calendar, createCountingRandom(), latest);
	assert.ok(restarted() > latest);
});

test("the first identifier of a time sorts between those before and those from then on", () => {
	const calendar = createTestCalendar();
	const next = createIdentifiers(calendar, createCountingRandom());
	const before = next();
	calendar.advance(1);
	const bound = firstIdentifierAt(calendar.wall());
	assert.ok(before < bound);
	assert.ok(bound < next());
});
