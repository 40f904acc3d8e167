import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { FanOut, type FanOutItem } from "./fan-out.ts";

function createWorld(perPeer: number, perTurn: number) {
	const clock = new SimClock();
	const fanOut = new FanOut(clock, { perPeer, perTurn });
	const released: string[] = [];
	const item = (lane: string, sends = true): FanOutItem => ({
		lane,
		release() {
			released.push(lane);
			if (sends) fanOut.sent(lane);
		},
	});
	return { clock, fanOut, released, item };
}

test("a peer that does not answer gets so many NOTIFYs and no more, and another peer is not held up by it", () => {
	const { clock, fanOut, released, item } = createWorld(3, 100);
	for (let count = 0; count < 10; count += 1) fanOut.add(item("slow.example"));
	fanOut.add(item("quick.example"));
	clock.advance(60_000);
	assert.deepEqual(released, ["slow.example", "slow.example", "slow.example", "quick.example"]);
	assert.equal(fanOut.waiting, 7);
	fanOut.answered("slow.example");
	assert.equal(released.length, 5);
});

test("one turn writes so many, then the loop goes on; lanes take turns", () => {
	const { clock, fanOut, released, item } = createWorld(1_000, 4);
	for (let count = 0; count < 6; count += 1) fanOut.add(item("a.example"));
	fanOut.add(item("b.example"));
	assert.equal(released.length, 4);
	clock.advance(0);
	assert.deepEqual(released.slice(4), ["a.example", "b.example", "a.example"]);
	assert.equal(fanOut.waiting, 0);
});

test("what sends nothing costs no place, and everything answered leaves nothing behind", () => {
	const { clock, fanOut, released, item } = createWorld(1, 10);
	fanOut.add(item("a.example", false));
	fanOut.add(item("a.example"));
	fanOut.add(item("a.example"));
	assert.equal(released.length, 2);
	fanOut.answered("a.example");
	fanOut.answered("a.example");
	clock.runUntilIdle();
	assert.equal(released.length, 3);
	assert.equal(fanOut.waiting, 0);
});
