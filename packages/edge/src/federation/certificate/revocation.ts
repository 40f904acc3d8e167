/** Certificate revocation lists (RFC 5280 §5) from files. */
import { verify } from "node:crypto";
import { strongSignatures } from "./algorithms.ts";
import { type Certificate, fingerprintOf } from "./certificate.ts";
import {
	contentOf,
	type DerElement,
	derTag,
	readChildren,
	readElement,
	readObjectIdentifier,
	readTime,
	readWhole,
} from "./der.ts";
import { readDistinguishedName } from "./distinguished-name.ts";
import { readPemBlocks } from "./pem.ts";

export interface RevocationList {
	readonly fingerprint: string;
	/** Key of the issuer's name. */
	readonly issuerKey: string;
	readonly issuer: string;
	/** Milliseconds since 1970. */
	readonly thisUpdate: number;
	/** Milliseconds since 1970; undefined where the list promises no successor. */
	readonly nextUpdate: number | undefined;
	/** Serial numbers, upper-case hexadecimal. */
	readonly revoked: ReadonlySet<string>;
	/** Whether this certificate signed the list. */
	isSignedBy(issuer: Certificate): boolean;
}

/** Delta and partial lists mark themselves with critical extensions; reading one as a full list would miss revocations. */
const issuingDistributionPoint = "2.5.29.28";
const deltaIndicator = "2.5.29.27";

/** Every list of a PEM file; a string says why not. */
export function parseRevocationLists(text: string): readonly RevocationList[] | string {
	const blocks = readPemBlocks(text, "X509 CRL");
	if (blocks === undefined) return "its PEM text is damaged";
	if (blocks.length === 0) return "it holds no revocation list";
	const lists: RevocationList[] = [];
	for (const [index, der] of blocks.entries()) {
		const list = parseRevocationList(der);
		if (typeof list === "string") return `list ${index + 1} in it ${list}`;
		lists.push(list);
	}
	return lists;
}

function parseRevocationList(der: Uint8Array): RevocationList | string {
	const unreadable = "cannot be read";
	const whole = readWhole(der, derTag.sequence);
	const [body, algorithm, signature] = whole === undefined ? [] : (readChildren(der, whole) ?? []);
	if (body?.tag !== derTag.sequence || algorithm?.tag !== derTag.sequence || signature?.tag !== derTag.bitString)
		return unreadable;
	const signedWith = strongSignatures.get(readObjectIdentifier(der, readChildren(der, algorithm)?.[0]) ?? "");
	if (signedWith === undefined || signedWith.name === "RSA-PSS")
		return "is signed with an algorithm that we do not accept";
	const fields = [...(readChildren(der, body) ?? [])];
	if (fields[0]?.tag === derTag.integer) fields.shift();
	const [, issuerName, updated, ...rest] = fields;
	const issuer = readDistinguishedName(der, issuerName);
	const thisUpdate = readTime(der, updated);
	if (issuer === undefined || thisUpdate === undefined) return unreadable;
	const nextUpdate = readTime(der, rest[0]);
	const entries = rest[nextUpdate === undefined ? 0 : 1];
	const revoked = entries?.tag === derTag.sequence ? readRevoked(der, entries) : new Set<string>();
	if (revoked === undefined) return unreadable;
	const extensions = rest.find((field) => field.tag === 0xa0);
	if (extensions !== undefined && isPartial(der, extensions)) return "is a delta or partial list; a full one is needed";
	const signed = der.subarray(body.start, body.end);
	// The first content octet of a bit string counts its unused bits: none in a signature.
	const signatureOctets = contentOf(der, signature).subarray(1);
	return {
		fingerprint: fingerprintOf(der),
		issuerKey: issuer.key,
		issuer: issuer.text,
		thisUpdate,
		nextUpdate,
		revoked,
		isSignedBy(certificate) {
			try {
				return verify(signedWith.digest, signed, certificate.publicKey, signatureOctets);
			} catch {
				return false;
			}
		},
	};
}

/** Walks the entries by itself: a list of a public authority holds more of them than any other DER list that we read. */
function readRevoked(der: Uint8Array, entries: DerElement): ReadonlySet<string> | undefined {
	const revoked = new Set<string>();
	let offset = entries.contentStart;
	while (offset < entries.end) {
		const entry = readElement(der, offset, entries.end);
		const serial = entry?.tag === derTag.sequence ? readElement(der, entry.contentStart, entry.end) : undefined;
		if (entry === undefined || serial?.tag !== derTag.integer) return undefined;
		revoked.add(Buffer.from(contentOf(der, serial)).toString("hex").toUpperCase());
		offset = entry.end;
	}
	return revoked;
}

function isPartial(der: Uint8Array, extensions: DerElement): boolean {
	const [list] = readChildren(der, extensions) ?? [];
	const items = list === undefined ? [] : (readChildren(der, list) ?? []);
	return items.some((item) => {
		const oid = readObjectIdentifier(der, readChildren(der, item)?.[0]);
		return oid === issuingDistributionPoint || oid === deltaIndicator;
	});
}
