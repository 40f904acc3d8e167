/** Why a contact is unknown, in words for its owner. */
import { detach, type SubscriberEffect } from "@causeway/sip";
import type { FederationRefusal } from "../federation/outcome.ts";
import type { Explanation } from "./contact-view.ts";

/** Undefined where nothing is to be told. */
export function explainEnd(
	end: Extract<SubscriberEffect, { kind: "end" }>["end"],
	refusal: FederationRefusal | undefined,
): Explanation | undefined {
	switch (end.kind) {
		case "refused":
			if (refusal !== undefined) return { code: refusal.code, reason: refusal.reason, blame: refusal.blame };
			return { code: String(end.statusCode), ...explainStatus(end.statusCode) };
		case "terminated":
			if (end.reason === "rejected") return { code: "rejected", reason: "They refused.", blame: "recipient" };
			if (end.reason === "noresource")
				return { code: "noresource", reason: "The contact no longer exists.", blame: "recipient" };
			return {
				code: detach(end.reason ?? "terminated"),
				reason: "Their server ended the subscription; it is asked again.",
				blame: "peer",
			};
		case "no-notify":
			return {
				code: "no-notify",
				reason: "Their server accepted the subscription but never sent a state.",
				blame: "peer",
			};
		case "expired":
			return { code: "expired", reason: "Their server stopped answering.", blame: "peer" };
		case "connection-lost":
			return {
				code: "connection-lost",
				reason: "The connection to their server was lost; it is asked again.",
				blame: "network",
			};
		case "too-old":
		case "unsubscribed":
		case "fetched":
			return undefined;
	}
}

function explainStatus(status: number): Pick<Explanation, "reason" | "blame"> {
	switch (status) {
		case 403:
		case 603:
			return { reason: "They refused.", blame: "recipient" };
		case 404:
		case 604:
			return { reason: "Their server knows no such user.", blame: "recipient" };
		case 408:
			return { reason: "Their server did not answer.", blame: "peer" };
		case 503:
			return { reason: "The connection to their server was lost, or it is overloaded.", blame: "network" };
		default:
			return { reason: `Their server answered ${status}.`, blame: "peer" };
	}
}
