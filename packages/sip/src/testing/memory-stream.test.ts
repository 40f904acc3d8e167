import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloseCause } from "../transport/byte-stream.ts";
import { createMemoryPair, type MemoryStream } from "./memory-stream.ts";

class Schedule {
	readonly #queue: (() => void)[] = [];
	readonly add = (run: () => void): void => {
		this.#queue.push(run);
	};
	run(): void {
		for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
	}
}

function listen(stream: MemoryStream) {
	const pieces: string[] = [];
	const causes: CloseCause[] = [];
	stream.start({
		data: (chunk) => pieces.push(Buffer.from(chunk).toString("latin1")),
		closed: (cause) => causes.push(cause),
	});
	return { pieces, causes };
}

test("what is written in one turn arrives together, when the schedule runs, in the pieces of the chunker", () => {
	const schedule = new Schedule();
	const [left, right] = createMemoryPair({
		schedule: schedule.add,
		chunk: (octets) => [octets.subarray(0, 3), octets.subarray(3)],
	});
	const heard = listen(right);
	assert.equal(left.write("ab\xff", new Uint8Array([0x63])), true);
	left.write("d");
	left.write("");
	assert.equal(left.queuedBytes, 5);
	assert.deepEqual(heard.pieces, []);
	schedule.run();
	assert.deepEqual(heard.pieces, ["ab\xff", "cd"]);
	assert.equal(left.queuedBytes, 0);
});

test("octets that arrived before the start are not lost, nor those of a pause", () => {
	const schedule = new Schedule();
	const [left, right] = createMemoryPair({ schedule: schedule.add });
	left.write("one");
	schedule.run();
	const heard = listen(right);
	assert.deepEqual(heard.pieces, ["one"]);
	right.pause();
	left.write("two");
	schedule.run();
	assert.deepEqual([heard.pieces.length, left.queuedBytes], [1, 3]);
	left.write("three");
	right.resume();
	schedule.run();
	assert.deepEqual(heard.pieces, ["one", "twothree"]);
});

test("a close sends what is queued, then both ends are told once, each from its side", () => {
	const schedule = new Schedule();
	const [left, right] = createMemoryPair({ schedule: schedule.add });
	const near = listen(left);
	const far = listen(right);
	left.write("last");
	left.close("done");
	left.close("again");
	assert.deepEqual([left.isOpen, left.write("late")], [false, false]);
	schedule.run();
	assert.deepEqual(far.pieces, ["last"]);
	assert.deepEqual(near.causes, [{ by: "us", reason: "done" }]);
	assert.equal(far.causes[0]?.by, "peer");
	assert.deepEqual([far.causes.length, right.isOpen, right.write("x")], [1, false, false]);
});

test("a destroyed stream loses what is queued", () => {
	const schedule = new Schedule();
	const [left, right] = createMemoryPair({ schedule: schedule.add });
	const near = listen(left);
	const far = listen(right);
	left.write("lost");
	left.destroy("stop");
	left.destroy("again");
	schedule.run();
	assert.deepEqual([far.pieces, near.causes, far.causes.length], [[], [{ by: "us", reason: "stop" }], 1]);
});

test("a network that breaks is told to both ends, and a reader that paused hears it after what it had not read", () => {
	const schedule = new Schedule();
	const [left, right] = createMemoryPair({ schedule: schedule.add });
	const near = listen(left);
	const far = listen(right);
	right.breakOff("cut");
	assert.deepEqual(near.causes, [{ by: "network", reason: "cut" }]);
	assert.deepEqual(far.causes, [{ by: "network", reason: "cut" }]);
	const [third, fourth] = createMemoryPair({ schedule: schedule.add });
	const late = listen(fourth);
	fourth.pause();
	third.write("text");
	third.close("end");
	schedule.run();
	assert.deepEqual([late.pieces, late.causes], [[], []]);
	fourth.resume();
	assert.deepEqual([late.pieces, late.causes.length], [["text"], 1]);
});
