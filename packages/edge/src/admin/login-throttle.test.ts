import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { LoginThrottle } from "./login-throttle.ts";

const rate = { burst: 3, refillMs: 10_000 } as const;

test("throttle: a burst is granted, then one attempt each refill, and the wait is told", () => {
	const clock = new SimClock();
	const throttle = new LoginThrottle(rate, clock);
	assert.deepEqual(
		[1, 2, 3, 4, 5].map(() => throttle.take("a")),
		[0, 0, 0, 10, 10],
	);
	clock.advance(9_999);
	assert.equal(throttle.take("a"), 1);
	clock.advance(1);
	assert.deepEqual([throttle.take("a"), throttle.take("a")], [0, 10]);
	clock.advance(1_000_000);
	assert.deepEqual(
		[1, 2, 3, 4].map(() => throttle.take("a")),
		[0, 0, 0, 10],
	);
});

test("throttle: keys do not share, and a cleared key begins anew", () => {
	const throttle = new LoginThrottle(rate, new SimClock());
	for (let time = 0; time < 4; time += 1) throttle.take("a");
	assert.equal(throttle.take("b"), 0);
	assert.equal(throttle.take("a"), 10);
	throttle.clear("a");
	assert.equal(throttle.take("a"), 0);
});

test("throttle: ten thousand keys are remembered, the one used last for longest", () => {
	const throttle = new LoginThrottle({ burst: 1, refillMs: 10_000 }, new SimClock());
	throttle.take("first");
	throttle.take("second");
	throttle.take("first");
	for (let key = 0; key < 9_999; key += 1) throttle.take(`key ${key}`);
	assert.equal(throttle.take("first"), 10);
	assert.equal(throttle.take("second"), 0);
});
