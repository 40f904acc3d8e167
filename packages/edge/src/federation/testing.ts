/** Peers, certificates and links as the tests of the federation rules want them. */
import type { Connection } from "@causeway/sip";
import type { PresentedPeer } from "@causeway/sip/node";
import { RecordingConnection } from "@causeway/sip/testing";
import type { CertificateFaultCode, Verdict } from "./certificate/verdict.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import type { Link, PeerIdentity } from "./link.ts";
import { discoveredPeer, type Peer } from "./peers.ts";

/** A peer found by SRV, with some of it replaced. */
export function createTestPeer(parts: Partial<Peer> & { readonly domains: readonly string[] }): Peer {
	const name = parts.domains[0] ?? "";
	return { ...discoveredPeer(name), kind: parts.edge === undefined ? "allowed" : "direct", ...parts };
}

/** A certificate that `authority` issued for these names; {@link testJudge} reads it. */
export function presentTestCertificate(authority: string, ...names: readonly string[]): PresentedPeer {
	const chain = [new TextEncoder().encode([authority, ...names].join(" "))];
	return { chain, protocol: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", serverName: undefined };
}

const FAR_FUTURE = 2_000_000_000_000;

function testIdentity(names: readonly string[], issuer: string): PeerIdentity {
	const fingerprint = `${issuer} ${names.join(" ")}`;
	return { names, subject: "CN=test", issuer, fingerprint, notAfter: FAR_FUTURE, validUntil: FAR_FUTURE };
}

/** The verdict on a certificate with these names: good, or with these faults. */
function createTestVerdict(names: readonly string[], ...codes: readonly CertificateFaultCode[]): Verdict {
	const summary = { subject: "CN=test", issuer: "CN=test authority", fingerprint: "00", serialNumber: "01" };
	const dates = { notBefore: new Date(0).toISOString(), notAfter: new Date(FAR_FUTURE).toISOString() };
	return {
		ok: codes.length === 0,
		expected: { names: [], purpose: "client" },
		shown: { ...summary, ...dates, names, chain: [{ ...summary, ...dates }], path: [] },
		validUntil: codes.length === 0 ? FAR_FUTURE : undefined,
		faults: codes.map((code) => ({ code, whose: "peer", text: code, remedy: "mend it" })),
		warnings: [],
	};
}

/** Judges by authority and name alone; the trust of the edge itself is the authority `public`. */
export const testJudge: CertificateJudge = {
	judge(presented, expectation) {
		const [authority = "", ...names] = new TextDecoder().decode(presented.chain[0]).split(" ");
		const trust = expectation.trust ?? ["public"];
		const isNamed = expectation.names.length === 0 || expectation.names.some((name) => names.includes(name));
		if (trust.includes(authority) && isNamed) {
			return { ok: true, identity: testIdentity(names, authority), verdict: createTestVerdict(names) };
		}
		const codes = [
			...(trust.includes(authority) ? [] : ["untrusted-issuer" as const]),
			...(isNamed ? [] : ["wrong-name" as const]),
		];
		return { ok: false, verdict: createTestVerdict(names, ...codes) };
	},
};

let lastId = 0;

/** An open link over a connection that records. */
export function createTestLink(presented: PresentedPeer, parts: Partial<Link> = {}): Link {
	lastId += 1;
	const [issuer = "", ...names] = new TextDecoder().decode(presented.chain[0]).split(" ");
	const connection: Connection = new RecordingConnection(lastId);
	return {
		connection,
		identity: testIdentity(names, issuer),
		verdict: createTestVerdict(names),
		presented,
		admittedAs: [],
		dialledName: undefined,
		isLegacy: false,
		tlsVersion: presented.protocol,
		cipher: presented.cipher,
		openedAt: 0,
		bindings: new Map(),
		network: undefined,
		requestsIn: 0,
		requestsOut: 0,
		responsesIn: 0,
		lastReceivedAt: 0,
		isDraining: false,
		...parts,
	};
}
