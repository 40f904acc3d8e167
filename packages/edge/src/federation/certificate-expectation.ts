/** The question that a certificate must answer well: for whom it is to be, in which role, and by which rules. */

/** What a certificate must satisfy. */
export interface CertificateExpectation {
	/** We dialled (server certificate) or were dialled (client certificate). */
	readonly role: "dialled" | "accepted";
	/** One of these names must be in it; empty where any peer may come and the name decides later. */
	readonly names: readonly string[];
	/** Files of trust anchors, or `system`; undefined for those of `[edge.tls]`. */
	readonly trust: readonly string[] | undefined;
	/** SIP domains that count as well (`domain_san`). */
	readonly domains: readonly string[];
	readonly cnFallback: boolean;
	readonly wildcard: boolean;
}

/** What a peer's own settings say about its certificate. */
export interface CertificateRules {
	readonly domains: readonly string[];
	readonly domainSan: boolean;
	readonly trust: readonly string[] | undefined;
	readonly cnFallback: boolean;
	readonly wildcard: boolean;
}

/** What the certificate of this peer must satisfy; `edgeNames` are the names of its edges. */
export function expectationOf(
	peer: CertificateRules,
	role: CertificateExpectation["role"],
	edgeNames: readonly string[],
): CertificateExpectation {
	return {
		role,
		names: edgeNames,
		domains: peer.domainSan ? peer.domains : [],
		trust: peer.trust,
		cnFallback: peer.cnFallback,
		wildcard: peer.wildcard,
	};
}

/** A certificate for itself, whoever shows it as it dials us. */
export const anybodyExpectation: CertificateExpectation = {
	role: "accepted",
	names: [],
	domains: [],
	trust: undefined,
	cnFallback: false,
	wildcard: false,
};
