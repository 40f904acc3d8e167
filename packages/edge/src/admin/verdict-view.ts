/** Verdicts and refused connections as the API shows them. */
import type { RefusedConnection as ApiRefusedConnection, CertificateVerdict } from "@causeway/admin";
import type { CertificateSummary, Verdict } from "../federation/certificate/verdict.ts";
import { formatRefusal, type RefusedConnection } from "../federation/refused-connections.ts";

export function toVerdict(verdict: Verdict): CertificateVerdict {
	const { ok, expected, shown, validUntil, faults, warnings } = verdict;
	return {
		ok,
		expected: { names: [...expected.names], purpose: expected.purpose },
		...(shown === undefined
			? {}
			: {
					shown: {
						...toSummary(shown),
						names: [...shown.names],
						chain: shown.chain.map(toSummary),
						path: [...shown.path],
					},
				}),
		...(validUntil === undefined ? {} : { valid_until: new Date(validUntil).toISOString() }),
		faults: faults.map(({ code, whose, text, remedy }) => ({ code, whose, text, remedy })),
		warnings: warnings.map(({ code, text }) => ({ code, text })),
	};
}

export function toRefusedConnection(refusal: RefusedConnection): ApiRefusedConnection {
	const { at, direction, remote, dialled, wasOpen, stage, code, whose, text, remedy, verdict } = refusal;
	return {
		at: new Date(at).toISOString(),
		direction,
		remote_address: remote,
		...(dialled === undefined ? {} : { dialled }),
		was_open: wasOpen,
		stage,
		code,
		whose,
		reason: text,
		...(remedy === undefined ? {} : { remedy }),
		lines: [...formatRefusal(refusal)],
		...(verdict === undefined ? {} : { verdict: toVerdict(verdict) }),
	};
}

function toSummary(summary: CertificateSummary) {
	const { subject, issuer, fingerprint, serialNumber, notBefore, notAfter } = summary;
	return {
		subject,
		issuer,
		fingerprint_sha256: fingerprint,
		serial_number: serialNumber,
		not_before: notBefore,
		not_after: notAfter,
	};
}
