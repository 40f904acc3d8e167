/** The reference page of the configuration, from the schema. */
import { type ConfigKey, type ConfigSection, listSections } from "./keys.ts";

const INTRODUCTION = `# Configuration reference

One TOML file: the one given by \`--config\`, else \`./causeway.toml\`, else \`/etc/causeway/causeway.toml\`. Unknown keys are
errors. Relative paths are relative to the file. \`causeway check-config\` makes every check of the start without starting;
\`docs/causeway.schema.json\` is the same schema for editors.

**Reload** says when a changed key takes effect: *live* on SIGHUP, *restart* when the server starts. An invalid file stops
the start with the place of every problem; on reload the old configuration stays.

This page is written by \`node packages/edge/src/config/write-reference.ts\` from the schema in \`packages/edge/src/config\`.
`;

/** The text of `docs/configuration.md`. */
export function formatConfigReference(): string {
	const sections = listSections().filter((section) => section.keys.length > 0);
	return `${[INTRODUCTION, ...sections.map(formatSection)].join("\n")}`;
}

function formatSection(section: ConfigSection): string {
	const header = section.repeated ? `[[${section.name}]]` : `[${section.name}]`;
	const lines = [
		`## \`${header}\``,
		"",
		section.description + (section.repeated ? " May stand several times." : ""),
		"",
		"| key | takes | default | reload | meaning |",
		"| --- | --- | --- | --- | --- |",
		...section.keys.map(formatKey),
		"",
	];
	return lines.join("\n");
}

function formatKey(key: ConfigKey): string {
	const kinds = key.kinds === undefined ? "" : ` Only for kind ${key.kinds.map((kind) => `\`${kind}\``).join(", ")}.`;
	const absent = key.required ? "required" : "";
	const value = key.defaultValue === undefined ? absent : `\`${JSON.stringify(key.defaultValue)}\``;
	return `| \`${key.name}\` | ${cell(key.type)} | ${cell(value)} | ${key.reload} | ${cell(key.description + kinds)} |`;
}

/** A pipe would end the cell. */
function cell(text: string): string {
	return text.replaceAll("|", "\\|");
}
