/** The policy that the configuration file states, as {@link PeerPolicy}. */

import { parseHostPort } from "../config/host-port.ts";
import type { Config, PeerConfig } from "../config/schema.ts";
import type { Peer, PeerPolicy } from "./peers.ts";

const DEFAULT_PORT = 5061;

export function peerPolicyFromConfig(config: Config): PeerPolicy {
	return {
		peers: config.peer.map(peerFromConfig),
		blocked: new Set(config.block.map(({ domain }) => domain)),
		discovery: config.federation.discovery,
	};
}

function peerFromConfig(entry: PeerConfig): Peer {
	const hasEdge = entry.kind !== "allowed";
	return {
		name: entry.domains[0] ?? (hasEdge ? entry.edge : ""),
		kind: entry.kind,
		domains: entry.domains,
		edge: hasEdge ? hostPort(entry.edge) : undefined,
		connect: hasEdge && entry.connect !== undefined ? hostPort(entry.connect) : undefined,
		verification: entry.verification,
		trust: entry.trust,
		minVersion: entry.min_version,
		cnFallback: entry.cn_fallback,
		wildcard: entry.wildcard,
		domainSan: entry.domain_san,
		affinity: entry.affinity,
		imProfile: entry.im_profile,
		presenceProfile: entry.presence_profile,
		capabilityPort: entry.capability_port,
	};
}

function hostPort(text: string): { readonly host: string; readonly port: number } {
	const parsed = parseHostPort(text);
	return { host: (parsed?.host ?? text).toLowerCase(), port: parsed?.port ?? DEFAULT_PORT };
}
