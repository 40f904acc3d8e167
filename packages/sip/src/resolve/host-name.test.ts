import assert from "node:assert/strict";
import { test } from "node:test";
import { isWithinDomain, normaliseHostName } from "./host-name.ts";

test("RFC 1123 §2.1: a host name is made of labels of letters, digits and hyphens, and comes back in lower case", () => {
	const label63 = "a".repeat(63);
	const cases: readonly [string, string | undefined][] = [
		["SIP.Contoso.Example", "sip.contoso.example"],
		["sip.contoso.example.", "sip.contoso.example"],
		["xn--mnchen-3ya.example", "xn--mnchen-3ya.example"],
		["localhost", "localhost"],
		["4you.example", "4you.example"],
		[`${label63}.example`, `${label63}.example`],
		[`${label63}a.example`, undefined],
		[`${`${label63}.`.repeat(3)}${"a".repeat(61)}`, `${`${label63}.`.repeat(3)}${"a".repeat(61)}`],
		[`${`${label63}.`.repeat(3)}${"a".repeat(62)}`, undefined],
		["münchen.example", undefined],
		["\u212Aelvin.example", undefined],
		["a..example", undefined],
		[".example", undefined],
		["sip.contoso.example..", undefined],
		["-a.example", undefined],
		["a-.example", undefined],
		["a_b.example", undefined],
		["a b.example", undefined],
		["192.0.2.1", undefined],
		["127.1", undefined],
		["", undefined],
		[".", undefined],
	];
	for (const [text, expected] of cases) assert.equal(normaliseHostName(text), expected, text);
});

test("REQ-38: a target is inside its domain at a label boundary only", () => {
	assert.equal(isWithinDomain("sip.fabrikam.example", "fabrikam.example"), true);
	assert.equal(isWithinDomain("a.b.fabrikam.example", "fabrikam.example"), true);
	assert.equal(isWithinDomain("fabrikam.example", "fabrikam.example"), true);
	assert.equal(isWithinDomain("sip.evilfabrikam.example", "fabrikam.example"), false);
	assert.equal(isWithinDomain("fabrikam.example.evil.example", "fabrikam.example"), false);
	assert.equal(isWithinDomain("example", "fabrikam.example"), false);
});
