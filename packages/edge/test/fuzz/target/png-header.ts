/** PNG files of icons: chunks, header, packed data. */
import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../../sip/test/fuzz/fuzz-target.ts";
import type { Mutation } from "../../../../sip/test/fuzz/mutate.ts";
import { readPngIcon } from "../../../src/presence/png.ts";
import { createPng, repairChecksums } from "../../../src/presence/testing.ts";

/** Right checksums again, so that what lies behind them is reached. */
const mendChecksums: Mutation = (input) => repairChecksums(input);

export function createPngHeaderTarget(): FuzzTarget {
	return {
		name: "png-header",
		summary: "icons: PNG chunks, header, palette, packed rows",
		sources: ["/presence/png.ts"],
		seeds: [
			createPng({}),
			createPng({ colourType: 3, depth: 1, palette: 2 }),
			createPng({ colourType: 0, depth: 16, interlaced: true }),
			createPng({ width: 1, height: 1, extra: [["tEXt", Buffer.from("Comment\0x")]] }),
		],
		tokens: ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "\0\0\0\x0d", "\0\0\0\x10", "\xff\xff\xff\xff", "\x08\x06\0\0\0"],
		mutations: [mendChecksums],
		run: readIcon,
	};
}

function readIcon(input: Uint8Array): string {
	const read = readPngIcon(input);
	if (!read.ok) return read.fault;
	const { width, height, bitsPerPixel, octets } = read.value;
	assert.ok(
		width >= 1 && width <= 16 && height >= 1 && height <= 16 && bitsPerPixel <= 32,
		"an icon beyond its limits",
	);
	assert.ok(octets.length <= input.length, "an icon grew");
	const again = readPngIcon(octets);
	assert.ok(again.ok, "what was written anew is no icon");
	assert.deepEqual(
		Buffer.from(again.value.octets),
		Buffer.from(octets),
		"an icon written anew differs the second time",
	);
	return `${width}x${height} ${bitsPerPixel}`;
}
