/** A verified connection to a peer edge, and what its certificate proved. */
import type { Connection } from "@causeway/sip";
import type { PresentedPeer } from "@causeway/sip/node";
import type { Verdict } from "./certificate/verdict.ts";
import type { BindingVerdict } from "./outcome.ts";
import type { Peer } from "./peers.ts";

/** Who the other end is, by its certificate. */
export interface PeerIdentity {
	/** DNS names the certificate carries, lower case; the common name among them only where it may count. */
	readonly names: readonly string[];
	readonly subject: string;
	readonly issuer: string;
	/** SHA-256 of the certificate, lower-case hex. */
	readonly fingerprint: string;
	/** Milliseconds since 1970. */
	readonly notAfter: number;
	/** When the first certificate of its path ends, and trust in the connection with it (REQ-90); milliseconds since 1970. */
	readonly validUntil: number;
}

/** Open TLS connection whose peer was verified before any SIP octet was read or written. */
export interface Link {
	readonly connection: Connection;
	readonly identity: PeerIdentity;
	/** What the other end showed in its handshake: judged anew for each domain that comes over the link. */
	readonly presented: PresentedPeer;
	/** The verdict that let it in: names, path, warnings. */
	readonly verdict: Verdict;
	/** Listed peers that the certificate and its chain satisfy. */
	readonly admittedAs: readonly Peer[];
	/** The edge name that we dialled; undefined for a connection the peer opened. */
	readonly dialledName: string | undefined;
	/** It came through a listener for TLS 1.0 and 1.1. */
	readonly isLegacy: boolean;
	/** `TLSv1.3`, and the cipher's standard name. */
	readonly tlsVersion: string;
	readonly cipher: string;
	/** Milliseconds since 1970. */
	readonly openedAt: number;
	/** Verdicts about From domains on this connection, by domain. */
	readonly bindings: Map<string, { readonly verdict: BindingVerdict; readonly until: number }>;
	/** The peer network it counts for (connection limits); undefined until a domain was bound. {@link LinkTable.join} sets it. */
	network: string | undefined;
	requestsIn: number;
	requestsOut: number;
	responsesIn: number;
	lastReceivedAt: number;
	/** No new dialog is opened on it: it is about to be closed. */
	isDraining: boolean;
}

/** How a peer shows in logs and lists: its network, else the first name of its certificate. */
export function linkName(link: Link): string {
	return link.dialledName ?? link.identity.names[0] ?? link.identity.subject;
}
