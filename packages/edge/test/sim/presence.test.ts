/** The short form of the simulated days; `npm run long` has the long one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runPresence } from "./presence-run.ts";

for (const seed of [1, 2, 3]) {
	test(`REQ-83, REQ-92, promise 5: six hours of two edges with restarts and cut connections, seed ${seed}`, async () => {
		const result = await runPresence({
			seed,
			hours: 6,
			usersPerEdge: 10,
			contactsPerUser: 3,
			stateChanges: 600,
			decisions: 30,
			restarts: 6,
			cuts: 20,
		});
		assert.equal(result.pairs, 60);
		assert.ok(result.notifies > 600);
	});
}
