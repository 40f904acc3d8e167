/** Judges the certificates that a peer presented, and says why (REQ-44 … REQ-47). */
import { buildPaths, type FoundPaths } from "./build-path.ts";
import { type Certificate, fingerprintOf, parseCertificate } from "./certificate.ts";
import { checkPath, type PathFindings, type PathRules } from "./check-path.ts";
import { type CertificateNames, certificateNames, matchName, matchSipDomain } from "./names.ts";
import type { RevocationList } from "./revocation.ts";
import type { TrustAnchors } from "./trust.ts";
import type {
	CertificateFault,
	CertificateFaultCode,
	CertificateSummary,
	CertificateWarning,
	Purpose,
	Verdict,
} from "./verdict.ts";

export interface VerifyRequest {
	/** DER, leaf first, as presented. */
	readonly chain: readonly Uint8Array[];
	readonly trust: TrustAnchors;
	/** Milliseconds since 1970. */
	readonly now: number;
	readonly purpose: Purpose;
	/** The certificate must prove one of these DNS names; empty where the names are judged later. */
	readonly expectedNames: readonly string[];
	/** `domain_san`: SIP domains whose own name is accepted in place of an expected name. */
	readonly sipDomains?: readonly string[];
	readonly cnFallback?: boolean;
	readonly wildcard?: boolean;
	/** `warn` where absent. */
	readonly clientAuthEku?: "require" | "warn" | "ignore";
	readonly revocationLists?: readonly RevocationList[];
}

/** Room for the certificates of every peer network with its connections. */
const defaultCacheSize = 1_000;
/** A peer that sends more certificates than any chain needs is not helped by reading them. */
const maxPresented = 16;

/** Remembers certificates and verified signatures, so that a peer that comes back costs hashes and comparisons alone. */
export class CertificateVerifier {
	readonly #cacheSize: number;
	readonly #certificates = new Map<string, Certificate>();
	readonly #signatures = new Map<string, boolean>();

	constructor(cacheSize: number = defaultCacheSize) {
		this.#cacheSize = cacheSize;
	}

	/** Decodes what a peer presented; undefined where it is nothing, or where one certificate of it cannot be read. */
	read(chain: readonly Uint8Array[]): readonly [Certificate, ...Certificate[]] | undefined {
		const certificates: Certificate[] = [];
		for (const der of chain.slice(0, maxPresented)) {
			const certificate = this.#certificate(der);
			if (certificate === undefined) return undefined;
			certificates.push(certificate);
		}
		const [leaf, ...issuers] = certificates;
		return leaf === undefined ? undefined : [leaf, ...issuers];
	}

	/** The names of the first certificate, nothing verified: to find out who a peer that dialled us claims to be. */
	claimedNames(chain: readonly Uint8Array[]): CertificateNames | undefined {
		const presented = this.read(chain.slice(0, 1));
		return presented === undefined ? undefined : certificateNames(presented[0]);
	}

	verify(request: VerifyRequest): Verdict {
		const expected = {
			names: [...request.expectedNames, ...(request.sipDomains ?? [])],
			purpose: request.purpose,
		};
		const presented = this.read(request.chain);
		if (presented === undefined) {
			const fault = request.chain.length === 0 ? noCertificate : malformed;
			return { ok: false, expected, shown: undefined, validUntil: undefined, faults: [fault], warnings: [] };
		}
		const [leaf] = presented;
		const found = buildPaths(presented, request.trust, (certificate, issuer) => this.#isSignedBy(certificate, issuer));
		const { path, findings } = this.#bestPath(found, request);
		const names = certificateNames(leaf);
		const nameFindings = checkNames(names, request, expected.names);
		const anchored = found.paths.length > 0;
		const faults = [...(anchored ? [] : [anchorFault(leaf, found)]), ...findings.faults, ...nameFindings.faults].sort(
			(one, other) => rank(one.code) - rank(other.code),
		);
		const ok = faults.length === 0;
		return {
			ok,
			expected,
			shown: {
				...summary(leaf),
				names: shownNames(names),
				chain: presented.map(summary),
				path: anchored ? path.map((one) => one.subject.text) : [],
			},
			validUntil: ok ? Math.min(...path.map((one) => one.notAfter)) : undefined,
			faults,
			warnings: [...findings.warnings, ...nameFindings.warnings],
		};
	}

	/** The path with the fewest faults: one good way to an anchor is enough. */
	#bestPath(
		found: FoundPaths,
		request: VerifyRequest,
	): { readonly path: readonly Certificate[]; readonly findings: PathFindings } {
		const rules: PathRules = {
			now: request.now,
			purpose: request.purpose,
			clientAuthEku: request.clientAuthEku ?? "warn",
			revocationLists: request.revocationLists ?? [],
			isListSignedBy: (list, issuer) => this.#isListSignedBy(list, issuer),
		};
		let path = found.longest;
		let findings = checkPath(path, false, rules);
		for (const [index, candidate] of found.paths.entries()) {
			const other = checkPath(candidate, true, rules);
			if (index > 0 && other.faults.length >= findings.faults.length) continue;
			path = candidate;
			findings = other;
		}
		return { path, findings };
	}

	#certificate(der: Uint8Array): Certificate | undefined {
		const fingerprint = fingerprintOf(der);
		const known = recall(this.#certificates, fingerprint);
		if (known !== undefined) return known;
		const certificate = parseCertificate(Uint8Array.from(der));
		if (certificate !== undefined) remember(this.#certificates, fingerprint, certificate, this.#cacheSize);
		return certificate;
	}

	#isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
		return this.#signature(`${certificate.fingerprint} ${issuer.fingerprint}`, () => {
			try {
				return certificate.x509.verify(issuer.publicKey);
			} catch {
				// A key of a kind that cannot have made this signature.
				return false;
			}
		});
	}

	#isListSignedBy(list: RevocationList, issuer: Certificate): boolean {
		return this.#signature(`${list.fingerprint} ${issuer.fingerprint}`, () => list.isSignedBy(issuer));
	}

	#signature(key: string, verify: () => boolean): boolean {
		const known = recall(this.#signatures, key);
		if (known !== undefined) return known;
		const good = verify();
		remember(this.#signatures, key, good, this.#cacheSize * 4);
		return good;
	}
}

/** Reads from a map in order of last use. */
function recall<Value>(map: Map<string, Value>, key: string): Value | undefined {
	const value = map.get(key);
	if (value === undefined) return undefined;
	map.delete(key);
	map.set(key, value);
	return value;
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value, limit: number): void {
	map.set(key, value);
	for (const oldest of map.keys()) {
		if (map.size <= limit) break;
		map.delete(oldest);
	}
}

const noCertificate: CertificateFault = {
	code: "no-certificate",
	whose: "peer",
	text: "the peer showed no certificate",
	remedy: "the peer's server must present its certificate when it dials as well as when it is dialled (mutual TLS)",
};

const malformed: CertificateFault = {
	code: "malformed",
	whose: "peer",
	text: "a certificate that the peer showed cannot be read",
	remedy: "use certificates that follow RFC 5280",
};

function anchorFault(leaf: Certificate, found: FoundPaths): CertificateFault {
	if (found.forged !== undefined) {
		return {
			code: "bad-signature",
			whose: "peer",
			text: `the certificate "${found.forged.subject.text}" was not signed by the authority that it names, "${found.forged.issuer.text}"`,
			remedy: "use a certificate of that authority itself; another authority of the same name does not count",
		};
	}
	if (found.longest.length === 1 && leaf.issuer.key === leaf.subject.key) {
		return {
			code: "self-signed",
			whose: "peer",
			text: "the peer's certificate is signed by itself",
			remedy: `use a certificate of an authority; or, where this one is known to be the peer's (SHA-256 ${leaf.fingerprint}), list it under trust`,
		};
	}
	const last = found.longest[found.longest.length - 1] ?? leaf;
	if (last.issuer.key === last.subject.key) {
		return {
			code: "untrusted-issuer",
			whose: "either",
			text: `the chain ends at "${last.subject.text}", which is not among our trust anchors`,
			remedy: `where that authority is to be trusted (SHA-256 ${last.fingerprint}), list it under trust; else the peer needs a certificate of an authority that we trust`,
		};
	}
	return {
		code: "untrusted-issuer",
		whose: "either",
		text: `the issuer "${last.issuer.text}" is neither among our trust anchors nor among the certificates shown`,
		remedy:
			"the peer must send its intermediate certificates behind its own; or the authority is to be listed under trust",
	};
}

function checkNames(
	names: CertificateNames,
	request: VerifyRequest,
	wanted: readonly string[],
): { readonly faults: readonly CertificateFault[]; readonly warnings: readonly CertificateWarning[] } {
	if (wanted.length === 0) return { faults: [], warnings: [] };
	const { cnFallback = false, wildcard = false, expectedNames, sipDomains = [] } = request;
	const match = (options: { cnFallback: boolean; wildcard: boolean }): boolean =>
		expectedNames.some((name) => matchName(names, name, options));
	if (match({ cnFallback: false, wildcard: false })) return { faults: [], warnings: [] };
	if (sipDomains.some((domain) => matchSipDomain(names, domain))) return { faults: [], warnings: [] };
	if (wildcard && match({ cnFallback: false, wildcard })) {
		return { faults: [], warnings: [{ code: "wildcard-used", text: "the peer's name was matched by a wildcard" }] };
	}
	if (cnFallback && match({ cnFallback, wildcard })) {
		const text = "the peer's name was matched by the common name, for want of a subject alternative name";
		return { faults: [], warnings: [{ code: "common-name-used", text }] };
	}
	const shown = shownNames(names);
	const text = `the certificate is for ${shown.length === 0 ? "no host name at all" : shown.join(", ")}, not for ${wanted.join(" or ")}`;
	return {
		faults: [{ code: "wrong-name", whose: "peer", text, remedy: nameRemedy(names, wanted, match) }],
		warnings: [],
	};
}

function nameRemedy(
	names: CertificateNames,
	wanted: readonly string[],
	match: (options: { cnFallback: boolean; wildcard: boolean }) => boolean,
): string {
	const add = `the peer's certificate must carry ${wanted.join(" or ")} as a DNS subject alternative name`;
	if (names.common.length > 0 && match({ cnFallback: true, wildcard: false }))
		return `${add}; or set cn_fallback = true for this peer`;
	if (match({ cnFallback: false, wildcard: true })) return `${add}; or set wildcard = true for this peer`;
	return `${add}; or the configured edge name is wrong`;
}

function shownNames(names: CertificateNames): readonly string[] {
	return [
		...names.dns,
		...names.sipDomains.map((domain) => `sip:${domain}`),
		...names.common.map((name) => `CN=${name}`),
	];
}

function summary(certificate: Certificate): CertificateSummary {
	return {
		subject: certificate.subject.text,
		issuer: certificate.issuer.text,
		fingerprint: certificate.fingerprint,
		serialNumber: certificate.serialNumber,
		notBefore: new Date(certificate.notBefore).toISOString(),
		notAfter: new Date(certificate.notAfter).toISOString(),
	};
}

/** The main fault is the one to mend first: whom to trust, then what is wrong with it, then what it is for. */
const ranking: readonly CertificateFaultCode[] = [
	"no-certificate",
	"malformed",
	"bad-signature",
	"self-signed",
	"untrusted-issuer",
	"revoked",
	"expired",
	"not-yet-valid",
	"not-a-ca",
	"path-too-long",
	"name-constraint",
	"unknown-critical-extension",
	"weak-key",
	"weak-signature",
	"wrong-key-usage",
	"wrong-purpose",
	"wrong-name",
];

function rank(code: CertificateFaultCode): number {
	return ranking.indexOf(code);
}
