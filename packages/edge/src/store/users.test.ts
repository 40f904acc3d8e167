import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCalendar, openTestStore } from "./testing.ts";

const DAY_MS = 24 * 3_600_000;

test("a user is found in any case, under the key, with the address as it was written", async () => {
	const { users } = await openTestStore();
	const result = await users.add({ address: "Omar@Contoso.example", displayName: "Omar" });
	assert(result.kind === "added");
	assert.deepEqual(users.get("OMAR@contoso.EXAMPLE"), result.user);
	assert.equal(result.user.aor, "omar@contoso.example");
	assert.equal(result.user.address, "Omar@Contoso.example");
	assert.equal(result.user.verification, "verified");
	assert.equal(users.get("lena@contoso.example"), undefined);
});

test("an address is one user's, in any case, also when two are added at once", async () => {
	const { users } = await openTestStore();
	const results = await Promise.all([
		users.add({ address: "omar@contoso.example", displayName: "First" }),
		users.add({ address: "Omar@contoso.example", displayName: "Second" }),
	]);
	assert.deepEqual(
		results.map((result) => result.kind),
		["added", "exists"],
	);
	assert.equal(users.get("omar@contoso.example")?.displayName, "First");
});

test("users are listed by key and by pages", async () => {
	const { users } = await openTestStore();
	for (const name of ["c", "a", "b"]) await users.add({ address: `${name}@contoso.example` });
	const names = (page: { after?: string; limit: number }) => users.list(page).map(({ aor }) => aor.charAt(0));
	assert.deepEqual(names({ limit: 10 }), ["a", "b", "c"]);
	assert.deepEqual(names({ limit: 2 }), ["a", "b"]);
	assert.deepEqual(names({ after: "b@contoso.example", limit: 2 }), ["c"]);
	assert.equal(users.count(), 3);
});

test("a change touches what it names and nothing else", async () => {
	const { users } = await openTestStore();
	await users.add({ address: "omar@contoso.example", displayName: "Omar" });
	assert.equal((await users.update("omar@contoso.example", { verification: "unverified" }))?.displayName, "Omar");
	assert.equal((await users.update("omar@contoso.example", { displayName: null }))?.displayName, undefined);
	assert.equal(users.get("omar@contoso.example")?.verification, "unverified");
	assert.equal(await users.update("nobody@contoso.example", { displayName: "x" }), undefined);
});

test("a password opens its own user and no other", async () => {
	const { users } = await openTestStore();
	await users.add({ address: "omar@contoso.example", password: "swordfish" });
	await users.add({ address: "lena@contoso.example" });
	assert.equal((await users.verifyPassword("Omar@contoso.example", "swordfish"))?.aor, "omar@contoso.example");
	assert.equal(await users.verifyPassword("omar@contoso.example", "trout"), undefined);
	assert.equal(await users.verifyPassword("lena@contoso.example", "swordfish"), undefined, "no password was set");
	assert.equal(await users.verifyPassword("nobody@contoso.example", "swordfish"), undefined);
});

test("a new password takes the old one's place", async () => {
	const { users } = await openTestStore();
	await users.add({ address: "omar@contoso.example", password: "old" });
	assert.equal(await users.setPassword("omar@contoso.example", "new"), true);
	assert.equal(await users.verifyPassword("omar@contoso.example", "old"), undefined);
	assert.notEqual(await users.verifyPassword("omar@contoso.example", "new"), undefined);
	assert.equal(await users.setPassword("nobody@contoso.example", "new"), false);
});

test("a suspended user cannot log in until resumed, and keeps everything", async () => {
	const { users, contacts } = await openTestStore();
	await users.add({ address: "omar@contoso.example", password: "swordfish" });
	await contacts.put("omar@contoso.example", { address: "lena@fabrikam.example" });
	assert.equal(await users.suspend("omar@contoso.example"), true);
	assert.equal(await users.verifyPassword("omar@contoso.example", "swordfish"), undefined);
	assert.equal(users.get("omar@contoso.example")?.suspended, true);
	assert.equal(await users.resume("omar@contoso.example"), true);
	assert.notEqual(await users.verifyPassword("omar@contoso.example", "swordfish"), undefined);
	assert.equal(contacts.list("omar@contoso.example").length, 1);
	assert.equal(await users.suspend("nobody@contoso.example"), false);
});

test("a removed user leaves nothing behind for the next holder of the address", async () => {
	const { users, contacts, watchers, messages, presence, tokens } = await openTestStore();
	const omar = "omar@contoso.example";
	const lena = "lena@contoso.example";
	await users.add({ address: omar });
	await users.add({ address: lena });
	await contacts.put(omar, { address: lena });
	await presence.publish(omar, "busy");
	await watchers.decide(omar, lena, "allow");
	await watchers.decide(lena, omar, "allow");
	const token = await tokens.create(omar, { lifetimeMs: 1_000 });
	for (let sequence = 0; sequence < 1_001; sequence += 1) {
		void messages.receive({ owner: omar, from: lena, contentType: "t", body: "", callId: "c", fromTag: "f", sequence });
	}
	await messages.submit({ owner: lena, to: omar, contentType: "text/plain", body: "kept" });
	assert.equal(await users.remove(omar), true);
	assert.equal(await users.remove(omar), false);
	assert.equal((await users.add({ address: omar, force: true })).kind, "added");
	assert.deepEqual(contacts.list(omar), []);
	assert.equal(presence.get(omar), undefined);
	assert.equal(watchers.get(omar, lena), undefined);
	assert.equal(watchers.get(lena, omar), undefined, "the trust of others was in the person, not in the address");
	assert.deepEqual(messages.list(omar, { limit: 10 }), []);
	assert(token.kind === "created");
	assert.equal(tokens.verify(token.secret), undefined);
	assert.equal(messages.list(lena, { limit: 10 }).length, 1, "other people's messages stay");
});

test("contact accuracy: the address of a removed user is free after 90 days, or when forced", async () => {
	const clock = createTestCalendar();
	const { users } = await openTestStore({ clock });
	const address = "omar@contoso.example";
	await users.add({ address });
	const removedAt = clock.wall();
	await users.remove(address);
	clock.advance(90 * DAY_MS - 1);
	assert.deepEqual(await users.add({ address }), { kind: "retired", until: removedAt + 90 * DAY_MS });
	clock.advance(1);
	assert.equal((await users.add({ address })).kind, "added");
	await users.remove(address);
	assert.equal((await users.add({ address, force: true })).kind, "added");
});

test("an address without user or domain is a fault of ours", async () => {
	const { users } = await openTestStore();
	for (const address of ["omar", "@contoso.example", "omar@", "o mar@contoso.example", `${"a".repeat(512)}@b`]) {
		assert.throws(() => users.get(address), /address of record/);
	}
});
