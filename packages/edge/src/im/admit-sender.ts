/** Who may write to a user of ours, and where it goes (protocol sheet 7.5, 7.6; REQ-76). */

import type { Verification } from "../federation/verification.ts";
import type { Settings } from "../store/settings.ts";

/** What the user knows of who writes. Asked only where it decides: each costs a look at the store. */
export interface SenderFacts {
	readonly level: Verification;
	readonly decision: "pending" | "allow" | "deny" | "block" | undefined;
	readonly isContact: () => boolean;
	/** The user has written there, or let the sender in before. */
	readonly isKnown: () => boolean;
}

export interface AdmissionRules {
	/** `[im] unverified`. */
	readonly unverified: "request" | "deliver" | "refuse";
	readonly settings: Settings;
	/** Whether this peer may not learn who is there. */
	readonly isHidden: boolean;
}

export type Admission =
	| { readonly kind: "deliver" }
	/** Kept apart until the user has decided. */
	| { readonly kind: "hold" }
	| { readonly kind: "refuse"; readonly status: 480 | 603; readonly code: string };

export function admitSender(facts: SenderFacts, { isHidden, settings, unverified }: AdmissionRules): Admission {
	if (facts.decision === "block") {
		const status = settings.blockedAnswer === "declined" && !isHidden ? 603 : 480;
		return { kind: "refuse", status, code: "blocked-sender" };
	}
	const mayPass = settings.messagesFrom === "everyone" && (facts.level === "verified" || unverified === "deliver");
	if (mayPass || facts.decision === "allow" || facts.isContact() || facts.isKnown()) return { kind: "deliver" };
	if (settings.messagesFrom === "contacts") return { kind: "refuse", status: 480, code: "contacts-only" };
	return unverified === "refuse" ? { kind: "refuse", status: 480, code: "unverified-sender" } : { kind: "hold" };
}
