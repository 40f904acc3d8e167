import { z } from "zod";
import { aorSchema, instantSchema, wholeNumber } from "./common.ts";

/** A password as it is set; longer than 1,024 characters would only make hashing a weapon. */
export const passwordSchema = z.string().min(8, "must have at least 8 characters").max(1024);

/** A name shown to others. */
export const displayNameSchema = z
	.string()
	.min(1)
	.max(128)
	.regex(/^\P{Cc}*$/u, "must not hold control characters");

/** `POST /api/v1/login`. */
export const loginRequestSchema = z.strictObject({ aor: aorSchema, password: z.string().max(1024) });

/** A bearer token and how long it works. It is shown once; the server keeps only its hash. */
export const tokenSchema = z.object({ aor: aorSchema, token: z.string(), expires_at: instantSchema });

/** `POST /api/v1/users/{aor}/tokens`. */
export const tokenRequestSchema = z.strictObject({
	ttl_seconds: z.int().min(10).max(86_400).optional().describe("Life of the token; 3600 where left out"),
});

/** Whom outside a user may talk with: federated partners, public IM networks, both, neither. */
export const outsideSchema = z.enum(["all", "partners", "public", "none"]);

/** A hosted user. */
export const userSchema = z.object({
	aor: aorSchema,
	display_name: z.string().optional(),
	suspended: z.boolean(),
	outside: outsideSchema.optional().describe("Whom outside the user may talk with; all where left out"),
	created_at: instantSchema,
});

/** `GET /api/v1/users`. */
export const userQuerySchema = z.strictObject({
	after: aorSchema.optional().describe("Only users whose address sorts behind this one"),
	limit: wholeNumber(1, 1000).optional().describe("100 where left out"),
});

/** A page of users in the order of their addresses; `next` is the `after` of the page that follows, absent on the last. */
export const userListSchema = z.object({ users: z.array(userSchema), next: aorSchema.optional() });

/** `PUT /api/v1/users/{aor}`: makes the user, or changes what is named. */
export const userRequestSchema = z.strictObject({
	password: passwordSchema.optional().describe("Required for a new user"),
	display_name: displayNameSchema.optional(),
	outside: outsideSchema.optional().describe("Whom outside the user may talk with; for a user there is"),
	reassign: z
		.boolean()
		.optional()
		.describe("Give a new user the address of one removed less than 90 days ago, whom others may still know"),
});

/** `POST /api/v1/users/{aor}/password`. */
export const passwordRequestSchema = z.strictObject({ password: passwordSchema });

/** `POST /api/v1/users/{aor}/suspend`. */
export const suspendRequestSchema = z.strictObject({
	suspended: z.boolean().describe("true: no log-in, no presence, no messages, tokens end; false: as before"),
});

export type LoginRequest = z.output<typeof loginRequestSchema>;
export type Token = z.output<typeof tokenSchema>;
export type User = z.output<typeof userSchema>;
export type UserRequest = z.output<typeof userRequestSchema>;
