/** What was decided about a peer's certificate, and why, in a form for programs and for people. */

/** What a certificate is used for: `server` where we dialled the peer, `client` where it dialled us. */
export type Purpose = "server" | "client";

export type CertificateFaultCode =
	| "no-certificate"
	| "malformed"
	| "self-signed"
	| "untrusted-issuer"
	| "bad-signature"
	| "revoked"
	| "expired"
	| "not-yet-valid"
	| "not-a-ca"
	| "path-too-long"
	| "wrong-key-usage"
	| "weak-key"
	| "weak-signature"
	| "name-constraint"
	| "unknown-critical-extension"
	| "wrong-purpose"
	| "wrong-name"
	/** Beside the certificate itself: the connection's TLS version is below what this peer must speak. */
	| "tls-too-old"
	/** It came in through a legacy listener, and is no peer that may. */
	| "not-for-legacy"
	/** Nobody may connect at all: no peer is listed, and discovery is off. */
	| "no-peers"
	/** A discovered peer whose requests all named domains that it may not speak for. */
	| "kept-out"
	/** The configuration named other trust when the connection was begun. */
	| "trust-replaced";

/** Who can mend it: us, the peer's administrator, the authority that issued, or whichever of us and the peer moves. */
export type Whose = "ours" | "peer" | "ca" | "either";

export interface CertificateFault {
	readonly code: CertificateFaultCode;
	readonly whose: Whose;
	/** One sentence without its full stop. */
	readonly text: string;
	/** What to do about it; one sentence without its full stop. */
	readonly remedy: string;
}

export interface CertificateWarning {
	readonly code:
		| "server-only-purpose"
		| "leaf-is-ca"
		| "common-name-used"
		| "wildcard-used"
		| "expires-soon"
		| "stale-revocation-list"
		| "old-tls";
	readonly text: string;
}

/** One certificate in words. */
export interface CertificateSummary {
	readonly subject: string;
	readonly issuer: string;
	/** SHA-256, `AB:CD:…`. */
	readonly fingerprint: string;
	readonly serialNumber: string;
	/** ISO 8601. */
	readonly notBefore: string;
	/** ISO 8601. */
	readonly notAfter: string;
}

export interface Verdict {
	readonly ok: boolean;
	readonly expected: {
		/** Any one of these had to be there; empty where no name was asked for. */
		readonly names: readonly string[];
		readonly purpose: Purpose;
	};
	/** Undefined where the peer showed no certificate, or one that cannot be read. */
	readonly shown:
		| (CertificateSummary & {
				/** Names that the certificate proves, for people: DNS names, `sip:` domains, common names as `CN=…`. */
				readonly names: readonly string[];
				/** All certificates as presented, leaf first. */
				readonly chain: readonly CertificateSummary[];
				/** Subjects from the leaf to the anchor, where a path was found. */
				readonly path: readonly string[];
		  })
		| undefined;
	/** When the first certificate of the path ends, milliseconds since 1970; undefined without a good path. */
	readonly validUntil: number | undefined;
	/** The main one first; empty where and only where `ok`. */
	readonly faults: readonly CertificateFault[];
	readonly warnings: readonly CertificateWarning[];
}

/** The verdict as lines for a log or a terminal. */
export function formatVerdict(verdict: Verdict): readonly string[] {
	const { expected, shown } = verdict;
	const lines: string[] = [];
	const [main] = verdict.faults;
	lines.push(main === undefined ? "certificate accepted" : `certificate refused: ${main.text} (${main.code})`);
	for (const fault of verdict.faults.slice(1)) lines.push(`also: ${fault.text} (${fault.code})`);
	if (expected.names.length > 0) lines.push(`names expected: ${anyOf(expected.names)}`);
	lines.push(`purpose expected: TLS ${expected.purpose}`);
	if (shown === undefined) {
		lines.push("certificate shown: none");
	} else {
		lines.push(`names shown: ${shown.names.length === 0 ? "none" : shown.names.join(", ")}`);
		lines.push(`subject: ${shown.subject}`);
		lines.push(`issuer: ${shown.issuer}`);
		lines.push(`valid: ${shown.notBefore} to ${shown.notAfter}`);
		lines.push(`fingerprint (SHA-256): ${shown.fingerprint}`);
		lines.push(`chain shown: ${shown.chain.map((one) => one.subject).join(" < ")}`);
	}
	for (const fault of verdict.faults) lines.push(`remedy (${whoseWords(fault.whose)}): ${fault.remedy}`);
	for (const warning of verdict.warnings) lines.push(`warning: ${warning.text}`);
	return lines;
}

/** Who must mend it, in words. */
export function whoseWords(whose: Whose): string {
	return wordsOfWhose[whose];
}

/** A refusal for a reason that is not in the certificate: what was expected and shown stays as it was found. */
export function refuseVerdict(verdict: Verdict, fault: CertificateFault): Verdict {
	return { ...verdict, ok: false, validUntil: undefined, faults: [fault, ...verdict.faults] };
}

const mostNamesInWords = 5;

/** Names as alternatives in a sentence; an edge with many peers expects many. */
export function anyOf(names: readonly string[]): string {
	const more = names.length - mostNamesInWords;
	if (more <= 0) return names.join(" or ");
	return `${names.slice(0, mostNamesInWords).join(" or ")} or one of ${more} more`;
}

const wordsOfWhose: Readonly<Record<Whose, string>> = {
	ours: "for us",
	peer: "for the peer",
	ca: "for the certificate authority",
	either: "for us or the peer",
};
