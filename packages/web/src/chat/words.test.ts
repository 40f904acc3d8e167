import assert from "node:assert/strict";
import { test } from "node:test";
import { contactStates, fates, presenceStates } from "@causeway/admin";
import { createMessage } from "./testing.ts";
import { describeFate, describeState, explainContact, formatCount, ownStates, pageTitle, stateWords } from "./words.ts";

test("product 5: every state has words, and every one that can be published is offered", () => {
	for (const state of contactStates) assert.ok(stateWords[state].length > 0);
	assert.deepEqual([...ownStates].sort(), [...presenceStates].sort());
	assert.equal(describeState("away", "Back at four"), "Away – Back at four");
	assert.equal(describeState("away", undefined), "Away");
});

test("product 5: every fate of a message one sent has words of its own; one that came in has none", () => {
	const words = fates.map((fate) => describeFate(createMessage("1", { direction: "out", fate }))?.text);
	assert.equal(new Set(words).size, fates.length);
	assert.ok(words.every((text) => text !== undefined && text !== ""));
	assert.equal(describeFate(createMessage("1")), undefined);
});

test("a failure is told with its reason, whose fault it is, and the code", () => {
	const failed = createMessage("1", {
		direction: "out",
		fate: "failed",
		code: 404,
		reason: "Their server knows no such user.",
		blame: "recipient",
	});
	assert.deepEqual(describeFate(failed), {
		tone: "bad",
		text: "Not delivered",
		more: "Their server knows no such user. This is a matter of the recipient. (SIP 404)",
	});
	const unknown = createMessage("1", { direction: "out", fate: "unknown", reason: "No answer came.", blame: "peer" });
	assert.equal(
		describeFate(unknown)?.more,
		"No answer came. This is a matter of their server. It was not sent again, so that it cannot arrive twice.",
	);
});

test("a contact that is unknown says why; one that is known has nothing to explain", () => {
	const contact = { aor: "bob@fabrikam.example" } as const;
	assert.equal(explainContact({ ...contact, state: "available" }), undefined);
	assert.match(explainContact({ ...contact, state: "pending" }) ?? "", /asked/);
	assert.equal(explainContact({ ...contact, state: "unknown" }), "Their server does not say.");
	assert.equal(
		explainContact({ ...contact, state: "unknown", reason: "They refused.", blame: "recipient", code: 603 }),
		"They refused. This is a matter of the recipient. (SIP 603)",
	);
});

test("counts and the page's title tell what is unread", () => {
	assert.equal(formatCount(3, false), "3");
	assert.equal(formatCount(50, true), "50+");
	assert.equal(pageTitle("alice@contoso.example", 2), "(2) alice@contoso.example – Causeway chat");
	assert.equal(pageTitle(undefined, 0), "Causeway chat");
});
