// What a user of ours and people behind a provider do with each other, and what must be seen of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { User } from "./harness/causeway.ts";
import type { Lab } from "./harness/lab.ts";
import { headerValues, type SipText } from "./harness/sip-text.ts";
import type { Scenario, ScenarioOptions } from "./harness/sipp.ts";
import { until } from "./harness/until.ts";

const TEXTS = ["one", "two", "three"];
export const LEVELS = ["verified", "unverified"] as const;
export type Level = (typeof LEVELS)[number];

/** A verified and an unverified person of each domain. */
export function people(
	domains: readonly string[],
): readonly { readonly domain: string; readonly level: Level; readonly index: number }[] {
	return domains
		.flatMap((domain) => LEVELS.map((level) => ({ domain, level })))
		.map((one, index) => ({ ...one, index }));
}

/** The calling scenario; that of somebody who is not let in hears 202 for each text, in place of 200. */
export function imCalling(lab: Lab, level: Level): Pick<ScenarioOptions, "file"> {
	const file = new URL("scenarios/im-calling.xml", import.meta.url);
	const text = readFileSync(file, "utf8");
	if (level === "verified") return { file: lab.write("im-calling.xml", text) };
	const expected = '<recv response="200"/>';
	const parts = text.split(expected);
	assert.equal(parts.length, TEXTS.length + 2);
	const last = parts.pop() ?? "";
	return { file: lab.write("im-calling-held.xml", parts.join('<recv response="202"/>') + expected + last) };
}

export function isNotify({ method }: SipText): boolean {
	return method === "NOTIFY";
}

export async function succeeds(scenario: Scenario, calls = 1): Promise<void> {
	assert.deepEqual(await scenario.finished(), { successfulCalls: calls, failedCalls: 0 });
}

export async function sendTexts(from: User, to: string): Promise<void> {
	for (const text of TEXTS) {
		const { fate, reason } = await from.fate(await from.send(to, text));
		assert.equal(fate, "delivered", reason ?? fate);
	}
}

/** Our user's level stands in what reached the far end (REQ-71). */
export function assertOurLevel(called: Scenario): void {
	const invites = called.messages().filter(({ direction, method }) => direction === "received" && method === "INVITE");
	assert.ok(invites.length > 0);
	for (const invite of invites) {
		assert.deepEqual(headerValues(invite, "Ms-asserted-verification-level"), ["ms-source-verification-level=verified"]);
	}
}

export async function requestFrom(user: User, aor: string, level: Level): Promise<void> {
	const request = await until(async () => (await user.requests()).find((one) => one.aor === aor), {
		what: `a question about ${aor}`,
	});
	assert.equal(request.verification, level);
}

export async function heldFrom(user: User, aor: string, messages: number): Promise<void> {
	const held = (await user.messageRequests()).find((one) => one.aor === aor);
	assert.deepEqual({ level: held?.verification, messages: held?.messages }, { level: "unverified", messages });
}

/** The texts of the calling scenario are there: with the others where the caller is verified, else apart. */
export async function arrived(user: User, caller: string, level: Level): Promise<void> {
	if (level === "unverified") return heldFrom(user, caller, TEXTS.length);
	const name = caller.split("@")[0];
	assert.deepEqual(
		await textsBetween(user, caller),
		["First", "Second", "Third"].map((word) => `in ${word} of ${name}: Grüße ☎`),
	);
}

export async function textsBetween(user: User, other: string): Promise<readonly string[]> {
	return (await user.messages(other)).map(({ direction, text }) => `${direction} ${text}`);
}

/** The watcher asks, is let in, and hears of the undecided state and of the one that stands. */
export async function isWatchedBy(user: User, watcher: Scenario, aor: string, level: Level): Promise<void> {
	await watcher.received("the undecided state", isNotify, 1);
	await requestFrom(user, aor, level);
	await user.decide(aor, "allow");
	const allowed = await watcher.received("the state after the decision", isNotify, 2);
	assert.match(allowed.body, /<basic>open<\/basic>/);
	await succeeds(watcher);
}
