/** Which names a certificate proves, and whether one of them is the name wanted (REQ-46, REQ-47; RFC 5922 §7). */
import type { Certificate } from "./certificate.ts";

/** Names read from a certificate, lower case, without a final dot. */
export interface CertificateNames {
	/** DNS names of the subject alternative name; `*.example.org` stays as it is. */
	readonly dns: readonly string[];
	/** Domains of URIs of the form `sip:example.org` (RFC 5922 §7.1). */
	readonly sipDomains: readonly string[];
	/** Common names that are host names; empty where the certificate has a subject alternative name of any kind. */
	readonly common: readonly string[];
}

/** What may count as the wanted name. Everything beyond a whole DNS name is off unless an administrator set it. */
export interface NameOptions {
	/** `cn_fallback`: the common name, where there is no subject alternative name at all. */
	readonly cnFallback?: boolean;
	/** `wildcard`: `*` as the whole first label of a DNS name stands for one label. */
	readonly wildcard?: boolean;
}

/** Reads the names a certificate may be matched by; e-mail and address names, and names with odd octets, are not among them. */
export function certificateNames(certificate: Certificate): CertificateNames {
	const alternatives = certificate.alternativeNames;
	const dns: string[] = [];
	const sipDomains: string[] = [];
	for (const { kind, value } of alternatives ?? []) {
		if (kind === "dns") {
			const name = hostName(value, true);
			if (name !== undefined) dns.push(name);
		} else if (kind === "uri" && value.slice(0, 4).toLowerCase() === "sip:") {
			const domain = hostName(value.slice(4), false);
			if (domain !== undefined) sipDomains.push(domain);
		}
	}
	const common: string[] = [];
	if (alternatives === undefined) {
		for (const value of certificate.subject.commonNames) {
			const name = hostName(value, true);
			if (name !== undefined) common.push(name);
		}
	}
	return { dns, sipDomains, common };
}

/** Whether the names prove `wanted`, a DNS name in any case: whole labels only, no suffix and no part of a label. */
export function matchName(names: CertificateNames, wanted: string, options: NameOptions = {}): boolean {
	const name = hostName(wanted, false);
	if (name === undefined) return false;
	const candidates = options.cnFallback === true ? [...names.dns, ...names.common] : names.dns;
	return candidates.some((candidate) => candidate === name || (options.wildcard === true && covers(candidate, name)));
}

/** Whether the names prove the SIP domain itself (`domain_san`): as a DNS name or as a `sip:` URI. */
export function matchSipDomain(names: CertificateNames, domain: string): boolean {
	const name = hostName(domain, false);
	return name !== undefined && (names.dns.includes(name) || names.sipDomains.includes(name));
}

function covers(candidate: string, name: string): boolean {
	if (!candidate.startsWith("*.")) return false;
	const suffix = candidate.slice(1);
	const firstDot = name.indexOf(".");
	// `*.example` would stand for every name of a top level.
	return firstDot > 0 && suffix.indexOf(".", 1) > 0 && name.slice(firstDot) === suffix;
}

const maxNameLength = 253;
const maxLabelLength = 63;

/** Lower case without a final dot; undefined where the text is not a host name, or looks like an IPv4 address. */
function hostName(text: string, wildcard: boolean): string | undefined {
	const name = text.endsWith(".") ? text.slice(0, -1) : text;
	if (name.length === 0 || name.length > maxNameLength) return undefined;
	const labels = name.toLowerCase().split(".");
	let last = "";
	for (const [index, label] of labels.entries()) {
		last = label;
		if (wildcard && index === 0 && label === "*" && labels.length > 1) continue;
		if (!isLabel(label)) return undefined;
	}
	return isNumber(last) ? undefined : labels.join(".");
}

function isLabel(label: string): boolean {
	if (label.length === 0 || label.length > maxLabelLength) return false;
	for (let index = 0; index < label.length; index += 1) {
		const code = label.charCodeAt(index);
		const allowed = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x5f;
		if (!allowed) return false;
	}
	return label.charCodeAt(0) !== 0x2d && label.charCodeAt(label.length - 1) !== 0x2d;
}

function isNumber(label: string): boolean {
	for (let index = 0; index < label.length; index += 1) {
		const code = label.charCodeAt(index);
		if (code < 0x30 || code > 0x39) return false;
	}
	return true;
}
