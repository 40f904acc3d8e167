/** What we can do, in SDP: the body of OPTIONS answers and of every 488 (REQ-32, REQ-33). */
import { createCapabilities, formatSdp, type Random } from "@causeway/sip";
import type { Peer } from "../federation/peers.ts";
import type { LocalIdentity } from "./local-identity.ts";

/** `o=` ids stay below 2^31, so that every reader takes them. */
const ORIGIN_BOUND = 2 ** 31;

export function createOriginId(random: Random): number {
	return random.below(ORIGIN_BOUND);
}

/** The body, in the form this peer wants (`capability_port`). */
export function capabilityBody(identity: LocalIdentity, random: Random, peer: Peer): Uint8Array {
	return formatSdp(
		createCapabilities(peer.capabilityPort, {
			originId: createOriginId(random),
			originVersion: 1,
			host: identity.fqdn,
		}),
	);
}
