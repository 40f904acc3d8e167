import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { PollGuard } from "./poll-guard.ts";

test("REQ-83: a pair may fetch every five minutes, each pair for itself", () => {
	const clock = new SimClock();
	const guard = new PollGuard(clock);
	assert.equal(guard.fetch("alice@contoso.example", "lena@fabrikam.example"), 0);
	clock.advance(299_000);
	assert.equal(guard.fetch("alice@contoso.example", "lena@fabrikam.example"), 1_000);
	assert.equal(guard.fetch("alice@contoso.example", "omar@fabrikam.example"), 0);
	clock.advance(1_000);
	assert.equal(guard.fetch("alice@contoso.example", "lena@fabrikam.example"), 0);
});

test("however many pairs ask, so many are remembered", () => {
	const guard = new PollGuard(new SimClock(), 2);
	for (const watcher of ["a@x.example", "b@x.example", "c@x.example"]) guard.fetch("alice@contoso.example", watcher);
	assert.equal(guard.fetch("alice@contoso.example", "a@x.example"), 0, "the oldest was forgotten");
	assert.ok(guard.fetch("alice@contoso.example", "c@x.example") > 0);
});
