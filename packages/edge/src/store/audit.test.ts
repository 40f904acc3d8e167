import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCalendar, openTestStore } from "./testing.ts";

test("the audit lists what was done, newest first and by pages", async () => {
	const clock = createTestCalendar();
	const { audit } = await openTestStore({ clock });
	for (const target of ["a", "b", "c"]) {
		await audit.append({ actor: "admin", action: "user.add", target, details: { force: target === "b" } });
		clock.advance(1_000);
	}
	const [third, second] = audit.list({ limit: 2 });
	assert(third !== undefined && second !== undefined);
	assert.deepEqual([third.target, second.target], ["c", "b"]);
	assert.deepEqual(second.details, { force: true });
	assert.equal(third.at - second.at, 1_000);
	assert.deepEqual(
		audit.list({ before: second.number, limit: 5 }).map(({ target }) => target),
		["a"],
	);
});
