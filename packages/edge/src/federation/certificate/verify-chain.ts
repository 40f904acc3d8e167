/** Our own verifier: from what the peer presented to an anchor we trust, with every fault named (RFC 5280 §6, REQ-44 to REQ-47). */
import { type Certificate, parseCertificate } from "./certificate.ts";
import { certificateNames, matchName, matchSipDomain } from "./names.ts";
import type { TrustAnchors } from "./trust.ts";
import type {
	CertificateFault,
	CertificateFaultCode,
	CertificateSummary,
	CertificateWarning,
	Purpose,
	Verdict,
	Whose,
} from "./verdict.ts";

export interface VerificationInput {
	/** DER, leaf first, in the peer's order. */
	readonly chain: readonly Uint8Array[];
	readonly purpose: Purpose;
	/** Any one of these; none asked for where empty. */
	readonly names: readonly string[];
	/** SIP domains that count as well, as DNS name or `sip:` URI (`domain_san`). */
	readonly domains: readonly string[];
	readonly cnFallback: boolean;
	readonly wildcard: boolean;
	readonly trust: TrustAnchors;
	/** Milliseconds since 1970. */
	readonly now: number;
	/** What a missing client authentication purpose is. */
	readonly clientAuthEku: "require" | "warn" | "ignore";
}

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const ANY_PURPOSE = "2.5.29.37.0";
/** SHA-1 and MD5 with RSA, DSA, ECDSA. */
const WEAK_SIGNATURES: ReadonlySet<string> = new Set([
	"1.2.840.113549.1.1.2",
	"1.2.840.113549.1.1.4",
	"1.2.840.113549.1.1.5",
	"1.2.840.10040.4.3",
	"1.2.840.10045.4.1",
]);
const LEAST_RSA_BITS = 2048;
/** Certificates of one path, and signatures checked to find it: a peer chooses what it presents. */
const MAX_PATH = 8;
const MAX_SIGNATURES = 32;
const SOON_MS = 14 * 86_400_000;

interface Path {
	/** Leaf first; the last one is the anchor, or the last that was found. */
	readonly certificates: readonly Certificate[];
	readonly isTrusted: boolean;
	readonly hasBadSignature: boolean;
}

export function verifyChain(input: VerificationInput): Verdict {
	const expected = { names: [...input.names, ...input.domains], purpose: input.purpose };
	const [leafDer, ...others] = input.chain;
	if (leafDer === undefined) {
		const fault: CertificateFault = {
			code: "no-certificate",
			whose: "peer",
			text: "the peer showed no certificate; both ends of a federation connection must",
			remedy: "configure the peer to present its certificate when it connects",
		};
		return { ok: false, expected, shown: undefined, validUntil: undefined, faults: [fault], warnings: [] };
	}
	const leaf = parseCertificate(leafDer);
	if (leaf === undefined) {
		const fault: CertificateFault = {
			code: "malformed",
			whose: "peer",
			text: "the peer's certificate cannot be read",
			remedy: "replace the peer's certificate",
		};
		return { ok: false, expected, shown: undefined, validUntil: undefined, faults: [fault], warnings: [] };
	}
	const presented = others.map(parseCertificate).filter((one): one is Certificate => one !== undefined);
	const path = findPath(leaf, presented, input.trust);
	const faults: CertificateFault[] = [];
	const warnings: CertificateWarning[] = [];
	judgePath(path, leaf, faults);
	for (const [index, certificate] of path.certificates.entries()) {
		const isAnchor = path.isTrusted && index === path.certificates.length - 1;
		judgeCertificate(certificate, index, isAnchor, input.now, faults);
	}
	judgePurpose(leaf, input, faults, warnings);
	const names = certificateNames(leaf);
	judgeNames(leaf, names, input, faults, warnings);
	const validUntil = Math.min(...path.certificates.map(({ notAfter }) => notAfter));
	if (faults.length === 0 && validUntil - input.now < SOON_MS) {
		warnings.push({ code: "expires-soon", text: `the certificate or one above it expires at ${instant(validUntil)}` });
	}
	return {
		ok: faults.length === 0,
		expected,
		shown: {
			...summary(leaf),
			names: [
				...names.dns,
				...names.sipDomains.map((domain) => `sip:${domain}`),
				...names.common.map((name) => `CN=${name}`),
			],
			chain: [leaf, ...presented].map(summary),
			path: path.isTrusted ? path.certificates.map(({ subject }) => subject.text) : [],
		},
		validUntil: faults.length === 0 ? validUntil : undefined,
		faults,
		warnings,
	};
}

/** Climbs from the leaf: an anchor that signed ends the path, else an intermediate that the peer presented. */
function findPath(leaf: Certificate, presented: readonly Certificate[], trust: TrustAnchors): Path {
	if (trust.fingerprints.has(leaf.fingerprint))
		return { certificates: [leaf], isTrusted: true, hasBadSignature: false };
	const budget = { signatures: MAX_SIGNATURES };
	let hasBadSignature = false;
	const signedBy = (certificate: Certificate, issuer: Certificate): boolean => {
		budget.signatures -= 1;
		if (budget.signatures < 0) return false;
		const isGood = certificate.x509.verify(issuer.publicKey);
		if (!isGood) hasBadSignature = true;
		return isGood;
	};
	let longest: readonly Certificate[] = [leaf];
	const climb = (path: readonly Certificate[]): readonly Certificate[] | undefined => {
		if (path.length > longest.length) longest = path;
		const top = path.at(-1);
		if (top === undefined || path.length >= MAX_PATH) return undefined;
		for (const anchor of trust.bySubject.get(top.issuer.key) ?? []) {
			if (signedBy(top, anchor)) return [...path, anchor];
		}
		for (const next of presented) {
			if (next.subject.key !== top.issuer.key || path.some(({ fingerprint }) => fingerprint === next.fingerprint))
				continue;
			const found = signedBy(top, next) ? climb([...path, next]) : undefined;
			if (found !== undefined) return found;
		}
		return undefined;
	};
	const found = climb([leaf]);
	return found === undefined
		? { certificates: longest, isTrusted: false, hasBadSignature }
		: { certificates: found, isTrusted: true, hasBadSignature: false };
}

function judgePath(path: Path, leaf: Certificate, faults: CertificateFault[]): void {
	if (path.isTrusted) return;
	const top = path.certificates.at(-1) ?? leaf;
	if (path.hasBadSignature) {
		faults.push(
			fault(
				"bad-signature",
				"peer",
				`${top.subject.text} names an issuer (${top.issuer.text}) that did not sign it`,
				"install the certificate as the authority issued it; two authorities of one name may have been mixed up",
			),
		);
	} else if (leaf.subject.key === leaf.issuer.key) {
		faults.push(
			fault(
				"self-signed",
				"peer",
				"the certificate is signed by itself, and is not among those we trust",
				"get a certificate from an authority that both sides trust, or add this one to trust",
			),
		);
	} else {
		faults.push(
			fault(
				"untrusted-issuer",
				"either",
				`the chain ends at ${top.subject.text}, issued by ${top.issuer.text}, which is neither shown nor trusted here`,
				`present the missing intermediate certificate, or add the authority "${top.issuer.text}" to trust`,
			),
		);
	}
}

function judgeCertificate(
	certificate: Certificate,
	index: number,
	isAnchor: boolean,
	now: number,
	faults: CertificateFault[],
): void {
	const name = certificate.subject.text;
	const whose: Whose = index === 0 ? "peer" : "ca";
	if (certificate.notAfter < now) {
		faults.push(
			fault(
				"expired",
				whose,
				`${name} expired at ${instant(certificate.notAfter)}`,
				"renew the certificate, and check the clocks of both sides",
			),
		);
	}
	if (certificate.notBefore > now) {
		faults.push(
			fault(
				"not-yet-valid",
				whose,
				`${name} is valid from ${instant(certificate.notBefore)} only`,
				"check the clocks of both sides",
			),
		);
	}
	if (certificate.unknownCritical.length > 0) {
		faults.push(
			fault(
				"unknown-critical-extension",
				whose,
				`${name} has a critical extension that is not understood (${certificate.unknownCritical.join(", ")})`,
				"get a certificate without it",
			),
		);
	}
	if (isWeakKey(certificate)) {
		faults.push(
			fault(
				"weak-key",
				whose,
				`${name} has a key that is too weak`,
				"use RSA with 2048 bits or more, or an elliptic curve key",
			),
		);
	}
	// An anchor is trusted for itself: its own signature proves nothing.
	if (!isAnchor && WEAK_SIGNATURES.has(certificate.signatureAlgorithm)) {
		faults.push(
			fault("weak-signature", whose, `${name} is signed with SHA-1 or MD5`, "have it issued again with SHA-256"),
		);
	}
	if (index > 0) judgeAuthority(certificate, index, isAnchor, faults);
}

function judgeAuthority(certificate: Certificate, index: number, isAnchor: boolean, faults: CertificateFault[]): void {
	const name = certificate.subject.text;
	const { authority, keyUsage, version } = certificate;
	// An old root of version 1 has no extensions; as an anchor it was chosen by the administrator.
	const isOldAnchor = isAnchor && version < 3;
	if (authority?.is !== true && !isOldAnchor) {
		faults.push(
			fault(
				"not-a-ca",
				"ca",
				`${name} signed another certificate and is no authority`,
				"use a chain of real authorities",
			),
		);
	}
	if (keyUsage?.keyCertSign === false) {
		faults.push(
			fault("wrong-key-usage", "ca", `${name} may not sign certificates (key usage)`, "use an authority that may"),
		);
	}
	// RFC 5280 §4.2.1.9: the intermediates that may stand between this one and the leaf.
	if (authority?.pathLength !== undefined && index - 1 > authority.pathLength) {
		faults.push(
			fault(
				"path-too-long",
				"ca",
				`${name} allows ${authority.pathLength} authorities below it, and ${index - 1} are there`,
				"use a shorter chain",
			),
		);
	}
	if (certificate.nameConstraints !== undefined) {
		faults.push(
			fault(
				"name-constraint",
				"ca",
				`${name} limits the names it may issue for, which is not supported here`,
				"use an authority without name constraints",
			),
		);
	}
}

function judgePurpose(
	leaf: Certificate,
	input: VerificationInput,
	faults: CertificateFault[],
	warnings: CertificateWarning[],
): void {
	const { purposes } = leaf;
	if (leaf.keyUsage?.digitalSignature === false && !leaf.keyUsage.keyEncipherment) {
		faults.push(
			fault("wrong-key-usage", "peer", "the key usage allows no TLS", "get a certificate with digitalSignature"),
		);
	}
	if (purposes === undefined || purposes.includes(ANY_PURPOSE)) return;
	const wanted = input.purpose === "server" ? SERVER_AUTH : CLIENT_AUTH;
	if (purposes.includes(wanted)) return;
	const isServerOnly = input.purpose === "client" && purposes.includes(SERVER_AUTH);
	if (isServerOnly && input.clientAuthEku !== "require") {
		if (input.clientAuthEku === "warn") {
			warnings.push({
				code: "server-only-purpose",
				text: "the certificate is for TLS servers only, as public authorities issue them now; taken because client_auth_eku allows it",
			});
		}
		return;
	}
	faults.push(
		fault(
			"wrong-purpose",
			"peer",
			`the certificate is not for TLS ${input.purpose}s (extended key usage ${purposes.join(", ") || "empty"})`,
			`get a certificate for TLS server and client authentication${isServerOnly ? ', or set client_auth_eku = "warn"' : ""}`,
		),
	);
}

function judgeNames(
	leaf: Certificate,
	names: ReturnType<typeof certificateNames>,
	input: VerificationInput,
	faults: CertificateFault[],
	warnings: CertificateWarning[],
): void {
	if (input.names.length === 0 && input.domains.length === 0) return;
	const plain =
		input.names.some((name) => matchName(names, name)) || input.domains.some((domain) => matchSipDomain(names, domain));
	if (plain) return;
	const lenient = { cnFallback: input.cnFallback, wildcard: input.wildcard };
	const matched = input.names.find((name) => matchName(names, name, lenient));
	if (matched !== undefined) {
		const byCommonName = names.common.includes(matched);
		warnings.push(
			byCommonName
				? { code: "common-name-used", text: `the name ${matched} stands in the common name alone` }
				: { code: "wildcard-used", text: `the name ${matched} is covered by a wildcard alone` },
		);
		return;
	}
	const shown = [...names.dns, ...names.common.map((name) => `CN=${name}`)].join(", ") || "none";
	faults.push(
		fault(
			"wrong-name",
			"peer",
			`the certificate is for ${shown}, not for ${input.names.join(" or ") || input.domains.join(" or ")}`,
			leaf.alternativeNames === undefined && names.common.length > 0
				? "get a certificate whose subject alternative name carries the name, or set cn_fallback for this peer"
				: "get a certificate that carries the name, or correct the edge name in the configuration or the DNS",
		),
	);
}

function isWeakKey(certificate: Certificate): boolean {
	const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
	if (asymmetricKeyType === "rsa" || asymmetricKeyType === "rsa-pss") {
		return (asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS;
	}
	return asymmetricKeyType === "dsa";
}

function summary(certificate: Certificate): CertificateSummary {
	return {
		subject: certificate.subject.text,
		issuer: certificate.issuer.text,
		fingerprint: certificate.fingerprint,
		serialNumber: certificate.serialNumber,
		notBefore: instant(certificate.notBefore),
		notAfter: instant(certificate.notAfter),
	};
}

function fault(code: CertificateFaultCode, whose: Whose, text: string, remedy: string): CertificateFault {
	return { code, whose, text, remedy };
}

function instant(ms: number): string {
	return new Date(ms).toISOString();
}
