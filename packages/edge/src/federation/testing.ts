/** Peers, certificates and links as the tests of the federation rules want them. */
import type { Connection } from "@causeway/sip";
import type { PresentedPeer } from "@causeway/sip/node";
import { RecordingConnection } from "@causeway/sip/testing";
import type { CertificateJudge } from "./certificate-judge.ts";
import type { Link } from "./link.ts";
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

/** Judges by authority and name alone; the trust of the edge itself is the authority `public`. */
export const testJudge: CertificateJudge = {
	judge(presented, expectation) {
		const [authority = "", ...names] = new TextDecoder().decode(presented.chain[0]).split(" ");
		const trust = expectation.trust ?? ["public"];
		const isNamed = expectation.names.length === 0 || expectation.names.some((name) => names.includes(name));
		if (trust.includes(authority) && isNamed) {
			const identity = { names, subject: "CN=test", issuer: authority, fingerprint: "00", notAfter: 2_000_000_000_000 };
			return { ok: true, identity, warnings: [] };
		}
		const code = isNamed ? "untrusted-issuer" : "wrong-name";
		return { ok: false, code, whose: "peer", text: code, expected: expectation.names, shown: names };
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
		identity: { names, subject: "CN=test", issuer, fingerprint: "00", notAfter: 2_000_000_000_000 },
		presented,
		admittedAs: [],
		dialledName: undefined,
		tlsVersion: presented.protocol,
		cipher: presented.cipher,
		openedAt: 0,
		bindings: new Map(),
		network: undefined,
		requestsIn: 0,
		requestsOut: 0,
		lastReceivedAt: 0,
		isDraining: false,
		...parts,
	};
}
