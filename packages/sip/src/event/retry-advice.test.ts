import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "../env.ts";
import {
	adviseAfterFailure,
	adviseAfterTermination,
	adviseOnceAtOnce,
	adviseSpread,
	type RetryAdvice,
	type RetrySituation,
} from "./retry-advice.ts";

const lowest: Random = { token: () => "token", below: () => 0 };
const highest: Random = { token: () => "token", below: (bound) => bound - 1 };

function situation(failures = 0, retryAfterSeconds?: number, random = lowest): RetrySituation {
	return { failures, retryAfterSeconds, random };
}

function describe(advice: RetryAdvice): string {
	if (advice.kind === "after") return `after ${advice.delayMs}`;
	return advice.kind === "remember" ? `remember ${advice.forMs}` : advice.kind;
}

const failures: readonly [readonly number[], string][] = [
	[[403, 489, 603], "never"],
	[[404], "remember 600000"],
	[[604], "remember 2592000000"],
	[[408, 480, 500, 503, 504], "after 60000"],
	[[400, 401, 405, 406, 420, 423, 481, 488], "on-request"],
	[[501, 505, 513], "on-request"],
	[[302, 600, 606], "on-request"],
];

for (const [statusCodes, expected] of failures) {
	test(`protocol sheet 5.6: after ${statusCodes.join(", ")} a watcher comes back: ${expected}`, () => {
		for (const statusCode of statusCodes) assert.equal(describe(adviseAfterFailure(statusCode, situation())), expected);
	});
}

test("protocol sheet 5.6: the pause is 1, 5, 15, 60 minutes and stays at 60", () => {
	const pauses = [0, 1, 2, 3, 4, 100].map((count) => describe(adviseAfterFailure(480, situation(count))));
	assert.deepEqual(
		pauses,
		[60_000, 300_000, 900_000, 3_600_000, 3_600_000, 3_600_000].map((pauseMs) => `after ${pauseMs}`),
	);
});

test("protocol sheet 5.6: up to a fifth of the pause is added at random", () => {
	assert.equal(describe(adviseAfterFailure(480, situation(0, undefined, highest))), "after 72000");
});

test("protocol sheet 5.6: Retry-After takes the place of the pause, a day at most", () => {
	assert.equal(describe(adviseAfterFailure(503, situation(3, 7))), "after 7000");
	assert.equal(describe(adviseAfterFailure(503, situation(0, 4_294_967_295))), "after 86400000");
	assert.equal(describe(adviseAfterFailure(403, situation(0, 7))), "never");
});

const terminations: readonly [string | undefined, number, number | undefined, string][] = [
	["deactivated", 0, undefined, "after 0"],
	["deactivated", 1, undefined, "after 300000"],
	["timeout", 0, undefined, "after 0"],
	["timeout", 2, undefined, "after 900000"],
	["probation", 0, 90, "after 90000"],
	["probation", 0, undefined, "after 60000"],
	["rejected", 0, 90, "never"],
	["noresource", 0, undefined, "never"],
	["invariant", 0, undefined, "never"],
	["giveup", 0, undefined, "after 3600000"],
	["giveup", 0, 60, "after 60000"],
	[undefined, 0, undefined, "after 60000"],
	["unheard-of", 1, undefined, "after 300000"],
];

for (const [reason, count, retryAfterSeconds, expected] of terminations) {
	test(`RFC 6665 §4.1.3: terminated, ${reason ?? "no reason"}, ${count} failures before: ${expected}`, () => {
		assert.equal(describe(adviseAfterTermination(reason, situation(count, retryAfterSeconds))), expected);
	});
}

test("a new dialog is due at once the first time and after a pause from then on", () => {
	assert.equal(describe(adviseOnceAtOnce(situation(0))), "after 0");
	assert.equal(describe(adviseOnceAtOnce(situation(1))), "after 300000");
});

test("protocol sheet 1.6: what was lost together comes back spread over the whole span", () => {
	assert.equal(describe(adviseSpread(30_000, lowest)), "after 0");
	assert.equal(describe(adviseSpread(30_000, highest)), "after 30000");
});
