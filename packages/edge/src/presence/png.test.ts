import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { readPngIcon } from "./png.ts";
import { createChunk, createPng, type PngParts } from "./testing.ts";

const BOMB = deflateSync(Buffer.alloc(4_000_000));

const good: readonly (readonly [string, PngParts, bits: number])[] = [
	["16 × 16, colour with transparency", {}, 32],
	["1 × 1", { width: 1, height: 1 }, 32],
	["16 × 1", { width: 16, height: 1 }, 32],
	["colour without transparency", { colourType: 2 }, 24],
	["one bit of grey", { colourType: 0, depth: 1 }, 1],
	["16 bits of grey", { colourType: 0, depth: 16 }, 16],
	["16 bits of grey with transparency", { colourType: 4, depth: 16 }, 32],
	["a palette", { colourType: 3, depth: 4, palette: 16 }, 4],
	["a suggested palette of a colour picture", { palette: 5 }, 32],
	["interlaced", { interlaced: true }, 32],
	["interlaced, 3 × 5", { interlaced: true, width: 3, height: 5, colourType: 0, depth: 2 }, 2],
	["data in many chunks", { pieces: 7 }, 32],
	["a text beside the picture", { extra: [["tEXt", Buffer.from("Comment\0hello")]] }, 32],
];
for (const [name, parts, bits] of good) {
	test(`REQ-14 to REQ-17: ${name} is an icon`, () => {
		const read = readPngIcon(createPng(parts));
		assert.ok(read.ok, read.ok ? "" : read.fault);
		assert.equal(read.value.bitsPerPixel, bits);
		assert.equal(read.value.width, parts.width ?? 16);
		assert.equal(read.value.height, parts.height ?? 16);
	});
}

const whole = createPng({});
const bad: readonly (readonly [string, Uint8Array, fault: string])[] = [
	["no octets", new Uint8Array(0), "not-png"],
	["a GIF", Buffer.from("GIF89a................................."), "not-png"],
	["an HTML page", Buffer.from("<!doctype html><title>Not found</title>"), "not-png"],
	["8,193 octets", createPng({ trailing: Buffer.alloc(8_193 - whole.length) }), "too-large"],
	["17 pixels wide", createPng({ width: 17 }), "too-many-pixels"],
	["17 pixels high", createPng({ height: 17 }), "too-many-pixels"],
	["4,294,967,295 pixels wide", createPng({ width: 0xffff_ffff, rows: Buffer.alloc(10) }), "too-many-pixels"],
	["0 pixels wide", createPng({ width: 0 }), "bad-header"],
	["48 bits of colour", createPng({ colourType: 2, depth: 16 }), "too-deep"],
	["64 bits of colour and transparency", createPng({ depth: 16 }), "too-deep"],
	["a colour type that is none", createPng({ colourType: 5 }), "bad-header"],
	["a depth that its colour type has not", createPng({ colourType: 6, depth: 4 }), "bad-header"],
	["a palette of 16 bits", createPng({ colourType: 3, depth: 16, palette: 2 }), "bad-header"],
	["no palette where one is needed", createPng({ colourType: 3, depth: 8 }), "bad-structure"],
	["a palette of grey", createPng({ colourType: 0, palette: 2 }), "bad-structure"],
	["a palette of 257 colours", createPng({ colourType: 3, palette: 257 }), "bad-structure"],
	["two palettes", createPng({ palette: 2, extra: [["PLTE", Buffer.alloc(3)]] }), "bad-structure"],
	["two headers", createPng({ extra: [["IHDR", Buffer.alloc(13)]] }), "bad-structure"],
	["an unknown chunk that must be understood", createPng({ extra: [["ABCD", Buffer.alloc(1)]] }), "bad-structure"],
	["a chunk whose name holds digits", createPng({ extra: [["t3xt", Buffer.alloc(1)]] }), "bad-structure"],
	["no data", createPng({ packed: Buffer.alloc(0) }), "bad-structure"],
	["data in two runs", splitRuns(), "bad-structure"],
	["a header that is too long", headerOf(14), "bad-header"],
	["a checksum that is wrong", flip(whole, 29), "bad-checksum"],
	["cut short in the data", whole.subarray(0, whole.length - 20), "truncated"],
	["no end", whole.subarray(0, whole.length - 12), "truncated"],
	["a chunk that says it is longer than the file", lie(whole), "truncated"],
	["an octet behind the end", createPng({ trailing: Buffer.from([0]) }), "trailing-data"],
	["a script behind the end", createPng({ trailing: Buffer.from("<script>alert(1)</script>") }), "trailing-data"],
	["rows that are too few", createPng({ rows: Buffer.alloc(16) }), "bad-data"],
	["rows that are too many", createPng({ rows: Buffer.alloc(16 * 65 + 1) }), "bad-data"],
	["4 MB packed in 4 KB", createPng({ packed: BOMB }), "bad-data"],
	["data that is not packed", createPng({ packed: Buffer.from("no zlib stream") }), "bad-data"],
	[
		"data behind the packed rows",
		createPng({ packed: Buffer.concat([deflateSync(Buffer.alloc(1040)), BOMB]) }),
		"bad-data",
	],
	["a filter that does not exist", createPng({ rows: Buffer.alloc(1040, 5) }), "bad-data"],
	["a header that lies about interlacing", createPng({ interlaced: true, rows: Buffer.alloc(1040) }), "bad-data"],
];
for (const [name, octets, fault] of bad) {
	test(`REQ-14 to REQ-17: ${name} is no icon`, () => {
		assert.deepEqual(readPngIcon(octets), { ok: false, fault });
	});
}

test("what a program behind us is shown holds the picture alone, and is an icon again", () => {
	const profile = deflateSync(Buffer.alloc(500_000));
	const read = readPngIcon(
		createPng({
			colourType: 3,
			palette: 3,
			extra: [
				["tRNS", Buffer.from([1, 2])],
				["iCCP", Buffer.concat([Buffer.from("bomb\0\0"), profile])],
				["zTXt", Buffer.concat([Buffer.from("bomb\0\0"), profile])],
				["acTL", Buffer.alloc(8)],
			],
		}),
	);
	assert.ok(read.ok);
	const text = Buffer.from(read.value.octets).toString("latin1");
	for (const kept of ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]) assert.ok(text.includes(kept), kept);
	for (const dropped of ["iCCP", "zTXt", "acTL"]) assert.ok(!text.includes(dropped), dropped);
	assert.deepEqual(readPngIcon(read.value.octets), { ok: true, value: read.value });
});

function flip(octets: Buffer, at: number): Buffer {
	const copy = Buffer.from(octets);
	copy[at] = (copy[at] ?? 0) ^ 1;
	return copy;
}

function lie(octets: Buffer): Buffer {
	const copy = Buffer.from(octets);
	copy.writeUInt32BE(0x7fff_ffff, 33);
	return copy;
}

function headerOf(length: number): Buffer {
	return Buffer.concat([whole.subarray(0, 8), createChunk("IHDR", Buffer.alloc(length)), whole.subarray(33)]);
}

function splitRuns(): Buffer {
	const rows = createPng({ pieces: 2 });
	const first = 33;
	const end = first + 12 + rows.readUInt32BE(first);
	return Buffer.concat([rows.subarray(0, end), createChunk("tEXt", Buffer.from("a\0b")), rows.subarray(end)]);
}
