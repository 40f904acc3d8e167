/** The short form of the flood; the full one is `npm run long -- odd-bodies`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runFlood } from "./flood.ts";

test("promise 7, protocol 3.6: 300 odd bodies from one peer bring refusals and safe text, and the edge serves the others", async (context) => {
	const { broken, statuses, texts, during, octets } = await runFlood({ seed: 1, bodies: 300, quietMs: 500 });
	context.diagnostic(`${octets} octets: ${JSON.stringify(statuses)}; the other peer: ${JSON.stringify(during)}`);
	assert.deepEqual(broken, []);
	assert.ok(texts > 0 && during.messages > 0);
});
