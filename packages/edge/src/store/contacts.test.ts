import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTACTS_PER_USER } from "./contacts.ts";
import { createTestCalendar, openTestStore } from "./testing.ts";

const OMAR = "omar@contoso.example";

test("putting a contact twice changes the name and keeps the day it was added", async () => {
	const clock = createTestCalendar();
	const { users, contacts } = await openTestStore({ clock });
	await users.add({ address: OMAR });
	const added = await contacts.put(OMAR, { address: "Lena@Fabrikam.example", name: "Lena" });
	assert(added.kind === "added");
	clock.advance(1_000);
	const updated = await contacts.put(OMAR, { address: "lena@fabrikam.example" });
	assert(updated.kind === "updated");
	assert.deepEqual(contacts.get(OMAR, "LENA@fabrikam.example"), updated.contact);
	assert.equal(updated.contact.name, undefined);
	assert.equal(updated.contact.createdAt, added.contact.createdAt);
	assert.equal(contacts.list(OMAR).length, 1);
});

test("a contact is removed once", async () => {
	const { users, contacts } = await openTestStore();
	await users.add({ address: OMAR });
	await contacts.put(OMAR, { address: "lena@fabrikam.example" });
	assert.equal(await contacts.remove(OMAR, "Lena@fabrikam.example"), true);
	assert.equal(await contacts.remove(OMAR, "lena@fabrikam.example"), false);
	assert.equal(contacts.get(OMAR, "lena@fabrikam.example"), undefined);
});

test("only a hosted user has contacts", async () => {
	const { contacts } = await openTestStore();
	assert.deepEqual(await contacts.put(OMAR, { address: "lena@fabrikam.example" }), { kind: "no-owner" });
});

test("a full contact list refuses one more and still takes changes", async () => {
	const { users, contacts } = await openTestStore();
	await users.add({ address: OMAR });
	const puts = Array.from({ length: CONTACTS_PER_USER }, (_, place) =>
		contacts.put(OMAR, { address: `user${place}@fabrikam.example` }),
	);
	assert.ok((await Promise.all(puts)).every(({ kind }) => kind === "added"));
	const tooMany = await contacts.put(OMAR, { address: "lena@fabrikam.example" });
	assert.deepEqual(tooMany, { kind: "too-many", limit: CONTACTS_PER_USER });
	assert.equal((await contacts.put(OMAR, { address: "user0@fabrikam.example", name: "Zero" })).kind, "updated");
});

test("start-up reads all lists by pages, and a contact's owners are found", async () => {
	const { users, contacts } = await openTestStore();
	for (const owner of ["a@contoso.example", "b@contoso.example"]) {
		await users.add({ address: owner });
		for (const contact of ["x@fabrikam.example", "y@fabrikam.example"]) await contacts.put(owner, { address: contact });
	}
	const first = contacts.all({ limit: 3 });
	const last = first.at(-1);
	assert(last !== undefined);
	const rest = contacts.all({ after: last, limit: 3 });
	assert.deepEqual(
		[...first, ...rest].map(({ owner, contact }) => `${owner.charAt(0)}${contact.charAt(0)}`),
		["ax", "ay", "bx", "by"],
	);
	assert.deepEqual(contacts.ownersOf("X@fabrikam.example"), ["a@contoso.example", "b@contoso.example"]);
	assert.deepEqual(contacts.ownersOf("z@fabrikam.example"), []);
});
