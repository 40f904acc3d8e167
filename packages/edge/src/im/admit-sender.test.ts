import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../store/settings.ts";
import { type AdmissionRules, admitSender, type SenderFacts } from "./admit-sender.ts";

const LET_IN = ["a contact", "allowed", "known"] as const;
type Standing = "a stranger" | "denied" | "blocked" | (typeof LET_IN)[number];

function admit(
	level: SenderFacts["level"],
	standing: Standing,
	unverified: AdmissionRules["unverified"] = "request",
	settings: Partial<Settings> = {},
	isHidden = false,
): string {
	const decisions = { allowed: "allow", denied: "deny", blocked: "block" } as const;
	const admission = admitSender(
		{
			level,
			decision: standing in decisions ? decisions[standing as keyof typeof decisions] : undefined,
			isContact: () => standing === "a contact",
			isKnown: () => standing === "known",
		},
		{ unverified, settings: { messagesFrom: "everyone", blockedAnswer: "unavailable", ...settings }, isHidden },
	);
	return admission.kind === "refuse" ? String(admission.status) : admission.kind;
}

for (const standing of LET_IN) {
	test(`protocol 7.6: whoever is ${standing} is delivered, verified or not, whatever else is set`, () => {
		for (const level of ["verified", "unverified"] as const) {
			for (const unverified of ["request", "deliver", "refuse"] as const) {
				for (const messagesFrom of ["everyone", "contacts"] as const) {
					assert.equal(admit(level, standing, unverified, { messagesFrom }), "deliver");
				}
			}
		}
	});
}

for (const standing of ["a stranger", "denied"] as const) {
	test(`protocol 7.6, REQ-76: ${standing} is delivered where verified, and held, delivered or refused where not`, () => {
		assert.equal(admit("verified", standing), "deliver");
		assert.equal(admit("unverified", standing, "request"), "hold");
		assert.equal(admit("unverified", standing, "deliver"), "deliver");
		assert.equal(admit("unverified", standing, "refuse"), "480");
	});
	test(`protocol 7.5: where the user takes messages of contacts alone, ${standing} gets 480`, () => {
		for (const level of ["verified", "unverified"] as const) {
			assert.equal(admit(level, standing, "deliver", { messagesFrom: "contacts" }), "480");
		}
	});
}

test("protocol 7.5: a blocked sender gets 480, or 603 where the user says so and the peer may know who is there", () => {
	for (const level of ["verified", "unverified"] as const) {
		assert.equal(admit(level, "blocked"), "480");
		assert.equal(admit(level, "blocked", "deliver", { blockedAnswer: "declined" }), "603");
		assert.equal(admit(level, "blocked", "deliver", { blockedAnswer: "declined" }, true), "480");
	}
});
