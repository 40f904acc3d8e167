/** Walks a configuration beside its schema. */
import { type ConfigKey, keysByName } from "./keys.ts";
import type { Config } from "./schema.ts";

/** A copy with every value of every key replaced; lists of plain values are replaced element by element. */
export function mapConfigKeys(config: Config, replace: (key: ConfigKey, value: unknown) => unknown): Config {
	const keys = keysByName();
	return walk(config, "", (name, value) => {
		const key = keys.get(name);
		if (key === undefined) throw new Error(`assertion: ${name} is not in the schema`);
		return replace(key, value);
	}) as Config;
}

function walk(value: unknown, name: string, replace: (name: string, value: unknown) => unknown): unknown {
	if (Array.isArray(value)) return value.map((item: unknown) => walk(item, name, replace));
	if (typeof value !== "object" || value === null) return value === undefined ? undefined : replace(name, value);
	return Object.fromEntries(
		Object.entries(value).map(([part, inner]) => [part, walk(inner, name === "" ? part : `${name}.${part}`, replace)]),
	);
}
