import type {
	BodyOf,
	ChannelId,
	ChannelQueryOf,
	channels,
	FieldFault,
	FrameOf,
	HeadersOf,
	OperationId,
	operations,
	ParamsOf,
	ProblemCode,
	QueryOf,
	ReplyOf,
} from "@causeway/admin";
import { problems } from "@causeway/admin";

/** A hosted user, known by a user token. */
export interface UserCaller {
	readonly kind: "user";
	/** Lower-case `user@domain`. */
	readonly aor: string;
	/** Identifies the token the caller showed, so that it can be ended. */
	readonly tokenId: string;
}

/** An administrator, known by the admin token. */
export interface AdminCaller {
	readonly kind: "admin";
	readonly name: string;
}

/** Who an authenticated request comes from. */
export type Caller = UserCaller | AdminCaller;

/** The caller that an operation's `auth` promises to its handler. */
export type CallerFor<Auth> = Auth extends "user" ? UserCaller : Auth extends "admin" ? AdminCaller : undefined;

/** A request that passed authentication and the contract's schemas. */
export interface ApiRequest<Id extends OperationId> {
	readonly caller: CallerFor<(typeof operations)[Id]["auth"]>;
	/** IP address of the client, looked up behind trusted proxies. */
	readonly clientAddress: string;
	readonly params: ParamsOf<Id>;
	readonly query: QueryOf<Id>;
	readonly headers: HeadersOf<Id>;
	readonly body: BodyOf<Id>;
}

/** One method per operation of the contract. Refusals are thrown as {@link ApiProblem}; anything else thrown is a 500. */
export type ApiHandlers = {
	readonly [Id in OperationId]: (request: ApiRequest<Id>) => ReplyOf<Id> | Promise<ReplyOf<Id>>;
};

/** A WebSocket that passed authentication and the contract's schemas. */
export interface ChannelRequest<Id extends ChannelId> {
	readonly caller: CallerFor<(typeof channels)[Id]["auth"]>;
	readonly query: ChannelQueryOf<Id>;
}

/** The sending side of an open WebSocket. After `close`, or once the client is gone, both do nothing. */
export interface ChannelSink<Frame> {
	send(frame: Frame): void;
	/** Ends the WebSocket with a close code of RFC 6455 §7.4 (4000–4999 are ours) and a reason of at most 123 octets. */
	close(code: number, reason: string): void;
}

/** One method per WebSocket: begins sending, and returns what stops it (called once, when the socket is gone). */
export type ChannelHandlers = {
	readonly [Id in ChannelId]: (request: ChannelRequest<Id>, sink: ChannelSink<FrameOf<Id>>) => () => void;
};

/** A refusal of the API: its code fixes HTTP status and title; `detail` is one sentence for a person. */
export class ApiProblem extends Error {
	readonly code: ProblemCode;
	readonly status: number;
	readonly detail: string | undefined;
	readonly errors: readonly FieldFault[] | undefined;
	/** Seconds for `Retry-After`. */
	readonly retryAfterSeconds: number | undefined;

	constructor(
		code: ProblemCode,
		detail?: string,
		more: { readonly errors?: readonly FieldFault[]; readonly retryAfterSeconds?: number } = {},
	) {
		super(detail ?? problems[code].title);
		this.name = "ApiProblem";
		this.code = code;
		this.status = problems[code].status;
		this.detail = detail;
		this.errors = more.errors;
		this.retryAfterSeconds = more.retryAfterSeconds;
	}
}
