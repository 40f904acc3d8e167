import type { z } from "zod";
import * as account from "./account.ts";
import * as event from "./event.ts";
import * as live from "./live.ts";
import * as message from "./message.ts";
import * as messageRequest from "./message-request.ts";
import * as presence from "./presence.ts";
import { problemSchema } from "./problem.ts";
import * as trace from "./trace.ts";

/** The schemas that have a name in the OpenAPI document; every body of the contract is one of them. */
export const components = {
	Problem: problemSchema,
	LoginRequest: account.loginRequestSchema,
	Token: account.tokenSchema,
	TokenRequest: account.tokenRequestSchema,
	User: account.userSchema,
	UserList: account.userListSchema,
	UserRequest: account.userRequestSchema,
	PasswordRequest: account.passwordRequestSchema,
	SuspendRequest: account.suspendRequestSchema,
	Presence: presence.presenceSchema,
	PresenceRequest: presence.presenceRequestSchema,
	Contact: presence.contactSchema,
	ContactList: presence.contactListSchema,
	ContactRequest: presence.contactRequestSchema,
	WatchRequest: presence.watchRequestSchema,
	WatchRequestList: presence.watchRequestListSchema,
	DecisionRequest: presence.decisionRequestSchema,
	Block: presence.blockSchema,
	BlockList: presence.blockListSchema,
	Rule: presence.ruleSchema,
	RuleList: presence.ruleListSchema,
	RuleRequest: presence.ruleRequestSchema,
	Watcher: presence.watcherSchema,
	WatcherList: presence.watcherListSchema,
	Message: message.messageSchema,
	MessageList: message.messageListSchema,
	MessageRequest: message.messageRequestSchema,
	HeldRequest: messageRequest.heldRequestSchema,
	HeldRequestList: messageRequest.heldRequestListSchema,
	HeldDecision: messageRequest.heldDecisionSchema,
	Settings: messageRequest.settingsSchema,
	SettingsRequest: messageRequest.settingsRequestSchema,
	Submitted: message.submittedSchema,
	TypingRequest: message.typingRequestSchema,
	OpeningFrame: event.openingFrameSchema,
	Event: event.eventSchema,
	EventFrame: event.eventFrameSchema,
	PresenceEvent: event.presenceEventSchema,
	MessageEvent: event.messageEventSchema,
	TypingEvent: event.typingEventSchema,
	FateEvent: event.fateEventSchema,
	RequestEvent: event.requestEventSchema,
	Status: live.statusSchema,
	Connection: live.connectionSchema,
	ConnectionList: live.connectionListSchema,
	CertificateVerdict: live.certificateVerdictSchema,
	RefusedConnection: live.refusedConnectionSchema,
	RefusedConnectionList: live.refusedConnectionListSchema,
	Dialog: live.dialogSchema,
	DialogList: live.dialogListSchema,
	Subscription: live.subscriptionSchema,
	SubscriptionList: live.subscriptionListSchema,
	Peer: live.peerSchema,
	PeerList: live.peerListSchema,
	TraceEntry: trace.traceEntrySchema,
	TraceList: trace.traceListSchema,
} as const satisfies Readonly<Record<string, z.ZodType>>;
