/** What partners will find in our certificate, as steps with what mends each. */
import type { OwnCertificateCode, OwnCertificateFinding } from "../federation/own-certificate.ts";
import { type Finding, fault, note, ok, warning } from "./finding.ts";
import { signingRequestCommand } from "./zone-records.ts";

const RELOAD = "causeway cert reload";

/** The steps that are good where no finding of theirs is there. */
const steps: readonly { readonly subject: string; readonly codes: readonly OwnCertificateCode[] }[] = [
	{ subject: "names", codes: ["wrong-name", "domain-without-name", "unusual-domain-name"] },
	{ subject: "dates", codes: ["expired", "not-yet-valid", "expires-soon"] },
	{ subject: "purpose", codes: ["no-server-purpose", "no-client-purpose"] },
	{ subject: "key and chain", codes: ["weak-key", "incomplete-chain", "unreadable"] },
];

/** `names` are those that the next certificate should carry; `file` is where it goes. */
export function explainOwnCertificate(
	findings: readonly OwnCertificateFinding[],
	names: readonly string[],
	file: string,
): readonly Finding[] {
	return steps.flatMap(({ subject, codes }) => {
		const own = findings.filter(({ code }) => codes.includes(code));
		return own.length === 0
			? [ok("certificate", subject, "partners find nothing to object to")]
			: own.map((one) => explain(one, subject, names, file));
	});
}

function explain(
	{ code, remedy, severity, text: predicate }: OwnCertificateFinding,
	subject: string,
	names: readonly string[],
	file: string,
): Finding {
	const text = `our certificate ${predicate}`;
	if (severity === "advice") return note("certificate", subject, `${text}; ${remedy}`);
	const cure = { whose: "us", remedy, mend: mendOf(code, names, file) } as const;
	return severity === "fault" ? fault("certificate", subject, text, cure) : warning("certificate", subject, text, cure);
}

function mendOf(code: OwnCertificateCode, names: readonly string[], file: string): readonly string[] {
	switch (code) {
		case "not-yet-valid":
			return ["date -u", "timedatectl set-ntp true"];
		case "incomplete-chain":
			return [`cat leaf.pem intermediate.pem > ${file}`, RELOAD];
		default:
			return [signingRequestCommand(names), RELOAD];
	}
}
