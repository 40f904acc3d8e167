import assert from "node:assert/strict";
import { test } from "node:test";
import { createPasswords } from "./passwords.ts";
import { TEST_SCRYPT_COST } from "./testing.ts";

test("a password is recognised by its hash, another one is not", async () => {
	const passwords = createPasswords(TEST_SCRYPT_COST);
	const stored = await passwords.hash("correct horse");
	assert.equal(await passwords.verify("correct horse", stored), true);
	assert.equal(await passwords.verify("correct horsE", stored), false);
	assert.equal(await passwords.verify("", stored), false);
});

test("the hash carries its parameters, so that it is still checked after the cost was raised", async () => {
	const stored = await createPasswords(TEST_SCRYPT_COST).hash("swordfish");
	assert.match(stored, /^scrypt\$16\$1\$1\$[\w-]{22}\$[\w-]{43}$/);
	assert.equal(await createPasswords({ ...TEST_SCRYPT_COST, cost: 64 }).verify("swordfish", stored), true);
});

test("two hashes of one password differ: each has a salt of its own", async () => {
	const passwords = createPasswords(TEST_SCRYPT_COST);
	assert.notEqual(await passwords.hash("swordfish"), await passwords.hash("swordfish"));
});

test("a password is the same however its accents were typed", async () => {
	const passwords = createPasswords(TEST_SCRYPT_COST);
	assert.equal(await passwords.verify("cafe\u0301", await passwords.hash("caf\u00e9")), true);
});

test("without a stored hash every password is wrong", async () => {
	assert.equal(await createPasswords(TEST_SCRYPT_COST).verify("anything", undefined), false);
});

test("more checks than run at once all come to an end", async () => {
	const passwords = createPasswords(TEST_SCRYPT_COST);
	const stored = await passwords.hash("swordfish");
	const checks = Array.from({ length: 20 }, (_, place) =>
		passwords.verify(place % 2 === 0 ? "swordfish" : "no", stored),
	);
	const expected = Array.from({ length: 20 }, (_, place) => place % 2 === 0);
	assert.deepEqual(await Promise.all(checks), expected);
});
