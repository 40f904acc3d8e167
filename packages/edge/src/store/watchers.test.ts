import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "./store.ts";
import { createTestCalendar, openTestStore } from "./testing.ts";
import { PENDING_PER_PRESENTITY, PENDING_PER_WATCHER } from "./watchers.ts";

const OMAR = "omar@contoso.example";
const LENA = "lena@fabrikam.example";

async function openWithUsers(count = 1, clock = createTestCalendar()): Promise<Store> {
	const store = await openTestStore({ clock });
	await store.users.add({ address: OMAR });
	const others = Array.from({ length: count - 1 }, (_, place) =>
		store.users.add({ address: `u${place}@contoso.example` }),
	);
	await Promise.all(others);
	return store;
}

test("a request waits for its decision, and asking again changes nothing", async () => {
	const clock = createTestCalendar();
	const { watchers } = await openWithUsers(1, clock);
	const first = await watchers.request(OMAR, "Lena@fabrikam.example");
	assert(first.kind === "new");
	clock.advance(1_000);
	const again = await watchers.request(OMAR, LENA);
	assert.deepEqual(again, { kind: "known", authorization: first.authorization });
	assert.equal(first.authorization.watcherAddress, "Lena@fabrikam.example");
	assert.deepEqual(watchers.list(OMAR, "pending"), [first.authorization]);
});

for (const decision of ["allow", "deny", "block"] as const) {
	test(`a request that met ${decision} is no longer open, and a later request meets the same`, async () => {
		const clock = createTestCalendar();
		const { watchers } = await openWithUsers(1, clock);
		await watchers.request(OMAR, LENA);
		const requestedAt = clock.wall();
		clock.advance(1_000);
		const decided = await watchers.decide(OMAR, LENA, decision);
		assert(decided.kind === "decided");
		assert.deepEqual(watchers.get(OMAR, LENA), decided.authorization);
		assert.equal(decided.authorization.decision, decision);
		assert.equal(decided.authorization.requestedAt, requestedAt);
		assert.equal(decided.authorization.decidedAt, clock.wall());
		assert.deepEqual(watchers.list(OMAR, "pending"), []);
		assert.deepEqual(await watchers.request(OMAR, LENA), { kind: "known", authorization: decided.authorization });
	});
}

test("an address can be blocked before it ever asked, and the block list is the blocks alone", async () => {
	const { watchers } = await openWithUsers();
	await watchers.decide(OMAR, "spim@example.org", "block");
	await watchers.decide(OMAR, LENA, "allow");
	assert.deepEqual(
		watchers.list(OMAR, "block").map(({ watcher }) => watcher),
		["spim@example.org"],
	);
	assert.equal(watchers.get(OMAR, "spim@example.org")?.requestedAt, undefined);
	assert.equal(watchers.list(OMAR).length, 2);
});

test("forgetting a block does not touch another decision", async () => {
	const { watchers } = await openWithUsers();
	await watchers.decide(OMAR, LENA, "allow");
	assert.equal(await watchers.forget(OMAR, LENA, "block"), false);
	assert.equal(watchers.get(OMAR, LENA)?.decision, "allow");
	await watchers.decide(OMAR, LENA, "block");
	assert.equal(await watchers.forget(OMAR, LENA, "block"), true);
	assert.equal(watchers.get(OMAR, LENA), undefined);
	assert.equal(await watchers.forget(OMAR, LENA), false);
});

test("one watcher cannot have more than a hundred open requests", async () => {
	const { watchers } = await openWithUsers(PENDING_PER_WATCHER + 2);
	const requests = Array.from({ length: PENDING_PER_WATCHER }, (_, place) =>
		watchers.request(`u${place}@contoso.example`, LENA),
	);
	assert.ok((await Promise.all(requests)).every(({ kind }) => kind === "new"));
	assert.deepEqual(await watchers.request(OMAR, LENA), { kind: "too-many" });
	assert.equal((await watchers.request(OMAR, "anna@fabrikam.example")).kind, "new");
	await watchers.decide("u0@contoso.example", LENA, "deny");
	assert.equal((await watchers.request(OMAR, LENA)).kind, "new");
});

test("one user does not keep more than a thousand open requests", async () => {
	const { watchers } = await openWithUsers();
	const requests = Array.from({ length: PENDING_PER_PRESENTITY }, (_, place) =>
		watchers.request(OMAR, `w${place}@example.org`),
	);
	assert.ok((await Promise.all(requests)).every(({ kind }) => kind === "new"));
	assert.deepEqual(await watchers.request(OMAR, LENA), { kind: "too-many" });
	assert.equal((await watchers.decide(OMAR, LENA, "allow")).kind, "decided", "the user can still decide");
});

test("only a hosted user is watched", async () => {
	const { watchers } = await openTestStore();
	assert.deepEqual(await watchers.request(OMAR, LENA), { kind: "no-presentity" });
	assert.deepEqual(await watchers.decide(OMAR, LENA, "allow"), { kind: "no-presentity" });
});

test("protocol 5.7: a rule about a domain holds for everybody there whom no rule of its own names", async () => {
	const { watchers } = await openWithUsers();
	await watchers.decide(OMAR, "@Fabrikam.example", "block");
	assert.equal(watchers.standing(OMAR, LENA)?.decision, "block");
	assert.equal(watchers.standing(OMAR, "lena@notfabrikam.example"), undefined);
	assert.equal(watchers.get(OMAR, LENA), undefined);
	await watchers.decide(OMAR, LENA, "allow");
	assert.equal(watchers.standing(OMAR, LENA)?.decision, "allow");
	assert.equal(await watchers.forget(OMAR, "@fabrikam.example"), true);
	assert.equal(watchers.standing(OMAR, "anna@fabrikam.example"), undefined);
});

test("a decision about a domain answers the open requests of that domain, and no others", async () => {
	const { watchers } = await openWithUsers();
	await watchers.request(OMAR, LENA);
	await watchers.request(OMAR, "lena@notfabrikam.example");
	await watchers.decide(OMAR, "@fabrikam.example", "allow");
	assert.deepEqual(
		watchers.list(OMAR, "pending").map(({ watcher }) => watcher),
		["lena@notfabrikam.example"],
	);
	assert.equal(watchers.standing(OMAR, LENA)?.decision, "allow");
});

test("the rule to be asked is no request until somebody asks, and goes before the domain's", async () => {
	const { watchers } = await openWithUsers();
	await watchers.decide(OMAR, "@fabrikam.example", "allow");
	await watchers.decide(OMAR, LENA, "pending");
	assert.equal(watchers.standing(OMAR, LENA)?.decision, "pending");
	assert.deepEqual(watchers.list(OMAR, "pending"), []);
	assert.equal((await watchers.request(OMAR, LENA)).kind, "new");
	assert.equal((await watchers.request(OMAR, LENA)).kind, "known");
	assert.equal(watchers.list(OMAR, "pending").length, 1);
});

test("open requests are found by age", async () => {
	const { watchers } = await openWithUsers();
	const made = await watchers.request(OMAR, LENA);
	assert.ok(made.kind === "new");
	const at = made.authorization.requestedAt ?? 0;
	assert.deepEqual(watchers.requestedBefore(at), []);
	assert.equal(watchers.requestedBefore(at + 1).length, 1);
});
