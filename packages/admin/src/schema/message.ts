import { z } from "zod";
import { aorSchema, explanationShape, flagSchema, instantSchema, wholeNumber } from "./common.ts";

/** Octets of UTF-8 a text may have: the limit of an instant message's body. */
export const maxTextBytes = 65_536;

/** The last word on a message. */
export const finalFates = ["delivered", "accepted", "failed", "unknown"] as const;

/**
 * What became of a message we sent: `queued` and `sending` pass; `delivered` is 200 from the far end, `accepted` 202;
 * `unknown` is said only where the message had left and no final answer came.
 */
export const fates = ["queued", "sending", ...finalFates] as const;
export const fateSchema = z.enum(fates);

/** Identifies a message; later messages have greater ids. */
export const messageIdSchema = z
	.string()
	.regex(/^[0-9A-Za-z]{1,64}$/, "must be a message id")
	.describe("Later messages have greater ids");

/** `POST /api/v1/me/messages`. */
export const messageRequestSchema = z.strictObject({
	to: aorSchema,
	text: z
		.string()
		.min(1)
		.max(maxTextBytes)
		.refine((text) => new TextEncoder().encode(text).byteLength <= maxTextBytes, {
			error: `must not pass ${maxTextBytes} octets of UTF-8`,
		}),
});

/** A repeat with the same key and the same message is answered as the first was, and sends nothing again. */
export const idempotencyHeadersSchema = z.object({
	"idempotency-key": z
		.string()
		.regex(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 printable characters")
		.optional()
		.describe("A repeat with the same key and message sends nothing again and is answered as the first was"),
});

/** Answer to a submission: the message is on disk. */
export const submittedSchema = z.object({ id: messageIdSchema, fate: fateSchema });

/** One message of a user's history. */
export const messageSchema = z.object({
	id: messageIdSchema,
	direction: z.enum(["in", "out"]),
	with: aorSchema.describe("The other side"),
	text: z.string(),
	content_type: z.string().optional().describe("text/plain where left out"),
	created_at: instantSchema,
	fate: z.enum([...fates, "received"]).describe("received: an incoming message, on disk here"),
	finished_at: instantSchema.optional().describe("When the final fate was known"),
	call_id: z.string().optional().describe("Call-ID of the conversation, to find it in the trace"),
	...explanationShape,
});

/** `GET /api/v1/me/messages`. */
export const messageQuerySchema = z.strictObject({
	with: aorSchema.optional(),
	folder: z
		.enum(["inbox", "requests"])
		.optional()
		.describe(
			"requests: what was written by people whom the user has not let in; inbox, everything else, where left out",
		),
	after: messageIdSchema.optional().describe("Only messages later than this one, the oldest of them"),
	before: messageIdSchema.optional().describe("Only messages earlier than this one, the latest of them"),
	latest: flagSchema.optional().describe("The latest messages, where neither after nor before is given"),
	limit: wholeNumber(1, 500).optional().describe("100 where left out"),
});

/**
 * A page of history, oldest first. Read forwards, `next` is the `after` of the page that follows, absent on the last;
 * read backwards (`before`, `latest`), `previous` is the `before` of the page that comes earlier, absent on the first.
 */
export const messageListSchema = z.object({
	messages: z.array(messageSchema),
	next: messageIdSchema.optional(),
	previous: messageIdSchema.optional(),
});

/** Characters of a text that a list of conversations shows. */
export const previewLength = 200;

/** One other side, and the last message with it. */
export const conversationSchema = z.object({
	with: aorSchema.describe("The other side"),
	id: messageIdSchema.describe("The last message"),
	direction: z.enum(["in", "out"]),
	preview: z.string().describe(`The first ${previewLength} characters of the last message`),
	created_at: instantSchema,
	fate: z.enum([...fates, "received"]),
});

/** The 200 conversations that were busy last, latest first. */
export const conversationListSchema = z.object({ conversations: z.array(conversationSchema) });

export const messageParamsSchema = z.strictObject({ id: messageIdSchema });

/** `PUT /api/v1/me/typing`. */
export const typingRequestSchema = z.strictObject({ to: aorSchema, typing: z.boolean() });

export type Fate = z.output<typeof fateSchema>;
export type FinalFate = (typeof finalFates)[number];
export type Message = z.output<typeof messageSchema>;
export type MessageRequest = z.output<typeof messageRequestSchema>;
export type Conversation = z.output<typeof conversationSchema>;
export type Submitted = z.output<typeof submittedSchema>;

/** Whether a fate is the last one. */
export function isFinalFate(fate: Message["fate"]): fate is FinalFate {
	return (finalFates as readonly string[]).includes(fate);
}
