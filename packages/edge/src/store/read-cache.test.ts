import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadCache } from "./read-cache.ts";
import { openTestStore } from "./testing.ts";

test("a value is read once until the cache is cleared, and values are kept up to their weight", () => {
	const cache = new ReadCache<string>(5, (value) => value.length);
	const read: string[] = [];
	const get = (key: string): string =>
		cache.get(key, () => {
			read.push(key);
			return key;
		});
	for (const key of ["aa", "aa", "bbb", "aa"]) get(key);
	assert.deepEqual(read, ["aa", "bbb"]);
	get("c");
	get("aa");
	assert.deepEqual(read, ["aa", "bbb", "c", "aa"], "the oldest made room");
	get("too long");
	get("too long");
	assert.equal(read.length, 6, "what is too heavy is not kept");
	cache.clear();
	get("c");
	assert.equal(read.length, 7);
});

test("a user, and how a watcher stands, are seen as they are after every write that has settled", async () => {
	const { users, watchers } = await openTestStore();
	const [omar, lena, domain] = ["omar@contoso.example", "lena@fabrikam.example", "@fabrikam.example"] as const;
	const standing = (): string | undefined => watchers.standing(omar, lena)?.decision;
	assert.equal(users.get(omar), undefined);
	await users.add({ address: omar });
	assert.equal(users.get(omar)?.suspended, false);
	await users.suspend(omar);
	assert.equal(users.get(omar)?.suspended, true);
	assert.equal(standing(), undefined);
	await watchers.decide(omar, domain, "block");
	assert.equal(standing(), "block");
	await watchers.decide(omar, lena, "allow");
	assert.equal(standing(), "allow");
	await watchers.forget(omar, lena);
	assert.equal(standing(), "block");
	await watchers.forget(omar, domain);
	assert.equal(standing(), undefined);
	await watchers.request(omar, lena);
	assert.equal(standing(), "pending");
	await users.remove(omar);
	assert.equal(users.get(omar), undefined);
	assert.equal(standing(), undefined);
});

test("a presentity with more decisions than are kept answers each look-up from the database", async () => {
	const { users, watchers } = await openTestStore();
	await users.add({ address: "omar@contoso.example" });
	await Promise.all(
		Array.from({ length: 1_001 }, (_, place) =>
			watchers.decide("omar@contoso.example", `w${place}@example.org`, place === 1_000 ? "block" : "allow"),
		),
	);
	assert.equal(watchers.standing("omar@contoso.example", "w1000@example.org")?.decision, "block");
	assert.equal(watchers.standing("omar@contoso.example", "nobody@example.org"), undefined);
});
