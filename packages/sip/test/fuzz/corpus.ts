/** Inputs to start from, kept as files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The library's own corpus. */
export const CORPUS_FOLDER: string = fileURLToPath(new URL("corpus", import.meta.url));
/** The torture messages, which the parser's tests read too. */
export const TORTURE_FOLDER: string = fileURLToPath(new URL("../torture", import.meta.url));

/** Every file of a folder with this ending, as octets. */
export function readCorpusFiles(folder: string, ending: string): readonly Uint8Array[] {
	return readdirSync(folder)
		.filter((name) => name.endsWith(ending))
		.sort()
		.map((name) => readFileSync(join(folder, name)));
}

/** The lines of a file, without their line ends; empty lines are left out. */
export function readCorpusLines(folder: string, file: string): readonly Uint8Array[] {
	return readFileSync(join(folder, file), "latin1")
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => Buffer.from(line, "latin1"));
}
