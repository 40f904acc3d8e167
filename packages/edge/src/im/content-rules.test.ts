import assert from "node:assert/strict";
import { test } from "node:test";
import { createContentCheck } from "./content-rules.ts";

const check = createContentCheck([
	{ contains: ["Cheap pills", "casino"], direction: "in", domains: [], reason: "no advertising" },
	{ contains: ["project x"], direction: "out", domains: ["fabrikam.example"], reason: "not to Fabrikam" },
]);

test("protocol 3.6: a rule applies to its direction and its domains, and tells its own reason", () => {
	assert.equal(check("in", "fabrikam.example", "buy cheap pills"), "no advertising");
	assert.equal(check("out", "fabrikam.example", "buy cheap pills"), undefined);
	assert.equal(check("out", "fabrikam.example", "about Project X"), "not to Fabrikam");
	assert.equal(check("out", "other.example", "about Project X"), undefined);
	assert.equal(check("in", "fabrikam.example", "good morning"), undefined);
});

for (const [what, text] of [
	["case", "CHEAP PILLS"],
	["white space", "cheap \r\n\t pills"],
	["width", "\uff43\uff48\uff45\uff41\uff50 pills"],
	["invisible characters", "ch\u200beap\u00ad pi\u2060lls"],
] as const) {
	test(`protocol 3.6: ${what} makes no difference to a content rule`, () =>
		assert.equal(check("in", "fabrikam.example", text), "no advertising"));
}
