/** Which keys and signatures are strong enough to rely on. */
import type { KeyObject } from "node:crypto";

/** Signature algorithms by object identifier, with the name that `node:crypto` gives to the digest; all others are refused. */
export const strongSignatures: ReadonlyMap<string, { readonly name: string; readonly digest: string | undefined }> =
	new Map([
		["1.2.840.113549.1.1.11", { name: "RSA with SHA-256", digest: "sha256" }],
		["1.2.840.113549.1.1.12", { name: "RSA with SHA-384", digest: "sha384" }],
		["1.2.840.113549.1.1.13", { name: "RSA with SHA-512", digest: "sha512" }],
		["1.2.840.113549.1.1.10", { name: "RSA-PSS", digest: undefined }],
		["1.2.840.10045.4.3.2", { name: "ECDSA with SHA-256", digest: "sha256" }],
		["1.2.840.10045.4.3.3", { name: "ECDSA with SHA-384", digest: "sha384" }],
		["1.2.840.10045.4.3.4", { name: "ECDSA with SHA-512", digest: "sha512" }],
		["1.3.101.112", { name: "Ed25519", digest: undefined }],
		["1.3.101.113", { name: "Ed448", digest: undefined }],
	]);

const weakSignatures: Readonly<Record<string, string>> = {
	"1.2.840.113549.1.1.2": "RSA with MD2",
	"1.2.840.113549.1.1.4": "RSA with MD5",
	"1.2.840.113549.1.1.5": "RSA with SHA-1",
	"1.2.840.10040.4.3": "DSA with SHA-1",
	"1.2.840.10045.4.1": "ECDSA with SHA-1",
};

/** The weak algorithm's name; undefined where it is strong. */
export function signatureWeakness(oid: string): string | undefined {
	return strongSignatures.has(oid) ? undefined : (weakSignatures[oid] ?? `an algorithm that we do not know (${oid})`);
}

const minRsaBits = 2048;
const strongCurves: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/** The weakness of a key in words; undefined where it is strong. */
export function keyWeakness(key: KeyObject): string | undefined {
	const type = key.asymmetricKeyType;
	const details = key.asymmetricKeyDetails;
	if (type === "rsa" || type === "rsa-pss") {
		const bits = details?.modulusLength ?? 0;
		return bits >= minRsaBits ? undefined : `an RSA key of ${bits} bits`;
	}
	if (type === "ec") {
		const curve = details?.namedCurve ?? "unknown";
		return strongCurves.has(curve) ? undefined : `a key on the curve ${curve}`;
	}
	return type === "ed25519" || type === "ed448" ? undefined : `a key of the type ${type ?? "unknown"}`;
}
