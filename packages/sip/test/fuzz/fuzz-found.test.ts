/** The fuzz targets of the library in short: every input ever found, and 2,000 runs of a fixed seed. */
import { fileURLToPath } from "node:url";
import { createTargets } from "./targets.ts";
import { testTargets } from "./test-targets.ts";

testTargets(createTargets(), fileURLToPath(new URL("found", import.meta.url)));
