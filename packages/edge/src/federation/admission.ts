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
	const admittedAs: Peer[] = [];
	let identity: PeerIdentity | undefined;
	let warnings: readonly string[] = [];
	const expectedNames: string[] = [];
	for (const peer of directory.withEdge) {
		const judgement = options.judge.judge(presented, expectationOf(peer, "accepted"));
		if (judgement.ok) {
			admittedAs.push(peer);
			identity ??= judgement.identity;
			warnings = judgement.warnings;
		}
		if (peer.edge !== undefined) expectedNames.push(peer.edge.host);
	}
	if (identity !== undefined) return { ok: true, identity, admittedAs, warnings };

	// Nobody whose edge we know by name: is the certificate itself good?
	const anybody = options.judge.judge(presented, { ...plainExpectation, role: "accepted", names: [] });
	if (!anybody.ok) return explain(anybody, expectedNames);
	if (directory.policy.discovery)
		return { ok: true, identity: anybody.identity, admittedAs, warnings: anybody.warnings };
	const targets = await targetsOf(directory.bySrv, options.lookup);
	if (targets.some((target) => anybody.identity.names.includes(target))) {
		return { ok: true, identity: anybody.identity, admittedAs, warnings: anybody.warnings };
	}
	const expected = [...expectedNames, ...targets];
	if (expected.length === 0) {
		const { subject } = anybody.identity;
		return {
			ok: false,
			code: "no-peers",
			whose: "ours",
			text: `certificate refused: no peer is configured and discovery is off, so nobody may connect (no-peers)\nsubject: ${subject}`,
			expected,
			shown: anybody.identity.names,
		};
	}
	const named = options.judge.judge(presented, { ...plainExpectation, role: "accepted", names: expected });
	return named.ok
		? { ok: true, identity: named.identity, admittedAs, warnings: named.warnings }
		: explain(named, expected);
}

/** A connection that we dialled to `serverName`, for `peer`. */
export function admitDialled(
	presented: PresentedPeer,
	peer: Peer,
	serverName: string,
	options: AdmissionOptions,
): Admission {
	const judgement = options.judge.judge(presented, {
		...expectationOf(peer, "dialled"),
		names: [serverName],
	});
	if (!judgement.ok) return explain(judgement, [serverName]);
	const admittedAs: Peer[] = [];
	for (const listed of options.directory().withEdge) {
		if (listed.name === peer.name) admittedAs.push(listed);
		else if (options.judge.judge(presented, expectationOf(listed, "dialled")).ok) admittedAs.push(listed);
	}
	return { ok: true, identity: judgement.identity, admittedAs, warnings: judgement.warnings };
}

const plainExpectation = { trust: undefined, domains: [], cnFallback: false, wildcard: false } as const;

function expectationOf(peer: Peer, role: CertificateExpectation["role"]): CertificateExpectation {
	const names = peer.edge === undefined ? [] : [peer.edge.host];
	return {
		role,
		names,
		domains: peer.domainSan ? peer.domains : [],
		trust: peer.trust,
		cnFallback: peer.cnFallback,
		wildcard: peer.wildcard,
	};
}

async function targetsOf(peers: readonly Peer[], lookup: DnsLookup): Promise<readonly string[]> {
	const domains = peers.flatMap(({ domains }) => domains).slice(0, MOST_SRV_LOOKUPS);
	const answers = await Promise.all(domains.map((domain) => lookup.srv(federationServiceName(domain))));
	const targets: string[] = [];
	for (const [index, answer] of answers.entries()) {
		const domain = domains[index];
		if (answer.kind !== "records" || domain === undefined) continue;
		for (const record of answer.records) {
			const target = record.target.toLowerCase().replace(/\.$/, "");
			if (isWithinDomain(target, domain)) targets.push(target);
		}
	}
	return targets;
}

function explain(judgement: Extract<CertificateJudgement, { ok: false }>, expected: readonly string[]): Admission {
	return { ...judgement, expected };
}
