/** The fuzz targets of the edge in short: every input ever found, and 2,000 runs of a fixed seed. */
import { fileURLToPath } from "node:url";
import { testTargets } from "../../../sip/test/fuzz/test-targets.ts";
import { createTargets } from "./targets.ts";

testTargets(createTargets(), fileURLToPath(new URL("found", import.meta.url)));
