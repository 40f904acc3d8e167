/** The schema as a list of sections and keys: what the reference page, the suggestions, file names and reloads go by. */
import { z } from "zod";
import type { KeyMeta, Reload } from "./key-schema.ts";
import { configSchema } from "./schema.ts";

export interface ConfigKey {
	/** The last part: `listen`. */
	readonly name: string;
	/** What it takes, for people: `list of strings`, `"a" | "b"`. */
	readonly type: string;
	/** Undefined where the key has none; see `required`. */
	readonly defaultValue: unknown;
	readonly required: boolean;
	readonly description: string;
	readonly reload: Reload;
	/** The `kind` values that have this key; undefined where the section knows no kinds, or all of them have it. */
	readonly kinds: readonly string[] | undefined;
	readonly isPath: boolean;
	readonly isSecret: boolean;
}

export interface ConfigSection {
	/** Dotted, without indices: `edge.tls`, `peer`. Empty for the file itself, which holds sections alone. */
	readonly name: string;
	/** Written `[[name]]`. */
	readonly repeated: boolean;
	readonly description: string;
	readonly keys: readonly ConfigKey[];
	/** Names of the sections directly inside. */
	readonly inner: readonly string[];
}

interface Unwrapped {
	readonly schema: z.core.$ZodType;
	readonly defaultValue: unknown;
	readonly optional: boolean;
}

/** Every section of the schema, outer ones before inner ones, in the order of the file. */
export function listSections(): readonly ConfigSection[] {
	return sectionsOf("", "", configSchema);
}

/** Every key by its dotted name without indices: `edge.tls.key`, `peer.edge`. */
export function keysByName(): ReadonlyMap<string, ConfigKey> {
	return new Map(
		listSections().flatMap((section) => section.keys.map((entry) => [join(section.name, entry.name), entry] as const)),
	);
}

function join(section: string, name: string): string {
	return section === "" ? name : `${section}.${name}`;
}

function sectionsOf(name: string, description: string, schema: z.core.$ZodType): readonly ConfigSection[] {
	const { variants, repeated } = tablesOf(schema);
	const keys = new Map<string, ConfigKey>();
	const inner = new Map<string, readonly ConfigSection[]>();
	for (const variant of variants) {
		for (const [keyName, keySchema] of Object.entries(variant.shape)) {
			const about = metaOf(keySchema);
			if (tablesOf(unwrap(keySchema).schema).variants.length > 0) {
				const innerName = join(name, keyName);
				inner.set(innerName, sectionsOf(innerName, about.description, unwrap(keySchema).schema));
			} else {
				keys.set(keyName, mergeKey(keys.get(keyName), keyOf(keyName, keySchema, about, kindOf(variant))));
			}
		}
	}
	const merged = [...keys.values()].map((entry) =>
		entry.kinds?.length === variants.length ? { ...entry, kinds: undefined } : entry,
	);
	const section = { name, repeated, description, keys: merged, inner: [...inner.keys()] };
	return [section, ...[...inner.values()].flat()];
}

/** The tables a schema stands for: itself, the elements of a list, each kind of a union; none for a plain value. */
function tablesOf(schema: z.core.$ZodType): { readonly variants: readonly z.ZodObject[]; readonly repeated: boolean } {
	if (schema instanceof z.ZodArray) return { variants: tablesOf(schema.element).variants, repeated: true };
	if (schema instanceof z.ZodObject) return { variants: [schema], repeated: false };
	if (!(schema instanceof z.ZodDiscriminatedUnion)) return { variants: [], repeated: false };
	return { variants: schema.options.flatMap((option) => tablesOf(option).variants), repeated: false };
}

function kindOf(variant: z.ZodObject): string | undefined {
	const kind = new Map<string, unknown>(Object.entries(variant.shape)).get("kind");
	return kind instanceof z.ZodLiteral ? String(kind.value) : undefined;
}

function keyOf(name: string, schema: z.core.$ZodType, about: KeyMeta, kind: string | undefined): ConfigKey {
	const { schema: value, defaultValue, optional } = unwrap(schema);
	return {
		name,
		type: typeText(value),
		defaultValue,
		required: !optional && defaultValue === undefined,
		description: about.description,
		reload: about.reload,
		kinds: kind === undefined ? undefined : [kind],
		isPath: about.path === true,
		isSecret: about.secret === true,
	};
}

function mergeKey(known: ConfigKey | undefined, found: ConfigKey): ConfigKey {
	if (known === undefined) return found;
	const type = known.type === found.type ? known.type : `${known.type} | ${found.type}`;
	return { ...known, type, kinds: [...(known.kinds ?? []), ...(found.kinds ?? [])] };
}

function metaOf(schema: z.core.$ZodType): KeyMeta {
	const { description = "", reload = "restart", ...more } = (z.globalRegistry.get(schema) ?? {}) as Partial<KeyMeta>;
	return { description, reload, ...more };
}

function unwrap(schema: z.core.$ZodType): Unwrapped {
	if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
		return { ...unwrap(schema.def.innerType), defaultValue: schema.def.defaultValue };
	}
	if (schema instanceof z.ZodOptional) return { ...unwrap(schema.def.innerType), optional: true };
	if (schema instanceof z.ZodPipe) return unwrap(schema.def.in);
	return { schema, defaultValue: undefined, optional: false };
}

function typeText(schema: z.core.$ZodType): string {
	if (schema instanceof z.ZodEnum) return schema.options.map((word) => JSON.stringify(word)).join(" | ");
	if (schema instanceof z.ZodLiteral) return JSON.stringify(schema.value);
	if (schema instanceof z.ZodUnion) return schema.options.map(typeText).join(" | ");
	if (schema instanceof z.ZodArray) return `list of ${typeText(schema.element)}s`;
	if (schema instanceof z.ZodBoolean) return "true | false";
	if (schema instanceof z.ZodNumber) return `whole number, ${schema.minValue} to ${schema.maxValue}`;
	if (schema instanceof z.ZodString) return "string";
	throw new Error(`assertion: no words for the type ${schema._zod.def.type}`);
}
