import type { Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import {
	createOpenApiDocument,
	createProblemBody,
	type ProblemCode,
	problemMediaType,
	webSocketProtocol,
} from "@causeway/admin";
import type { Clock, Logger } from "@causeway/sip";
import websocket from "@fastify/websocket";
import { type FastifyError, type FastifyInstance, type FastifyRequest, fastify } from "fastify";
import type { Authenticate } from "./authenticate.ts";
import { ChannelTable } from "./channels.ts";
import { type ApiHandlers, ApiProblem, type ChannelHandlers } from "./handlers.ts";
import { createHostPolicy, type HostPolicy } from "./host-policy.ts";
import { problemFromError, sendProblem } from "./problems.ts";
import { refuseOtherMethods } from "./refuse-methods.ts";
import { registerContract } from "./routes.ts";
import { registerWebPages } from "./web-pages.ts";

/** Certificate chain and key in PEM. */
export interface HttpTls {
	readonly certificate: string | Buffer;
	readonly key: string | Buffer;
}

/** Whether the edge can serve; `missing` says in words what stands in the way. */
export interface Readiness {
	readonly ready: boolean;
	readonly missing: readonly string[];
}

export interface HttpServerOptions {
	readonly listen: { readonly host: string; readonly port: number };
	/** What browsers use; empty where that is the listener itself. */
	readonly publicUrl: string;
	/** Addresses or prefixes whose X-Forwarded-For is believed. */
	readonly trustedProxies: readonly string[];
	readonly tls?: HttpTls;
	readonly version: string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly auth: Authenticate;
	readonly api: ApiHandlers;
	readonly channels: ChannelHandlers;
	readonly readiness: () => Readiness;
	/** The PNG of a contact's network by the last part of its path; undefined where there is none. */
	readonly icon: (id: string) => Uint8Array | undefined;
	/** Prometheus text; the registry's `metrics`. */
	readonly metricsText: () => string | Promise<string>;
	/** Folder of the built pages for browsers; where it is left out or empty, `/` says how they are made. */
	readonly webFolder?: string | undefined;
	/** Where the console has a listener of its own, the one serves users and the other administrators. */
	readonly serves?: "everything" | "users" | "administration";
}

/** A running HTTP listener. */
export interface HttpServer {
	/** The address it got: the port is the real one where 0 was asked for. */
	readonly address: { readonly host: string; readonly port: number };
	/** Uses another certificate for connections from now on. */
	setTls(tls: HttpTls): void;
	/** Stops accepting, says goodbye to WebSockets, lets requests end for 5 s. */
	close(): Promise<void>;
}

const bodyLimitBytes = 131_072;
const headLimitBytes = 16_384;
/** Both from the first octet. */
const headTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const keepAliveTimeoutMs = 60_000;
const closeGraceMs = 5_000;
const maxConnections = 2_000;
/** Clients send nothing but pongs and close frames. */
const maxClientFrameBytes = 4_096;

/** Builds the server and listens. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
	const { listen, clock, log } = options;
	const app = await createHttpApp(options);
	await app.listen({ host: listen.host, port: listen.port });
	const bound = app.server.address();
	const port = bound !== null && typeof bound === "object" ? bound.port : listen.port;
	log.info("http listening", { host: listen.host, port, https: options.tls !== undefined });
	return {
		address: { host: listen.host, port },
		setTls: ({ certificate, key }) => {
			if (options.tls === undefined) return;
			(app.server as unknown as TlsServer).setSecureContext({ cert: certificate, key });
		},
		close: async () => {
			const cut = clock.setTimer(closeGraceMs, () => app.server.closeAllConnections());
			await app.close();
			cut.stop();
		},
	};
}

/** The server without its listener: for tests by injection, and for {@link startHttpServer}. */
export async function createHttpApp(options: HttpServerOptions): Promise<FastifyInstance> {
	const { log, clock, tls } = options;
	const shared = {
		logger: false,
		bodyLimit: bodyLimitBytes,
		requestTimeout: requestTimeoutMs,
		keepAliveTimeout: keepAliveTimeoutMs,
		forceCloseConnections: "idle",
		trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
		clientErrorHandler: answerBrokenRequest,
		frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: Parameters<typeof sendProblem>[0]) => {
			sendProblem(reply, problemFromError(error, log, request.method));
		},
	} as const;
	const head = {
		headersTimeout: headTimeoutMs,
		connectionsCheckingInterval: 1_000,
		maxHeaderSize: headLimitBytes,
		// The host policy refuses a request without one, with a reason.
		requireHostHeader: false,
	} as const;
	const app: FastifyInstance =
		tls === undefined
			? fastify({ ...shared, http: head })
			: fastify({
					...shared,
					https: { ...head, cert: tls.certificate, key: tls.key, minVersion: "TLSv1.2" },
				});
	app.server.maxConnections = maxConnections;

	const policy = createHostPolicy({ ...options, https: tls !== undefined });
	const table = new ChannelTable(clock, log);
	await app.register(websocket, {
		options: {
			maxPayload: maxClientFrameBytes,
			perMessageDeflate: false,
			// Never the one that carries a token.
			handleProtocols: (protocols) => (protocols.has(webSocketProtocol) ? webSocketProtocol : false),
		},
		errorHandler: (_error, socket) => socket.terminate(),
		preClose: (done) => {
			table.close();
			done();
		},
	});
	app.addHook("onRequest", async (request, reply) => {
		reply.headers({
			"cache-control": "no-store",
			"x-content-type-options": "nosniff",
			"referrer-policy": "no-referrer",
		});
		checkPlace(policy, request);
	});
	app.setErrorHandler((error, request, reply) => {
		return sendProblem(reply, problemFromError(error, log, `${request.method} ${request.routeOptions.url ?? ""}`));
	});
	app.setNotFoundHandler((_request, reply) => sendProblem(reply, new ApiProblem("not-found")));
	acceptJsonOnly(app);
	const offered = refuseOtherMethods(app);
	const serves = options.serves ?? "everything";
	registerContract(app, {
		authenticate: options.auth,
		api: options.api,
		channels: options.channels,
		table,
		serves: (auth) => serves === "everything" || (serves === "administration") === (auth === "admin"),
	});
	registerProbes(app, options);
	registerIcons(app, options.icon);
	if (serves !== "administration") await registerWebPages(app, options.webFolder);
	offered.close();
	return app;
}

function checkPlace(policy: HostPolicy, request: FastifyRequest): void {
	const { rawHeaders, socket, method } = request.raw;
	const hostFault = policy.checkHost(rawHeaders, socket.localAddress);
	if (hostFault !== undefined) {
		throw new ApiProblem(
			hostFault,
			hostFault === "host-not-allowed" ? "set [http].public_url to the name that clients use" : undefined,
		);
	}
	const upgrade = request.ws === true;
	if (upgrade && method !== "GET") throw new ApiProblem("bad-request", "a WebSocket is opened with GET");
	if (upgrade || (method !== "GET" && method !== "HEAD")) {
		const originFault = policy.checkOrigin(request.headers.origin, request.headers.host ?? "");
		if (originFault !== undefined) throw new ApiProblem(originFault);
	}
}

/** A form or a script of another page can send text without being asked; JSON it cannot. An absent body is no body. */
function acceptJsonOnly(app: FastifyInstance): void {
	const parse = app.getDefaultJsonParser("error", "error");
	app.removeAllContentTypeParsers();
	app.addContentTypeParser("application/json", { parseAs: "string" }, (request, text, done) => {
		if (text.length === 0) done(null, undefined);
		else void parse(request, text as string, done);
	});
}

function registerProbes(app: FastifyInstance, options: HttpServerOptions): void {
	const document = JSON.stringify(
		createOpenApiDocument({
			version: options.version,
			...(options.publicUrl === "" ? {} : { serverUrl: options.publicUrl }),
		}),
	);
	app.get("/api/openapi.json", (_request, reply) => reply.type("application/json").send(document));
	app.get("/healthz", (_request, reply) => reply.type("text/plain; charset=utf-8").send("ok\n"));
	app.get("/readyz", (_request, reply) => {
		const { ready, missing } = options.readiness();
		const text = ready ? "ready\n" : `not ready\n${missing.map((reason) => `${reason}\n`).join("")}`;
		return reply
			.code(ready ? 200 : 503)
			.type("text/plain; charset=utf-8")
			.send(text);
	});
	app.get("/metrics", async (_request, reply) => {
		return reply.type("text/plain; version=0.0.4; charset=utf-8").send(await options.metricsText());
	});
}

/** Icons need no token: pages show them with `<img>`, and their names cannot be guessed. */
function registerIcons(app: FastifyInstance, icon: HttpServerOptions["icon"]): void {
	app.get<{ Params: { id: string } }>("/api/v1/icons/:id", (request, reply) => {
		const octets = icon(request.params.id);
		if (octets === undefined) throw new ApiProblem("not-found");
		return reply
			.type("image/png")
			.headers({
				"cache-control": "private, max-age=3600",
				"content-security-policy": "default-src 'none'",
				"cross-origin-resource-policy": "same-origin",
			})
			.send(Buffer.from(octets));
	});
}

/** What cannot be read as HTTP, or does not arrive: there is no request to answer, only the socket. */
function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
	if (error.code === "ECONNRESET" || !socket.writable) {
		socket.destroy();
		return;
	}
	const code: ProblemCode =
		error.code === "HPE_HEADER_OVERFLOW"
			? "headers-too-large"
			: error.code === "ERR_HTTP_REQUEST_TIMEOUT"
				? "request-timeout"
				: "bad-request";
	const problem = createProblemBody(code);
	const body = JSON.stringify(problem);
	socket.end(
		`HTTP/1.1 ${problem.status} Refused\r\nContent-Type: ${problemMediaType}\r\n` +
			`Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
	);
}
