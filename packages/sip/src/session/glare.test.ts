import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "../env.ts";
import { chooseSession, judgeSecondInvite, reinvitePauseMs, type SessionCandidate } from "./glare.ts";
import type { InviteState } from "./invite-usage.ts";

const confirmed: InviteState = { name: "confirmed", remoteTag: "t", reinvite: "none", closing: undefined };

test("§14.1: after 491 the owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s", () => {
	const lowest: Random = { token: () => "token", below: () => 0 };
	const highest: Random = { token: () => "token", below: (bound) => bound - 1 };
	assert.deepEqual([reinvitePauseMs(true, lowest), reinvitePauseMs(true, highest)], [2100, 4000]);
	assert.deepEqual([reinvitePauseMs(false, lowest), reinvitePauseMs(false, highest)], [0, 2000]);
});

test("protocol sheet 3.5: of several sessions the one that our INVITE established first carries the message", () => {
	const session = (
		name: string,
		establishedBy: "us" | "peer",
		establishedAtMs: number,
		state: InviteState = confirmed,
	): SessionCandidate & { name: string } => ({ name, establishedBy, establishedAtMs, state });
	const early: InviteState = { name: "early", closing: undefined };
	const cases: readonly [readonly (SessionCandidate & { name: string })[], string | undefined][] = [
		[[session("a", "peer", 1), session("b", "us", 3), session("c", "us", 2)], "c"],
		[[session("b", "us", 3), session("a", "peer", 9)], "b"],
		[[session("a", "peer", 1), session("b", "peer", 2)], "b"],
		[[session("a", "us", 1, early), session("b", "peer", 2)], "b"],
		[[session("a", "us", 1, { ...confirmed, closing: { kind: "stream-removed" } })], undefined],
		[[session("a", "us", 1, early)], undefined],
		[[], undefined],
	];
	for (const [sessions, expected] of cases) {
		assert.equal(chooseSession(sessions)?.name, expected);
		assert.equal(chooseSession(sessions.toReversed())?.name, expected);
	}
});

test("protocol sheet 3.5: two INVITEs that cross both live, an INVITE into a conversation replaces it", () => {
	const cases: readonly [InviteState, "keep-both" | "replace"][] = [
		[{ name: "inviting", closing: undefined }, "keep-both"],
		[{ name: "early", closing: undefined }, "keep-both"],
		[{ name: "accepted", closing: undefined }, "replace"],
		[confirmed, "replace"],
		[{ name: "terminating", remoteTag: "t" }, "keep-both"],
	];
	for (const [state, expected] of cases) assert.equal(judgeSecondInvite(state), expected, state.name);
});
