/** A certificate decoded as far as its verification needs (RFC 5280 §4). */
import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import { keyWeakness } from "./algorithms.ts";
import {
	contentOf,
	type DerElement,
	derTag,
	readChildren,
	readObjectIdentifier,
	readSmallInteger,
	readTime,
	readWhole,
} from "./der.ts";
import { type DistinguishedName, readDistinguishedName } from "./distinguished-name.ts";
import { type Extensions, readExtensions } from "./extensions.ts";

export interface Certificate extends Extensions {
	readonly der: Uint8Array;
	/** SHA-256 of the DER, as administrators write it: `AB:CD:…`. */
	readonly fingerprint: string;
	/** 1, 2 or 3. */
	readonly version: number;
	/** Upper-case hexadecimal. */
	readonly serialNumber: string;
	readonly issuer: DistinguishedName;
	readonly subject: DistinguishedName;
	/** Milliseconds since 1970. */
	readonly notBefore: number;
	/** Milliseconds since 1970; valid up to and with it. */
	readonly notAfter: number;
	readonly signatureAlgorithm: string;
	readonly publicKey: KeyObject;
	/** Why its key is too weak, in words; undefined where it is not. */
	readonly keyWeakness: string | undefined;
	/** Node's view of the same octets, for signatures. */
	readonly x509: X509Certificate;
}

/** Larger certificates exist in no deployment. */
const maxCertificateBytes = 65_536;

/** `AB:CD:…` */
export function fingerprintOf(der: Uint8Array): string {
	const hex = createHash("sha256").update(der).digest("hex").toUpperCase();
	let text = hex.slice(0, 2);
	for (let at = 2; at < hex.length; at += 2) text += `:${hex.slice(at, at + 2)}`;
	return text;
}

/** Undefined where the octets are not one certificate that we and OpenSSL both can read. */
export function parseCertificate(der: Uint8Array): Certificate | undefined {
	if (der.length > maxCertificateBytes) return undefined;
	const whole = readWhole(der, derTag.sequence);
	const [body, outerAlgorithm] = whole === undefined ? [] : (readChildren(der, whole) ?? []);
	if (body === undefined || body.tag !== derTag.sequence || outerAlgorithm === undefined) return undefined;
	const fields = readChildren(der, body);
	if (fields === undefined) return undefined;
	const version = readVersion(der, fields[0]);
	// RFC 5280 §4.1: the version is left out in certificates of version 1.
	const [serial, innerAlgorithm, issuerName, validity, subjectName, keyInfo, ...rest] = fields.slice(
		fields[0]?.tag === 0xa0 ? 1 : 0,
	);
	const [notBefore, notAfter] = validity?.tag === derTag.sequence ? (readChildren(der, validity) ?? []) : [];
	const from = readTime(der, notBefore);
	const until = readTime(der, notAfter);
	const issuer = readDistinguishedName(der, issuerName);
	const subject = readDistinguishedName(der, subjectName);
	const signatureAlgorithm = readAlgorithm(der, outerAlgorithm);
	const extensions = readExtensions(
		der,
		rest.find((field) => field.tag === 0xa3),
	);
	if (version === undefined || serial?.tag !== derTag.integer || keyInfo === undefined) return undefined;
	if (from === undefined || until === undefined || issuer === undefined || subject === undefined) return undefined;
	// RFC 5280 §4.1.1.2: the signed and the unsigned statement of the algorithm are the same.
	if (signatureAlgorithm === undefined || !sameOctets(der, outerAlgorithm, innerAlgorithm)) return undefined;
	if (extensions === undefined) return undefined;
	try {
		const x509 = new X509Certificate(der);
		const publicKey = x509.publicKey;
		return {
			...extensions,
			der,
			fingerprint: fingerprintOf(der),
			version,
			serialNumber: Buffer.from(contentOf(der, serial)).toString("hex").toUpperCase(),
			issuer,
			subject,
			notBefore: from,
			notAfter: until,
			signatureAlgorithm,
			publicKey,
			keyWeakness: keyWeakness(publicKey),
			x509,
		};
	} catch {
		// OpenSSL reads the key only now; a curve that it does not know ends here.
		return undefined;
	}
}

function readVersion(der: Uint8Array, first: DerElement | undefined): number | undefined {
	if (first === undefined) return undefined;
	if (first.tag !== 0xa0) return 1;
	const value = readSmallInteger(der, readChildren(der, first)?.[0]);
	return value === undefined || value > 2 ? undefined : value + 1;
}

function readAlgorithm(der: Uint8Array, element: DerElement): string | undefined {
	return element.tag === derTag.sequence ? readObjectIdentifier(der, readChildren(der, element)?.[0]) : undefined;
}

function sameOctets(der: Uint8Array, one: DerElement, other: DerElement | undefined): boolean {
	if (other === undefined) return false;
	return Buffer.compare(der.subarray(one.start, one.end), der.subarray(other.start, other.end)) === 0;
}
