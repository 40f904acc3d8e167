/** From the certificates that a peer presented to a trust anchor (RFC 5280 §6.1 without its policies). */
import type { Certificate } from "./certificate.ts";
import type { TrustAnchors } from "./trust.ts";

/** Certificates above the leaf; no authority in use is deeper. */
const maxIssuers = 8;
/** Cross-signed authorities make the number of paths grow with the product of their certificates. */
const maxSignatureChecks = 64;
const maxPaths = 8;

export interface FoundPaths {
	/** Each from the leaf to an anchor, every signature verified; empty where there is none. */
	readonly paths: readonly (readonly Certificate[])[];
	/** The longest chain of verified signatures from the leaf on. */
	readonly longest: readonly Certificate[];
	/** The last of it. */
	readonly top: Certificate;
	/** A certificate whose issuer's name matched a certificate that had not signed it. */
	readonly forged: Certificate | undefined;
}

/** `isSignedBy` verifies one signature; it is asked a bounded number of times. */
export function buildPaths(
	presented: readonly [Certificate, ...Certificate[]],
	trust: TrustAnchors,
	isSignedBy: (certificate: Certificate, issuer: Certificate) => boolean,
): FoundPaths {
	const paths: (readonly Certificate[])[] = [];
	let longest: readonly Certificate[] = [presented[0]];
	let top = presented[0];
	let forged: Certificate | undefined;
	let checks = 0;

	const extend = (path: readonly Certificate[], last: Certificate): void => {
		if (trust.fingerprints.has(last.fingerprint)) {
			paths.push(path);
			return;
		}
		if (path.length > longest.length) {
			longest = path;
			top = last;
		}
		if (path.length > maxIssuers) return;
		let verified = false;
		let tried = false;
		for (const issuer of candidates(path, last)) {
			if (paths.length >= maxPaths || checks >= maxSignatureChecks) return;
			checks += 1;
			tried = true;
			if (!isSignedBy(last, issuer)) continue;
			verified = true;
			extend([...path, issuer], issuer);
		}
		if (tried && !verified) forged ??= last;
	};

	const candidates = (path: readonly Certificate[], last: Certificate): readonly Certificate[] => {
		const anchors = trust.bySubject.get(last.issuer.key) ?? [];
		const sent = presented.filter(
			(one) => one.subject.key === last.issuer.key && !trust.fingerprints.has(one.fingerprint),
		);
		return [...anchors, ...sent].filter((one) => !path.some((used) => used.fingerprint === one.fingerprint));
	};

	extend([presented[0]], presented[0]);
	return { paths, longest, top, forged };
}
