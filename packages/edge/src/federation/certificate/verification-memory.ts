/** Certificates read and signatures verified before, so that a peer that comes back costs hashes and comparisons alone. */
import { type Certificate, fingerprintOf, parseCertificate } from "./certificate.ts";
import { type CertificateNames, certificateNames } from "./names.ts";
import type { RevocationList } from "./revocation.ts";

/** Room for the certificates of every peer network with its connections. */
const defaultCertificates = 1_000;
const signaturesPerCertificate = 4;

/** Holds no verdicts: dates, names and trust are judged anew each time. Bounded; what was not used longest goes first. */
export class VerificationMemory {
	readonly #limit: number;
	readonly #certificates = new Map<string, Certificate>();
	readonly #signatures = new Map<string, boolean>();
	/** Names of certificates that are remembered, for as long as they are. */
	readonly #names = new WeakMap<Certificate, CertificateNames>();

	constructor(certificates: number = defaultCertificates) {
		this.#limit = certificates;
	}

	/** Undefined where the octets are no certificate that we can read. */
	read(der: Uint8Array): Certificate | undefined {
		const fingerprint = fingerprintOf(der);
		const known = recall(this.#certificates, fingerprint);
		if (known !== undefined) return known;
		// A copy: the octets of a handshake may lie in a larger buffer, which would stay as long as the certificate.
		const certificate = parseCertificate(Uint8Array.from(der));
		if (certificate !== undefined) remember(this.#certificates, fingerprint, certificate, this.#limit);
		return certificate;
	}

	namesOf(certificate: Certificate): CertificateNames {
		let names = this.#names.get(certificate);
		if (names === undefined) {
			names = certificateNames(certificate);
			this.#names.set(certificate, names);
		}
		return names;
	}

	isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
		return this.#signature(`${certificate.fingerprint} ${issuer.fingerprint}`, () => {
			try {
				return certificate.x509.verify(issuer.publicKey);
			} catch {
				// A key of a kind that cannot have made this signature.
				return false;
			}
		});
	}

	isListSignedBy(list: RevocationList, issuer: Certificate): boolean {
		return this.#signature(`${list.fingerprint} ${issuer.fingerprint}`, () => list.isSignedBy(issuer));
	}

	#signature(key: string, verify: () => boolean): boolean {
		const known = recall(this.#signatures, key);
		if (known !== undefined) return known;
		const good = verify();
		remember(this.#signatures, key, good, this.#limit * signaturesPerCertificate);
		return good;
	}
}

/** Reads from a map in order of last use. */
function recall<Value>(map: Map<string, Value>, key: string): Value | undefined {
	const value = map.get(key);
	if (value === undefined) return undefined;
	map.delete(key);
	map.set(key, value);
	return value;
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value, limit: number): void {
	map.set(key, value);
	for (const oldest of map.keys()) {
		if (map.size <= limit) break;
		map.delete(oldest);
	}
}
