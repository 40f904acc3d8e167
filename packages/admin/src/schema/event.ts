import { z } from "zod";
import { aorSchema, explanationShape, instantSchema, wholeNumber } from "./common.ts";
import { fateSchema, messageIdSchema, messageSchema } from "./message.ts";
import { contactSchema, watchRequestSchema } from "./presence.ts";

const sequenceSchema = z.int().min(0).describe("Counts one user's events from 1, without gaps, within one epoch");
const epochSchema = z.string().max(64).describe("Changes when the server starts anew");
const numbered = { seq: sequenceSchema, at: instantSchema } as const;
const position = { epoch: epochSchema, seq: sequenceSchema } as const;

/** `WS /api/v1/me/events`: both parts of the position named together resume; without them, events from now on. */
export const eventQuerySchema = z.strictObject({
	after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().describe("seq of the last frame seen"),
	epoch: epochSchema.optional().describe("epoch of the first frame of the connection that saw it"),
});

/** A contact's presence changed. */
export const presenceEventSchema = contactSchema.extend({ ...numbered, kind: z.literal("presence") });

/** A message came in, or another program of the same user sent one. */
export const messageEventSchema = messageSchema.extend({ ...numbered, kind: z.literal("message") });

/** The other side writes, or stopped. */
export const typingEventSchema = z.object({
	...numbered,
	kind: z.literal("typing"),
	with: aorSchema,
	typing: z.boolean(),
});

/** A sent message went on to its next or final fate. */
export const fateEventSchema = z.object({
	...numbered,
	kind: z.literal("fate"),
	id: messageIdSchema,
	with: aorSchema,
	fate: fateSchema,
	finished_at: instantSchema.optional(),
	...explanationShape,
});

/** Somebody asks to see the user's presence, or has written without being let in. */
export const requestEventSchema = watchRequestSchema.extend({
	...numbered,
	kind: z.literal("request"),
	wants: z.enum(["presence", "messages"]),
});

/** What may be published to a user. */
export const eventSchema = z.discriminatedUnion("kind", [
	presenceEventSchema,
	messageEventSchema,
	typingEventSchema,
	fateEventSchema,
	requestEventSchema,
]);

/**
 * First frame of every connection. `welcome`: what follows continues without a gap. `reset`: events were missed;
 * read the state again, then go on from here.
 */
export const openingFrameSchema = z.object({ kind: z.enum(["welcome", "reset"]), ...position });

/** Everything `WS /api/v1/me/events` sends. */
export const eventFrameSchema = z.union([openingFrameSchema, eventSchema]);

type WithoutNumber<E> = E extends unknown ? Omit<E, "seq" | "at"> : never;

/** A published event. */
export type UserEvent = z.output<typeof eventSchema>;
/** An event before its sequence number and time are given to it. */
export type UserEventContent = WithoutNumber<UserEvent>;
export type OpeningFrame = z.output<typeof openingFrameSchema>;
export type EventFrame = z.output<typeof eventFrameSchema>;
