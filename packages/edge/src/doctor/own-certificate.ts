/** Our own certificate as partners will judge it: names, dates, purposes, and whether the file holds what completes the chain. */
import type { Certificate } from "../federation/certificate/certificate.ts";
import { certificateNames, matchName } from "../federation/certificate/names.ts";
import type { TrustAnchors } from "../federation/certificate/trust.ts";
import { type Finding, fault, ok, warning } from "./finding.ts";
import { signingRequestCommand } from "./zone-records.ts";

export interface OwnCertificateInput {
	readonly file: string;
	/** Leaf first. */
	readonly chain: readonly [Certificate, ...Certificate[]];
	/** Our FQDN first, then the name that each served domain's SRV record points to (REQ-46, REQ-47). */
	readonly names: readonly string[];
	/** Authorities that are known here, ours and the system's. */
	readonly anchors: TrustAnchors;
	/** Milliseconds since 1970. */
	readonly now: number;
}

const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";
const anyPurpose = "2.5.29.37.0";
const SOON_MS = 14 * 86_400_000;
const reload = "causeway cert reload";

/** One finding for each thing that a partner checks. */
export function checkOwnCertificate(input: OwnCertificateInput): readonly Finding[] {
	return [checkNames(input), checkDates(input), checkPurposes(input), checkChain(input)];
}

function checkNames({ file, chain: [leaf], names }: OwnCertificateInput): Finding {
	const shown = certificateNames(leaf);
	const missing = names.filter((name) => !matchName(shown, name));
	if (missing.length === 0) return ok("certificate", "names", `carries ${names.join(", ")}`);
	const carried = [...shown.dns, ...shown.common.map((name) => `CN=${name}`)];
	return fault("certificate", "names", `our certificate does not carry ${missing.join(", ")}`, {
		whose: "us",
		remedy: `get a certificate that carries ${names.join(", ")} as DNS subject alternative names, put it into ${file}, and reload`,
		mend: [signingRequestCommand(names), reload],
		details: [`names expected: ${names.join(", ")}`, `names shown: ${carried.join(", ") || "none"}`],
	});
}

function checkDates({ chain, names, now }: OwnCertificateInput): Finding {
	const mend = [signingRequestCommand(names), reload];
	const details = chain.map(
		({ subject, notBefore, notAfter }) => `${subject.text}: ${instant(notBefore)} to ${instant(notAfter)}`,
	);
	const expired = chain.find(({ notAfter }) => notAfter < now);
	if (expired !== undefined) {
		const remedy = "renew it and reload";
		const text = `our certificate "${expired.subject.text}" expired on ${instant(expired.notAfter)}`;
		return fault("certificate", "dates", text, { whose: "us", remedy, mend, details });
	}
	const early = chain.find(({ notBefore }) => notBefore > now);
	if (early !== undefined) {
		const text = `our certificate is not valid before ${instant(early.notBefore)}: the clock of this machine is likely to be wrong`;
		return fault("certificate", "dates", text, {
			whose: "us",
			remedy: `this machine says that it is ${instant(now)}: set its clock, or wait`,
			mend: ["timedatectl set-ntp true"],
			details,
		});
	}
	const ends = Math.min(...chain.map(({ notAfter }) => notAfter));
	if (ends - now < SOON_MS) {
		const remedy = "renew it before then, and reload";
		return warning("certificate", "dates", `our certificate expires on ${instant(ends)}`, {
			whose: "us",
			remedy,
			mend,
			details,
		});
	}
	return ok("certificate", "dates", `valid until ${instant(ends)}`);
}

function checkPurposes({ chain: [leaf], names }: OwnCertificateInput): Finding {
	const { purposes } = leaf;
	const has = (purpose: string): boolean =>
		purposes === undefined || purposes.includes(anyPurpose) || purposes.includes(purpose);
	const missing = [
		...(has(serverAuth) ? [] : ["server authentication"]),
		...(has(clientAuth) ? [] : ["client authentication"]),
	];
	if (missing.length === 0) return ok("certificate", "purpose", "for TLS servers and TLS clients");
	const text = `our certificate lacks the purpose ${missing.join(" and ")}`;
	const cure = {
		whose: "us",
		remedy: "get a certificate for both purposes: this edge dials partners with it as well as it answers them",
		mend: [signingRequestCommand(names), reload],
	} as const;
	// Partners decide about the client purpose as we do by client_auth_eku; nobody takes a server without its own.
	return has(serverAuth)
		? warning("certificate", "purpose", `${text}: strict partners refuse it when we dial them`, cure)
		: fault("certificate", "purpose", `${text}: no partner that dials us takes it`, cure);
}

function checkChain({ file, chain, anchors }: OwnCertificateInput): Finding {
	const last = chain[chain.length - 1] ?? chain[0];
	if (last.subject.key === last.issuer.key) {
		return chain.length === 1
			? warning("certificate", "chain", "our certificate is signed by itself", {
					whose: "us",
					remedy: `each partner has to list it under trust; its SHA-256 fingerprint is ${last.fingerprint}`,
				})
			: ok("certificate", "chain", `complete up to "${last.subject.text}"`);
	}
	if (anchors.bySubject.has(last.issuer.key)) {
		return ok("certificate", "chain", `complete: issued by "${last.issuer.text}", an authority known here`);
	}
	return warning(
		"certificate",
		"chain",
		`our chain ends at "${last.issuer.text}", an authority that is not known here`,
		{
			whose: "us",
			remedy: `if that is an intermediate authority, append its certificate to ${file}; if it is a root, partners have to trust it`,
			mend: [`cat edge.pem intermediate.pem > ${file}`, reload],
		},
	);
}

function instant(ms: number): string {
	return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
