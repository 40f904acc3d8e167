import type { Peer, PeerRequest } from "./schema/policy.ts";

/** A peer as it was written, and as it is written back; undefined for one that is no entry of the policy. */
export function readPeerSettings(peer: Peer): PeerRequest | undefined {
	const {
		name: _name,
		origin: _origin,
		kind,
		blocked_domains: _blocked,
		moved_domains: _moved,
		changed_at: _changed,
		connections: _connections,
		presence: _presence,
		usage: _usage,
		last_failure: _failure,
		...settings
	} = peer;
	return kind === "discovered" || kind === "inside" ? undefined : { ...settings, kind };
}
