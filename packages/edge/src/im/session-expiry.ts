/** Session timers as the called side (RFC 4028 §9): the caller refreshes, and a session that it stopped refreshing ends. */
import { HeaderId, type HeaderInput, headerValue, parseDeltaSeconds, type SipRequest, tokens } from "@causeway/sip";

/** RFC 4028 §4: shorter sessions would be all refreshes. */
const LEAST_SECONDS = 90;
/** RFC 4028 §10: BYE leaves so long before the end, or at a third of the time before it where that is less. */
const LATEST_BYE_SECONDS = 32;

export type SessionExpiry =
	/** The INVITE asks for none, or could not keep it. */
	| { readonly kind: "none" }
	| { readonly kind: "too-short"; readonly headers: readonly HeaderInput[] }
	/** `headers` go into the 200; without a refresh the session ends after `endMs`. */
	| { readonly kind: "refreshed"; readonly headers: readonly HeaderInput[]; readonly endMs: number };

/** What an INVITE or re-INVITE asks for. Without `Supported: timer` its sender would not refresh, and nothing is agreed. */
export function readSessionExpiry(request: SipRequest): SessionExpiry {
	const value = headerValue(request, HeaderId.sessionExpires);
	if (value === undefined) return { kind: "none" };
	const supported = tokens(request, HeaderId.supported);
	if (!supported.ok || !supported.value.some((token) => token.toLowerCase() === "timer")) return { kind: "none" };
	const semicolon = value.indexOf(";");
	const seconds = parseDeltaSeconds(value, 0, semicolon === -1 ? value.length : semicolon);
	if (!seconds.ok) return { kind: "none" };
	if (seconds.value < LEAST_SECONDS) return { kind: "too-short", headers: [["Min-SE", String(LEAST_SECONDS)]] };
	const early = Math.min(LATEST_BYE_SECONDS, Math.floor(seconds.value / 3));
	return {
		kind: "refreshed",
		headers: [
			["Session-Expires", `${seconds.value};refresher=uac`],
			["Require", "timer"],
		],
		// No dialog lives past a day, so no timer has to.
		endMs: Math.min(seconds.value - early, 86_400) * 1000,
	};
}
