import type { z } from "zod";
import * as account from "./schema/account.ts";
import * as certificate from "./schema/certificate.ts";
import { aorParamsSchema, whoParamsSchema } from "./schema/common.ts";
import * as event from "./schema/event.ts";
import * as key from "./schema/key.ts";
import * as live from "./schema/live.ts";
import * as message from "./schema/message.ts";
import * as messageRequest from "./schema/message-request.ts";
import * as policy from "./schema/policy.ts";
import * as presence from "./schema/presence.ts";
import type { ProblemCode } from "./schema/problem.ts";
import * as trace from "./schema/trace.ts";

/** Whose token an operation takes: nobody's, a hosted user's own, or an administrator's. */
export type Auth = "none" | "user" | "admin";

/** One HTTP operation. Requests are read strictly (unknown keys refused); `null` as response is an empty body. */
export interface Operation {
	readonly method: "GET" | "POST" | "PUT" | "DELETE";
	/** OpenAPI form, `{name}` for parameters. */
	readonly path: string;
	readonly auth: Auth;
	readonly summary: string;
	readonly params?: z.ZodObject;
	readonly query?: z.ZodObject;
	/** Headers by lower-case name. */
	readonly headers?: z.ZodObject;
	readonly body?: z.ZodType;
	/** Success status → body. */
	readonly responses: Readonly<Record<number, z.ZodType | null>>;
	/** Refusals of this operation, beside those every operation of its kind has. */
	readonly problems?: readonly ProblemCode[];
}

/** One WebSocket, from server to client; what a client sends is not read. */
export interface Channel {
	readonly path: string;
	readonly auth: Exclude<Auth, "none">;
	readonly summary: string;
	readonly query: z.ZodObject;
	readonly frame: z.ZodType;
}

/** The HTTP API: the server's routes, the client's types and the OpenAPI document are all made from this table. */
export const operations = {
	login: {
		method: "POST",
		path: "/api/v1/login",
		auth: "none",
		summary: "Get a bearer token for a hosted user",
		body: account.loginRequestSchema,
		responses: { 200: account.tokenSchema },
		problems: ["login-failed", "too-many-requests"],
	},
	logout: {
		method: "POST",
		path: "/api/v1/logout",
		auth: "user",
		summary: "End the token this request carries",
		responses: { 204: null },
	},

	getPresence: {
		method: "GET",
		path: "/api/v1/me/presence",
		auth: "user",
		summary: "One's own published presence",
		responses: { 200: presence.presenceSchema },
	},
	putPresence: {
		method: "PUT",
		path: "/api/v1/me/presence",
		auth: "user",
		summary: "Publish presence",
		body: presence.presenceRequestSchema,
		responses: { 200: presence.presenceSchema },
	},
	listContacts: {
		method: "GET",
		path: "/api/v1/me/contacts",
		auth: "user",
		summary: "Contacts and their presence",
		responses: { 200: presence.contactListSchema },
	},
	getContact: {
		method: "GET",
		path: "/api/v1/me/contacts/{aor}",
		auth: "user",
		summary: "One contact and its presence",
		params: aorParamsSchema,
		responses: { 200: presence.contactSchema },
		problems: ["unknown-contact"],
	},
	putContact: {
		method: "PUT",
		path: "/api/v1/me/contacts/{aor}",
		auth: "user",
		summary: "Add a contact (201) or rename it (200); its presence is then watched",
		params: aorParamsSchema,
		body: presence.contactRequestSchema,
		responses: { 200: presence.contactSchema, 201: presence.contactSchema },
	},
	deleteContact: {
		method: "DELETE",
		path: "/api/v1/me/contacts/{aor}",
		auth: "user",
		summary: "Remove a contact",
		params: aorParamsSchema,
		responses: { 204: null },
		problems: ["unknown-contact"],
	},
	listRequests: {
		method: "GET",
		path: "/api/v1/me/requests",
		auth: "user",
		summary: "Who asks to see one's presence and has no answer yet",
		responses: { 200: presence.watchRequestListSchema },
	},
	decideRequest: {
		method: "POST",
		path: "/api/v1/me/requests/{aor}",
		auth: "user",
		summary: "Allow, deny or block somebody; an earlier decision may be changed",
		params: aorParamsSchema,
		body: presence.decisionRequestSchema,
		responses: { 204: null },
		problems: ["unknown-request"],
	},
	listMessageRequests: {
		method: "GET",
		path: "/api/v1/me/message-requests",
		auth: "user",
		summary: "Who has written to one without being let in",
		responses: { 200: messageRequest.heldRequestListSchema },
	},
	decideMessageRequest: {
		method: "POST",
		path: "/api/v1/me/message-requests/{aor}",
		auth: "user",
		summary: "Let somebody's messages in, or delete them, or block the sender",
		params: aorParamsSchema,
		body: messageRequest.heldDecisionSchema,
		responses: { 204: null },
		problems: ["unknown-request"],
	},
	getSettings: {
		method: "GET",
		path: "/api/v1/me/settings",
		auth: "user",
		summary: "What one decided about the messages of others",
		responses: { 200: messageRequest.settingsSchema },
	},
	putSettings: {
		method: "PUT",
		path: "/api/v1/me/settings",
		auth: "user",
		summary: "Decide about the messages of others; what is left out stays as it is",
		body: messageRequest.settingsRequestSchema,
		responses: { 200: messageRequest.settingsSchema },
	},
	listBlocks: {
		method: "GET",
		path: "/api/v1/me/blocks",
		auth: "user",
		summary: "Whom one blocks",
		responses: { 200: presence.blockListSchema },
	},
	getBlock: {
		method: "GET",
		path: "/api/v1/me/blocks/{aor}",
		auth: "user",
		summary: "Whether one blocks an address",
		params: aorParamsSchema,
		responses: { 200: presence.blockSchema },
		problems: ["not-blocked"],
	},
	putBlock: {
		method: "PUT",
		path: "/api/v1/me/blocks/{aor}",
		auth: "user",
		summary: "Block an address (201), or see that it is blocked (200)",
		params: aorParamsSchema,
		responses: { 200: presence.blockSchema, 201: presence.blockSchema },
	},
	deleteBlock: {
		method: "DELETE",
		path: "/api/v1/me/blocks/{aor}",
		auth: "user",
		summary: "Unblock an address",
		params: aorParamsSchema,
		responses: { 204: null },
		problems: ["not-blocked"],
	},
	listRules: {
		method: "GET",
		path: "/api/v1/me/rules",
		auth: "user",
		summary: "What one decided about addresses and whole domains",
		responses: { 200: presence.ruleListSchema },
	},
	putRule: {
		method: "PUT",
		path: "/api/v1/me/rules/{who}",
		auth: "user",
		summary: "Decide about an address, or about everybody of a domain (`@domain`)",
		params: whoParamsSchema,
		body: presence.ruleRequestSchema,
		responses: { 200: presence.ruleSchema },
	},
	deleteRule: {
		method: "DELETE",
		path: "/api/v1/me/rules/{who}",
		auth: "user",
		summary: "Take a decision back: who watches is asked about again",
		params: whoParamsSchema,
		responses: { 204: null },
		problems: ["unknown-rule"],
	},
	listWatchers: {
		method: "GET",
		path: "/api/v1/me/watchers",
		auth: "user",
		summary: "Who watches one's presence now, or asked to",
		responses: { 200: presence.watcherListSchema },
	},
	submitMessage: {
		method: "POST",
		path: "/api/v1/me/messages",
		auth: "user",
		summary: "Send a message; 202 says that it is on disk and will have a final fate",
		headers: message.idempotencyHeadersSchema,
		body: message.messageRequestSchema,
		responses: { 202: message.submittedSchema },
		problems: ["idempotency-conflict", "queue-full", "blocked-domain", "content-refused", "store-unavailable"],
	},
	listMessages: {
		method: "GET",
		path: "/api/v1/me/messages",
		auth: "user",
		summary: "History, oldest first: from the beginning, after a message, before a message, or the latest",
		query: message.messageQuerySchema,
		responses: { 200: message.messageListSchema },
	},
	getMessage: {
		method: "GET",
		path: "/api/v1/me/messages/{id}",
		auth: "user",
		summary: "One message and its fate",
		params: message.messageParamsSchema,
		responses: { 200: message.messageSchema },
		problems: ["unknown-message"],
	},
	listConversations: {
		method: "GET",
		path: "/api/v1/me/conversations",
		auth: "user",
		summary: "With whom one exchanged messages of late, and the last one with each",
		responses: { 200: message.conversationListSchema },
	},
	putTyping: {
		method: "PUT",
		path: "/api/v1/me/typing",
		auth: "user",
		summary: "Say that one writes, or stopped; told only inside a conversation that is open",
		body: message.typingRequestSchema,
		responses: { 204: null },
	},
	endConversation: {
		method: "DELETE",
		path: "/api/v1/me/conversations/{aor}",
		auth: "user",
		summary: "End the open conversation with an address; the other side is told. Messages that wait open a new one",
		params: aorParamsSchema,
		responses: { 204: null },
	},

	listUsers: {
		method: "GET",
		path: "/api/v1/users",
		auth: "admin",
		summary: "Hosted users",
		query: account.userQuerySchema,
		responses: { 200: account.userListSchema },
	},
	getUser: {
		method: "GET",
		path: "/api/v1/users/{aor}",
		auth: "admin",
		summary: "One hosted user",
		params: aorParamsSchema,
		responses: { 200: account.userSchema },
		problems: ["unknown-user"],
	},
	putUser: {
		method: "PUT",
		path: "/api/v1/users/{aor}",
		auth: "admin",
		summary: "Make a hosted user (201) or change what is named (200)",
		params: aorParamsSchema,
		body: account.userRequestSchema,
		responses: { 200: account.userSchema, 201: account.userSchema },
		problems: ["not-hosted", "address-reserved", "store-unavailable"],
	},
	deleteUser: {
		method: "DELETE",
		path: "/api/v1/users/{aor}",
		auth: "admin",
		summary: "Remove a hosted user; the address stays reserved for 90 days",
		params: aorParamsSchema,
		responses: { 204: null },
		problems: ["unknown-user", "store-unavailable"],
	},
	setPassword: {
		method: "POST",
		path: "/api/v1/users/{aor}/password",
		auth: "admin",
		summary: "Set a user's password; the user's tokens end",
		params: aorParamsSchema,
		body: account.passwordRequestSchema,
		responses: { 204: null },
		problems: ["unknown-user", "store-unavailable"],
	},
	suspendUser: {
		method: "POST",
		path: "/api/v1/users/{aor}/suspend",
		auth: "admin",
		summary: "Suspend a user, or lift that again",
		params: aorParamsSchema,
		body: account.suspendRequestSchema,
		responses: { 200: account.userSchema },
		problems: ["unknown-user", "store-unavailable"],
	},
	mintToken: {
		method: "POST",
		path: "/api/v1/users/{aor}/tokens",
		auth: "admin",
		summary: "Make a short-lived token to act as a user",
		params: aorParamsSchema,
		body: account.tokenRequestSchema,
		responses: { 201: account.tokenSchema },
		problems: ["unknown-user", "store-unavailable"],
	},
	getStatus: {
		method: "GET",
		path: "/api/v1/status",
		auth: "admin",
		summary: "What runs, and how much of it",
		responses: { 200: live.statusSchema },
	},
	listConnections: {
		method: "GET",
		path: "/api/v1/connections",
		auth: "admin",
		summary: "TLS connections with peers",
		responses: { 200: live.connectionListSchema },
	},
	getCertificates: {
		method: "GET",
		path: "/api/v1/certificates",
		auth: "admin",
		summary: "Our certificate in use, with its chain, and what partners will find in it",
		responses: { 200: certificate.ownCertificateSchema },
	},
	reloadCertificates: {
		method: "POST",
		path: "/api/v1/certificates/reload",
		auth: "admin",
		summary: "Read certificate, key, trust and revocation lists anew; where they cannot be used the old ones stay",
		responses: { 200: certificate.ownCertificateSchema },
		problems: ["certificate-unusable"],
	},
	listRefusedConnections: {
		method: "GET",
		path: "/api/v1/connections/refused",
		auth: "admin",
		summary: "Connections that were refused or could not be made, the latest first, each with its reason",
		responses: { 200: live.refusedConnectionListSchema },
	},
	listDialogs: {
		method: "GET",
		path: "/api/v1/dialogs",
		auth: "admin",
		summary: "SIP dialogs",
		responses: { 200: live.dialogListSchema },
	},
	listSubscriptions: {
		method: "GET",
		path: "/api/v1/subscriptions",
		auth: "admin",
		summary: "Presence subscriptions, both ways",
		responses: { 200: live.subscriptionListSchema },
	},
	listPeers: {
		method: "GET",
		path: "/api/v1/peers",
		auth: "admin",
		summary: "Peer networks and where each comes from",
		responses: { 200: policy.peerListSchema },
	},
	getPeer: {
		method: "GET",
		path: "/api/v1/peers/{name}",
		auth: "admin",
		summary: "One peer network, by its name or one of its domains",
		params: policy.peerParamsSchema,
		responses: { 200: policy.peerSchema },
		problems: ["unknown-peer"],
	},
	putPeer: {
		method: "PUT",
		path: "/api/v1/peers/{name}",
		auth: "admin",
		summary:
			"Make or replace a peer while running; it takes its domains from whoever has them. The name is that of its edge, or its first domain",
		params: policy.peerParamsSchema,
		query: policy.previewQuerySchema,
		body: policy.peerRequestSchema,
		responses: { 200: policy.peerEditSchema, 201: policy.peerEditSchema },
		problems: ["invalid-policy", "store-unavailable"],
	},
	deletePeer: {
		method: "DELETE",
		path: "/api/v1/peers/{name}",
		auth: "admin",
		summary: "Take back what was edited live about a peer",
		params: policy.peerParamsSchema,
		query: policy.previewQuerySchema,
		responses: { 200: policy.editSchema },
		problems: ["unknown-peer", "in-file", "store-unavailable"],
	},
	listDomainBlocks: {
		method: "GET",
		path: "/api/v1/blocks",
		auth: "admin",
		summary: "Blocked domains and where each comes from",
		responses: { 200: policy.domainBlockListSchema },
	},
	putDomainBlock: {
		method: "PUT",
		path: "/api/v1/blocks/{domain}",
		auth: "admin",
		summary: "Block a domain, both ways and at once",
		params: policy.domainParamsSchema,
		query: policy.previewQuerySchema,
		responses: { 200: policy.domainBlockEditSchema, 201: policy.domainBlockEditSchema },
		problems: ["invalid-policy", "store-unavailable"],
	},
	deleteDomainBlock: {
		method: "DELETE",
		path: "/api/v1/blocks/{domain}",
		auth: "admin",
		summary: "Lift the live block of a domain",
		params: policy.domainParamsSchema,
		query: policy.previewQuerySchema,
		responses: { 200: policy.editSchema },
		problems: ["domain-not-blocked", "in-file", "store-unavailable"],
	},
	getInvite: {
		method: "GET",
		path: "/api/v1/invite",
		auth: "admin",
		summary: "What a partner needs to list us: names, port, fingerprint, SRV records",
		responses: { 200: policy.inviteSchema },
	},
	getPolicyTest: {
		method: "GET",
		path: "/api/v1/policy/test",
		auth: "admin",
		summary: "What would happen to a request, and which rule decides; asks the DNS where the rule does",
		query: policy.policyTestQuerySchema,
		responses: { 200: policy.policyTestSchema },
	},
	listAudit: {
		method: "GET",
		path: "/api/v1/audit",
		auth: "admin",
		summary: "Administrative acts, newest first",
		query: policy.auditQuerySchema,
		responses: { 200: policy.auditListSchema },
	},
	listKeys: {
		method: "GET",
		path: "/api/v1/keys",
		auth: "admin",
		summary: "The keys that sign the routes of dialogs, without their secrets",
		responses: { 200: key.signingKeyListSchema },
	},
	rotateKeys: {
		method: "POST",
		path: "/api/v1/keys",
		auth: "admin",
		summary: "Make a key that signs from now on; dialogs that older keys signed go on",
		responses: { 201: key.signingKeySchema },
		problems: ["store-unavailable", "too-many-requests"],
	},
	listTrace: {
		method: "GET",
		path: "/api/v1/trace",
		auth: "admin",
		summary: "The latest SIP messages on the wire",
		query: trace.traceQuerySchema,
		responses: { 200: trace.traceListSchema },
	},
} as const satisfies Readonly<Record<string, Operation>>;

/** The WebSockets of the API. */
export const channels = {
	watchEvents: {
		path: "/api/v1/me/events",
		auth: "user",
		summary: "Presence, messages, typing, fates and requests as they come; resumable by seq and epoch",
		query: event.eventQuerySchema,
		frame: event.eventFrameSchema,
	},
	watchTrace: {
		path: "/api/v1/trace",
		auth: "admin",
		summary: "SIP messages on the wire as they go",
		query: trace.traceFilterSchema,
		frame: trace.traceEntrySchema,
	},
} as const satisfies Readonly<Record<string, Channel>>;

type Operations = typeof operations;
type Channels = typeof channels;
type Nothing = Readonly<Record<never, never>>;

export type OperationId = keyof Operations;
export type ChannelId = keyof Channels;

type Output<Source, Key extends string, Otherwise> =
	Source extends Readonly<Record<Key, infer Schema extends z.ZodType>> ? z.output<Schema> : Otherwise;

/** Path parameters as read. */
export type ParamsOf<Id extends OperationId> = Output<Operations[Id], "params", Nothing>;
/** Query as read. */
export type QueryOf<Id extends OperationId> = Output<Operations[Id], "query", Nothing>;
/** Contract headers as read. */
export type HeadersOf<Id extends OperationId> = Output<Operations[Id], "headers", Nothing>;
/** Body as read; undefined where the operation has none. */
export type BodyOf<Id extends OperationId> = Output<Operations[Id], "body", undefined>;

/** A success: status and body; an empty one has no body. */
export type ReplyOf<Id extends OperationId> = {
	[Status in keyof Operations[Id]["responses"]]: Operations[Id]["responses"][Status] extends z.ZodType
		? { readonly status: Status; readonly body: z.output<Operations[Id]["responses"][Status]> }
		: { readonly status: Status };
}[keyof Operations[Id]["responses"]];

/** What a caller gets of a success: the body, or undefined. */
export type ResultOf<Id extends OperationId> = ReplyOf<Id> extends { readonly body: infer Body } ? Body : undefined;

/** Query of a WebSocket as read. */
export type ChannelQueryOf<Id extends ChannelId> = z.output<Channels[Id]["query"]>;
/** What a WebSocket carries. */
export type FrameOf<Id extends ChannelId> = z.output<Channels[Id]["frame"]>;
