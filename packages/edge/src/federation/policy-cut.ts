/** What of the live traffic a policy does not allow (protocol sheet 7.2): the same answer previews an edit and carries it out. */
import { isWithinDomain } from "@causeway/sip";
import { expectationOf } from "./certificate-expectation.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import type { Link } from "./link.ts";
import type { Peer, PeerDirectory } from "./peers.ts";
import { tlsVersionFault } from "./tls-version.ts";

/** A policy that stands, or one that an edit would make. */
export interface PolicyView {
	readonly directory: PeerDirectory;
	readonly judge: CertificateJudge;
}

export type LinkStanding =
	/** The link has proved no domain yet: its first request decides. */
	{ readonly kind: "unproven" } | { readonly kind: "holds"; readonly network: string } | { readonly kind: "lost" };

/** Of which network a link is under this policy: the one it was of, or another that now has its edge. */
export function standingOf(link: Link, { directory, judge }: PolicyView): LinkStanding {
	const { network } = link;
	if (network === undefined) return { kind: "unproven" };
	const { policy } = directory;
	const listed = policy.peers.find(({ name }) => name === network);
	if (listed !== undefined && !isAllBlocked(listed, directory) && proves(link, listed, judge)) {
		return { kind: "holds", network };
	}
	for (const { peer } of directory.candidates) {
		if (!isAllBlocked(peer, directory) && proves(link, peer, judge)) return { kind: "holds", network: peer.name };
	}
	for (const [domain, { verdict }] of link.bindings) {
		const found = verdict.ok ? directory.find(domain) : undefined;
		if (found?.kind !== "peer" || found.peer.edge !== undefined || !proves(link, found.peer, judge)) continue;
		return { kind: "holds", network: found.peer.name };
	}
	const found = directory.find(network);
	const isFound = found.kind === "peer" && found.peer.edge === undefined && proves(link, found.peer, judge);
	return isFound ? { kind: "holds", network: found.peer.name } : { kind: "lost" };
}

/** Whether traffic with a domain may go on over this link. */
export function holdsDomain(domain: string, link: Link, view: PolicyView): boolean {
	const { directory, judge } = view;
	const found = directory.find(domain);
	if (found.kind === "blocked" || standingOf(link, view).kind === "lost") return false;
	const bound = link.bindings.get(domain)?.verdict;
	const before = bound?.ok === true ? bound.peer : undefined;
	// An open provider speaks for what nobody lists: the DNS said so when the domain was bound, and is asked again in time.
	const isListed = found.kind === "peer" && found.peer.kind !== "discovered";
	const open = isListed ? undefined : directory.open.find((peer) => proves(link, peer, judge));
	if (open !== undefined && (before === undefined || before.name === open.name)) return true;
	if (found.kind === "not-listed") return false;
	const { peer } = found;
	if (!proves(link, peer, judge)) return false;
	if (peer.edge !== undefined) return true;
	// Found by SRV, before and now: the certificate was held against the targets when the domain was bound or dialled.
	if (before !== undefined) return before.edge === undefined;
	return link.dialledName !== undefined ? isWithinDomain(link.dialledName, domain) : link.network === peer.name;
}

/** A dialog as far as policy is concerned. */
export interface DialogAtStake {
	/** The other side's domain, lower case. */
	readonly domain: string;
	readonly connectionId: number;
}

/** Dialogs and links that a policy ends. */
export interface PolicyCut<Dialog> {
	readonly dialogs: readonly Dialog[];
	readonly links: readonly Link[];
}

export function findCut<Dialog extends DialogAtStake>(
	dialogs: Iterable<Dialog>,
	links: Iterable<Link>,
	view: PolicyView,
): PolicyCut<Dialog> {
	const byId = new Map([...links].map((link) => [link.connection.id, link] as const));
	const verdicts = new Map<string, boolean>();
	const isCut = ({ domain, connectionId }: DialogAtStake): boolean => {
		const key = `${connectionId} ${domain}`;
		const known = verdicts.get(key);
		if (known !== undefined) return known;
		const link = byId.get(connectionId);
		// A dialog that outlives its connection ("rebind") waits for a new one, which is judged when it comes.
		const cut = link === undefined ? view.directory.find(domain).kind === "blocked" : !holdsDomain(domain, link, view);
		verdicts.set(key, cut);
		return cut;
	};
	return {
		dialogs: [...dialogs].filter(isCut),
		links: [...byId.values()].filter((link) => standingOf(link, view).kind === "lost"),
	};
}

function isAllBlocked(peer: Peer, { policy }: PeerDirectory): boolean {
	return peer.domains.length > 0 && peer.domains.every((domain) => policy.blocked.has(domain));
}

/** Whether the certificate satisfies the peer's settings, and carries the name of its edge where that is known by name. */
function proves(link: Link, peer: Peer, judge: CertificateJudge): boolean {
	if (tlsVersionFault(peer, link.presented.protocol, link.isLegacy) !== undefined) return false;
	const role = link.connection.direction === "outbound" ? "dialled" : "accepted";
	const names = peer.edge === undefined ? [] : [peer.edge.host];
	const expectation = expectationOf(peer, role, names);
	return judge.judge(link.presented, peer.edge === undefined ? { ...expectation, domains: [] } : expectation).ok;
}
