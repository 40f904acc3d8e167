import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestStore } from "./testing.ts";

test("an entry of the live policy is replaced, listed by kind and removed once", async () => {
	const { policy } = await openTestStore();
	await policy.put("peer", "Fabrikam.example", { kind: "allowed" });
	await policy.put("peer", "fabrikam.example", { kind: "direct", edge: "sip.fabrikam.example:5061" });
	await policy.put("block", "spim.example", {});
	const value = { kind: "direct", edge: "sip.fabrikam.example:5061" };
	assert.deepEqual(policy.get("peer", "FABRIKAM.example")?.value, value);
	assert.deepEqual(
		policy.list("block").map(({ domain }) => domain),
		["spim.example"],
	);
	assert.deepEqual(
		policy.list().map(({ domain }) => domain),
		["spim.example", "fabrikam.example"],
	);
	assert.equal(policy.get("block", "fabrikam.example"), undefined);
	assert.equal(await policy.remove("peer", "fabrikam.example"), true);
	assert.equal(await policy.remove("peer", "fabrikam.example"), false);
	assert.equal(policy.get("peer", "fabrikam.example"), undefined);
});
