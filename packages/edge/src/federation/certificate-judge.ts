/** The port through which connections ask for a verdict about a certificate; `certificate/` implements it. */
import type { PresentedPeer } from "@causeway/sip/node";
import type { Verdict } from "./certificate/verdict.ts";
import type { PeerIdentity } from "./link.ts";

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

/** The verdict, and who the other end is where it is good. */
export type CertificateJudgement =
	| { readonly ok: true; readonly verdict: Verdict; readonly identity: PeerIdentity }
	| { readonly ok: false; readonly verdict: Verdict };

export interface CertificateJudge {
	judge(presented: PresentedPeer, expectation: CertificateExpectation): CertificateJudgement;
}
