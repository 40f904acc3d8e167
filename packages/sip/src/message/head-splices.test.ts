import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeadSplices } from "./head-splices.ts";

interface Piece {
	readonly start: number;
	readonly end: number;
	readonly text: string;
}

/** What comes of a message of this head and body in the midst of other octets. */
function write(splices: HeadSplices, head: string, body = ""): string {
	const octets = Buffer.from(`before${head}${body}behind`, "latin1");
	const place = { octets, start: 6, headEnd: 6 + head.length, end: 6 + head.length + body.length };
	const target = Buffer.alloc(3 + head.length + body.length + splices.growth + 2, "-");
	splices.write(place, target, 3);
	assert.equal(
		target.subarray(0, 3).toString() + target.subarray(-2).toString(),
		"-----",
		"what is not its own is let be",
	);
	return target.subarray(3, -2).toString("latin1");
}

test("RFC 3261 §16.6: pieces give way to others, in whatever order they are named, and all else is copied", () => {
	const splices = new HeadSplices();
	for (const [start, end, text] of [
		[7, 8, "h"],
		[0, 1, ""],
		[3, 5, "DE"],
		[9, 9, "|"],
		[9, 10, "j"],
		[1, 1, "^"],
	] as const) {
		splices.put(start, end, text);
	}
	assert.equal(write(splices, "0123456789", "body"), "^12DE56h8|jbody");
	splices.clear();
	assert.equal(splices.growth, 0);
	assert.equal(write(splices, "0123456789", "\u00ff"), "0123456789\u00ff");
});

test("pieces of any length, at any places, and octets of any value come out as cut and joined by hand", () => {
	const octets = fc.string({
		unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
		maxLength: 120,
	});
	fc.assert(
		fc.property(
			fc.array(fc.record({ kept: octets, gone: octets, text: octets }), { maxLength: 6 }),
			octets,
			(pieces, body) => {
				let head = "";
				let expected = "";
				const all: Piece[] = [];
				for (const { kept, gone, text } of pieces) {
					all.push({ start: head.length + kept.length, end: head.length + kept.length + gone.length, text });
					head += kept + gone;
					expected += kept + text;
				}
				const splices = new HeadSplices();
				for (const { start, end, text } of all) splices.put(start, end, text);
				assert.equal(write(splices, head, body), expected + body);
				assert.equal(splices.applyTo(head), expected);
				assert.equal(splices.growth, expected.length - head.length);
			},
		),
	);
});
