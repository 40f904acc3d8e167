/** When both sides start something at once: RFC 3261 §14.1 for a re-INVITE, protocol.md 3.5 for two sessions. */
import type { Random } from "../env.ts";
import { canSendInSession, type InviteState } from "./invite-usage.ts";

const STEP_MS = 10;

/** Pause before a re-INVITE is tried again after 491: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other. */
export function reinvitePauseMs(ownsCallId: boolean, random: Random): number {
	return ownsCallId ? 2100 + STEP_MS * random.below(191) : STEP_MS * random.below(201);
}

/** One of several sessions with the same person. */
export interface SessionCandidate {
	readonly state: InviteState;
	readonly establishedBy: "us" | "peer";
	/** When the 2xx came or left, on one clock. */
	readonly establishedAtMs: number;
}

/**
 * The session in which a message to a person is sent: the one established first by our INVITE, else the newest that the
 * peer established. Undefined where none can carry a message now.
 */
export function chooseSession<Session extends SessionCandidate>(sessions: readonly Session[]): Session | undefined {
	let chosen: Session | undefined;
	for (const session of sessions) {
		if (canSendInSession(session.state) && (chosen === undefined || isBetter(session, chosen))) chosen = session;
	}
	return chosen;
}

/**
 * An INVITE comes from a person with whom we have a session. While ours is still being set up both live (the idle timer
 * ends one of them); an established one was given up by the peer and is replaced, its unconfirmed messages queued anew.
 */
export function judgeSecondInvite(existing: InviteState): "keep-both" | "replace" {
	return existing.name === "confirmed" || existing.name === "accepted" ? "replace" : "keep-both";
}

function isBetter(session: SessionCandidate, chosen: SessionCandidate): boolean {
	if (session.establishedBy !== chosen.establishedBy) return session.establishedBy === "us";
	return session.establishedBy === "us"
		? session.establishedAtMs < chosen.establishedAtMs
		: session.establishedAtMs > chosen.establishedAtMs;
}
