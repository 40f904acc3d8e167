import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { AbsentContacts } from "./absent-contacts.ts";

const DAY_MS = 86_400_000;

test("REQ-84: what a 604 said is remembered for its time and no longer", () => {
	const clock = new SimClock();
	const absent = new AbsentContacts(clock);
	absent.add("nobody@fabrikam.example", 30 * DAY_MS);
	clock.advance(29 * DAY_MS);
	assert.equal(absent.leftMs("nobody@fabrikam.example"), DAY_MS);
	assert.equal(absent.leftMs("lena@fabrikam.example"), 0);
	clock.advance(DAY_MS);
	assert.equal(absent.leftMs("nobody@fabrikam.example"), 0);
});

test("so many addresses are remembered, the oldest goes first", () => {
	const absent = new AbsentContacts(new SimClock(), 2);
	for (const contact of ["a@x.example", "b@x.example", "c@x.example"]) absent.add(contact, 1_000);
	assert.equal(absent.leftMs("a@x.example"), 0);
	assert.equal(absent.leftMs("c@x.example"), 1_000);
});
