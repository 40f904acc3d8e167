/** One request on its way through the pipeline. */
import type { Aor, HeaderInput, ServerTransaction, SipRequest } from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";

export interface RequestContext {
	readonly transaction: ServerTransaction;
	readonly request: SipRequest;
	readonly link: Link;
	/** Who sent it; set by the step that binds the sender's domain. */
	peer: Peer | undefined;
	from: Aor | undefined;
	/** Whom it is for (REQ-69); undefined for a request to the edge itself. */
	to: Aor | undefined;
}

/** What a step says: go on, or answer and end here. */
export type Verdict =
	| { readonly kind: "continue" }
	| {
			readonly kind: "respond";
			readonly status: number;
			/** Stable code for log and metrics. */
			readonly code: string;
			/** In words, for the log. */
			readonly reason: string;
			readonly headers?: readonly HeaderInput[];
	  };

export const CONTINUE: Verdict = { kind: "continue" };

export function respond(
	status: number,
	code: string,
	reason: string,
	headers?: readonly HeaderInput[],
): Extract<Verdict, { kind: "respond" }> {
	return { kind: "respond", status, code, reason, ...(headers === undefined ? {} : { headers }) };
}
