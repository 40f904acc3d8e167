import { z } from "zod";
import { aorSchema, flagSchema, instantSchema, wholeNumber } from "./common.ts";

/** Which messages of the trace are wanted. Bodies are redacted unless asked for. */
const filter = {
	peer: z.string().max(253).optional().describe("Domain or edge FQDN of the peer"),
	user: aorSchema.optional().describe("From or To"),
	call_id: z.string().max(1024).optional(),
	bodies: flagSchema.optional(),
} as const;

/** `GET /api/v1/trace`. */
export const traceQuerySchema = z.strictObject({
	...filter,
	after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().describe("Only entries later than this seq"),
	limit: wholeNumber(1, 1000).optional().describe("100 where left out; the latest are given"),
});

/** `WS /api/v1/trace`: entries from now on. */
export const traceFilterSchema = z.strictObject(filter);

/** One SIP message that went over a wire, or a connection that was refused before any could. */
export const traceEntrySchema = z.object({
	seq: z.int().min(0),
	kind: z
		.enum(["message", "refusal"])
		.optional()
		.describe("refusal: a connection that was refused; `text` is the verdict in lines. Absent means message"),
	at: instantSchema,
	direction: z.enum(["in", "out"]),
	connection: z.string().optional(),
	peer: z.string().optional(),
	remote_address: z.string().optional().describe("ip:port"),
	start_line: z.string(),
	call_id: z.string().optional(),
	cseq: z.string().optional(),
	from: z.string().optional(),
	to: z.string().optional(),
	note: z.string().optional().describe("What this server did with it, in words"),
	text: z.string().describe("The message; its body replaced by its length unless bodies were asked for"),
});

/** Entries, oldest first. */
export const traceListSchema = z.object({ entries: z.array(traceEntrySchema) });

export type TraceQuery = z.output<typeof traceQuerySchema>;
export type TraceFilter = z.output<typeof traceFilterSchema>;
export type TraceEntry = z.output<typeof traceEntrySchema>;
