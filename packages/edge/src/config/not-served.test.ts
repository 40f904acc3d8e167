import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "./load.ts";
import { findNotServed } from "./not-served.ts";
import { formatProblem } from "./problem.ts";

function read(text: string) {
	const outcome = parseConfig(`[edge]\nfqdn = "sip.contoso.example"\n${text}`, "causeway.toml");
	assert.ok(outcome.ok, JSON.stringify(outcome));
	const { errors, warnings } = findNotServed(outcome.config, "causeway.toml");
	return { errors: errors.map(formatProblem), warnings: warnings.map(formatProblem) };
}

test("what this version does not serve is said, and relay domains are served", () => {
	assert.deepEqual(read('[[domain]]\nname = "contoso.example"\nkind = "hosted"\n'), { errors: [], warnings: [] });
	const { errors, warnings } = read(
		'[[domain]]\nname = "corp.contoso.example"\nkind = "relay"\ninside = "home.corp.contoso.example"\n' +
			'[trace]\nhep = "udp:homer.example:9060"\n',
	);
	assert.deepEqual(errors, []);
	assert.deepEqual(
		warnings.map((line) => line.split(":")[1]?.trim()),
		["trace.hep"],
	);
});
