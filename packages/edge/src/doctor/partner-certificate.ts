/** A verdict about a partner's certificate as findings: the fault first, whose it is, and the command that mends it. */
import type { CertificateFault, CertificateWarning, Verdict, Whose } from "../federation/certificate/verdict.ts";
import { type Finding, fault, type Owner, ok, warning } from "./finding.ts";
import { signingRequestCommand } from "./zone-records.ts";

const owners: Readonly<Record<Whose, Owner>> = { ours: "us", peer: "partner", ca: "authority", either: "either" };

/** `verdict` is about the certificate as that of the server we dialled, `asClient` as that of a peer that dials us. */
export function judgePartnerCertificate(
	verdict: Verdict,
	asClient: Verdict,
	place: string,
	now: number,
): readonly Finding[] {
	const details = describe(verdict);
	const explain = (one: CertificateFault, text: string): Finding =>
		fault("tls", place, text, {
			whose: owners[one.whose],
			remedy: one.remedy,
			...mendOf(one, verdict, now),
			details,
		});
	const findings = verdict.faults.map((one) => explain(one, one.text));
	const known = new Set(verdict.faults.map(({ code }) => code));
	for (const one of asClient.faults) {
		if (!known.has(one.code)) findings.push(explain(one, `when they dial us with it: ${one.text}`));
	}
	const warnings = new Map([...asClient.warnings, ...verdict.warnings].map((one) => [one.code, one]));
	const said = [...warnings.values()].map((one) => explainWarning(one, place, verdict.expected.names));
	if (findings.length > 0) return [...findings, ...said];
	return [ok("tls", place, `the certificate carries ${verdict.expected.names.join(" or ")}`, details), ...said];
}

function explainWarning({ code, text }: CertificateWarning, place: string, names: readonly string[]): Finding {
	switch (code) {
		case "stale-revocation-list":
			return warning("tls", place, text, {
				whose: "us",
				remedy: "fetch the new list into the file under edge.tls.crl",
			});
		case "server-only-purpose":
			return warning(
				"tls",
				place,
				"the partner's certificate is for TLS servers alone, and they dial us with the same one",
				{
					whose: "partner",
					remedy: 'they get one for both purposes; client_auth_eku = "warn" takes it meanwhile',
					mend: [signingRequestCommand(names)],
				},
			);
		default:
			return warning("tls", place, text, {
				whose: "partner",
				remedy: "tell the partner before it becomes a fault",
				mend: [signingRequestCommand(names)],
			});
	}
}

function mendOf(
	{ code }: CertificateFault,
	{ expected, shown }: Verdict,
	now: number,
): { readonly mend?: readonly string[] } {
	switch (code) {
		case "expired":
		case "wrong-name":
		case "wrong-purpose":
		case "weak-key":
		case "weak-signature":
		case "wrong-key-usage":
		case "revoked":
			return { mend: [signingRequestCommand(expected.names)] };
		case "not-yet-valid":
			return {
				mend: [
					`date -u   # this machine says ${new Date(now).toISOString().slice(0, 19)}Z`,
					"timedatectl set-ntp true",
				],
			};
		case "untrusted-issuer":
			// A leaf alone cannot be told from a leaf of an unknown root; what mends the first costs nothing to try.
			return (shown?.chain.length ?? 0) === 1 && shown?.issuer !== shown?.subject
				? { mend: ["cat leaf.pem intermediate.pem > edge.pem   # on their edge: its own certificate first"] }
				: {};
		default:
			return {};
	}
}

function describe({ expected, shown }: Verdict): readonly string[] {
	const lines = [`names expected: ${expected.names.join(" or ")}`];
	if (shown === undefined) return [...lines, "certificate shown: none"];
	return [
		...lines,
		`names shown: ${shown.names.join(", ") || "none"}`,
		`chain shown: ${shown.chain.map(({ subject }) => subject).join(" < ")}`,
		`issuer: ${shown.issuer}`,
		`valid: ${shown.notBefore} to ${shown.notAfter}`,
		`fingerprint (SHA-256): ${shown.fingerprint}`,
	];
}
