import { z } from "zod";

/**
 * An address of record, `user@domain`, without `sip:`. Addresses compare case-insensitively (the directories on the
 * other side do), so the API reads any case and speaks lower case.
 */
export const aorSchema = z
	.string()
	.max(320)
	.regex(
		/^[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
		"must be an address such as alice@contoso.example",
	)
	.toLowerCase()
	.describe("Address of record, user@domain, without a scheme");

/** An address, or everybody of a domain as `@domain`. */
export const whoSchema = z.union([
	aorSchema,
	z
		.string()
		.max(255)
		.regex(
			/^@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
			"must be an address such as alice@contoso.example, or @ and a domain",
		)
		.toLowerCase()
		.describe("Everybody of a domain: @ and the domain"),
]);

/** A moment: RFC 3339, UTC. */
export const instantSchema = z.iso.datetime().describe("RFC 3339, UTC");

/** How sure we are that a person is who the address says: the profile's verification level. */
export const verificationSchema = z.enum(["verified", "unverified"]);

/** Whose fault a failure is. */
export const blameSchema = z.enum(["us", "peer", "recipient", "network"]);

/** Why something is as it is: present where a contact is `unknown`, and where a message has failed or is `unknown`. */
export const explanationShape = {
	code: z.int().min(100).max(699).optional().describe("SIP status code that decided"),
	reason: z.string().optional().describe("One sentence for a person"),
	blame: blameSchema.optional(),
} as const;

/** A whole number in a query string, read strictly: digits only, no sign, blank, hexadecimal or exponent. */
export function wholeNumber(least: number, most: number) {
	return z
		.string()
		.regex(/^[0-9]{1,15}$/, "must be a whole number")
		.transform(Number)
		.pipe(z.int().min(least).max(most));
}

/** `true` or `false` in a query string. */
export const flagSchema = z
	.enum(["true", "false"])
	.transform((text) => text === "true")
	.pipe(z.boolean());

/** Path parameters of everything that is kept by address. */
export const aorParamsSchema = z.strictObject({ aor: aorSchema });

/** Path parameters of what is kept by address or domain. */
export const whoParamsSchema = z.strictObject({ who: whoSchema });

/** Who is sure of what about an address. */
export type Verification = z.output<typeof verificationSchema>;
/** Whose fault a failure is. */
export type Blame = z.output<typeof blameSchema>;
