/** Who may federate with us, and how: peer networks, blocked domains, and what is known about each (product contract, "Domains and peers"). */

import { type CertificateExpectation, expectationOf } from "./certificate-expectation.ts";

/** `inside`: the inside server of a relay domain, which speaks for that domain alone. */
export type PeerKind = "direct" | "allowed" | "provider" | "discovered" | "inside";

/** A peer network: one `[[peer]]` entry, or one discovered domain. */
export interface Peer {
	/** Unique name of the network for logs, limits and metrics: the name of its edge, or its first domain where the edge is found by SRV. */
	readonly name: string;
	readonly kind: PeerKind;
	/** A public IM network, which users may be let out to separately. */
	readonly isPublic: boolean;
	/** SIP domains it speaks for, lower case; a provider with none speaks for those whose SRV record names its edge. */
	readonly domains: readonly string[];
	/** Its edge, for `direct` and `provider`; the others are found by SRV. */
	readonly edge: { readonly host: string; readonly port: number } | undefined;
	/** Address to dial in place of the edge's own; the name is still verified. */
	readonly connect: { readonly host: string; readonly port: number } | undefined;
	readonly verification: "as-asserted" | "always-verified" | "always-unverified";
	/** Files of its trust anchors, or `system`, in place of those of `[edge.tls]`. */
	readonly trust: readonly string[] | undefined;
	readonly minVersion: "1.0" | "1.1" | "1.2" | "1.3";
	readonly cnFallback: boolean;
	readonly wildcard: boolean;
	readonly domainSan: boolean;
	readonly affinity: "strict" | "rebind";
	readonly imProfile: "profile" | "lync" | "uri";
	readonly presenceProfile: "profile" | "rfc4480";
	readonly capabilityPort: "literal" | "zero";
	/** Ceilings of its own, `[peer.throttle]`; undefined: none, or those of `[throttle]` for a discovered peer. */
	readonly throttle: PeerThrottle | undefined;
}

/** `[peer.throttle]`; what is undefined has no ceiling. */
export interface PeerThrottle {
	readonly messagesPerSecond: number | undefined;
	readonly suspiciousMessagesPerSecond: number | undefined;
	readonly distinctUsers: number | undefined;
	readonly dryRun: boolean;
}

/** What a discovered domain is: found by SRV, nothing known about it, nothing granted to it. */
export function discoveredPeer(domain: string): Peer {
	return {
		name: domain,
		kind: "discovered",
		isPublic: false,
		domains: [domain],
		edge: undefined,
		connect: undefined,
		verification: "as-asserted",
		trust: undefined,
		minVersion: "1.2",
		cnFallback: false,
		wildcard: false,
		domainSan: false,
		affinity: "strict",
		imProfile: "profile",
		presenceProfile: "profile",
		capabilityPort: "literal",
		throttle: undefined,
	};
}

/** What the policy says about a domain. */
export type PeerVerdict =
	| { readonly kind: "peer"; readonly peer: Peer }
	| { readonly kind: "blocked" }
	/** Neither listed nor, with discovery off, reachable otherwise; an open provider may yet speak for it. */
	| { readonly kind: "not-listed" };

export interface PeerPolicy {
	readonly peers: readonly Peer[];
	/** Blocked domains, lower case; they beat everything. */
	readonly blocked: ReadonlySet<string>;
	/** Whether unlisted domains may be found by SRV. */
	readonly discovery: boolean;
}

/** A listed peer with the names of its edges, and what it must show where it dials us. */
export interface Candidate {
	readonly peer: Peer;
	readonly edgeNames: readonly string[];
	readonly expectation: CertificateExpectation;
}

/** The peers of one policy, indexed. Immutable: a policy edit makes a new directory. */
export class PeerDirectory {
	readonly policy: PeerPolicy;
	readonly #byDomain = new Map<string, Peer>();
	readonly #open: readonly Peer[];
	/** Listed peers whose edge is known by name. */
	readonly candidates: readonly Candidate[];

	constructor(policy: PeerPolicy) {
		this.policy = policy;
		this.candidates = policy.peers.flatMap((peer) => {
			if (peer.edge === undefined) return [];
			const edgeNames = [peer.edge.host];
			return [{ peer, edgeNames, expectation: expectationOf(peer, "accepted", edgeNames) }];
		});
		this.#open = policy.peers.filter(({ kind, domains }) => kind === "provider" && domains.length === 0);
		for (const peer of policy.peers) {
			for (const domain of peer.domains) this.#byDomain.set(domain, peer);
		}
	}

	/** Decides about a domain (lower case). */
	find(domain: string): PeerVerdict {
		if (this.policy.blocked.has(domain)) return { kind: "blocked" };
		const listed = this.#byDomain.get(domain);
		if (listed !== undefined) return { kind: "peer", peer: listed };
		return this.policy.discovery ? { kind: "peer", peer: discoveredPeer(domain) } : { kind: "not-listed" };
	}

	/** Providers without a list: a domain that nobody lists is theirs where its SRV record names their edge (protocol sheet 7.1). */
	get open(): readonly Peer[] {
		return this.#open;
	}

	/** Listed peers that are found by SRV. */
	get bySrv(): readonly Peer[] {
		return this.policy.peers.filter((peer) => peer.edge === undefined);
	}
}
