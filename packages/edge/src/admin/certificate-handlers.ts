/** Our own certificate through the API: what is in use, and taking it anew. */
import type { OwnCertificate } from "@causeway/admin";
import { parseCertificate } from "../federation/certificate/certificate.ts";
import { certificateNames } from "../federation/certificate/names.ts";
import { readPemBlocks } from "../federation/certificate/pem.ts";
import type { CertificateKeeper, CertificateMaterial } from "../federation/certificate-keeper.ts";
import { type ApiHandlers, ApiProblem } from "./handlers.ts";

export function createCertificateHandlers(
	keeper: Pick<CertificateKeeper, "material" | "reload">,
): Pick<ApiHandlers, "getCertificates" | "reloadCertificates"> {
	return {
		getCertificates: () => ({ status: 200, body: toOwnCertificate(keeper.material) }),
		async reloadCertificates() {
			const outcome = await keeper.reload();
			if (!outcome.ok) throw new ApiProblem("certificate-unusable", outcome.reason);
			return { status: 200, body: toOwnCertificate(outcome.material) };
		},
	};
}

function toOwnCertificate({ credentials, findings }: CertificateMaterial): OwnCertificate {
	const chain = (readPemBlocks(credentials.certificate, "CERTIFICATE") ?? []).flatMap(
		(der) => parseCertificate(der) ?? [],
	);
	const [leaf] = chain;
	return {
		names: leaf === undefined ? [] : [...certificateNames(leaf).dns],
		chain: chain.map(({ subject, issuer, fingerprint, serialNumber, notBefore, notAfter }) => ({
			subject: subject.text,
			issuer: issuer.text,
			fingerprint_sha256: fingerprint,
			serial_number: serialNumber,
			not_before: new Date(notBefore).toISOString(),
			not_after: new Date(notAfter).toISOString(),
		})),
		findings: findings.map(({ code, severity, text, remedy }) => ({ code, severity, text, remedy })),
	};
}
