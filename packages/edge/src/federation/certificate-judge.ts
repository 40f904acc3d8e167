/** The port through which connections ask for a verdict about a certificate; `certificate/` implements it. */
import type { PresentedPeer } from "@causeway/sip/node";
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

export type CertificateJudgement =
	| { readonly ok: true; readonly identity: PeerIdentity; readonly warnings: readonly string[] }
	| {
			readonly ok: false;
			/** Stable code of the main fault: `no-certificate`, `untrusted-issuer`, `wrong-name`. */
			readonly code: string;
			/** Whose it is to mend: `ours`, `peer`, `ca`. */
			readonly whose: string;
			/** The whole verdict in words: expected, shown, every fault and its remedy. */
			readonly text: string;
			readonly expected: readonly string[];
			readonly shown: readonly string[];
	  };

export interface CertificateJudge {
	judge(presented: PresentedPeer, expectation: CertificateExpectation): CertificateJudgement;
}
