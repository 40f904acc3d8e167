/** Decides about a connection before any SIP is read: who is at the other end, and is it a peer of ours (REQ-44 to REQ-47). */
import type { DnsLookup } from "@causeway/sip";
import { federationServiceName, isWithinDomain } from "@causeway/sip";
import type { PresentedPeer } from "@causeway/sip/node";
import { type CertificateFault, refuseVerdict, type Verdict } from "./certificate/verdict.ts";
import { anybodyExpectation, expectationOf } from "./certificate-expectation.ts";
import type { CertificateJudge, CertificateJudgement } from "./certificate-judge.ts";
import type { PeerIdentity } from "./link.ts";
import type { Candidate, Peer, PeerDirectory } from "./peers.ts";
import { tlsVersionFault, tlsVersionWarning } from "./tls-version.ts";

export type Admission =
	| {
			readonly ok: true;
			readonly identity: PeerIdentity;
			readonly admittedAs: readonly Peer[];
			readonly verdict: Verdict;
	  }
	| { readonly ok: false; readonly verdict: Verdict };

export interface AdmissionOptions {
	readonly judge: CertificateJudge;
	readonly lookup: DnsLookup;
	readonly directory: () => PeerDirectory;
}

/** SRV records asked to find out which `allowed` peer a stranger's certificate may be. */
const MOST_SRV_LOOKUPS = 200;

/** A connection that a peer opened; `isLegacy` where it came through a listener for old TLS versions. */
export function admitAccepted(
	presented: PresentedPeer,
	options: AdmissionOptions,
	isLegacy = false,
): Admission | Promise<Admission> {
	const directory = options.directory();
	const arrival: Arrival = { presented, isLegacy, judge: options.judge };
	// The certificate itself, for nobody: its names tell which peers it need be judged for, however many are listed.
	const anybody = options.judge.judge(presented, anybodyExpectation);
	const names = namesOf(anybody.verdict);
	const likely = directory.candidates.filter((candidate) => mayBe(candidate, names));
	const listed = admitAs(likely, arrival);
	if (listed?.ok === true) return listed;

	// Nobody whose edge we know by name.
	if (anybody.ok && directory.policy.discovery && !isLegacy) {
		return { ok: true, identity: anybody.identity, admittedAs: [], verdict: anybody.verdict };
	}
	return admitBySrv(arrival, likely, names, options).then((found) => (found.ok ? found : (listed ?? found)));
}

/** Nobody whose edge is configured: the DNS may name the edge of a peer that is found by it. */
async function admitBySrv(
	arrival: Arrival,
	likely: readonly Candidate[],
	names: readonly string[],
	{ lookup, directory: standing }: AdmissionOptions,
): Promise<Admission> {
	const directory = standing();
	// The DNS is asked only about peers whose trust the chain satisfies already.
	const withTargets = await targetsOf(trustedBySrv(arrival, directory), lookup);
	const found = admitAs(
		withTargets.filter((candidate) => mayBe(candidate, names)),
		arrival,
	);
	if (found !== undefined) return found;
	return explainStranger(arrival, likely, [...directory.candidates, ...withTargets], directory, names);
}

/** Names as plain text: DNS names, SIP domains, common names. */
function namesOf({ shown }: Verdict): readonly string[] {
	return (shown?.names ?? []).map((name) => {
		const prefix = ["CN=", "sip:"].find((one) => name.startsWith(one));
		return prefix === undefined ? name : name.slice(prefix.length);
	});
}

/** Whether a certificate with these names can be this peer's at all; its verdict says whether it is. */
function mayBe({ peer, edgeNames }: Candidate, names: readonly string[]): boolean {
	if (peer.wildcard || edgeNames.some((name) => names.includes(name))) return true;
	return peer.domainSan && peer.domains.some((domain) => names.includes(domain));
}

/** Peers that are found by SRV, and whose trust this chain satisfies; each trust is asked once. */
function trustedBySrv({ presented, judge }: Arrival, directory: PeerDirectory): readonly Peer[] {
	const byTrust = new Map<string, boolean>();
	return directory.bySrv.filter((peer) => {
		const key = peer.trust?.join("\n") ?? "";
		const known = byTrust.get(key);
		if (known !== undefined) return known;
		const isTrusted = judge.judge(presented, { ...anybodyExpectation, trust: peer.trust }).ok;
		byTrust.set(key, isTrusted);
		return isTrusted;
	});
}

/** Why a certificate is no peer's: measured by the peer whose name it carries, else by the names of all. */
function explainStranger(
	{ presented, judge }: Arrival,
	likely: readonly Candidate[],
	candidates: readonly Candidate[],
	directory: PeerDirectory,
	shownNames: readonly string[],
): Admission {
	for (const { expectation } of likely) {
		const { verdict } = judge.judge(presented, expectation);
		if (isAboutThis(verdict)) return { ok: false, verdict };
	}
	// Found by SRV, and not asked for because its trust does not hold: the domain tells whose it wants to be.
	const owner = directory.bySrv.find(({ domains }) =>
		shownNames.some((name) => domains.some((domain) => isWithinDomain(name, domain))),
	);
	const owned = owner && judge.judge(presented, expectationOf(owner, "accepted", []));
	if (owned?.ok === false) return { ok: false, verdict: owned.verdict };
	const names = candidates.flatMap(({ edgeNames }) => edgeNames);
	const domains = candidates.flatMap(({ peer }) => (peer.domainSan ? peer.domains : []));
	const { verdict } = judge.judge(presented, { ...anybodyExpectation, names, domains });
	if (!verdict.ok) return { ok: false, verdict };
	return { ok: false, verdict: refuseVerdict(verdict, nobodyMayConnect(directory)) };
}

/** The name is the one expected; what is wrong is something else. */
function isAboutThis({ ok, shown, faults }: Verdict): boolean {
	return !ok && shown !== undefined && !faults.some(({ code }) => code === "wrong-name");
}

/** A connection that we dialled to `serverName`, for `peer`. */
export function admitDialled(
	presented: PresentedPeer,
	peer: Peer,
	serverName: string,
	options: AdmissionOptions,
): Admission {
	const judgement = options.judge.judge(presented, expectationOf(peer, "dialled", [serverName]));
	if (!judgement.ok) return judgement;
	return {
		ok: true,
		identity: judgement.identity,
		admittedAs: [peer],
		verdict: withTlsWarning(judgement.verdict, presented),
	};
}

/** A connection that was accepted, and who judges it. */
interface Arrival {
	readonly presented: PresentedPeer;
	readonly isLegacy: boolean;
	readonly judge: CertificateJudge;
}

/**
 * The peers whom the certificate satisfies; undefined where there is none. A refusal where the
 * certificate is one of theirs and the TLS version is not.
 */
function admitAs(candidates: readonly Candidate[], { presented, isLegacy, judge }: Arrival): Admission | undefined {
	const admittedAs: Peer[] = [];
	let first: Extract<CertificateJudgement, { ok: true }> | undefined;
	let tooOld: Admission | undefined;
	for (const { peer, edgeNames, expectation } of candidates) {
		if (edgeNames.length === 0) continue;
		const judgement = judge.judge(presented, expectation);
		if (!judgement.ok) continue;
		const fault = tlsVersionFault(peer, presented.protocol, isLegacy);
		if (fault !== undefined) {
			tooOld ??= { ok: false, verdict: refuseVerdict(judgement.verdict, fault) };
			continue;
		}
		admittedAs.push(peer);
		first ??= judgement;
	}
	if (first === undefined) return tooOld;
	return { ok: true, identity: first.identity, admittedAs, verdict: withTlsWarning(first.verdict, presented) };
}

function withTlsWarning(verdict: Verdict, { protocol }: PresentedPeer): Verdict {
	const warning = tlsVersionWarning(protocol);
	return warning === undefined ? verdict : { ...verdict, warnings: [...verdict.warnings, warning] };
}

/** The edges of peers that are found by SRV, as the DNS names them. */
async function targetsOf(peers: readonly Peer[], lookup: DnsLookup): Promise<readonly Candidate[]> {
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
	return [...byPeer].map(([peer, edgeNames]) => ({
		peer,
		edgeNames,
		expectation: expectationOf(peer, "accepted", edgeNames),
	}));
}

/** The name of an SRV target: lower case, without a final dot. */
export function hostOf(target: string): string {
	const lower = target.toLowerCase();
	return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function nobodyMayConnect({ policy }: PeerDirectory): CertificateFault {
	const [why, remedy] =
		policy.peers.length === 0
			? ["no peer is configured", "list the peer under [[peer]], or set discovery = true"]
			: ["the certificate fits no peer that is configured", "list the peer under [[peer]], or set discovery = true"];
	return { code: "no-peers", whose: "ours", text: `${why} and discovery is off, so nobody else may connect`, remedy };
}
