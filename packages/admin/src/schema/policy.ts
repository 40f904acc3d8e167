import { z } from "zod";
import { aorSchema, flagSchema, instantSchema, wholeNumber } from "./common.ts";

const count = z.int().min(0);

/** A SIP domain or the name of an edge, any case. */
export const hostNameSchema = z
	.string()
	.max(253)
	.regex(
		/^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
		"must be a name such as fabrikam.example",
	)
	.toLowerCase();

/** Where a peer or a block was written: the configuration file, or a live edit kept in the store. */
export const originSchema = z.enum(["file", "store"]);

const throttle = {
	messages_per_second: z.int().optional(),
	suspicious_messages_per_second: z.int().optional(),
	distinct_users: z.int().optional(),
	dry_run: z.boolean().optional(),
};

const settings = {
	verification: z.enum(["as-asserted", "always-verified", "always-unverified"]).optional(),
	trust: z.array(z.string()).optional().describe('Files on the edge\'s machine, absolute, or "system"'),
	min_version: z.enum(["1.0", "1.1", "1.2", "1.3"]).optional(),
	cn_fallback: z.boolean().optional(),
	wildcard: z.boolean().optional(),
	domain_san: z.boolean().optional(),
	affinity: z.enum(["strict", "rebind"]).optional(),
	im_profile: z.enum(["profile", "lync", "uri"]).optional(),
	presence_profile: z.enum(["profile", "rfc4480"]).optional(),
	capability_port: z.enum(["literal", "zero"]).optional(),
	public: z.boolean().optional().describe("A public IM network; for providers"),
	edge: z.string().optional().describe("Name of its edge, with a port where it is not 5061; not for allowed"),
	connect: z.string().optional().describe("Address dialled in place of the edge's own"),
};

/** `PUT /api/v1/peers/{name}`: a peer as the configuration file has it; the edge's own rules are those of the file. */
export const peerRequestSchema = z.strictObject({
	kind: z.enum(["direct", "allowed", "provider"]),
	domains: z.array(hostNameSchema).max(1_000).optional(),
	...settings,
	trust: z
		.union([z.literal("system"), z.array(z.string()).max(100)])
		.optional()
		.describe('Files on the edge\'s machine, absolute, or "system"'),
	throttle: z.strictObject(throttle).optional(),
});

/** Head-room of a peer with ceilings. */
const usageSchema = z.object({
	messages_per_second: z.int().optional().describe("The rate that holds now"),
	messages_left: count.optional().describe("What it may send at once"),
	suspicious: z.boolean(),
	distinct_users: count,
	distinct_users_limit: z.int().optional(),
	refused: count.describe("Requests refused since the start, or that would be in a dry run"),
	delayed: count,
	dry_run: z.boolean(),
});

/** Presence with a peer, one way. */
const presenceFlowSchema = z.object({
	subscriptions: count.describe("That stand now"),
	last_notify_at: instantSchema.optional().describe("Since the server started"),
});

/** One peer network: a peer of the file, one that was edited live, or a discovered domain in use. */
export const peerSchema = z.object({
	name: z.string().describe("The name of its edge, or its first domain where the edge is found by SRV"),
	kind: z.enum(["direct", "allowed", "provider", "discovered", "inside"]),
	origin: z.enum(["file", "store", "discovery"]),
	domains: z.array(z.string()),
	...settings,
	throttle: z.object(throttle).optional(),
	blocked_domains: z.array(z.string()).optional().describe("Domains of it that a block keeps out"),
	moved_domains: z
		.array(z.string())
		.optional()
		.describe("Domains that the file gives it and a live edit gave to others"),
	changed_at: instantSchema.optional().describe("When it was edited; absent for the file's"),
	connections: count,
	usage: usageSchema
		.optional()
		.describe("How far it is from its ceilings; absent where it has none or sent nothing yet"),
	presence: z
		.object({ we_see_them: presenceFlowSchema, they_see_us: presenceFlowSchema })
		.optional()
		.describe("Whether presence flows both ways"),
	last_failure: z.object({ at: instantSchema, code: z.string(), reason: z.string() }).optional(),
});

export const peerListSchema = z.object({ peers: z.array(peerSchema) });

/** Path parameter of one peer: its name, or one of its domains. */
export const peerParamsSchema = z.strictObject({ name: hostNameSchema });
export const domainParamsSchema = z.strictObject({ domain: hostNameSchema });

/** `preview=true` changes nothing and says what the edit would end. */
export const previewQuerySchema = z.strictObject({ preview: flagSchema.optional() });

/** What an edit ended, or would end. */
export const editEffectSchema = z.object({
	preview: z.boolean().describe("true: nothing was changed"),
	dialogs: count.describe("Message sessions that end with a BYE"),
	subscriptions: count.describe("Presence subscriptions that end as rejected"),
	connections: count.describe("Connections that are closed"),
	notes: z.array(z.string()).describe("What the edit does beside what was asked for"),
});

export const peerEditSchema = z.object({ effect: editEffectSchema, peer: peerSchema });
export const editSchema = z.object({ effect: editEffectSchema });

/** A domain that nothing goes to and nothing comes from. */
export const domainBlockSchema = z.object({
	domain: z.string(),
	origin: originSchema,
	blocked_at: instantSchema.optional(),
});
export const domainBlockListSchema = z.object({ blocks: z.array(domainBlockSchema) });
export const domainBlockEditSchema = z.object({ effect: editEffectSchema, block: domainBlockSchema });

/** `GET /api/v1/audit`, newest first. */
export const auditQuerySchema = z.strictObject({
	before: wholeNumber(1, 999_999_999_999_999).optional().describe("Only entries with a smaller number"),
	limit: wholeNumber(1, 1000).optional().describe("100 where left out"),
});

/** One administrative act. Never a password, a token or a message. */
export const auditEntrySchema = z.object({
	number: count,
	at: instantSchema,
	actor: z.string(),
	action: z.string().describe("`peer.allow`, `user.add`"),
	target: z.string(),
	details: z.record(z.string(), z.unknown()),
});
export const auditListSchema = z.object({
	entries: z.array(auditEntrySchema),
	next: z.int().optional().describe("The `before` of the page that follows; absent on the last"),
});

/** `GET /api/v1/policy/test`. */
export const policyTestQuerySchema = z.strictObject({ from: aorSchema, to: aorSchema });

/** What would happen to a request from one address to another. */
export const policyTestSchema = z.object({
	direction: z.enum(["outbound", "inbound", "local", "transit"]),
	allowed: z.boolean(),
	code: z.string().describe("Stable code of the rule that decides"),
	rule: z.string().describe("The rule, and where it is written"),
	reason: z.string().describe("One sentence for a person"),
	status: z.int().optional().describe("SIP status that the sender gets; absent where the far end or the user decides"),
	diagnostics: z.int().optional().describe("Its ms-diagnostics-public id"),
	facts: z.array(z.string()).describe("What else holds for such a request"),
});

/** `GET /api/v1/invite`: what a partner needs to list us, and `peer invite --import` reads. */
export const inviteSchema = z.object({
	causeway_invite: z.literal(1),
	edge: hostNameSchema.describe("Name of our edge; its certificate carries it"),
	port: z.int().min(1).max(65_535),
	domains: z.array(hostNameSchema).min(1).max(1_000),
	certificate: z.object({
		subject: z.string().max(1_000),
		issuer: z.string().max(1_000),
		fingerprint_sha256: z.string().regex(/^[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/),
		not_after: instantSchema,
	}),
	srv: z.array(z.string().max(1_000)).max(1_000).describe("The SRV record of each domain, as a zone has it"),
});

export type Invite = z.output<typeof inviteSchema>;
export type PolicyTest = z.output<typeof policyTestSchema>;
export type Peer = z.output<typeof peerSchema>;
export type PeerRequest = z.output<typeof peerRequestSchema>;
export type EditEffect = z.output<typeof editEffectSchema>;
export type DomainBlock = z.output<typeof domainBlockSchema>;
export type AuditEntry = z.output<typeof auditEntrySchema>;
