import assert from "node:assert/strict";
import { test } from "node:test";
import { grantExpires } from "./grant-expires.ts";

const policy = { minSeconds: 300, maxSeconds: 28_800, defaultSeconds: 3600 };

const cases: readonly [string, number | undefined, typeof policy, string][] = [
	["protocol sheet 5.6: absent is 3600", undefined, policy, "granted 3600"],
	["protocol sheet 5.6: the grant is cut at the maximum", 86_400, policy, "granted 28800"],
	["the grant is what was asked inside the bounds", 1800, policy, "granted 1800"],
	["the minimum itself is granted", 300, policy, "granted 300"],
	["REQ-86: below the minimum is too brief", 299, policy, "too-brief 300"],
	["REQ-86: one second is too brief", 1, policy, "too-brief 300"],
	["RFC 6665 §4.4.3: zero is never too brief", 0, policy, "granted 0"],
	["RFC 6665 §4.2.1.1: an hour is never too brief", 3600, { ...policy, minSeconds: 7200 }, "granted 3600"],
	["RFC 6665 §4.2.1.1: less than an hour is", 3599, { ...policy, minSeconds: 7200 }, "too-brief 3600"],
	["the default is cut at the maximum", undefined, { ...policy, maxSeconds: 600 }, "granted 600"],
	["an absurd request is cut at the maximum", 4_294_967_295, policy, "granted 28800"],
];

for (const [name, requested, bounds, expected] of cases) {
	test(name, () => {
		const grant = grantExpires(requested, bounds);
		const seconds = grant.kind === "granted" ? grant.expiresSeconds : grant.minExpiresSeconds;
		assert.equal(`${grant.kind} ${seconds}`, expected);
	});
}
