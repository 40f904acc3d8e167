import assert from "node:assert/strict";
import { test } from "node:test";
import { listWatchers, watcherStatus } from "./winfo.ts";

for (const [live, decision, status] of [
	[undefined, undefined, "init"],
	[undefined, "pending", "waiting"],
	[undefined, "allow", "terminated"],
	[undefined, "deny", "terminated"],
	["pending", undefined, "pending"],
	["pending", "pending", "pending"],
	["active", "pending", "pending"],
	["active", "allow", "active"],
	["active", "block", "active"],
	["active", "deny", "terminated"],
] as const) {
	test(`RFC 3857 §4.7.1: a subscription that is ${live ?? "absent"} with the decision ${decision ?? "none"} is ${status}`, () => {
		assert.equal(watcherStatus(live, decision), status);
	});
}

test("RFC 3857 §4.7.1: one entry for each watcher, and those who wait without a subscription", () => {
	const at = { verification: "verified", createdAt: 5 } as const;
	const request = { presentity: "a@x.example", watcherAddress: "w@y.example", decidedAt: undefined } as const;
	const found = listWatchers(
		[
			{ watcher: "l@y.example", state: "active", ...at },
			{ watcher: "l@y.example", state: "active", ...at, createdAt: 3 },
		],
		[{ ...request, watcher: "w@y.example", decision: "pending", requestedAt: 9 }],
		(watcher) => (watcher === "l@y.example" ? "allow" : "pending"),
	);
	assert.deepEqual(
		found.map(({ watcher, status, since }) => [watcher, status, since]),
		[
			["l@y.example", "active", 3],
			["w@y.example", "waiting", 9],
		],
	);
});
