import { z } from "zod";
import { aorSchema, instantSchema, verificationSchema } from "./common.ts";

/** Somebody who wrote to the user, is not let in, and waits for the user's word; the messages are in the folder `requests`. */
export const heldRequestSchema = z.object({
	aor: aorSchema,
	verification: verificationSchema,
	requested_at: instantSchema.describe("When the first message came"),
	messages: z.int().min(0).describe("How many messages wait"),
});

export const heldRequestListSchema = z.object({ requests: z.array(heldRequestSchema) });

/** `POST /api/v1/me/message-requests/{aor}`. */
export const heldDecisionSchema = z.strictObject({
	decision: z
		.enum(["accept", "decline", "block"])
		.describe("accept: the messages become ordinary ones; decline: they are deleted, and the next one asks again"),
});

const messagesFromSchema = z
	.enum(["everyone", "contacts"])
	.describe("contacts: whoever is neither a contact nor let in is told that the user cannot be reached");
const blockedAnswerSchema = z
	.enum(["unavailable", "declined"])
	.describe("What a blocked sender is told: that the user cannot be reached, or that the user declines");

/** What a user decided about the messages of others. */
export const settingsSchema = z.object({ messages_from: messagesFromSchema, blocked_answer: blockedAnswerSchema });

/** `PUT /api/v1/me/settings`: what is left out stays as it is. */
export const settingsRequestSchema = z.strictObject({
	messages_from: messagesFromSchema.optional(),
	blocked_answer: blockedAnswerSchema.optional(),
});

export type HeldRequest = z.output<typeof heldRequestSchema>;
export type Settings = z.output<typeof settingsSchema>;
