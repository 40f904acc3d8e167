import { z } from "zod";
import { instantSchema } from "./common.ts";

/** One key that signs the routes of dialogs. Its secret is nowhere in the API. */
export const signingKeySchema = z.object({
	kid: z.string().describe("Name of the key, as tokens carry it"),
	state: z
		.enum(["next", "active", "verify-only", "destroyed"])
		.describe("next: made, does not sign yet; active: signs; verify-only: dialogs it signed go on; destroyed: gone"),
	created_at: instantSchema,
	activated_at: instantSchema.optional(),
	retired_at: instantSchema.optional().describe("When it ceased to sign"),
	rotates_at: instantSchema.optional().describe("When the next key takes its place; of the active key"),
	ends_at: instantSchema.optional().describe("When it ceases, or ceased, to verify"),
});

export const signingKeyListSchema = z.object({
	keys: z.array(signingKeySchema).describe("In the order in which they were made"),
	alarms: z
		.array(z.string())
		.describe("What an administrator has to look at, in words: a clock set back, keys that are not on disk"),
});

export type SigningKey = z.output<typeof signingKeySchema>;
