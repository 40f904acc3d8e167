/** Inputs that once made a target fail: kept as files, replayed by the tests. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface FoundInput {
	readonly file: string;
	/** Name of the target. */
	readonly target: string;
	readonly octets: Uint8Array;
}

/** Writes `TARGET-xxxxxxxx.bin` and returns its path; the same input gives the same file. */
export function writeFound(folder: string, target: string, input: Uint8Array): string {
	const path = join(folder, `${target}-${createHash("sha256").update(input).digest("hex").slice(0, 8)}.bin`);
	mkdirSync(folder, { recursive: true });
	writeFileSync(path, input);
	return path;
}

/** Everything found so far; nothing where the folder does not exist. */
export function readFound(folder: string): readonly FoundInput[] {
	if (!existsSync(folder)) return [];
	return readdirSync(folder)
		.filter((file) => file.endsWith(".bin"))
		.sort()
		.map((file) => ({
			file,
			target: file.slice(0, file.lastIndexOf("-")),
			octets: readFileSync(join(folder, file)),
		}));
}
