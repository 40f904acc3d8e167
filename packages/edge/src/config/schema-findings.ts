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
		return [{ path, ...describe(issue, valueAt(document, path), sections, path) }];
	});
}

type Words = Omit<Finding, "path">;

function describe(issue: z.core.$ZodIssue, value: unknown, sections: readonly ConfigSection[], path: TomlPath): Words {
	if (value === undefined && issue.code !== "custom") return missing(sections, path);
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

function missing(sections: readonly ConfigSection[], path: TomlPath): Words {
	const entry = keyAt(sections, path);
	return entry === undefined ? { message: "missing" } : { message: "missing", remedy: `it takes: ${entry.type}` };
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
	return typeof value === "boolean" ? String(value) : `a ${typeof value}`;
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
	if (known?.kinds !== undefined) {
		const kind = valueAt(document, [...path.slice(0, -1), "kind"]);
		return {
			path,
			message: `not for kind ${JSON.stringify(kind)}`,
			remedy: `only for kind ${known.kinds.map((word) => JSON.stringify(word)).join(" or ")}`,
		};
	}
	const names = [...(section?.keys ?? []).map((entry) => entry.name), ...(section?.inner ?? []).map(lastPart)];
	const near = nearestWord(name, names);
	if (near !== undefined) return { path, message: "unknown key", remedy: `did you mean ${JSON.stringify(near)}?` };
	const elsewhere = sections.filter((other) => other.keys.some((entry) => entry.name === name));
	const [home] = elsewhere;
	if (elsewhere.length === 1 && home !== undefined) {
		return { path, message: "unknown key", remedy: `it belongs under ${formatHeader(home)}` };
	}
	return { path, message: "unknown key", remedy: `known here: ${names.join(", ")}` };
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
		if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
		value = Object.entries(value).find(([name]) => name === String(part))?.[1];
	}
	return value;
}
