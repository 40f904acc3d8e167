/** Makes certificates: a private authority, intermediates, and the certificates of edges. For demonstrations, `init` and tests. */
import "reflect-metadata";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

export type KeyKind = "ec-p256" | "rsa-2048" | "rsa-1024";

export interface AlternativeName {
	readonly type: "dns" | "ip" | "email" | "url";
	readonly value: string;
}

/** What a certificate says. Absent parts leave their extension out. */
export interface CertificateSpec {
	readonly commonName?: string;
	readonly organization?: string;
	readonly notBefore: Date;
	readonly notAfter: Date;
	readonly alternativeNames?: readonly AlternativeName[];
	/** Extended key usage (RFC 5280 §4.2.1.12): `server`, `client`, or an object identifier. */
	readonly purposes?: readonly string[];
	/** Basic constraints (RFC 5280 §4.2.1.9). */
	readonly authority?: { readonly is: boolean; readonly pathLength?: number };
	readonly keyUsage?: readonly ("digitalSignature" | "keyEncipherment" | "keyCertSign" | "cRLSign")[];
	/** `ec-p256` where absent. */
	readonly keyKind?: KeyKind;
	/** Keys to certify again, as in a renewal; new ones where absent. */
	readonly keys?: webcrypto.CryptoKeyPair;
	/** Of the signature; SHA-256 where absent. */
	readonly hash?: "SHA-256" | "SHA-1";
	/** Further extensions, DER values. */
	readonly extensions?: readonly { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array }[];
}

/** A certificate with its key. */
export interface Issued {
	/** PEM, this certificate alone. */
	readonly certificate: string;
	/** PEM, PKCS #8. */
	readonly key: string;
	/** PEM, this certificate and its issuers up to the root, without the root: what an edge presents. */
	readonly chain: string;
	readonly der: Uint8Array;
}

/** An issued certificate that can issue. */
export interface Authority extends Issued {
	readonly subject: x509.X509Certificate;
	readonly keys: webcrypto.CryptoKeyPair;
	readonly keyKind: KeyKind;
	readonly isRoot: boolean;
}

type CommonSpec = Pick<CertificateSpec, "notBefore" | "notAfter" | "keyKind"> & { readonly commonName: string };

/** A self-signed root. */
export function createRootAuthority(spec: CommonSpec): Promise<Authority> {
	return issue(undefined, { ...spec, authority: { is: true }, keyUsage: ["keyCertSign", "cRLSign"] });
}

/** An authority below another one; `pathLength` bounds the authorities below it. */
export function createIntermediateAuthority(
	issuer: Authority,
	spec: CommonSpec & { readonly pathLength?: number },
): Promise<Authority> {
	const { pathLength } = spec;
	const authority = pathLength === undefined ? { is: true } : { is: true, pathLength };
	return issue(issuer, { ...spec, authority, keyUsage: ["keyCertSign", "cRLSign"] });
}

/** The certificate of an edge, for both ends of a mutual TLS connection; the first name is its FQDN and its common name. */
export function createEdgeCertificate(
	issuer: Authority,
	spec: Omit<CommonSpec, "commonName"> & { readonly names: readonly string[] },
): Promise<Issued> {
	const [fqdn] = spec.names;
	assert(fqdn !== undefined, "an edge certificate carries a name");
	return issue(issuer, {
		...spec,
		commonName: fqdn,
		alternativeNames: spec.names.map((value) => ({ type: "dns", value })),
		purposes: ["server", "client"],
		authority: { is: false },
		keyUsage: ["digitalSignature"],
	});
}

/** Any certificate; without an issuer it signs itself. What it returns can issue, whether or not it says that it may. */
export async function issue(issuer: Authority | undefined, spec: CertificateSpec): Promise<Authority> {
	const keyKind = spec.keyKind ?? "ec-p256";
	const keys = spec.keys ?? (await createKeys(keyKind));
	const subjectName = distinguishedName(spec);
	const certificate = await x509.X509CertificateGenerator.create(
		{
			subject: subjectName,
			issuer: issuer === undefined ? subjectName : issuer.subject.subjectName,
			notBefore: spec.notBefore,
			notAfter: spec.notAfter,
			publicKey: keys.publicKey,
			signingKey: issuer === undefined ? keys.privateKey : issuer.keys.privateKey,
			signingAlgorithm: signingAlgorithm(issuer === undefined ? keyKind : issuer.keyKind, spec.hash ?? "SHA-256"),
			extensions: await createExtensions(spec, keys.publicKey, issuer),
		},
		webcrypto,
	);
	const pem = `${certificate.toString("pem")}\n`;
	return {
		certificate: pem,
		key: `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY")}\n`,
		chain: issuer === undefined || issuer.isRoot ? pem : pem + issuer.chain,
		der: new Uint8Array(certificate.rawData),
		subject: certificate,
		keys,
		keyKind,
		isRoot: issuer === undefined,
	};
}

/** A list, PEM, on which the authority says which of its certificates no longer count (RFC 5280 §5). */
export async function createRevocationList(
	authority: Authority,
	spec: { readonly thisUpdate: Date; readonly nextUpdate: Date; readonly revoked: readonly Uint8Array[] },
): Promise<string> {
	const list = await x509.X509CrlGenerator.create(
		{
			issuer: authority.subject.subjectName,
			thisUpdate: spec.thisUpdate,
			nextUpdate: spec.nextUpdate,
			entries: spec.revoked.map((der) => ({
				serialNumber: new x509.X509Certificate(new Uint8Array(der)).serialNumber,
				revocationDate: spec.thisUpdate,
			})),
			signingKey: authority.keys.privateKey,
			signingAlgorithm: signingAlgorithm(authority.keyKind, "SHA-256"),
		},
		webcrypto,
	);
	return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
}

/** A key and a certificate signing request (RFC 2986) for a public authority. */
export async function createSigningRequest(
	names: readonly string[],
): Promise<{ readonly request: string; readonly key: string }> {
	const [fqdn] = names;
	assert(fqdn !== undefined, "a signing request carries a name");
	const keys = await createKeys("ec-p256");
	const request = await x509.Pkcs10CertificateRequestGenerator.create(
		{
			name: distinguishedName({ commonName: fqdn }),
			keys,
			signingAlgorithm: signingAlgorithm("ec-p256", "SHA-256"),
			extensions: [
				new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
				// An edge dials with the certificate as well as it answers with it; authorities that follow requests then say so.
				new x509.ExtendedKeyUsageExtension(Object.values(purposeOids)),
			],
		},
		webcrypto,
	);
	const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
	return { request: `${request.toString("pem")}\n`, key: `${key}\n` };
}

async function createKeys(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
	if (kind === "ec-p256") {
		return webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
	}
	const parameters = {
		name: "RSASSA-PKCS1-v1_5",
		hash: "SHA-256",
		publicExponent: new Uint8Array([1, 0, 1]),
		modulusLength: kind === "rsa-2048" ? 2048 : 1024,
	};
	return webcrypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
}

function signingAlgorithm(kind: KeyKind, hash: string): { name: string; hash: string } {
	return { name: kind === "ec-p256" ? "ECDSA" : "RSASSA-PKCS1-v1_5", hash };
}

function distinguishedName(spec: Pick<CertificateSpec, "commonName" | "organization">): x509.JsonName {
	const name: x509.JsonName = [];
	if (spec.organization !== undefined) name.push({ O: [spec.organization] });
	if (spec.commonName !== undefined) name.push({ CN: [spec.commonName] });
	return name;
}

const purposeOids: Readonly<Record<string, string>> = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };

async function createExtensions(
	spec: CertificateSpec,
	publicKey: webcrypto.CryptoKey,
	issuer: Authority | undefined,
): Promise<x509.Extension[]> {
	const extensions: x509.Extension[] = [await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto)];
	if (issuer !== undefined) {
		extensions.push(await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey, false, webcrypto));
	}
	if (spec.authority !== undefined) {
		extensions.push(new x509.BasicConstraintsExtension(spec.authority.is, spec.authority.pathLength, true));
	}
	if (spec.keyUsage !== undefined) {
		const flags = spec.keyUsage.reduce((sum, usage) => sum | x509.KeyUsageFlags[usage], 0);
		extensions.push(new x509.KeyUsagesExtension(flags, true));
	}
	if (spec.purposes !== undefined) {
		extensions.push(
			new x509.ExtendedKeyUsageExtension(spec.purposes.map((purpose) => purposeOids[purpose] ?? purpose)),
		);
	}
	if (spec.alternativeNames !== undefined) {
		extensions.push(
			new x509.SubjectAlternativeNameExtension([...spec.alternativeNames], spec.commonName === undefined),
		);
	}
	for (const { oid, critical, value } of spec.extensions ?? []) {
		extensions.push(new x509.Extension(oid, critical, new Uint8Array(value)));
	}
	return extensions;
}
