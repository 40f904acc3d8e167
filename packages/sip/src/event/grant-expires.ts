/** How long a subscription lives: RFC 6665 §4.2.1.1, protocol.md 5.6. */

export interface ExpiresPolicy {
	readonly minSeconds: number;
	readonly maxSeconds: number;
	/** Granted where the request names nothing; RFC 3856 §6.4 says 3600. */
	readonly defaultSeconds: number;
}

/** How long a subscription is granted, in seconds, or that 423 answers with Min-Expires (RFC 6665 §4.2.1.1). */
export type ExpiresGrant =
	/** Goes into the 2xx; zero ends the subscription, or makes it a fetch. */
	| { readonly kind: "granted"; readonly expiresSeconds: number }
	/** 423 with Min-Expires. */
	| { readonly kind: "too-brief"; readonly minExpiresSeconds: number };

const HOUR_SECONDS = 3600;

/** `requested` is the Expires value of the SUBSCRIBE, undefined where absent. What is granted is never longer than what was asked. */
export function grantExpires(requested: number | undefined, policy: ExpiresPolicy): ExpiresGrant {
	const wanted = requested ?? policy.defaultSeconds;
	// RFC 6665 §4.2.1.1: one hour or more may not be refused as too brief, nor may zero.
	if (requested !== undefined && wanted > 0 && wanted < HOUR_SECONDS && wanted < policy.minSeconds) {
		return { kind: "too-brief", minExpiresSeconds: Math.min(policy.minSeconds, HOUR_SECONDS) };
	}
	return { kind: "granted", expiresSeconds: Math.min(wanted, policy.maxSeconds) };
}
