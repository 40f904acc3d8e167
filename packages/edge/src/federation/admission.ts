/** Decides about a connection before any SIP is read: who is at the other end, and is it a peer of ours (REQ-44 to REQ-47). */
import type { DnsLookup } from "@causeway/sip";
import { federationServiceName, isWithinDomain } from "@causeway/sip";
import type { PresentedPeer } from "@causeway/sip/node";
import type { CertificateExpectation, CertificateJudge, CertificateJudgement } from "./certificate-judge.ts";
import type { PeerIdentity } from "./link.ts";
import type { Peer, PeerDirectory } from "./peers.ts";

export type Admission =
	| {
			readonly ok: true;
			readonly identity: PeerIdentity;
			readonly admittedAs: readonly Peer[];
			readonly warnings: readonly string[];
	  }
	| (Extract<CertificateJudgement, { ok: false }> & { readonly ok: false });

export interface AdmissionOptions {
	readonly judge: CertificateJudge;
	readonly lookup: DnsLookup;
	readonly directory: () => PeerDirectory;
}

/** SRV records asked to find out which `allowed` peer a stranger's certificate may be. */
const MOST_SRV_LOOKUPS = 200;

/** A connection that a peer opened. */
export async function admitAccepted(presented: PresentedPeer, options: AdmissionOptions): Promise<Admission> {
	const directory = options.directory();
	const expected = directory.withEdge.flatMap(({ edge }) => (edge === undefined ? [] : [edge.host]));
	const listed = admitAs(
		directory.withEdge.map((peer) => [peer, peer.edge === undefined ? [] : [peer.edge.host]] as const),
		presented,
		options,
	);
	if (listed !== undefined) return listed;

	// Nobody whose edge we know by name: is the certificate itself good?
	const anybody = options.judge.judge(presented, anybodyExpectation);
	if (anybody.ok && directory.policy.discovery) {
		return { ok: true, identity: anybody.identity, admittedAs: [], warnings: anybody.warnings };
	}
	// The DNS is asked only about peers whose trust and settings the chain satisfies already.
	const candidates = directory.bySrv.filter(
		(peer) => options.judge.judge(presented, { ...expectationOf(peer, "accepted", []), domains: [] }).ok,
	);
	const withTargets = await targetsOf(candidates, options.lookup);
	const found = admitAs(withTargets, presented, options);
	if (found !== undefined) return found;
	for (const [, targets] of withTargets) expected.push(...targets);
	if (!anybody.ok) return explain(anybody, expected);
	if (expected.length === 0) return nobodyMayConnect(anybody.identity);
	const named = options.judge.judge(presented, { ...anybodyExpectation, names: expected });
	return named.ok ? wrongSettings(named.identity, expected) : explain(named, expected);
}

/** A connection that we dialled to `serverName`, for `peer`. */
export function admitDialled(
	presented: PresentedPeer,
	peer: Peer,
	serverName: string,
	options: AdmissionOptions,
): Admission {
	const judgement = options.judge.judge(presented, expectationOf(peer, "dialled", [serverName]));
	if (!judgement.ok) return explain(judgement, [serverName]);
	return { ok: true, identity: judgement.identity, admittedAs: [peer], warnings: judgement.warnings };
}

/** What the certificate of this peer must satisfy; `edgeNames` are the names of its edges. */
export function expectationOf(
	peer: Peer,
	role: CertificateExpectation["role"],
	edgeNames: readonly string[],
): CertificateExpectation {
	return {
		role,
		names: edgeNames,
		domains: peer.domainSan ? peer.domains : [],
		trust: peer.trust,
		cnFallback: peer.cnFallback,
		wildcard: peer.wildcard,
	};
}

const anybodyExpectation: CertificateExpectation = {
	role: "accepted",
	names: [],
	domains: [],
	trust: undefined,
	cnFallback: false,
	wildcard: false,
};

/** The peers, each with its edge names, whom the certificate satisfies; undefined where there is none. */
function admitAs(
	peers: readonly (readonly [peer: Peer, edgeNames: readonly string[]])[],
	presented: PresentedPeer,
	{ judge }: AdmissionOptions,
): Extract<Admission, { ok: true }> | undefined {
	const admittedAs: Peer[] = [];
	let first: Extract<CertificateJudgement, { ok: true }> | undefined;
	for (const [peer, edgeNames] of peers) {
		if (edgeNames.length === 0) continue;
		const judgement = judge.judge(presented, expectationOf(peer, "accepted", edgeNames));
		if (!judgement.ok) continue;
		admittedAs.push(peer);
		first ??= judgement;
	}
	return first && { ok: true, identity: first.identity, admittedAs, warnings: first.warnings };
}

/** The edges of peers that are found by SRV, as the DNS names them. */
async function targetsOf(
	peers: readonly Peer[],
	lookup: DnsLookup,
): Promise<readonly (readonly [Peer, readonly string[]])[]> {
	const asked = peers.flatMap((peer) => peer.domains.map((domain) => [peer, domain] as const));
	const answers = await Promise.all(
		asked.slice(0, MOST_SRV_LOOKUPS).map(async ([peer, domain]) => {
			const answer = await lookup.srv(federationServiceName(domain));
			const targets = answer.kind === "records" ? answer.records.map(({ target }) => hostOf(target)) : [];
			return [peer, targets.filter((target) => isWithinDomain(target, domain))] as const;
		}),
	);
	const byPeer = new Map<Peer, string[]>();
	for (const [peer, targets] of answers) byPeer.set(peer, [...(byPeer.get(peer) ?? []), ...targets]);
	return [...byPeer];
}

/** The name of an SRV target: lower case, without a final dot. */
export function hostOf(target: string): string {
	const lower = target.toLowerCase();
	return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function nobodyMayConnect({ subject, names }: PeerIdentity): Admission {
	return {
		ok: false,
		code: "no-peers",
		whose: "ours",
		text: `certificate refused: no peer is configured and discovery is off, so nobody may connect (no-peers)\nsubject: ${subject}`,
		expected: [],
		shown: names,
	};
}

/** A name that a peer's edge has, under an authority that this peer's own settings do not name. */
function wrongSettings({ subject, names }: PeerIdentity, expected: readonly string[]): Admission {
	return {
		ok: false,
		code: "untrusted-issuer",
		whose: "peer",
		text: `certificate refused: it carries the name of a peer, but not under the trust that is set for this peer (untrusted-issuer)\nsubject: ${subject}`,
		expected,
		shown: names,
	};
}

function explain(judgement: Extract<CertificateJudgement, { ok: false }>, expected: readonly string[]): Admission {
	return { ...judgement, expected };
}
