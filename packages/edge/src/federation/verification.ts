/** The verification level of a sender as this edge takes it: stated by the peer, overwritten by policy, raised by nothing else (REQ-71 to REQ-75). */
import { type FieldSource, formatVerificationLevel, type HeaderInput, verificationLevel } from "@causeway/sip";
import type { Peer } from "./peers.ts";

export type Verification = "verified" | "unverified";

/** Level of the sender of a message that came from this peer. What is not clearly verified is unverified. */
export function verificationOf(message: FieldSource, peer: Peer): Verification {
	return statedLevel(message, peer) ?? "unverified";
}

/** The same, undefined where neither the message says anything clear nor the policy does. */
export function statedLevel(message: FieldSource, peer: Peer): Verification | undefined {
	switch (peer.verification) {
		case "always-verified":
			return "verified";
		case "always-unverified":
			return "unverified";
		case "as-asserted":
			return verificationLevel(message);
	}
}

/** The header that states our user's level; empty where `mark_outgoing_verification` is off. */
export function verificationHeaders(level: Verification, isMarked: boolean): readonly HeaderInput[] {
	return isMarked ? [["Ms-asserted-verification-level", formatVerificationLevel(level)]] : [];
}
