import { z } from "zod";

/** Every way the API refuses: stable code → HTTP status and title. Clients decide by the code, people read the detail. */
export const problems = {
	"bad-request": { status: 400, title: "The request cannot be read" },
	"validation-failed": { status: 400, title: "The request does not fit the contract" },
	"bad-host": { status: 400, title: "The request must carry exactly one Host header" },
	unauthorized: { status: 401, title: "A valid bearer token is needed" },
	"login-failed": { status: 401, title: "The address or the password is wrong" },
	forbidden: { status: 403, title: "This token may not do that" },
	"host-not-allowed": { status: 403, title: "This server does not answer to that host name" },
	"origin-not-allowed": { status: 403, title: "That web page may not use this API" },
	"blocked-domain": { status: 403, title: "Policy blocks that domain" },
	"not-found": { status: 404, title: "There is nothing at this address" },
	"unknown-user": { status: 404, title: "There is no such hosted user" },
	"unknown-contact": { status: 404, title: "There is no such contact" },
	"unknown-message": { status: 404, title: "There is no such message" },
	"unknown-request": { status: 404, title: "Nobody by that address is asking" },
	"unknown-peer": { status: 404, title: "There is no such peer" },
	"domain-not-blocked": { status: 404, title: "That domain is not blocked" },
	"not-blocked": { status: 404, title: "That address is not blocked" },
	"unknown-rule": { status: 404, title: "There is no rule about that address or domain" },
	"method-not-allowed": { status: 405, title: "That method is not offered here" },
	"request-timeout": { status: 408, title: "The request did not arrive in time" },
	"address-reserved": { status: 409, title: "The address belonged to a user removed less than 90 days ago" },
	"in-file": { status: 409, title: "The configuration file says so, and a live edit cannot take it back" },
	"certificate-unusable": { status: 409, title: "The certificates cannot be used; the old ones stay" },
	"idempotency-conflict": { status: 409, title: "The idempotency key was used for another message" },
	"body-too-large": { status: 413, title: "The request body is too large" },
	"unsupported-media-type": { status: 415, title: "The request body must be application/json" },
	"invalid-policy": { status: 422, title: "The peer does not fit the rules of the configuration" },
	"not-hosted": { status: 422, title: "The domain of that address is not hosted here" },
	"content-refused": { status: 422, title: "Policy does not allow this message" },
	"upgrade-required": { status: 426, title: "This address speaks WebSocket only" },
	"too-many-requests": { status: 429, title: "Too many attempts" },
	"queue-full": { status: 429, title: "Too many messages are waiting for that recipient" },
	"headers-too-large": { status: 431, title: "The request's headers are too large" },
	internal: { status: 500, title: "A fault of this server" },
	"store-unavailable": { status: 503, title: "The store cannot write now" },
	"not-ready": { status: 503, title: "The server is starting or stopping" },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

/** Stable code of a refusal. */
export type ProblemCode = keyof typeof problems;

/** One field at fault. */
export const fieldFaultSchema = z.object({
	in: z.enum(["path", "query", "header", "body"]),
	pointer: z.string().describe("JSON pointer of the field (RFC 6901), `/to`; empty for the whole"),
	detail: z.string(),
});

/** Body of every error answer: RFC 9457. */
export const problemSchema = z.object({
	type: z.string().describe("urn:causeway:problem: and the code"),
	title: z.string(),
	status: z.int(),
	code: z.string().describe("Stable code"),
	detail: z.string().optional(),
	errors: z.array(fieldFaultSchema).optional(),
});

export type FieldFault = z.output<typeof fieldFaultSchema>;
export type ProblemBody = z.output<typeof problemSchema>;

/** Media type of RFC 9457. */
export const problemMediaType = "application/problem+json";

/** The body that tells a refusal. */
export function createProblemBody(code: ProblemCode, detail?: string, errors?: readonly FieldFault[]): ProblemBody {
	const { status, title } = problems[code];
	return {
		type: `urn:causeway:problem:${code}`,
		title,
		status,
		code,
		...(detail === undefined ? {} : { detail }),
		...(errors === undefined ? {} : { errors: [...errors] }),
	};
}
