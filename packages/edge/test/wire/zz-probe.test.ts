import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRequest, startWireWorld } from "./wire-world.ts";
test("long user SUBSCRIBE", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	link.write(formatRequest({ method: process.env.M ?? "SUBSCRIBE", from: `${"x".repeat(600)}@fabrikam.example`, headers: ["Event: presence"] }));
	const r = await link.response();
	console.log("FROM", r.statusCode);
	link.write(formatRequest({ method: process.env.M ?? "SUBSCRIBE", to: `${"x".repeat(600)}@contoso.example`, headers: ["Event: presence"] }));
	console.log("TO", (await link.response()).statusCode);
	assert.ok(true);
});
