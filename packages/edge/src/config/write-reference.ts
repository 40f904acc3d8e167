/** Writes `docs/configuration.md` and `docs/causeway.schema.json` anew: `node packages/edge/src/config/write-reference.ts`. */
import { writeFileSync } from "node:fs";
import { formatConfigJsonSchema } from "./json-schema.ts";
import { formatConfigReference } from "./reference.ts";

const docs = new URL("../../../../docs/", import.meta.url);
writeFileSync(new URL("configuration.md", docs), formatConfigReference());
writeFileSync(new URL("causeway.schema.json", docs), formatConfigJsonSchema());
