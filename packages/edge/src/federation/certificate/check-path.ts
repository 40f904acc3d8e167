/** What every certificate of a path must satisfy (RFC 5280 §6.1.3, §6.1.4). */
import { signatureWeakness } from "./algorithms.ts";
import type { Certificate } from "./certificate.ts";
import { constraintFault } from "./name-constraints.ts";
import type { RevocationList } from "./revocation.ts";
import type { CertificateFault, CertificateFaultCode, CertificateWarning, Purpose, Whose } from "./verdict.ts";

export interface PathRules {
	/** Milliseconds since 1970. */
	readonly now: number;
	readonly purpose: Purpose;
	/** For `client`: whether the purpose "server" alone is refused, accepted with a warning, or accepted. */
	readonly clientAuthEku: "require" | "warn" | "ignore";
	readonly revocationLists: readonly RevocationList[];
	/** Whether the issuer signed the list; asked for matching names alone. */
	readonly isListSignedBy: (list: RevocationList, issuer: Certificate) => boolean;
}

export interface PathFindings {
	readonly faults: readonly CertificateFault[];
	readonly warnings: readonly CertificateWarning[];
}

const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";
const anyPurpose = "2.5.29.37.0";

/** `path` runs from the leaf upwards; `anchored` says that its last certificate is a trust anchor. */
export function checkPath(path: readonly Certificate[], anchored: boolean, rules: PathRules): PathFindings {
	const faults: CertificateFault[] = [];
	const warnings: CertificateWarning[] = [];
	for (const [index, certificate] of path.entries()) {
		const isAnchor = anchored && index === path.length - 1;
		const role = describeRole(certificate, index, isAnchor);
		const add: AddFault = (code, text, remedy, whose = isAnchor ? "either" : "peer") => {
			faults.push({ code, whose, text: `${role} ${text}`, remedy });
		};
		checkDates(certificate, rules.now, add);
		checkStrength(certificate, isAnchor, add);
		if (index > 0) checkAuthority(certificate, path.slice(1, index), isAnchor, add);
		for (const [depth, below] of path.slice(0, index).entries()) checkConstraints(certificate, below, depth === 0, add);
		if (certificate.unknownCritical.length > 0) {
			const which = certificate.unknownCritical.join(", ");
			add(
				"unknown-critical-extension",
				`has a critical extension that we do not know (${which})`,
				"use a certificate without it",
			);
		}
		checkPurpose(certificate, index, isAnchor, rules, add, warnings);
		const issuer = path[index + 1];
		if (issuer !== undefined) checkRevocation(certificate, issuer, rules, add, warnings);
	}
	const [leaf] = path;
	if (leaf?.authority?.is === true) {
		warnings.push({ code: "leaf-is-ca", text: "the peer's certificate says that it may issue certificates" });
	}
	return { faults, warnings };
}

type AddFault = (code: CertificateFaultCode, text: string, remedy: string, whose?: Whose) => void;

function describeRole(certificate: Certificate, index: number, isAnchor: boolean): string {
	if (index === 0) return "the peer's certificate";
	return `${isAnchor ? "the trusted authority" : "the intermediate authority"} "${certificate.subject.text}"`;
}

function checkDates(certificate: Certificate, now: number, add: AddFault): void {
	if (now > certificate.notAfter) {
		const since = new Date(certificate.notAfter).toISOString();
		add("expired", `expired on ${since}`, "renew it; if the date is still to come, our clock is fast");
	} else if (now < certificate.notBefore) {
		const from = new Date(certificate.notBefore).toISOString();
		add(
			"not-yet-valid",
			`is not valid before ${from}`,
			"wait, or set the clock that is wrong, theirs when it was made or ours now",
			"either",
		);
	}
}

function checkStrength(certificate: Certificate, isAnchor: boolean, add: AddFault): void {
	if (certificate.keyWeakness !== undefined) {
		add("weak-key", `has ${certificate.keyWeakness}`, "use an RSA key of 2048 bits or more, or a P-256 key");
	}
	// An anchor is trusted as it is: nobody relies on its signature of itself.
	const weakness = isAnchor ? undefined : signatureWeakness(certificate.signatureAlgorithm);
	if (weakness !== undefined)
		add("weak-signature", `is signed using ${weakness}`, "have it issued again with SHA-256", "ca");
}

function checkAuthority(issuer: Certificate, between: readonly Certificate[], isAnchor: boolean, add: AddFault): void {
	// RFC 5280 §6.1.4 (k): before version 3 there was no such mark, so only our own choice of an anchor can vouch for it.
	const oldAnchor = isAnchor && issuer.version < 3;
	if (issuer.authority?.is !== true && !oldAnchor) {
		add("not-a-ca", "issued a certificate but is no authority", "use a certificate that an authority issued");
	}
	if (issuer.keyUsage !== undefined && !issuer.keyUsage.keyCertSign) {
		add("wrong-key-usage", "may not sign certificates by its key usage", "use a certificate that an authority issued");
	}
	const limit = issuer.authority?.pathLength;
	const depth = between.filter((one) => one.subject.key !== one.issuer.key).length;
	if (limit !== undefined && depth > limit) {
		add(
			"path-too-long",
			`allows ${limit} authorities below it, and there are ${depth}`,
			"use a certificate issued further up",
			"ca",
		);
	}
}

function checkConstraints(issuer: Certificate, below: Certificate, isLeaf: boolean, add: AddFault): void {
	if (issuer.nameConstraints === undefined) return;
	// RFC 5280 §6.1.3 (b): an authority's certificate for its own next key is not bound.
	if (!isLeaf && below.subject.key === below.issuer.key) return;
	const reason = constraintFault(below, isLeaf, issuer.nameConstraints);
	if (reason !== undefined) {
		add(
			"name-constraint",
			`restricts names: ${reason}`,
			"use a certificate of an authority that may issue for this name",
		);
	}
}

function checkPurpose(
	certificate: Certificate,
	index: number,
	isAnchor: boolean,
	rules: PathRules,
	add: AddFault,
	warnings: CertificateWarning[],
): void {
	if (index === 0 && certificate.keyUsage !== undefined) {
		const { digitalSignature, keyEncipherment } = certificate.keyUsage;
		if (!digitalSignature && !keyEncipherment) {
			add("wrong-key-usage", "may not be used for TLS by its key usage", "add digitalSignature to its key usage");
		}
	}
	const purposes = isAnchor && index > 0 ? undefined : certificate.purposes;
	if (purposes === undefined || purposes.includes(anyPurpose)) return;
	if (purposes.includes(rules.purpose === "server" ? serverAuth : clientAuth)) return;
	// Public authorities issue for servers alone by now, and both sides of a federation present the same certificate.
	if (rules.purpose === "client" && rules.clientAuthEku !== "require" && purposes.includes(serverAuth)) {
		if (rules.clientAuthEku === "warn" && index === 0) {
			warnings.push({
				code: "server-only-purpose",
				text: "the peer's certificate is for TLS servers alone, and the peer dialled us with it",
			});
		}
		return;
	}
	const remedy =
		rules.purpose === "client" && purposes.includes(serverAuth)
			? 'use a certificate for TLS clients too, or set client_auth_eku = "warn"'
			: `use a certificate for TLS ${rules.purpose}s`;
	add(
		"wrong-purpose",
		`is not for TLS ${rules.purpose}s but for ${purposes.map(purposeWords).join(", ")}`,
		remedy,
		remedy.includes("client_auth_eku") ? "either" : "peer",
	);
}

const knownPurposes: Readonly<Record<string, string>> = {
	[serverAuth]: "TLS servers",
	[clientAuth]: "TLS clients",
	"1.3.6.1.5.5.7.3.3": "code signing",
	"1.3.6.1.5.5.7.3.4": "e-mail",
	"1.3.6.1.5.5.7.3.8": "time stamping",
	"1.3.6.1.5.5.7.3.9": "OCSP signing",
};

function purposeWords(oid: string): string {
	return knownPurposes[oid] ?? oid;
}

function checkRevocation(
	certificate: Certificate,
	issuer: Certificate,
	rules: PathRules,
	add: AddFault,
	warnings: CertificateWarning[],
): void {
	for (const list of rules.revocationLists) {
		if (list.issuerKey !== issuer.subject.key || issuer.keyUsage?.crlSign === false) continue;
		if (!rules.isListSignedBy(list, issuer)) continue;
		if (list.revoked.has(certificate.serialNumber)) {
			add("revoked", `was revoked by "${list.issuer}"`, "replace it");
		}
		if (list.nextUpdate !== undefined && rules.now > list.nextUpdate) {
			const due = new Date(list.nextUpdate).toISOString();
			warnings.push({
				code: "stale-revocation-list",
				text: `the revocation list of "${list.issuer}" should have been replaced by ${due}`,
			});
		}
	}
}
