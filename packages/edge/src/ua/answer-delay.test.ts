import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock, SimRandom } from "@causeway/sip/testing";
import { AnswerDelay } from "./answer-delay.ts";

test("REQ-91: every request waits between 20 and 120 ms, each its own time", () => {
	const clock = new SimClock();
	const delay = new AnswerDelay(clock, new SimRandom(7));
	const times: number[] = [];
	for (let count = 0; count < 500; count += 1) delay.after("x.example", () => times.push(clock.now()));
	clock.runUntilIdle();
	assert.equal(times.length, 500);
	assert.ok(Math.min(...times) >= 20 && Math.max(...times) <= 120);
	assert.ok(new Set(times).size > 80);
});

test("a peer, and all peers together, have so many waiting and no more; what was looked at makes room", () => {
	const clock = new SimClock();
	const delay = new AnswerDelay(clock, new SimRandom(7), { perPeer: 2, total: 3 });
	assert.ok(delay.after("x.example", () => {}));
	assert.ok(delay.after("x.example", () => {}));
	assert.equal(
		delay.after("x.example", () => {}),
		false,
	);
	assert.ok(delay.after("y.example", () => {}));
	assert.equal(
		delay.after("z.example", () => {}),
		false,
	);
	clock.advance(120);
	assert.ok(delay.after("x.example", () => {}));
});
