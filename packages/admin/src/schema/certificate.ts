/** Our own certificate as the API shows it. */
import { z } from "zod";
import { instantSchema } from "./common.ts";

/** What TLS with partners uses at this moment. */
export const ownCertificateSchema = z.object({
	names: z.array(z.string()).describe("DNS names of our certificate"),
	chain: z
		.array(
			z.object({
				subject: z.string(),
				issuer: z.string(),
				fingerprint_sha256: z.string(),
				serial_number: z.string(),
				not_before: instantSchema,
				not_after: instantSchema,
			}),
		)
		.describe("Ours first, then its issuers"),
	findings: z
		.array(
			z.object({
				code: z.string(),
				severity: z.enum(["fault", "warning", "advice"]),
				text: z.string(),
				remedy: z.string(),
			}),
		)
		.describe("What partners, or some of them, will object to"),
});

export type OwnCertificate = z.output<typeof ownCertificateSchema>;
