import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCalendar, openTestStore } from "./testing.ts";

test("the last published presence is kept with its time, note or no note", async () => {
	const clock = createTestCalendar();
	const { users, presence } = await openTestStore({ clock });
	await users.add({ address: "omar@contoso.example" });
	assert.equal(presence.get("omar@contoso.example"), undefined);
	assert.equal(await presence.publish("Omar@contoso.example", "busy", "in a meeting"), true);
	clock.advance(1_000);
	await presence.publish("omar@contoso.example", "on-the-phone");
	assert.deepEqual(presence.get("omar@contoso.example"), {
		aor: "omar@contoso.example",
		state: "on-the-phone",
		note: undefined,
		changedAt: clock.wall(),
	});
});

test("a presence is cleared once, and one of a user who is gone is not stored", async () => {
	const { users, presence } = await openTestStore();
	await users.add({ address: "omar@contoso.example" });
	await presence.publish("omar@contoso.example", "available");
	assert.equal(await presence.clear("omar@contoso.example"), true);
	assert.equal(await presence.clear("omar@contoso.example"), false);
	await users.remove("omar@contoso.example");
	assert.equal(await presence.publish("omar@contoso.example", "available"), false);
	assert.equal(presence.get("omar@contoso.example"), undefined);
});

test("start-up reads every presence by pages", async () => {
	const { users, presence } = await openTestStore();
	for (const name of ["a", "b", "c"]) {
		await users.add({ address: `${name}@contoso.example` });
		await presence.publish(`${name}@contoso.example`, "away");
	}
	const first = presence.list({ limit: 2 });
	const after = first.at(-1)?.aor ?? "";
	assert.deepEqual(
		[...first, ...presence.list({ after, limit: 2 })].map(({ aor }) => aor.charAt(0)),
		["a", "b", "c"],
	);
});
