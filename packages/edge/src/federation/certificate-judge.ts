/** The port through which connections ask for a verdict about a certificate; `certificate/` implements it. */
import type { PresentedPeer } from "@causeway/sip/node";
import type { Verdict } from "./certificate/verdict.ts";
import type { CertificateExpectation } from "./certificate-expectation.ts";
import type { PeerIdentity } from "./link.ts";

/** The verdict, and who the other end is where it is good. */
export type CertificateJudgement =
	| { readonly ok: true; readonly verdict: Verdict; readonly identity: PeerIdentity }
	| { readonly ok: false; readonly verdict: Verdict };

export interface CertificateJudge {
	judge(presented: PresentedPeer, expectation: CertificateExpectation): CertificateJudgement;
}
