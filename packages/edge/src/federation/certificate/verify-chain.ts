/** Our own verifier: from what the peer presented to an anchor we trust, with every fault named (RFC 5280 §6, REQ-44 … REQ-47). */
import { buildPaths, type FoundPaths } from "./build-path.ts";
import type { Certificate } from "./certificate.ts";
import { checkPath, type PathFindings, type PathRules } from "./check-path.ts";
import { type CertificateNames, matchName, matchSipDomain } from "./names.ts";
import type { RevocationList } from "./revocation.ts";
import type { TrustAnchors } from "./trust.ts";
import {
	anyOf,
	type CertificateFault,
	type CertificateFaultCode,
	type CertificateSummary,
	type CertificateWarning,
	type Purpose,
	type Verdict,
} from "./verdict.ts";
import { VerificationMemory } from "./verification-memory.ts";

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
	/** Lists that are not signed by an issuer of the path are passed over. */
	readonly revocationLists?: readonly RevocationList[];
}

/** A peer that sends more certificates than any chain needs is not helped by reading them. */
const maxPresented = 16;
const soonMs = 14 * 86_400_000;

/** `memory` is shared by the calls that may meet the same peers again. */
export function verifyChain(input: VerificationInput, memory: VerificationMemory = new VerificationMemory()): Verdict {
	const expected = { names: [...input.names, ...input.domains], purpose: input.purpose };
	const [leafDer, ...issuerDers] = input.chain.slice(0, maxPresented);
	const leaf = leafDer === undefined ? undefined : memory.read(leafDer);
	if (leaf === undefined) {
		const fault = leafDer === undefined ? noCertificate : malformed;
		return { ok: false, expected, shown: undefined, validUntil: undefined, faults: [fault], warnings: [] };
	}
	// What cannot be read above the leaf cannot vouch for it; without it the path is found, or it is not.
	const issuers = issuerDers.map((der) => memory.read(der)).filter((one) => one !== undefined);
	const found = buildPaths([leaf, ...issuers], input.trust, (certificate, issuer) =>
		memory.isSignedBy(certificate, issuer),
	);
	const anchored = found.paths.length > 0;
	const { path, findings } = bestPath(found, input, memory);
	const names = memory.namesOf(leaf);
	const nameFindings = checkNames(names, input, expected.names);
	const faults = [...(anchored ? [] : [anchorFault(leaf, found)]), ...findings.faults, ...nameFindings.faults].sort(
		(one, other) => ranking.indexOf(one.code) - ranking.indexOf(other.code),
	);
	const warnings = [...findings.warnings, ...nameFindings.warnings];
	const ok = faults.length === 0;
	const validUntil = Math.min(...path.map((one) => one.notAfter));
	if (ok && validUntil - input.now < soonMs) {
		const at = new Date(validUntil).toISOString();
		warnings.push({ code: "expires-soon", text: `the peer's certificate or one above it expires on ${at}` });
	}
	return {
		ok,
		expected,
		shown: {
			...summary(leaf),
			names: shownNames(names),
			chain: [leaf, ...issuers].map(summary),
			path: anchored ? path.map((one) => one.subject.text) : [],
		},
		validUntil: ok ? validUntil : undefined,
		faults,
		warnings,
	};
}

/** The path with the fewest faults: one good way to an anchor is enough. */
function bestPath(
	found: FoundPaths,
	input: VerificationInput,
	memory: VerificationMemory,
): { readonly path: readonly Certificate[]; readonly findings: PathFindings } {
	const rules: PathRules = {
		now: input.now,
		purpose: input.purpose,
		clientAuthEku: input.clientAuthEku,
		revocationLists: input.revocationLists ?? [],
		isListSignedBy: (list, issuer) => memory.isListSignedBy(list, issuer),
	};
	const [first, ...others] = found.paths;
	let path = first ?? found.longest;
	let findings = checkPath(path, first !== undefined, rules);
	for (const other of others) {
		const otherFindings = checkPath(other, true, rules);
		if (otherFindings.faults.length >= findings.faults.length) continue;
		path = other;
		findings = otherFindings;
	}
	return { path, findings };
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
	const last = found.top;
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
	input: VerificationInput,
	wanted: readonly string[],
): { readonly faults: readonly CertificateFault[]; readonly warnings: readonly CertificateWarning[] } {
	if (wanted.length === 0) return { faults: [], warnings: [] };
	const { cnFallback, wildcard, domains } = input;
	const match = (options: { cnFallback: boolean; wildcard: boolean }): boolean =>
		input.names.some((name) => matchName(names, name, options));
	if (match({ cnFallback: false, wildcard: false })) return { faults: [], warnings: [] };
	if (domains.some((domain) => matchSipDomain(names, domain))) return { faults: [], warnings: [] };
	if (wildcard && match({ cnFallback: false, wildcard })) {
		return { faults: [], warnings: [{ code: "wildcard-used", text: "the peer's name was matched by a wildcard" }] };
	}
	if (cnFallback && match({ cnFallback, wildcard })) {
		const text = "the peer's name was matched by the common name, for want of a subject alternative name";
		return { faults: [], warnings: [{ code: "common-name-used", text }] };
	}
	const shown = shownNames(names);
	const text = `the certificate is for ${shown.length === 0 ? "no host name at all" : shown.join(", ")}, not for ${anyOf(wanted)}`;
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
	const add = `the peer's certificate must carry ${anyOf(wanted)} as a DNS subject alternative name`;
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
	"tls-too-old",
	"not-for-legacy",
	"no-peers",
	"kept-out",
	"trust-replaced",
];
