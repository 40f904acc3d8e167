/** Reads `causeway.toml`: every problem at once, each with its place in the file; or the configuration and warnings. */
import { dirname, resolve } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import type { z } from "zod";
import { checkConfig, type ReadableConfig } from "./check.ts";
import { describeReadError } from "./file-access.ts";
import { mapConfigKeys } from "./map-keys.ts";
import { type Finding, formatKeyPath, type Problem } from "./problem.ts";
import { type Config, configSchema } from "./schema.ts";
import { describeIssues } from "./schema-findings.ts";
import { locateToml, type TomlPath, type TomlPosition } from "./toml-positions.ts";

export { formatProblem, type Problem } from "./problem.ts";

export type ConfigOutcome =
	| { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
	| { readonly ok: false; readonly problems: readonly Problem[] };

/** Far above any real file, far below what would keep a start waiting. */
const MAX_CONFIG_LENGTH = 1_048_576;

/** Where the file is looked for when nobody names one. */
export const CONFIG_SEARCH_PATHS: readonly string[] = ["causeway.toml", "/etc/causeway/causeway.toml"];

/** The file to read: the one given, whether or not it exists, else the first of {@link CONFIG_SEARCH_PATHS} that does. */
export function findConfigPath(given: string | undefined, exists: (path: string) => boolean): string | undefined {
	return given ?? CONFIG_SEARCH_PATHS.find((path) => exists(path));
}

/** Reads and checks a file; `readFile` gives its text or throws. Files that it names are not looked at. */
export function loadConfig(path: string, readFile: (path: string) => string): ConfigOutcome {
	let text: string;
	try {
		text = readFile(path);
	} catch (error) {
		const message = `the configuration cannot be read: ${describeReadError(error)}`;
		return { ok: false, problems: [{ file: path, line: undefined, column: undefined, key: "", message }] };
	}
	return parseConfig(text, path);
}

/** The same for a text; `file` is how problems call it, and relative paths inside are relative to its folder. */
export function parseConfig(text: string, file: string): ConfigOutcome {
	if (text.length > MAX_CONFIG_LENGTH) {
		const message = `longer than ${MAX_CONFIG_LENGTH} characters: this is no configuration`;
		return { ok: false, problems: [{ file, line: undefined, column: undefined, key: "", message }] };
	}
	const document = readToml(text, file);
	if ("problem" in document) return { ok: false, problems: [document.problem] };
	const read = configSchema.safeParse(document.table);
	const locate = locateToml(text);
	const place = (findings: readonly Finding[]): readonly Problem[] => placeFindings(findings, file, locate);
	if (!read.success) {
		const refused = describeIssues(read.error.issues, document.table);
		const { errors } = checkConfig(readParts(document.table));
		const further = errors.filter((error) => !refused.some(({ path }) => isUnder(error.path, path)));
		return { ok: false, problems: place([...refused, ...further]) };
	}
	const { errors, warnings } = checkConfig(read.data);
	if (errors.length > 0) return { ok: false, problems: place(errors) };
	return { ok: true, config: resolvePaths(read.data, dirname(resolve(file))), warnings: place(warnings) };
}

function readToml(
	text: string,
	file: string,
): { readonly table: Readonly<Record<string, unknown>> } | { readonly problem: Problem } {
	try {
		return { table: parseToml(text, { maxDepth: 32 }) };
	} catch (error) {
		if (!(error instanceof TomlError)) throw error;
		// The library's message goes on with an excerpt of the file.
		const [sentence = ""] = error.message.split("\n");
		const message = sentence.replace("Invalid TOML document: ", "not valid TOML: ");
		return { problem: { file, line: error.line, column: error.column, key: "", message } };
	}
}

/** Each section and each list element on its own, undefined where the schema refuses it. */
function readParts(table: Readonly<Record<string, unknown>>): ReadableConfig {
	const { shape } = configSchema;
	const section = <Value>(schema: z.ZodType<Value>, name: string) => schema.safeParse(table[name]).data;
	const elements = <Value>(schema: z.ZodType<Value>, name: string) => {
		const list = table[name];
		return Array.isArray(list) ? list.map((item: unknown) => schema.safeParse(item).data) : [];
	};
	return {
		edge: section(shape.edge, "edge"),
		domain: elements(shape.domain.unwrap().element, "domain"),
		federation: section(shape.federation, "federation"),
		dns: section(shape.dns, "dns"),
		peer: elements(shape.peer.unwrap().element, "peer"),
		block: elements(shape.block.unwrap().element, "block"),
		limits: section(shape.limits, "limits"),
		throttle: section(shape.throttle, "throttle"),
		presence: section(shape.presence, "presence"),
		im: section(shape.im, "im"),
		content_rule: section(shape.content_rule, "content_rule"),
		signing: section(shape.signing, "signing"),
		http: section(shape.http, "http"),
		trace: section(shape.trace, "trace"),
		log: section(shape.log, "log"),
	};
}

function resolvePaths(config: Config, folder: string): Config {
	return mapConfigKeys(config, (key, value) => {
		const isFile = key.isPath && value !== "" && value !== "system";
		return isFile && typeof value === "string" ? resolve(folder, value) : value;
	});
}

function placeFindings(
	findings: readonly Finding[],
	file: string,
	locate: (path: TomlPath) => TomlPosition,
): readonly Problem[] {
	const problems = findings.map(({ path, message, remedy }) => ({
		file,
		...locate(path),
		key: formatKeyPath(path),
		message,
		...(remedy !== undefined && { remedy }),
	}));
	return problems.sort((left, right) => left.line - right.line || left.column - right.column);
}

function isUnder(path: TomlPath, ancestor: TomlPath): boolean {
	return ancestor.every((part, index) => path[index] === part);
}
