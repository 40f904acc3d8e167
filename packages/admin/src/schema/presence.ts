import { z } from "zod";
import { aorSchema, explanationShape, instantSchema, verificationSchema, whoSchema } from "./common.ts";

/** What a user can publish. */
export const presenceStates = ["available", "busy", "on-the-phone", "away", "offline"] as const;
export const presenceStateSchema = z.enum(presenceStates);

/**
 * What a contact can be: `pending` while the other side has not decided, `unknown` where its server does not say;
 * then the reason is given.
 */
export const contactStates = [...presenceStates, "pending", "unknown"] as const;
export const contactStateSchema = z.enum(contactStates);

/** A note of RFC 3863, plain text. */
export const noteSchema = z.string().max(500).describe("Plain text, at most 500 characters");

/** `PUT /api/v1/me/presence`. */
export const presenceRequestSchema = z.strictObject({ state: presenceStateSchema, note: noteSchema.optional() });

/** One's own published presence; `offline` before anything was published. */
export const presenceSchema = z.object({
	state: presenceStateSchema,
	note: z.string().optional(),
	changed_at: instantSchema.optional(),
});

/** `PUT /api/v1/me/contacts/{aor}`. */
export const contactRequestSchema = z.strictObject({
	name: z.string().min(1).max(128).optional().describe("Our user's own name for the contact"),
});

/** A contact and what is known of it now. */
export const contactSchema = z.object({
	aor: aorSchema,
	state: contactStateSchema,
	name: z.string().optional().describe("Our user's own name for the contact, else the one the contact shows"),
	note: z.string().optional(),
	icon: z
		.string()
		.optional()
		.describe("Path of the icon of the contact's network on this server: fetched, checked and kept by it"),
	verification: verificationSchema.optional().describe("Absent before the contact's server was heard"),
	changed_at: instantSchema.optional().describe("When the state was last told"),
	...explanationShape,
});

export const contactListSchema = z.object({ contacts: z.array(contactSchema) });

/** What a user says to somebody who asks to see the user's presence. */
export const decisionSchema = z.enum(["allow", "deny", "block"]);

/** `POST /api/v1/me/requests/{aor}`. */
export const decisionRequestSchema = z.strictObject({ decision: decisionSchema });

/** Somebody who asks to see our user's presence and has no answer yet. */
export const watchRequestSchema = z.object({
	aor: aorSchema,
	name: z.string().optional(),
	verification: verificationSchema,
	requested_at: instantSchema,
	state: z
		.enum(["pending", "waiting"])
		.describe("pending: still subscribed; waiting: the subscription ended before the decision (RFC 3857)"),
	expires_at: instantSchema.optional().describe("When a waiting request is forgotten"),
});

export const watchRequestListSchema = z.object({ requests: z.array(watchRequestSchema) });

/** Somebody whose messages and watching our user refuses. */
export const blockSchema = z.object({ aor: aorSchema, blocked_at: instantSchema });

export const blockListSchema = z.object({ blocks: z.array(blockSchema) });

/** What holds for an address or a domain; `ask` is how it is where there is no rule. */
export const ruleDecisionSchema = z.enum(["allow", "deny", "block", "ask"]);

/** `PUT /api/v1/me/rules/{who}`. */
export const ruleRequestSchema = z.strictObject({ decision: ruleDecisionSchema });

/** A decision that stands. An address goes before its domain. */
export const ruleSchema = z.object({
	who: whoSchema,
	decision: ruleDecisionSchema,
	decided_at: instantSchema.optional(),
});

export const ruleListSchema = z.object({ rules: z.array(ruleSchema) });

/** Somebody who watches our user. */
export const watcherSchema = z.object({
	aor: aorSchema,
	state: z.enum(["active", "pending", "waiting"]),
	verification: verificationSchema,
	since: instantSchema,
});

export const watcherListSchema = z.object({ watchers: z.array(watcherSchema) });

export type PresenceState = z.output<typeof presenceStateSchema>;
export type Presence = z.output<typeof presenceSchema>;
export type PresenceRequest = z.output<typeof presenceRequestSchema>;
export type ContactState = z.output<typeof contactStateSchema>;
export type Contact = z.output<typeof contactSchema>;
export type Decision = z.output<typeof decisionSchema>;
export type WatchRequest = z.output<typeof watchRequestSchema>;
export type Block = z.output<typeof blockSchema>;
export type RuleDecision = z.output<typeof ruleDecisionSchema>;
export type Rule = z.output<typeof ruleSchema>;
export type Watcher = z.output<typeof watcherSchema>;
