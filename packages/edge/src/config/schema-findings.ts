/** What the schema refuses, in an administrator's words. */
import type { z } from "zod";
import type { ConfigSection } from "./keys.ts";
import { listSections } from "./keys.ts";
import { nearestWord } from "./nearest.ts";
import type { Finding } from "./problem.ts";
import type { TomlPath } from "./toml-positions.ts";

/** Turns the schema's issues about a document into findings, in no particular order. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], document: unknown): readonly Finding[] {
	const sections = listSections();
	return issues.flatMap((issue) => {
		const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
		if (issue.code === "unrecognized_keys") {
			return issue.keys.map((name) => unknownKey([...path, name], sections, document));
		}
		const value = valueAt(document, path);
		// Without its kind the schema looks at nothing else in the table; a key that no kind has is wrong all the same.
		const isKind = issue.code === "invalid_union" && issue.discriminator !== undefined;
		const further = isKind ? keysOfNoKind(path.slice(0, -1), sections, document) : [];
		if (value === undefined && issue.code !== "custom") return [...missing(path, sections), ...further];
		return [{ path, ...describe(issue, value, path) }, ...further];
	});
}

function keysOfNoKind(table: TomlPath, sections: readonly ConfigSection[], document: unknown): readonly Finding[] {
	const section = sections.find(({ name }) => name === sectionName([...table, ""]));
	const known = new Set([...(section?.keys ?? []).map(({ name }) => name), ...(section?.inner ?? []).map(lastPart)]);
	const names = Object.keys(valueAt(document, table) ?? {}).filter((name) => !known.has(name));
	return names.map((name) => unknownKey([...table, name], sections, document));
}

type Words = Omit<Finding, "path">;

function describe(issue: z.core.$ZodIssue, value: unknown, path: TomlPath): Words {
	switch (issue.code) {
		case "invalid_type":
			return wrongType(issue.expected, value, path);
		case "invalid_value":
			return oneOf(issue.values.map(String), value);
		case "invalid_union":
			return "options" in issue && issue.options !== undefined
				? oneOf(issue.options.map(String), value)
				: { message: `${issue.message}, found ${nameType(value)}` };
		case "too_small":
			return issue.origin === "array" || issue.origin === "string"
				? { message: "must not be empty" }
				: { message: `must be at least ${issue.minimum}, found ${String(value)}` };
		case "too_big":
			return { message: `must be at most ${issue.maximum}, found ${String(value)}` };
		case "custom":
		case "invalid_element":
		case "invalid_format":
		case "invalid_key":
		case "not_multiple_of":
		case "unrecognized_keys":
			return { message: issue.message };
	}
}

/** A key that must be written and is not; of a whole section, those of its keys that have no default. */
function missing(path: TomlPath, sections: readonly ConfigSection[]): readonly Finding[] {
	const section = sections.find((candidate) => candidate.name === path.join("."));
	const wanted = (section?.keys ?? []).filter((entry) => entry.required);
	if (wanted.length > 0) return wanted.map((entry) => missingKey([...path, entry.name], entry.type));
	return [missingKey(path, keyAt(sections, path)?.type)];
}

function missingKey(path: TomlPath, type: string | undefined): Finding {
	return { path, message: "missing", ...(type !== undefined && { remedy: `it takes: ${type}` }) };
}

function wrongType(expected: string, value: unknown, path: TomlPath): Words {
	const wanted = TYPE_NAMES.get(expected) ?? expected;
	const isTableForList = expected === "array" && path.length === 1 && nameType(value) === "a table";
	return {
		message: `expected ${wanted}, found ${nameType(value)}`,
		...(isTableForList && { remedy: `write the header as [[${String(path[0])}]]` }),
	};
}

const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
	["string", "a string"],
	["array", "a list"],
	["boolean", "true or false"],
	["number", "a whole number"],
	["int", "a whole number"],
	["object", "a table"],
]);

function nameType(value: unknown): string {
	if (Array.isArray(value)) return "a list";
	if (value instanceof Date) return "a date";
	if (typeof value === "object") return "a table";
	return typeof value === "boolean" || typeof value === "number" ? String(value) : `a ${typeof value}`;
}

function oneOf(words: readonly string[], value: unknown): Words {
	const message = `expected ${words.map((word) => JSON.stringify(word)).join(" or ")}, found ${
		typeof value === "string" ? JSON.stringify(value) : nameType(value)
	}`;
	const near = typeof value === "string" ? nearestWord(value, words) : undefined;
	return near === undefined ? { message } : { message, remedy: `did you mean ${JSON.stringify(near)}?` };
}

/** An unknown key with the nearest known one: in its own table first, then where else a key of that name belongs. */
function unknownKey(path: TomlPath, sections: readonly ConfigSection[], document: unknown): Finding {
	const name = String(path.at(-1));
	const section = sections.find((candidate) => candidate.name === sectionName(path));
	const known = section?.keys.find((entry) => entry.name === name);
	const kind = valueAt(document, [...path.slice(0, -1), "kind"]);
	if (known?.kinds !== undefined) {
		return {
			path,
			message: `not for kind ${JSON.stringify(kind)}`,
			remedy: `only for kind ${known.kinds.map((word) => JSON.stringify(word)).join(" or ")}`,
		};
	}
	const fitting = (section?.keys ?? []).filter(({ kinds }) => isOfKind(kinds, kind));
	const names = [...fitting.map((entry) => entry.name), ...(section?.inner ?? []).map(lastPart)];
	const near = nearestWord(name, names);
	if (near !== undefined) return { path, message: "unknown key", remedy: `did you mean ${JSON.stringify(near)}?` };
	const elsewhere = sections.filter((other) => other.keys.some((entry) => entry.name === name));
	const [home] = elsewhere;
	if (elsewhere.length === 1 && home !== undefined) {
		return { path, message: "unknown key", remedy: `it belongs under ${formatHeader(home)}` };
	}
	return { path, message: "unknown key", remedy: `known here: ${names.join(", ")}` };
}

/** A kind that is not given may still become any. */
function isOfKind(kinds: readonly string[] | undefined, kind: unknown): boolean {
	return kinds === undefined || typeof kind !== "string" || kinds.includes(kind);
}

function keyAt(sections: readonly ConfigSection[], path: TomlPath) {
	const section = sections.find((candidate) => candidate.name === sectionName(path));
	return section?.keys.find((entry) => entry.name === path.at(-1));
}

/** The dotted name of the table around a path's last key, without indices. */
function sectionName(path: TomlPath): string {
	return path
		.slice(0, -1)
		.filter((part) => typeof part === "string")
		.join(".");
}

function lastPart(name: string): string {
	return name.slice(name.lastIndexOf(".") + 1);
}

function formatHeader(section: ConfigSection): string {
	return section.repeated ? `[[${section.name}]]` : `[${section.name}]`;
}

function valueAt(document: unknown, path: TomlPath): unknown {
	let value = document;
	for (const part of path) {
		if (typeof value !== "object" || value === null) return undefined;
		value = Object.getOwnPropertyDescriptor(value, part)?.value;
	}
	return value;
}
