/** The way to a partner, step by step: policy, SRV record, address, TLS, OPTIONS. Each step that fails is explained, and ends the way. */
import {
	type Clock,
	type DnsLookup,
	federationServiceName,
	type Hop,
	isWithinDomain,
	type Random,
	type ResolveRefusal,
	resolveHops,
} from "@causeway/sip";
import type { DialFailure, TlsCredentials } from "@causeway/sip/node";
import { createTurnFlusher, TlsDialler } from "@causeway/sip/node";
import type { Config } from "../config/schema.ts";
import { hostOf } from "../federation/admission.ts";
import { expectationOf } from "../federation/certificate-expectation.ts";
import type { CertificateJudge } from "../federation/certificate-judge.ts";
import type { Peer, PeerDirectory } from "../federation/peers.ts";
import { checkAnswers } from "./check-answers.ts";
import { type Finding, fault, ok, type Section, skipped } from "./finding.ts";
import { OptionsProbe } from "./options-probe.ts";
import { judgePartnerCertificate } from "./partner-certificate.ts";
import { addressRecordLine, recommendedTarget, srvRecordLine } from "./zone-records.ts";

export interface PartnerInput {
	readonly domain: string;
	readonly config: Config;
	readonly directory: PeerDirectory;
	readonly lookup: DnsLookup;
	readonly judge: CertificateJudge;
	/** Undefined where our own certificate cannot be used: then nothing is dialled. */
	readonly credentials: TlsCredentials | undefined;
	readonly clock: Clock;
	readonly random: Random;
	/** The port that our own listener is found at. */
	readonly port: number;
}

const DIAL_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** Addresses that are tried; a domain with more is as good or as bad by its first ones. */
const MOST_HOPS = 4;

export async function checkPartner(input: PartnerInput): Promise<Section> {
	return { title: input.domain, findings: await followTheWay(input) };
}

async function followTheWay(input: PartnerInput): Promise<readonly Finding[]> {
	const { domain } = input;
	const { finding: policy, peer } = checkPolicy(input);
	if (peer === undefined) return [policy, skipped("srv", domain, "not looked up: this edge may not call there")];
	const hops = await findHops(input, peer);
	if (hops.hops.length === 0) return [policy, ...hops.findings];
	const findings = [policy, ...hops.findings];
	for (const hop of hops.hops.slice(0, MOST_HOPS)) {
		const tried = await tryHop(hop, peer, input);
		findings.push(...tried.findings);
		if (tried.isReached) break;
	}
	return findings;
}

function checkPolicy({ config, directory, domain }: PartnerInput): {
	readonly finding: Finding;
	readonly peer: Peer | undefined;
} {
	if (config.domain.some(({ name }) => name === domain)) {
		const text = `${domain} is a domain of this edge, not a partner's`;
		const finding = fault("policy", domain, text, { whose: "us", remedy: "name a partner's domain" });
		return { finding, peer: undefined };
	}
	const found = directory.find(domain);
	if (found.kind === "peer") {
		const { peer } = found;
		const how =
			peer.edge === undefined ? "its edge is found by DNS" : `its edge is ${peer.edge.host}:${peer.edge.port}`;
		return { finding: ok("policy", domain, `${peer.kind} peer; ${how}`), peer };
	}
	if (found.kind === "blocked") {
		const cure = { whose: "us", remedy: "take the block away", mend: [`causeway peer allow ${domain}`] } as const;
		return { finding: fault("policy", domain, `${domain} is blocked here, in both directions`, cure), peer: undefined };
	}
	const cure = {
		whose: "us",
		remedy: "allow the domain, or turn discovery on",
		mend: [`causeway peer allow ${domain}`],
	} as const;
	const text = `${domain} is no partner of ours, and discovery is off`;
	return { finding: fault("policy", domain, text, cure), peer: undefined };
}

interface FoundHops {
	readonly hops: readonly Hop[];
	readonly findings: readonly Finding[];
}

async function findHops({ config, domain, lookup, random }: PartnerInput, peer: Peer): Promise<FoundHops> {
	const { edge, connect } = peer;
	const resolved = await resolveHops(
		edge === undefined
			? { kind: "domain", domain }
			: { kind: "static", host: edge.host, port: edge.port, ...(connect === undefined ? {} : { connect }) },
		{
			lookup,
			random,
			requireSameDomain: true,
			refusePrivateAddresses: !config.dns.allow_private_addresses,
		},
	);
	const findings: Finding[] = edge === undefined ? [...(await describeSrv(domain, lookup))] : [];
	const refusals = resolved.ok ? resolved.skipped : [resolved.refusal];
	const faults = refusals.map((refusal) => explainRefusal(domain, refusal));
	if (!resolved.ok) return { hops: [], findings: [...findings, ...faults] };
	for (const [host, hops] of Map.groupBy(resolved.hops, ({ serverName }) => serverName)) {
		findings.push(ok("address", host, hops.map(({ address }) => address).join(", ")));
	}
	// What a record in a list of several has wrong does not stop the others.
	return {
		hops: resolved.hops,
		findings: [...findings, ...faults.map((one) => ({ ...one, severity: "warning" as const }))],
	};
}

async function describeSrv(domain: string, lookup: DnsLookup): Promise<readonly Finding[]> {
	const answer = await lookup.srv(federationServiceName(domain));
	if (answer.kind !== "records") return [];
	const usable = answer.records.filter(({ target }) => isWithinDomain(hostOf(target), domain));
	if (usable.length === 0) return [];
	const words = usable.map(({ target, port }) => `${hostOf(target)}:${port}`);
	return [ok("srv", domain, `points to ${words.join(", ")}`)];
}

function explainRefusal(domain: string, { reason, name, detail }: ResolveRefusal): Finding {
	const target = recommendedTarget(domain);
	const publish = srvRecordLine(domain, target, 5061);
	const nameTheirEdge = `causeway peer allow ${domain} --edge <name of their edge>:5061`;
	switch (reason) {
		case "srv-absent":
			return fault(
				"srv",
				domain,
				`${federationServiceName(domain)} has no SRV record, so the edge of ${domain} cannot be found`,
				{
					whose: "partner",
					remedy: "they publish this record; or, where they cannot, name their edge here",
					mend: [publish, nameTheirEdge],
				},
			);
		case "srv-failed":
			return fault("srv", domain, `${federationServiceName(domain)} could not be looked up (${detail})`, {
				whose: "network",
				remedy: "check [dns] servers here, then the name servers of the domain",
				mend: [`dig SRV ${federationServiceName(domain)}`],
			});
		case "service-absent":
			return fault("srv", domain, `the SRV record of ${domain} says that there is no federation`, {
				whose: "partner",
				remedy: "they publish this record in place of the one with the target `.`",
				mend: [publish],
			});
		case "domain-conflict":
			return fault(
				"srv",
				domain,
				`the SRV record of ${domain} points to ${name}, which is outside the domain, so nothing proves that it is theirs`,
				{
					whose: "partner",
					remedy:
						"they publish this record, with an address record and a certificate for its name; or, where you know that edge to be theirs, name it here",
					mend: [publish, `causeway peer allow ${domain} --edge ${name}:5061`],
				},
			);
		case "bad-name":
			return fault("srv", domain, `the SRV record of ${domain} names no host and port that can be dialled (${name})`, {
				whose: "partner",
				remedy: "they publish this record",
				mend: [publish],
			});
		case "address-absent":
			return fault("address", name, `${name} has no address record`, {
				whose: "partner",
				remedy: "they publish one",
				mend: [addressRecordLine(name, undefined)],
			});
		case "address-failed":
			return fault("address", name, `${name} could not be looked up (${detail})`, {
				whose: "network",
				remedy: "check [dns] servers here, then the name servers of the domain",
				mend: [`dig A ${name}`],
			});
		case "address-private":
			return fault(
				"address",
				name,
				`every address of ${name} is private, and names of partners may not lead into private networks`,
				{
					whose: "partner",
					remedy: "they publish their public address; or, in a lab, set allow_private_addresses = true under [dns]",
					mend: [addressRecordLine(name, undefined)],
				},
			);
	}
}

async function tryHop(
	hop: Hop,
	peer: Peer,
	input: PartnerInput,
): Promise<{ readonly isReached: boolean; readonly findings: readonly Finding[] }> {
	const { clock, config, credentials, domain, judge, port, random } = input;
	const place = `${hop.serverName} (${hop.address}:${hop.port})`;
	if (credentials === undefined) {
		const text = "not dialled: our own certificate cannot be used";
		return { isReached: false, findings: [skipped("connection", place, text)] };
	}
	const dialler = new TlsDialler({ credentials, flusher: createTurnFlusher() });
	const outcome = await dialler.dial({
		address: hop.address,
		port: hop.port,
		serverName: hop.serverName,
		minVersion: peer.minVersion === "1.0" ? "TLSv1" : `TLSv${peer.minVersion}`,
		timeoutMs: DIAL_TIMEOUT_MS,
	});
	if (!outcome.ok) return { isReached: false, findings: [explainDialFailure(hop, place, outcome.failure)] };
	const { stream, presented } = outcome;
	const open = ok("connection", place, `${presented.protocol}, ${presented.cipher}`);
	const { verdict } = judge.judge(presented, expectationOf(peer, "dialled", [hop.serverName]));
	// Both sides of a federation present one certificate, so this one comes back when they dial us.
	const asClient = judge.judge(presented, expectationOf(peer, "accepted", [hop.serverName])).verdict;
	const certificate = judgePartnerCertificate(verdict, asClient, place, clock.wall());
	if (!verdict.ok) {
		stream.destroy("certificate refused");
		return {
			isReached: true,
			findings: [open, ...certificate, skipped("options", place, "not asked: the certificate is refused")],
		};
	}
	const probe = new OptionsProbe({ stream, clock, random, fqdn: config.edge.fqdn, port, timeoutMs: ANSWER_TIMEOUT_MS });
	try {
		const answers = await checkAnswers(probe, { hop, place, domain, config, wall: () => clock.wall() });
		return { isReached: true, findings: [open, ...certificate, ...answers] };
	} finally {
		probe.close();
	}
}

function explainDialFailure(hop: Hop, place: string, { stage, code, reason }: DialFailure): Finding {
	if (stage === "tls") {
		return fault("tls", place, `${place} ends the TLS handshake: ${reason}`, {
			whose: "partner",
			remedy:
				"they look at their log for the reason; common ones are no common TLS version, and a listener that speaks no TLS",
			mend: [`openssl s_client -connect ${hop.address}:${hop.port} -servername ${hop.serverName}`],
		});
	}
	const isRefused = code === "connection-refused";
	return fault("connection", place, `${place} cannot be reached: ${reason}`, {
		whose: isRefused ? "partner" : "network",
		remedy: isRefused
			? `nothing listens there: they start their edge, or correct the port of the record (${hop.port})`
			: `TCP ${hop.port} must pass every firewall between, outward here and inward there`,
		mend: isRefused ? [`ss -ltn 'sport = :${hop.port}'   # on their edge`] : [`nc -vz ${hop.address} ${hop.port}`],
	});
}
