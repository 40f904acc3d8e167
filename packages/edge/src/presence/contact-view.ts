/** What is known of a contact now: its state, and why it is unknown when it is. */
import type { PresenceWord } from "@causeway/sip";

export type ContactState = PresenceWord | "pending" | "unknown";

export interface Explanation {
	/** A word for what we found, digits for a SIP status of the far end. */
	readonly code: string;
	readonly reason: string;
	readonly blame: "us" | "peer" | "recipient" | "network";
}

export interface ContactView {
	/** Our user and the contact, as keys. */
	readonly owner: string;
	readonly contact: string;
	readonly state: ContactState;
	/** The name the contact shows. */
	readonly shownName: string | undefined;
	readonly note: string | undefined;
	/** As the document names it; users are shown a path of ours in its place. */
	readonly icon: string | undefined;
	readonly verification: "verified" | "unverified" | undefined;
	/** When the state was last told; milliseconds since 1970. */
	readonly changedAt: number | undefined;
	/** Present where the state is `unknown`. */
	readonly why: Explanation | undefined;
}

export function freshView(owner: string, contact: string): ContactView {
	return {
		owner,
		contact,
		state: "unknown",
		shownName: undefined,
		note: undefined,
		icon: undefined,
		verification: undefined,
		changedAt: undefined,
		why: { code: "not-asked-yet", reason: "The contact's server has not answered yet.", blame: "us" },
	};
}

/** Whether a user would see a difference. */
export function differs(left: ContactView, right: ContactView): boolean {
	return (
		left.state !== right.state ||
		left.note !== right.note ||
		left.shownName !== right.shownName ||
		left.icon !== right.icon ||
		left.verification !== right.verification ||
		left.why?.code !== right.why?.code
	);
}
