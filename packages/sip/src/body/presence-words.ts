/** Presence documents in the product's words, and back: one table of activity words (RPID drafts, RFC 4480, Communicator). */
import type { BasicStatus, PresenceDocument } from "./pidf.ts";
import type { WrittenActivity } from "./pidf-write.ts";

/** What people see. */
export type PresenceWord = "available" | "busy" | "on-the-phone" | "away" | "offline";

type Kind = "busy" | "away" | "offline";

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
	...words("busy", [
		...["busy", "busyidle", "do-not-disturb", "on-the-phone", "meeting", "appointment", "presentation", "performance"],
		...["in-a-meeting", "in-a-conference", "in-presentation", "urgent-interruptions-only", "dnd"],
	]),
	...words("away", [
		...["away", "idle", "be-right-back", "out-to-lunch", "meal", "lunch", "breakfast", "dinner", "in-transit"],
		...["steering", "travel", "permanent-absence", "vacation", "holiday", "sleeping", "out-of-office", "xa"],
	]),
	...words("offline", ["offline"]),
]);

/**
 * The state a document shows. `closed` is offline whatever else it says; of several activities the strongest counts, busy
 * before away before available; unknown words mean available; `on-the-phone` keeps its name where no other busy word
 * stands beside it. A document without `basic` shows its activities, and nothing at all is offline.
 */
export function presenceWord(document: Pick<PresenceDocument, "basic" | "activities">): PresenceWord {
	const { basic, activities } = document;
	if (basic === "closed" || (basic === undefined && activities.length === 0)) return "offline";
	const busy = activities.filter((activity) => KINDS.get(activity) === "busy");
	if (busy.length > 0) return busy.every((activity) => activity === "on-the-phone") ? "on-the-phone" : "busy";
	if (activities.some((activity) => KINDS.get(activity) === "away")) return "away";
	const allOffline = activities.length > 0 && activities.every((activity) => KINDS.get(activity) === "offline");
	return allOffline ? "offline" : "available";
}

/** What a document says for a state: {@link presenceWord} reads it back. */
export function presenceStatus(word: PresenceWord): {
	readonly basic: BasicStatus;
	readonly activity: WrittenActivity | undefined;
} {
	switch (word) {
		case "available":
			return { basic: "open", activity: undefined };
		case "offline":
			return { basic: "closed", activity: undefined };
		case "busy":
		case "on-the-phone":
		case "away":
			return { basic: "open", activity: word };
	}
}

function words(kind: Kind, list: readonly string[]): readonly (readonly [string, Kind])[] {
	return list.map((word) => [word, kind] as const);
}
