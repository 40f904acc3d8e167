/**
 * The network icon as the profile wants it (REQ-14 to REQ-17): PNG, at most 8 KB, 16 × 16 pixels, 32 bits per pixel. Reads
 * the whole structure (PNG third edition, W3C) and writes it anew from what was checked, so that no program behind us meets
 * octets that nobody looked at.
 */
import { crc32, inflateSync } from "node:zlib";

export const MAX_ICON_BYTES = 8_192;
export const MAX_ICON_PIXELS = 16;
export const MAX_ICON_BITS = 32;

/** Why octets are no icon; a stable word. */
export type PngFault =
	| "too-large"
	| "not-png"
	| "truncated"
	| "bad-checksum"
	| "bad-header"
	| "too-many-pixels"
	| "too-deep"
	| "bad-structure"
	| "bad-data"
	| "trailing-data";

export interface PngIcon {
	readonly width: number;
	readonly height: number;
	readonly bitsPerPixel: number;
	/** The image alone: header, palette, transparency, data. */
	readonly octets: Uint8Array;
}

export type PngResult =
	| { readonly ok: true; readonly value: PngIcon }
	| { readonly ok: false; readonly fault: PngFault };

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const HEADER_BYTES = 13;
/** Length, type and checksum around the data of a chunk. */
const CHUNK_FRAME_BYTES = 12;
const MOST_FILTERS = 4;

/** PNG §11.2.1: samples per pixel and bit depths of each colour type. */
const COLOUR_TYPES: ReadonlyMap<number, { readonly samples: number; readonly depths: readonly number[] }> = new Map([
	[0, { samples: 1, depths: [1, 2, 4, 8, 16] }],
	[2, { samples: 3, depths: [8, 16] }],
	[3, { samples: 1, depths: [1, 2, 4, 8] }],
	[4, { samples: 2, depths: [8, 16] }],
	[6, { samples: 4, depths: [8, 16] }],
]);
const PALETTE_TYPE = 3;

/** PNG §8.1: first column and row, and distance of columns and rows, of each pass of Adam7. */
const ADAM7 = [
	[0, 0, 8, 8],
	[4, 0, 8, 8],
	[0, 4, 4, 8],
	[2, 0, 4, 4],
	[0, 2, 2, 4],
	[1, 0, 2, 2],
	[0, 1, 1, 2],
] as const;

interface Chunk {
	readonly type: string;
	readonly data: Buffer;
	/** With length, type and checksum, as it stands. */
	readonly whole: Buffer;
}

interface Header {
	readonly width: number;
	readonly height: number;
	readonly depth: number;
	readonly colourType: number;
	readonly isInterlaced: boolean;
	readonly bitsPerPixel: number;
}

/** Reads an icon; never throws, and never unpacks more than a picture of the allowed size has. */
export function readPngIcon(octets: Uint8Array): PngResult {
	if (octets.length > MAX_ICON_BYTES) return refuse("too-large");
	const file = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
	if (file.length < SIGNATURE.length || !file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return refuse("not-png");
	const chunks = readChunks(file);
	if (typeof chunks === "string") return refuse(chunks);
	const header = readHeader(chunks[0]);
	if (typeof header === "string") return refuse(header);
	const fault = checkOrder(chunks, header);
	if (fault !== undefined) return refuse(fault);
	const packed = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
	if (!isWholeImage(packed, header)) return refuse("bad-data");
	const kept = chunks.filter(({ type }) => isCritical(type) || type === "tRNS").map(({ whole }) => whole);
	const { width, height, bitsPerPixel } = header;
	return { ok: true, value: { width, height, bitsPerPixel, octets: Buffer.concat([SIGNATURE, ...kept]) } };
}

/** Every chunk up to IEND, which is the last octet of the file. */
function readChunks(file: Buffer): readonly Chunk[] | PngFault {
	const chunks: Chunk[] = [];
	for (let at = SIGNATURE.length; ; ) {
		if (file.length - at < CHUNK_FRAME_BYTES) return "truncated";
		const length = file.readUInt32BE(at);
		if (length > file.length - at - CHUNK_FRAME_BYTES) return "truncated";
		const end = at + CHUNK_FRAME_BYTES + length;
		const whole = file.subarray(at, end);
		if (crc32(whole.subarray(4, 8 + length)) !== whole.readUInt32BE(8 + length)) return "bad-checksum";
		const type = whole.toString("latin1", 4, 8);
		if (!isChunkType(type)) return "bad-structure";
		chunks.push({ type, data: whole.subarray(8, 8 + length), whole });
		at = end;
		if (type !== "IEND") continue;
		if (length > 0) return "bad-structure";
		return at === file.length ? chunks : "trailing-data";
	}
}

function readHeader(chunk: Chunk | undefined): Header | PngFault {
	if (chunk?.type !== "IHDR" || chunk.data.length !== HEADER_BYTES) return "bad-header";
	const { data } = chunk;
	const width = data.readUInt32BE(0);
	const height = data.readUInt32BE(4);
	const [depth = 0, colourType = 0, compression = 0, filter = 0, interlace = 0] = data.subarray(8);
	const colour = COLOUR_TYPES.get(colourType);
	if (width === 0 || height === 0 || compression !== 0 || filter !== 0 || interlace > 1) return "bad-header";
	if (colour?.depths.includes(depth) !== true) return "bad-header";
	if (width > MAX_ICON_PIXELS || height > MAX_ICON_PIXELS) return "too-many-pixels";
	const bitsPerPixel = colour.samples * depth;
	if (bitsPerPixel > MAX_ICON_BITS) return "too-deep";
	return { width, height, depth, colourType, isInterlaced: interlace === 1, bitsPerPixel };
}

/** PNG §5.6: one header first, one palette where there must be one, the data in one run, nothing critical that is unknown. */
function checkOrder(chunks: readonly Chunk[], header: Header): PngFault | undefined {
	let palettes = 0;
	let data: "before" | "in" | "after" = "before";
	let transparencies = 0;
	for (const [index, { type, data: content }] of chunks.entries()) {
		if (type === "IDAT") {
			if (data === "after") return "bad-structure";
			data = "in";
			continue;
		}
		if (data === "in") data = "after";
		switch (type) {
			case "IHDR":
				if (index > 0) return "bad-structure";
				break;
			case "PLTE":
				palettes += 1;
				if (palettes > 1 || data !== "before" || transparencies > 0) return "bad-structure";
				if (content.length === 0 || content.length % 3 !== 0 || content.length > 768) return "bad-structure";
				break;
			case "tRNS":
				transparencies += 1;
				if (transparencies > 1 || data !== "before" || content.length > 256) return "bad-structure";
				break;
			default:
				if (isCritical(type) && type !== "IEND") return "bad-structure";
		}
	}
	if (data === "before") return "bad-structure";
	const { colourType } = header;
	const mayHavePalette = colourType !== 0 && colourType !== 4;
	if (colourType === PALETTE_TYPE ? palettes === 0 : palettes > 0 && !mayHavePalette) return "bad-structure";
	return undefined;
}

/** Whether the packed data is exactly one picture: its rows, each with a filter that exists, and nothing behind them. */
function isWholeImage(packed: Buffer, header: Header): boolean {
	const passes = passesOf(header);
	const bytes = passes.reduce((sum, { rows, rowBytes }) => sum + rows * (1 + rowBytes), 0);
	let rows: Buffer;
	try {
		// One octet of slack shows what would go on.
		const { buffer, engine } = inflateSync(packed, { maxOutputLength: bytes + 1, info: true }) as unknown as {
			readonly buffer: Buffer;
			readonly engine: { readonly bytesWritten: number };
		};
		if (engine.bytesWritten !== packed.length) return false;
		rows = buffer;
	} catch {
		return false;
	}
	if (rows.length !== bytes) return false;
	let at = 0;
	for (const pass of passes) {
		for (let row = 0; row < pass.rows; row += 1) {
			if ((rows[at] ?? 0) > MOST_FILTERS) return false;
			at += 1 + pass.rowBytes;
		}
	}
	return true;
}

function passesOf({ width, height, bitsPerPixel, isInterlaced }: Header) {
	const rowBytes = (columns: number): number => Math.ceil((columns * bitsPerPixel) / 8);
	if (!isInterlaced) return [{ rows: height, rowBytes: rowBytes(width) }];
	return ADAM7.flatMap(([column, row, columnStep, rowStep]) => {
		const columns = Math.ceil((width - column) / columnStep);
		const rows = Math.ceil((height - row) / rowStep);
		return columns > 0 && rows > 0 ? [{ rows, rowBytes: rowBytes(columns) }] : [];
	});
}

/** PNG §5.4: four letters; a large first one marks a chunk that must be understood. */
function isChunkType(type: string): boolean {
	for (let index = 0; index < type.length; index += 1) {
		const letter = type.charCodeAt(index) | 0x20;
		if (letter < 0x61 || letter > 0x7a) return false;
	}
	return true;
}

function isCritical(type: string): boolean {
	return (type.charCodeAt(0) & 0x20) === 0;
}

function refuse(fault: PngFault): PngResult {
	return { ok: false, fault };
}
