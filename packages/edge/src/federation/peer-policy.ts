/** The policy that the configuration file states, as {@link PeerPolicy}. */

import { parseHostPort } from "../config/host-port.ts";
import type { Config, PeerConfig } from "../config/schema.ts";
import { discoveredPeer, type Peer, type PeerPolicy, type PeerThrottle } from "./peers.ts";

const DEFAULT_PORT = 5061;

export function peerPolicyFromConfig(config: Config): PeerPolicy {
	return {
		peers: [...config.peer.map(peerFromConfig), ...config.domain.flatMap(insideFromConfig)],
		blocked: new Set(config.block.map(({ domain }) => domain)),
		discovery: config.federation.discovery,
	};
}

/** `[throttle]`: the ceilings of discovered peers. */
export function throttleLimits({ throttle }: Config): PeerThrottle {
	return {
		messagesPerSecond: throttle.messages_per_second,
		suspiciousMessagesPerSecond: throttle.suspicious_messages_per_second,
		distinctUsers: throttle.distinct_users,
		dryRun: throttle.dry_run,
	};
}

/** The name of the network that an entry describes; the live policy keeps its entries under it. */
export function peerName(entry: PeerConfig): string {
	return entry.kind === "allowed" ? (entry.domains[0] ?? "") : hostPort(entry.edge).host;
}

function peerFromConfig(entry: PeerConfig): Peer {
	const hasEdge = entry.kind !== "allowed";
	const { throttle } = entry;
	return {
		name: peerName(entry),
		kind: entry.kind,
		isPublic: entry.kind === "provider" && entry.public,
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
		throttle: throttle && {
			messagesPerSecond: throttle.messages_per_second,
			suspiciousMessagesPerSecond: throttle.suspicious_messages_per_second,
			distinctUsers: throttle.distinct_users,
			dryRun: throttle.dry_run,
		},
	};
}

/** Product contract 2: an inside server is reached, and judged, as a peer of its own that speaks for its relay domain alone. */
function insideFromConfig(entry: Config["domain"][number]): readonly Peer[] {
	if (entry.kind !== "relay") return [];
	return [
		{
			...discoveredPeer(entry.name),
			kind: "inside",
			edge: hostPort(entry.inside),
			connect: entry.connect === undefined ? undefined : hostPort(entry.connect),
			verification: LEVELS[entry.verification],
			trust: entry.trust,
		},
	];
}

const LEVELS = { "as-asserted": "as-asserted", verified: "always-verified", unverified: "always-unverified" } as const;

function hostPort(text: string): { readonly host: string; readonly port: number } {
	const parsed = parseHostPort(text);
	return { host: (parsed?.host ?? text).toLowerCase(), port: parsed?.port ?? DEFAULT_PORT };
}
