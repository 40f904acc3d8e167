/** Our own certificate, looked at as partners will look at it: names, dates, purposes, chain (REQ-39, REQ-46, REQ-47). */
import { readFile } from "node:fs/promises";
import { isWithinDomain } from "@causeway/sip";
import type { FileProblem } from "../config/check-files.ts";
import type { Config } from "../config/schema.ts";
import { type Certificate, parseCertificate } from "./certificate/certificate.ts";
import { certificateNames, matchName } from "./certificate/names.ts";
import { readPemBlocks } from "./certificate/pem.ts";
import { loadTrust, type TrustAnchors } from "./certificate/trust.ts";

export type OwnCertificateCode =
	| "unreadable"
	| "expired"
	| "not-yet-valid"
	| "expires-soon"
	| "wrong-name"
	| "domain-without-name"
	| "unusual-domain-name"
	| "no-server-purpose"
	| "no-client-purpose"
	| "incomplete-chain"
	| "weak-key";

export interface OwnCertificateFinding {
	readonly code: OwnCertificateCode;
	/** `fault`: partners refuse it. `warning`: some do. `advice`: none should. */
	readonly severity: "fault" | "warning" | "advice";
	/** A sentence that begins with what the certificate does, without its full stop: `does not carry …`. */
	readonly text: string;
	readonly remedy: string;
}

export interface OwnCertificateInput {
	/** PEM, leaf first. */
	readonly certificate: string;
	readonly fqdn: string;
	/** SIP domains that we serve, lower case. */
	readonly domains: readonly string[];
	/** Milliseconds since 1970. */
	readonly now: number;
	/** Where known: a root that partners have too need not be sent. */
	readonly trust?: TrustAnchors;
}

const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";
const anyPurpose = "2.5.29.37.0";
const soonMs = 14 * 86_400_000;

/** Everything that partners, or some of them, will find; empty where there is nothing to say. */
export function judgeOwnCertificate(input: OwnCertificateInput): readonly OwnCertificateFinding[] {
	const blocks = readPemBlocks(input.certificate, "CERTIFICATE") ?? [];
	const [leaf, ...issuers] = blocks.map(parseCertificate);
	if (leaf === undefined) {
		const remedy = "put the edge's certificate first, in PEM form";
		return [{ code: "unreadable", severity: "fault", text: "cannot be read", remedy }];
	}
	return [
		...judgeDates(leaf, input.now),
		...judgeNames(leaf, input),
		...judgePurposes(leaf),
		...judgeChain(leaf, issuers, input.trust),
		...(leaf.keyWeakness === undefined
			? []
			: [fault("weak-key", `has ${leaf.keyWeakness}`, "use an RSA key of 2048 bits or more, or a P-256 key")]),
	];
}

/** `checkFiles` says these already, with all that it finds about files. */
const saidElsewhere: ReadonlySet<OwnCertificateCode> = new Set([
	"unreadable",
	"expired",
	"not-yet-valid",
	"wrong-name",
]);

/** What start and `check-config` say of our certificate beside {@link judgeOwnCertificate}'s faults of the file itself: all warnings. */
export async function checkOwnCertificate(config: Config, now: number): Promise<readonly FileProblem[]> {
	const { certificate: file, trust: source } = config.edge.tls;
	let certificate: string;
	try {
		certificate = await readFile(file, "utf8");
	} catch {
		return [];
	}
	const trust = await loadTrust(source.length === 1 && source[0] === "system" ? "system" : source);
	const findings = judgeOwnCertificate({
		certificate,
		fqdn: config.edge.fqdn,
		domains: config.domain.map(({ name }) => name),
		now,
		...(trust.ok ? { trust: trust.trust } : {}),
	});
	return findings
		.filter(({ code }) => !saidElsewhere.has(code))
		.map(({ text, remedy }) => ({
			file,
			line: undefined,
			column: undefined,
			key: "edge.tls.certificate",
			message: text,
			remedy,
			severity: "warning",
		}));
}

function judgeDates(leaf: Certificate, now: number): readonly OwnCertificateFinding[] {
	const until = new Date(leaf.notAfter).toISOString();
	if (now > leaf.notAfter) return [fault("expired", `expired on ${until}`, "renew it; or our clock is fast")];
	if (now < leaf.notBefore) {
		const from = new Date(leaf.notBefore).toISOString();
		return [fault("not-yet-valid", `is not valid before ${from}`, "check the clock of this machine")];
	}
	if (leaf.notAfter - now > soonMs) return [];
	return [{ code: "expires-soon", severity: "warning", text: `expires on ${until}`, remedy: "renew it" }];
}

function judgeNames(leaf: Certificate, { fqdn, domains }: OwnCertificateInput): readonly OwnCertificateFinding[] {
	const names = certificateNames(leaf);
	const findings: OwnCertificateFinding[] = [];
	if (!matchName(names, fqdn)) {
		findings.push(
			fault(
				"wrong-name",
				`does not carry ${fqdn} (edge.fqdn) as a DNS subject alternative name; it carries ${list(names.dns)}`,
				"get a certificate with this name: partners refuse the other",
			),
		);
	}
	for (const domain of domains) {
		const usual = `sip.${domain}`;
		if (matchName(names, usual)) continue;
		const inside = names.dns.filter((name) => isWithinDomain(name, domain));
		findings.push(
			inside.length === 0
				? {
						code: "domain-without-name",
						severity: "warning",
						text: `carries no name inside ${domain}: a partner that finds ${domain} by its SRV record refuses us`,
						remedy: `add ${usual} to the certificate and let the SRV record name it; or partners name our edge ${fqdn} themselves`,
					}
				: {
						code: "unusual-domain-name",
						severity: "advice",
						text: `carries ${list(inside)} for ${domain}, and not ${usual}, which the profile recommends`,
						remedy: `let the SRV record of ${domain} name ${inside[0] ?? usual}; with the next certificate, use ${usual}`,
					},
		);
	}
	return findings;
}

function judgePurposes({ purposes }: Certificate): readonly OwnCertificateFinding[] {
	if (purposes === undefined || purposes.includes(anyPurpose)) return [];
	const findings: OwnCertificateFinding[] = [];
	if (!purposes.includes(serverAuth)) {
		const text = "is not for TLS servers: a partner that dials us refuses it";
		findings.push(fault("no-server-purpose", text, "get one for TLS servers and clients"));
	}
	if (!purposes.includes(clientAuth)) {
		findings.push({
			code: "no-client-purpose",
			severity: "warning",
			text: "is not for TLS clients: a strict partner refuses it where we dial",
			remedy: "get one for TLS servers and clients",
		});
	}
	return findings;
}

function judgeChain(
	leaf: Certificate,
	issuers: readonly (Certificate | undefined)[],
	trust: TrustAnchors | undefined,
): readonly OwnCertificateFinding[] {
	let last = leaf;
	// Partners complete nothing: what stands between the certificate and its root has to be in the file.
	for (const issuer of issuers) {
		if (issuer === undefined || issuer.subject.key !== last.issuer.key) break;
		last = issuer;
	}
	const isRoot = last.issuer.key === last.subject.key;
	if (isRoot || trust === undefined || trust.bySubject.has(last.issuer.key)) return [];
	return [
		{
			code: "incomplete-chain",
			severity: "warning",
			text: `ends at "${last.subject.text}", whose issuer "${last.issuer.text}" is neither in the file nor among our trust anchors`,
			remedy: "append the intermediate certificates, each behind the one that it issued",
		},
	];
}

function list(names: readonly string[]): string {
	return names.length === 0 ? "no host name" : names.join(", ");
}

function fault(code: OwnCertificateCode, text: string, remedy: string): OwnCertificateFinding {
	return { code, severity: "fault", text, remedy };
}
