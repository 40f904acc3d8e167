/** One request on its way through the pipeline. */
import type { Aor, HeaderInput, ServerTransaction, SipRequest } from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import type { SortedRoutes, VerifiedRoute } from "./route-check.ts";

/** Who takes a request that passed: the user agent of our users, or the proxy. */
export type Destination =
	| { readonly kind: "hosted" }
	/** `peer` is at the other end: the inside server of a relay domain, or a partner. */
	| { readonly kind: "relay"; readonly domain: string; readonly peer: Peer };

export interface RequestContext {
	readonly transaction: ServerTransaction;
	readonly request: SipRequest;
	readonly link: Link;
	/** Who sent it; set by the step that binds the sender's domain. */
	peer: Peer | undefined;
	from: Aor | undefined;
	/** Whom it is for (REQ-69); undefined for a request to the edge itself. */
	to: Aor | undefined;
	/** What our own routes in the request said, once they are verified; undefined where it has none. */
	route: VerifiedRoute | undefined;
	/** Its Route values, ours apart; undefined before they were read. */
	sortedRoutes: SortedRoutes | undefined;
	destination: Destination;
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
			/** With the description of what we can do in the body (REQ-33). */
			readonly withCapabilities?: boolean;
	  };

export const CONTINUE: Verdict = { kind: "continue" };
export const HOSTED: Destination = { kind: "hosted" };

export function respond(
	status: number,
	code: string,
	reason: string,
	headers?: readonly HeaderInput[],
): Extract<Verdict, { kind: "respond" }> {
	return { kind: "respond", status, code, reason, ...(headers === undefined ? {} : { headers }) };
}

export function createContext(transaction: ServerTransaction, link: Link): RequestContext {
	return {
		transaction,
		request: transaction.request,
		link,
		peer: undefined,
		from: undefined,
		to: undefined,
		route: undefined,
		sortedRoutes: undefined,
		destination: HOSTED,
	};
}
