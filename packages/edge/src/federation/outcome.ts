/** What the federation rules decide: why a request cannot leave, and whether one may come in. */
import type { Peer } from "./peers.ts";

/** Why a request cannot leave toward a domain; diagnostics ids of the field (protocol sheet 7.7) beside our own words. */
export interface FederationRefusal {
	/** Status code that the local sender sees. */
	readonly status: number;
	/** `ms-diagnostics` id; undefined where none fits. */
	readonly diagnosticsId: number | undefined;
	/** Stable: `blocked-domain`, `not-listed`, `srv-absent`, `connect-failed`, `certificate-refused`, `connection-limit`. */
	readonly code: string;
	/** One sentence for a person. */
	readonly reason: string;
	readonly blame: "us" | "peer" | "network";
}

/** Whether the other end of a connection may speak for a domain. */
export type BindingVerdict =
	| { readonly ok: true; readonly peer: Peer }
	| {
			readonly ok: false;
			readonly status: number;
			/** Stable: `own-domain`, `blocked-domain`, `not-listed`, `wrong-edge`, `srv-mismatch`, `srv-failed`, `connection-limit`. */
			readonly code: string;
			/** In words, for our log only. */
			readonly reason: string;
	  };

export function refusal(
	status: number,
	diagnosticsId: number | undefined,
	code: string,
	reason: string,
	blame: FederationRefusal["blame"],
): FederationRefusal {
	return { status, diagnosticsId, code, reason, blame };
}
