/** What is wrong with a configuration file, and where: one shape for the reader, the schema and the checks. */
import type { TomlPath } from "./toml-positions.ts";

export interface Problem {
	/** As the file was named. */
	readonly file: string;
	/** From 1; undefined where the file as a whole is meant. */
	readonly line: number | undefined;
	/** From 1. */
	readonly column: number | undefined;
	/** Dotted, indices in brackets: `peer[0].domains[1]`; empty where no key is meant. */
	readonly key: string;
	readonly message: string;
	/** What to do about it. */
	readonly remedy?: string;
}

/** A problem before its place is known. */
export interface Finding {
	readonly path: TomlPath;
	readonly message: string;
	readonly remedy?: string;
}

/** One line: `causeway.toml:12:3: peer[0].egde: unknown key; did you mean "edge"?`. */
export function formatProblem(problem: Problem): string {
	const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
	const key = problem.key === "" ? "" : `${problem.key}: `;
	return `${place}: ${key}${problem.message}${problem.remedy === undefined ? "" : `; ${problem.remedy}`}`;
}

/** `peer[0].domains[1]`; a key that is not bare stands in quotes. */
export function formatKeyPath(path: TomlPath): string {
	let text = "";
	for (const part of path) {
		if (typeof part === "number") text += `[${part}]`;
		else text += `${text === "" ? "" : "."}${/^[0-9A-Za-z_-]+$/.test(part) ? part : JSON.stringify(part)}`;
	}
	return text;
}
