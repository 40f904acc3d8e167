import type { Blame, Contact, ContactState, Message, PresenceState } from "@causeway/admin";

/** States as people read them. */
export const stateWords: Readonly<Record<ContactState, string>> = {
	available: "Available",
	busy: "Busy",
	"on-the-phone": "On the phone",
	away: "Away",
	offline: "Offline",
	pending: "Has not decided yet",
	unknown: "Unknown",
};

/** What a user can publish, in the order it is offered. */
export const ownStates: readonly PresenceState[] = ["available", "busy", "on-the-phone", "away", "offline"];

export const verificationWords = {
	verified: "Verified: their server vouches that this is the person behind the address",
	unverified: "Not verified: their server does not vouch for who is behind the address",
} as const;

/** Whose fault something is, as the end of a sentence. */
const blameWords: Readonly<Record<Blame, string>> = {
	us: "This is a matter of our server.",
	peer: "This is a matter of their server.",
	recipient: "This is a matter of the recipient.",
	network: "This is a matter of the network between the servers.",
};

/** Why something is as it is: reason, whose fault, SIP status; as far as it is known. */
export function explain(why: {
	readonly reason?: string | undefined;
	readonly blame?: Blame | undefined;
	readonly code?: number | undefined;
}): string {
	return [
		why.reason,
		why.blame === undefined ? undefined : blameWords[why.blame],
		why.code === undefined ? undefined : `(SIP ${why.code})`,
	]
		.filter((part) => part !== undefined)
		.join(" ");
}

/** Why a contact's state is not known; undefined where it is. */
export function explainContact(contact: Contact): string | undefined {
	if (contact.state === "pending") return "They were asked whether you may see their presence.";
	if (contact.state !== "unknown") return undefined;
	const why = explain(contact);
	return why === "" ? "Their server does not say." : why;
}

export interface FateWords {
	readonly tone: "passing" | "good" | "bad" | "doubtful";
	readonly text: string;
	/** More, where one sentence is not enough. */
	readonly more: string | undefined;
}

/** What became of a message one sent; undefined for one that came in. */
export function describeFate(message: Message): FateWords | undefined {
	switch (message.fate) {
		case "received":
			return undefined;
		case "queued":
			return { tone: "passing", text: "Waiting to be sent", more: undefined };
		case "sending":
			return { tone: "passing", text: "Sending", more: undefined };
		case "delivered":
			return { tone: "good", text: "Delivered", more: undefined };
		case "accepted":
			return {
				tone: "good",
				text: "Accepted by their server",
				more: "Their server took it and will pass it on; no more will be heard of it.",
			};
		case "failed":
			return { tone: "bad", text: "Not delivered", more: explain(message) };
		case "unknown":
			return {
				tone: "doubtful",
				text: "Nobody knows whether it arrived",
				more: [explain(message), "It was not sent again, so that it cannot arrive twice."].join(" ").trim(),
			};
	}
}

/** A state with its note: `Away – Back at four`. */
export function describeState(state: ContactState, note: string | undefined): string {
	return note === undefined || note === "" ? stateWords[state] : `${stateWords[state]} – ${note}`;
}

/** `3`, `50+`. */
export function formatCount(count: number, isMore: boolean): string {
	return isMore ? `${count}+` : String(count);
}

/** Title of the page: how much is unread, and whose chat it is. */
export function pageTitle(me: string | undefined, unread: number): string {
	const name = me === undefined ? "Causeway chat" : `${me} – Causeway chat`;
	return unread === 0 ? name : `(${unread}) ${name}`;
}
