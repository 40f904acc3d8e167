/** PNG files as tests of icons want them: right, or wrong in one way. */
import { crc32, deflateSync } from "node:zlib";

export interface PngParts {
	readonly width?: number;
	readonly height?: number;
	/** 6: colour with transparency. */
	readonly colourType?: number;
	readonly depth?: number;
	readonly interlaced?: boolean;
	/** Entries; no palette where absent. */
	readonly palette?: number;
	/** Chunks between header and data. */
	readonly extra?: readonly (readonly [type: string, data: Buffer])[];
	/** What is packed, in place of rows of the right size. */
	readonly rows?: Buffer;
	/** In place of the packed rows. */
	readonly packed?: Buffer;
	/** Number of chunks that the data is cut into. */
	readonly pieces?: number;
	readonly trailing?: Buffer;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

export function createPng(parts: PngParts): Buffer {
	const { width = 16, height = 16, colourType = 6, depth = 8, interlaced = false, pieces = 1 } = parts;
	const header = Buffer.alloc(13);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
	const bits = (SAMPLES[colourType] ?? 1) * depth;
	const packed = parts.packed ?? deflateSync(parts.rows ?? Buffer.alloc(countBytes(width, height, bits, interlaced)));
	const step = Math.max(1, Math.ceil(packed.length / pieces));
	const data = Array.from({ length: Math.ceil(packed.length / step) }, (_, index) =>
		createChunk("IDAT", packed.subarray(index * step, (index + 1) * step)),
	);
	return Buffer.concat([
		SIGNATURE,
		createChunk("IHDR", header),
		...(parts.palette === undefined ? [] : [createChunk("PLTE", Buffer.alloc(parts.palette * 3))]),
		...(parts.extra ?? []).map(([type, content]) => createChunk(type, content)),
		...data,
		createChunk("IEND", Buffer.alloc(0)),
		parts.trailing ?? Buffer.alloc(0),
	]);
}

export function createChunk(type: string, data: Buffer): Buffer {
	const chunk = Buffer.alloc(12 + data.length);
	chunk.writeUInt32BE(data.length, 0);
	chunk.write(type, 4, "latin1");
	data.copy(chunk, 8);
	chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
	return chunk;
}

/** The same octets with the checksum of each chunk made right, as far as there are chunks. */
export function repairChecksums(input: Uint8Array): Uint8Array {
	const file = Buffer.from(input);
	for (let at = SIGNATURE.length; at + 12 <= file.length; ) {
		const length = file.readUInt32BE(at);
		if (length > file.length - at - 12) break;
		file.writeUInt32BE(crc32(file.subarray(at + 4, at + 8 + length)), at + 8 + length);
		at += 12 + length;
	}
	return file;
}

/** Octets of all rows with their filter octets, counted pixel by pixel. */
function countBytes(width: number, height: number, bits: number, interlaced: boolean): number {
	const row = (columns: number): number => 1 + Math.ceil((columns * bits) / 8);
	if (!interlaced) return height * row(width);
	// The pass of each pixel of an 8 × 8 block (PNG §8.1), as the standard prints it.
	const block = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"];
	let total = 0;
	for (const pass of "1234567") {
		for (let y = 0; y < height; y += 1) {
			let columns = 0;
			for (let x = 0; x < width; x += 1) if (block[y % 8]?.[x % 8] === pass) columns += 1;
			if (columns > 0) total += row(columns);
		}
	}
	return total;
}
