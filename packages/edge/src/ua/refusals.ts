/**
 * Why we refuse, by stable code: the sentence of the log, and the id that the peer is told (protocol sheet 7.7). The code is
 * that of the metrics too. What the table of ids has nothing for is told without one.
 */
import { formatDiagnosticsPublic, type HeaderInput } from "@causeway/sip";

interface Refusal {
	/** What happened, and where it can be changed, for the log. */
	readonly reason: string;
	/** The status with which the id is told, and id and words; a status that hides something is told without. */
	readonly told?: readonly [status: number, id: number, words: string];
}

const userUnknown = [404, 1003, "The user does not exist"] as const;
const routeStale = [481, 1004, "The route set of the dialog is no longer valid"] as const;
const later = [503, 1007, "Temporarily cannot route"] as const;

const refusals = new Map<string, Refusal>([
	["unknown-user", { reason: "there is no such user here, or the user is suspended", told: userUnknown }],
	["no-presentity", { reason: "the request names no user of ours", told: userUnknown }],
	["no-dialog", { reason: "no dialog here has these tags: it ended, or was never made", told: routeStale }],
	["token-absent", { reason: "our Contact came back without its token", told: routeStale }],
	["token-unreadable", { reason: "the token in our Contact cannot be read", told: routeStale }],
	["token-key-unknown", { reason: "the key of the token is gone; the dialog outlived it", told: routeStale }],
	["token-expired", { reason: "the dialog is older than [signing] dialog_hours", told: routeStale }],
	["token-direction", { reason: "the token belongs to the other side of the dialog" }],
	["token-forged", { reason: "the token was not made for this dialog, direction and peer" }],
	["other-connection", { reason: "a dialog's messages stay on its connection; affinity decides", told: routeStale }],
	["page-mode", { reason: "messages need a session", told: [488, 1027, "Page mode cannot cross federation"] }],
	["draining", { reason: "this edge is stopping", told: later }],
	["throttled", { reason: "the peer sends more than it may", told: later }],
	["too-many-dialogs", { reason: "the connection has as many dialogs as one may have", told: later }],
	["too-many-waiting", { reason: "too many requests of this peer wait for their answer", told: later }],
	[
		"too-many-subscriptions",
		{ reason: "the watcher or the peer has as many subscriptions as it may have", told: later },
	],
	["store-failed", { reason: "the store cannot be read or written", told: later }],
	["blocked-sender", { reason: "the user blocks the sender" }],
	["denied", { reason: "the user refused to be watched by the sender" }],
	["offline", { reason: "the user published no presence, and [im] offline refuses such messages" }],
	["internal", { reason: "a fault of this server" }],
	["cancelled", { reason: "the sender took the request back" }],
	["event-package", { reason: "presence is the only event package here" }],
	["expires-too-brief", { reason: "the subscription is shorter than [presence] min_expires" }],
	["content-type", { reason: "the body is of a type that is not taken here" }],
	["accept", { reason: "the watcher takes no presence documents of our form" }],
	["out-of-order", { reason: "a later request of the dialog came before" }],
	["wrong-usage", { reason: "the method has no place in this dialog" }],
]);

/** The sentence for the log; undefined where the code says all there is to say. */
export function refusalReason(code: string): string | undefined {
	return refusals.get(code)?.reason;
}

/** The header that tells the peer, where the table of ids has one for it. */
export function refusalHeaders(code: string, status: number): readonly HeaderInput[] {
	const told = refusals.get(code)?.told;
	if (told === undefined || told[0] !== status) return [];
	return [["ms-diagnostics-public", formatDiagnosticsPublic(told[1], told[2])]];
}
