/** What changes between two configurations, and which of it needs a new start. */
import { isDeepStrictEqual } from "node:util";
import type { Reload } from "./key-schema.ts";
import { listSections } from "./keys.ts";
import type { Config } from "./schema.ts";

export interface ConfigChange {
	/** Dotted, without indices: `log.level`; a repeated section by its name: `peer`. */
	readonly key: string;
	readonly reload: Reload;
}

/** Keys whose values differ, in the order of the schema. */
export function compareConfigs(before: Config, after: Config): readonly ConfigChange[] {
	const repeated = new Set<string>();
	return listSections().flatMap((section): readonly ConfigChange[] => {
		const [top = ""] = section.name.split(".");
		if (section.repeated) repeated.add(section.name);
		if (repeated.has(top)) {
			const isChanged = section.repeated && !isDeepStrictEqual(at(before, section.name), at(after, section.name));
			const needsRestart = section.keys.some((key) => key.reload === "restart");
			return isChanged ? [{ key: section.name, reload: needsRestart ? "restart" : "live" }] : [];
		}
		return section.keys.flatMap((key) => {
			const name = `${section.name}.${key.name}`;
			return isDeepStrictEqual(at(before, name), at(after, name)) ? [] : [{ key: name, reload: key.reload }];
		});
	});
}

function at(config: Config, name: string): unknown {
	let value: unknown = config;
	for (const part of name.split(".")) {
		if (typeof value !== "object" || value === null) return undefined;
		value = new Map<string, unknown>(Object.entries(value)).get(part);
	}
	return value;
}
