import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configJsonSchema, formatConfigJsonSchema } from "./json-schema.ts";
import { listSections } from "./keys.ts";
import { formatConfigReference } from "./reference.ts";

const REMEDY = "the schema has changed: run `node packages/edge/src/config/write-reference.ts`";

function committed(name: string): string {
	return readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");
}

test("docs/configuration.md says what the schema says", () => {
	assert.ok(committed("configuration.md") === formatConfigReference(), REMEDY);
});

test("docs/causeway.schema.json says what the schema says", () => {
	assert.ok(committed("causeway.schema.json") === formatConfigJsonSchema(), REMEDY);
});

test("every section and every key is described, and stands in the reference page", () => {
	const page = formatConfigReference();
	for (const section of listSections().filter(({ name }) => name !== "")) {
		assert.notEqual(section.description, "", section.name);
		assert.ok(page.includes(section.repeated ? `[[${section.name}]]` : `[${section.name}]`), section.name);
		for (const key of section.keys) {
			assert.notEqual(key.description, "", `${section.name}.${key.name}`);
			assert.ok(page.includes(`| \`${key.name}\` |`), `${section.name}.${key.name}`);
		}
	}
});

test("the JSON Schema refuses unknown keys, and holds no word of our own but x-reload", () => {
	const text = JSON.stringify(configJsonSchema());
	assert.equal(configJsonSchema().additionalProperties, false);
	assert.ok(text.includes('"x-reload":"live"') && text.includes('"x-reload":"restart"'));
	for (const own of ['"reload":', '"path":', '"secret":']) assert.ok(!text.includes(own), own);
});
