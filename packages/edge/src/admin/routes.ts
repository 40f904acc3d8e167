import {
	type Auth,
	type Channel,
	type ChannelId,
	channels,
	type Operation,
	type OperationId,
	operations,
} from "@causeway/admin";
import type { WebSocket } from "@fastify/websocket";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Authenticate, parseBearer, parseProtocolBearer } from "./authenticate.ts";
import type { ChannelTable } from "./channels.ts";
import {
	type ApiHandlers,
	ApiProblem,
	type Caller,
	type ChannelHandlers,
	type ChannelRequest,
	type ChannelSink,
} from "./handlers.ts";
import { readRequest } from "./validate.ts";

export interface RouteOptions {
	readonly authenticate: Authenticate;
	readonly api: ApiHandlers;
	readonly channels: ChannelHandlers;
	readonly table: ChannelTable;
	/** Which operations this listener offers, by whose token they take. */
	readonly serves: (auth: Auth) => boolean;
}

/** A handler, with the types of its operation forgotten: `readRequest` has checked what they promise. */
type AnyHandler = (request: unknown) => AnyReply | Promise<AnyReply>;
type AnyReply = { readonly status: number; readonly body?: unknown };
type AnyChannelHandler = (request: unknown, sink: ChannelSink<unknown>) => () => void;

/** What the routes of one listener share. */
interface RouteContext extends RouteOptions {
	/** Who a request comes from, once it is known. */
	readonly callers: WeakMap<FastifyRequest, Caller>;
}

/** Registers every operation and every WebSocket of the contract that this listener serves. */
export function registerContract(app: FastifyInstance, options: RouteOptions): void {
	const context: RouteContext = { ...options, callers: new WeakMap() };
	const channelByPath = new Map<string, ChannelId>();
	for (const id of Object.keys(channels) as ChannelId[]) {
		if (options.serves(channels[id].auth)) channelByPath.set(channels[id].path, id);
	}
	for (const id of Object.keys(operations) as OperationId[]) {
		const operation: Operation = operations[id];
		if (!options.serves(operation.auth)) continue;
		const channel = operation.method === "GET" ? channelByPath.get(operation.path) : undefined;
		if (channel !== undefined) channelByPath.delete(operation.path);
		registerOperation(app, id, channel, context);
	}
	for (const [path, id] of channelByPath) {
		app.route({
			method: "GET",
			url: path,
			exposeHeadRoute: false,
			onRequest: guard(channels[id].auth, true, context),
			preHandler: admitChannel(id, context),
			handler: () => {
				throw new ApiProblem("upgrade-required");
			},
			wsHandler: (socket, request) => runChannel(id, socket, request, context),
		});
	}
}

function registerOperation(
	app: FastifyInstance,
	id: OperationId,
	channel: ChannelId | undefined,
	context: RouteContext,
): void {
	const operation: Operation = operations[id];
	const handler = context.api[id].bind(context.api) as AnyHandler;
	app.route({
		method: operation.method,
		url: operation.path.replace(/\{([a-z_]+)\}/g, ":$1"),
		onRequest: guard(operation.auth, channel !== undefined, context),
		handler: async (request, reply) => {
			const { params, query, headers, body } = readRequest(operation, request);
			const caller = context.callers.get(request);
			const answer = await handler({ caller, clientAddress: request.ip, params, query, headers, body });
			reply.code(answer.status);
			return answer.body === undefined ? reply.send() : reply.send(answer.body);
		},
		...(channel === undefined
			? {}
			: {
					preHandler: admitChannel(channel, context),
					wsHandler: (socket: WebSocket, request: FastifyRequest) => runChannel(channel, socket, request, context),
				}),
	});
}

/** Refuses a request whose token does not fit, before its body is read. */
function guard(auth: Auth, speaksWebSocket: boolean, { authenticate, callers }: RouteContext) {
	return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
		if (request.ws === true && !speaksWebSocket) throw new ApiProblem("bad-request", "no WebSocket is spoken here");
		if (auth === "none") return;
		const token = readToken(request);
		const caller = token === undefined ? undefined : authenticate(token);
		if (caller === undefined) throw new ApiProblem("unauthorized");
		if (caller.kind !== auth) {
			const needed = auth === "user" ? "a user's own token is needed" : "an administrator's token is needed";
			throw new ApiProblem("forbidden", needed);
		}
		callers.set(request, caller);
	};
}

function readToken(request: FastifyRequest): string | undefined {
	const token = parseBearer(request.headers.authorization);
	if (token !== undefined || request.ws !== true) return token;
	return parseProtocolBearer(request.headers["sec-websocket-protocol"]);
}

/** Refuses a WebSocket while it still can be told in HTTP: a bad query, too many open. */
function admitChannel(id: ChannelId, { table, callers }: RouteContext) {
	return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
		if (request.ws !== true) return;
		readChannelQuery(id, request);
		const caller = callers.get(request);
		if (caller !== undefined && !table.hasRoom(caller)) {
			throw new ApiProblem("too-many-requests", "too many WebSockets are open with this token's owner", {
				retryAfterSeconds: 30,
			});
		}
	};
}

function readChannelQuery(id: ChannelId, request: FastifyRequest): unknown {
	const { query }: Channel = channels[id];
	return readRequest({ query }, request).query;
}

function runChannel(id: ChannelId, socket: WebSocket, request: FastifyRequest, context: RouteContext): void {
	const caller = context.callers.get(request);
	const token = readToken(request);
	if (caller === undefined || token === undefined) {
		socket.terminate();
		return;
	}
	const handler = context.channels[id].bind(context.channels) as AnyChannelHandler;
	const read = { caller, query: readChannelQuery(id, request) } as ChannelRequest<ChannelId>;
	context.table.attach(socket, {
		id,
		caller,
		isValid: () => context.authenticate(token) !== undefined,
		begin: (sink) => handler(read, sink),
	});
}
