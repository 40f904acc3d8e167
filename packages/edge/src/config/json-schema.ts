/** The JSON Schema of `causeway.toml`, for editors. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

/** JSON Schema 2020-12; keys of our own are written with `x-`: `x-reload` is `live` or `restart`. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
	const schema = z.toJSONSchema(configSchema, {
		io: "input",
		override: ({ jsonSchema }) => {
			const { reload } = jsonSchema;
			for (const own of ["reload", "path", "secret"]) delete jsonSchema[own];
			if (reload !== undefined) jsonSchema["x-reload"] = reload;
		},
	});
	return { title: "causeway.toml", ...schema };
}

/** The text of `docs/causeway.schema.json`. */
export function formatConfigJsonSchema(): string {
	return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
