export { ApiError } from "./api-error.ts";
export type { CallInput, ChannelListener, ClientOptions } from "./client.ts";
export { Client } from "./client.ts";
export type {
	Auth,
	BodyOf,
	Channel,
	ChannelId,
	ChannelQueryOf,
	FrameOf,
	HeadersOf,
	Operation,
	OperationId,
	ParamsOf,
	QueryOf,
	ReplyOf,
	ResultOf,
} from "./contract.ts";
export { channels, operations } from "./contract.ts";
export { createOpenApiDocument, type Json, type OpenApiInfo } from "./openapi.ts";
export { readPeerSettings } from "./peer-settings.ts";
export type { LoginRequest, Token, User, UserRequest } from "./schema/account.ts";
export type { OwnCertificate } from "./schema/certificate.ts";
export type { Blame, Verification } from "./schema/common.ts";
export { aorSchema } from "./schema/common.ts";
export type { EventFrame, OpeningFrame, UserEvent, UserEventContent } from "./schema/event.ts";
export type { SigningKey } from "./schema/key.ts";
export type {
	CertificateVerdict,
	Connection,
	Dialog,
	RefusedConnection,
	Status,
	Subscription,
} from "./schema/live.ts";
export type { Conversation, Fate, FinalFate, Message, MessageRequest, Submitted } from "./schema/message.ts";
export { fates, finalFates, isFinalFate, maxTextBytes, previewLength } from "./schema/message.ts";
export type { HeldRequest, Settings } from "./schema/message-request.ts";
export type { AuditEntry, DomainBlock, EditEffect, Invite, Peer, PeerRequest, PolicyTest } from "./schema/policy.ts";
export type {
	Block,
	Contact,
	ContactState,
	Decision,
	Presence,
	PresenceRequest,
	PresenceState,
	Rule,
	RuleDecision,
	Watcher,
	WatchRequest,
} from "./schema/presence.ts";
export { contactStates, presenceStates } from "./schema/presence.ts";
export type { FieldFault, ProblemBody, ProblemCode } from "./schema/problem.ts";
export { createProblemBody, problemMediaType, problems } from "./schema/problem.ts";
export type { TraceEntry, TraceFilter, TraceQuery } from "./schema/trace.ts";
export type { OpenSocket, SocketEnd, SocketListener } from "./web-socket.ts";
export { bearerProtocolPrefix, webSocketProtocol } from "./web-socket.ts";
