import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "../testing/sim-clock.ts";
import { RetransmitUntilAck } from "./accepted-invite.ts";
import { TimerWheel } from "./timer-wheel.ts";
import { defaultTiming } from "./timing.ts";

function start(sendAgain: (retransmission: RetransmitUntilAck) => boolean = () => true) {
	const clock = new SimClock();
	const wheel = new TimerWheel(clock);
	const sentMs: number[] = [];
	const unacknowledgedMs: number[] = [];
	const retransmission = new RetransmitUntilAck(wheel, defaultTiming, {
		sendAgain: () => {
			sentMs.push(clock.now());
			return sendAgain(retransmission);
		},
		unacknowledged: () => unacknowledgedMs.push(clock.now()),
	});
	retransmission.start();
	return { clock, wheel, retransmission, sentMs, unacknowledgedMs };
}

test("§13.3.1.4: the 2xx leaves again after T1, doubling to T2, and after 64·T1 without ACK it is over", () => {
	const { clock, wheel, sentMs, unacknowledgedMs } = start();
	clock.advance(100_000);
	assert.deepEqual(sentMs, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
	assert.deepEqual(unacknowledgedMs, [32_000]);
	assert.equal(wheel.size, 0);
});

test("§13.3.1.4: the ACK ends it", () => {
	const { clock, wheel, retransmission, sentMs, unacknowledgedMs } = start();
	clock.advance(1_600);
	retransmission.acknowledged();
	clock.advance(100_000);
	assert.deepEqual(sentMs, [500, 1_500]);
	assert.deepEqual(unacknowledgedMs, []);
	assert.equal(wheel.size, 0);
});

test("§13.3.1.4: an ACK that comes while the 2xx is being sent ends it too", () => {
	const { clock, sentMs, unacknowledgedMs } = start((retransmission) => {
		retransmission.acknowledged();
		return true;
	});
	clock.advance(100_000);
	assert.deepEqual(sentMs, [500]);
	assert.deepEqual(unacknowledgedMs, []);
});

test("REQ-60: nothing is sent again once the connection is gone", () => {
	const { clock, wheel, sentMs, unacknowledgedMs } = start(() => false);
	clock.advance(100_000);
	assert.deepEqual(sentMs, [500]);
	assert.deepEqual(unacknowledgedMs, []);
	assert.equal(wheel.size, 0);
});

test("a session that ends in another way stops the repetitions", () => {
	const { clock, retransmission, sentMs, unacknowledgedMs } = start();
	retransmission.close();
	clock.advance(100_000);
	assert.deepEqual([sentMs, unacknowledgedMs], [[], []]);
});
