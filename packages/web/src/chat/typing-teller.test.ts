import assert from "node:assert/strict";
import { test } from "node:test";
import { bob, TestClock } from "./testing.ts";
import { TypingTeller } from "./typing-teller.ts";

function createTeller() {
	const clock = new TestClock();
	const told: string[] = [];
	const teller = new TypingTeller(clock, (to, typing) => told.push(`${to} ${typing}`));
	return { clock, told, teller };
}

test("typing: it is told once, not with every key, and once more where somebody goes on for a minute", () => {
	const { clock, told, teller } = createTeller();
	for (let second = 0; second < 60; second += 1) {
		teller.changed(bob, "x".repeat(second + 1));
		clock.advance(1_000);
	}
	assert.deepEqual(told, [`${bob} true`]);
	teller.changed(bob, "and on");
	assert.deepEqual(told, [`${bob} true`, `${bob} true`]);
});

test("RFC 3994 §3.2: who has not touched a key for a while, or took everything back, does not write any more", () => {
	const { clock, told, teller } = createTeller();
	teller.changed(bob, "He");
	clock.advance(9_999);
	assert.deepEqual(told, [`${bob} true`]);
	clock.advance(1);
	assert.deepEqual(told, [`${bob} true`, `${bob} false`]);
	teller.changed(bob, "Hel");
	teller.changed(bob, "");
	assert.deepEqual(told.slice(2), [`${bob} true`, `${bob} false`]);
	assert.equal(clock.timerCount, 0);
});

test("typing: a sent message says it all; another conversation ends the writing in this one", () => {
	const { clock, told, teller } = createTeller();
	teller.changed(bob, "Hello");
	teller.sent();
	clock.advance(100_000);
	assert.deepEqual(told, [`${bob} true`]);
	teller.changed(bob, "Hello");
	teller.changed("lena@fabrikam.example", "Hi");
	assert.deepEqual(told.slice(1), [`${bob} true`, `${bob} false`, "lena@fabrikam.example true"]);
	teller.stop();
	assert.equal(told.at(-1), "lena@fabrikam.example false");
});
