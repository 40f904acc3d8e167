/** What a SIP answer means for a message, in the product's words (promise 1). */
import type { InviteEnd, SipResponse } from "@causeway/sip";
import { octetsToText, reasonPhrase } from "@causeway/sip";
import type { MessageFinish } from "../store/messages.ts";

/** The fate of a MESSAGE that got this final answer. */
export function outcomeOf(response: SipResponse): MessageFinish {
	const { statusCode } = response;
	if (statusCode === 202) return { fate: "accepted", code: statusCode };
	if (statusCode < 300) return { fate: "delivered", code: statusCode };
	const reason = sentence(statusCode, octetsToText(response.reasonPhrase));
	// A 408 or 5xx does not say whether the text was read.
	if (statusCode === 408 || (statusCode >= 500 && statusCode < 600 && statusCode !== 513)) {
		return { fate: "unknown", code: statusCode, reason, blame: "peer" };
	}
	return { fate: "failed", code: statusCode, reason, blame: blameOf(statusCode) };
}

/** The fate of messages that waited for a session which never came about. */
export function explainFailure(end: InviteEnd, refusal: SipResponse | undefined): MessageFinish {
	switch (end.kind) {
		case "refused": {
			const phrase = refusal === undefined ? reasonPhrase(end.statusCode) : octetsToText(refusal.reasonPhrase);
			// 503 without an answer is a lost connection (RFC 3261 §8.1.3.1).
			const blame = refusal === undefined && end.statusCode === 503 ? "network" : blameOf(end.statusCode);
			return { fate: "failed", code: end.statusCode, reason: sentence(end.statusCode, phrase), blame };
		}
		case "no-answer":
			return {
				fate: "failed",
				code: 408,
				reason: "The other side did not take the conversation in time.",
				blame: "recipient",
			};
		case "connection-lost":
			return {
				fate: "failed",
				code: 503,
				reason: "The connection was lost before the conversation began.",
				blame: "network",
			};
		case "hung-up":
			return {
				fate: "failed",
				code: 487,
				reason: "The conversation was ended here before the message could leave.",
				blame: "us",
			};
		case "no-ack":
		case "stream-removed":
		case "request-failed":
		case "declined":
		case "cancelled":
		case "bye":
			return {
				fate: "failed",
				code: 480,
				reason: "The conversation ended before the message could leave.",
				blame: "recipient",
			};
	}
}

function blameOf(status: number): "peer" | "recipient" {
	return status === 404 || status === 480 || status === 486 || status >= 600 ? "recipient" : "peer";
}

function sentence(status: number, phrase: string): string {
	switch (status) {
		case 403:
			return "Their server refused the message.";
		case 404:
			return "Their server knows no such user.";
		case 408:
			return "Their server did not answer in time.";
		case 480:
			return "The recipient cannot be reached now.";
		case 486:
		case 600:
			return "The recipient is busy.";
		case 488:
		case 606:
			return "Their server does not take messages of this kind.";
		case 502:
			return "Their server's answer cannot be used.";
		case 603:
			return "The recipient declined.";
		default:
			return `Their server answered ${status}${phrase === "" ? "" : ` ${phrase}`}.`;
	}
}
