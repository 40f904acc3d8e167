/** Providers without a list of domains: a domain that nobody lists is theirs where its SRV record names their edge (protocol sheet 7.1). */
import { type DnsLookup, federationServiceName } from "@causeway/sip";
import { hostOf } from "./admission.ts";
import type { Peer, PeerDirectory } from "./peers.ts";

/** The open provider among these SRV targets; the match with its edge takes the place of the same-domain rule. */
export function openProviderOf(targets: readonly string[], directory: PeerDirectory): Peer | undefined {
	return directory.open.find(({ edge }) => edge !== undefined && targets.includes(edge.host));
}

/** Asks the DNS which open provider speaks for a domain that nobody lists; without open providers nothing is asked. */
export async function findOpenProvider(
	domain: string,
	directory: PeerDirectory,
	lookup: DnsLookup,
): Promise<Peer | undefined> {
	if (directory.open.length === 0) return undefined;
	const answer = await lookup.srv(federationServiceName(domain));
	if (answer.kind !== "records") return undefined;
	return openProviderOf(
		answer.records.map(({ target }) => hostOf(target)),
		directory,
	);
}
