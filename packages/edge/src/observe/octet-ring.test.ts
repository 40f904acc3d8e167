import assert from "node:assert/strict";
import { test } from "node:test";
import { OctetRing } from "./octet-ring.ts";

/** A message in the midst of other octets. */
function placeOf(head: string, body: Uint8Array) {
	const octets = Buffer.concat([Buffer.from("before"), Buffer.from(head, "latin1"), body, Buffer.from("behind")]);
	return { octets, start: 6, headEnd: 6 + head.length, end: 6 + head.length + body.length };
}

const MANY = 1_000_000_000;

function fill(ring: OctetRing, from: number, to: number, bodyBytes = 10): void {
	for (let seq = from; seq <= to; seq++) {
		ring.add(
			seq,
			seq * 1000.5,
			seq % 2 === 0,
			seq % 7,
			`peer${seq}`,
			placeOf(`head ${seq} \xff`, new Uint8Array(bodyBytes).fill(seq)),
		);
	}
}

const seqs = (ring: OctetRing, after = 0): number[] => [...ring.since(after)].map(({ seq }) => seq);

test("a record comes back as it was written", () => {
	const ring = new OctetRing(5, MANY);
	fill(ring, 1, 2);
	assert.deepEqual(
		[...ring.since(1)],
		[
			{
				seq: 2,
				at: 2001,
				isOut: true,
				connectionId: 2,
				peer: "peer2",
				head: "head 2 \xff",
				body: new Uint8Array(10).fill(2),
			},
		],
	);
});

test("the ring keeps as many records as it may and no more, over many turns of its memory", () => {
	const ring = new OctetRing(100, MANY);
	for (let turn = 0; turn < 30; turn++) {
		fill(ring, turn * 50 + 1, turn * 50 + 50, 3_000);
		const last = turn * 50 + 50;
		const first = Math.max(1, last - 99);
		assert.deepEqual(
			seqs(ring),
			Array.from({ length: last - first + 1 }, (_, index) => first + index),
		);
	}
	assert.deepEqual(seqs(ring, 1498), [1499, 1500]);
	for (const { seq, body, head } of ring.since(0)) {
		assert.equal(head, `head ${seq} \xff`);
		assert.ok(body.every((octet) => octet === seq % 256));
	}
});

test("a record may be larger than a segment", () => {
	const ring = new OctetRing(2, MANY);
	fill(ring, 1, 1, 200_000);
	fill(ring, 2, 3);
	fill(ring, 4, 4, 300_000);
	assert.deepEqual(
		[...ring.since(0)].map(({ seq, body }) => [seq, body.length]),
		[
			[3, 10],
			[4, 300_000],
		],
	);
});

test("what was read is the reader's: later records do not change it", () => {
	const ring = new OctetRing(1, MANY);
	fill(ring, 1, 1, 40_000);
	const [read] = ring.since(0);
	fill(ring, 2, 9, 40_000);
	assert.ok(read?.body.every((octet) => octet === 1));
});

test("the ring keeps no more octets than it may, and forgets a record that alone has more", () => {
	const ring = new OctetRing(1_000, 100_000);
	fill(ring, 1, 200, 1_000);
	assert.equal(seqs(ring).length, 99);
	assert.deepEqual(seqs(ring, 198), [199, 200]);
	fill(ring, 201, 201, 200_000);
	assert.deepEqual(seqs(ring), []);
	fill(ring, 202, 203, 1_000);
	assert.deepEqual(seqs(ring), [202, 203]);
	fill(ring, 204, 205, 300_000);
	fill(ring, 206, 400, 900);
	assert.deepEqual(seqs(ring, 398), [399, 400]);
});
