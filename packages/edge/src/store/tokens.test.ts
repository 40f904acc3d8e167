import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "./store.ts";
import { createTestCalendar, openTestStore } from "./testing.ts";
import { TOKENS_PER_USER } from "./tokens.ts";

const OMAR = "omar@contoso.example";
const HOUR_MS = 3_600_000;

async function openWithUser(clock = createTestCalendar()): Promise<Store> {
	const store = await openTestStore({ clock });
	await store.users.add({ address: OMAR });
	return store;
}

async function create({ tokens }: Store, label?: string): Promise<{ id: string; secret: string }> {
	const result = await tokens.create(OMAR, { lifetimeMs: HOUR_MS, ...(label === undefined ? {} : { label }) });
	assert(result.kind === "created");
	return { id: result.token.id, secret: result.secret };
}

test("a token is known by its secret until it expires", async () => {
	const clock = createTestCalendar();
	const store = await openWithUser(clock);
	const { secret } = await create(store, "chat");
	assert.equal(store.tokens.verify(secret)?.owner, OMAR);
	assert.equal(store.tokens.verify(secret)?.label, "chat");
	assert.equal(store.tokens.verify(`${secret}x`), undefined);
	assert.equal(store.tokens.verify(""), undefined);
	clock.advance(HOUR_MS - 1);
	assert.notEqual(store.tokens.verify(secret), undefined);
	clock.advance(1);
	assert.equal(store.tokens.verify(secret), undefined);
});

test("a revoked token is refused, its user's others are not", async () => {
	const store = await openWithUser();
	const one = await create(store);
	const two = await create(store);
	assert.equal(await store.tokens.revoke("lena@contoso.example", one.id), false, "it is not hers");
	assert.equal(await store.tokens.revoke(OMAR, one.id), true);
	assert.equal(store.tokens.verify(one.secret), undefined);
	assert.notEqual(store.tokens.verify(two.secret), undefined);
	assert.equal(await store.tokens.revokeAll(OMAR), 1);
	assert.equal(store.tokens.verify(two.secret), undefined);
});

test("a suspended user's token is refused until the user is resumed", async () => {
	const store = await openWithUser();
	const { secret } = await create(store);
	await store.users.suspend(OMAR);
	assert.equal(store.tokens.verify(secret), undefined);
	await store.users.resume(OMAR);
	assert.notEqual(store.tokens.verify(secret), undefined);
});

test("the last use is noted, but not more often than every five minutes", async () => {
	const clock = createTestCalendar();
	const store = await openWithUser(clock);
	const { secret } = await create(store);
	const noted = async (): Promise<number | undefined> => {
		store.tokens.verify(secret);
		await store.flush();
		return store.tokens.list(OMAR)[0]?.lastUsedAt;
	};
	const start = clock.wall();
	assert.equal(await noted(), start);
	clock.advance(299_999);
	assert.equal(await noted(), start);
	clock.advance(1);
	assert.equal(await noted(), start + 300_000);
});

test("one more token than a user may have ends the oldest", async () => {
	const store = await openWithUser();
	const oldest = await create(store);
	const second = await create(store);
	for (let count = 2; count < TOKENS_PER_USER; count += 1) await create(store);
	assert.notEqual(store.tokens.verify(oldest.secret), undefined);
	await create(store);
	assert.equal(store.tokens.verify(oldest.secret), undefined);
	assert.notEqual(store.tokens.verify(second.secret), undefined);
	assert.equal(store.tokens.list(OMAR).length, TOKENS_PER_USER);
});

test("only a hosted user gets a token", async () => {
	const { tokens } = await openTestStore();
	assert.deepEqual(await tokens.create(OMAR, { lifetimeMs: HOUR_MS }), { kind: "no-owner" });
});
