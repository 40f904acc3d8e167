import type { z } from "zod";
import { ApiError, createUnreachableError, parseJson, readApiError } from "./api-error.ts";
import type {
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
	ResultOf,
} from "./contract.ts";
import { channels, operations } from "./contract.ts";
import { type OpenSocket, openNodeSocket, type SocketEnd } from "./web-socket.ts";

/** How a client reaches its server. */
export interface ClientOptions {
	/** `http://127.0.0.1:8080`; a path in it is a reverse proxy's prefix. */
	readonly url: string;
	readonly token?: string | undefined;
	readonly fetch?: typeof fetch;
	readonly openSocket?: OpenSocket;
	/** A call without an answer by then has failed; 30 s where left out. */
	readonly callTimeoutMs?: number;
}

type Part<Key extends string, Value> =
	Value extends Readonly<Record<never, never>>
		? keyof Value extends never
			? { readonly [K in Key]?: undefined }
			: Partial<Value> extends Value
				? { readonly [K in Key]?: Value }
				: { readonly [K in Key]: Value }
		: { readonly [K in Key]: Value };
type BodyPart<Body> = undefined extends Body ? { readonly body?: undefined } : { readonly body: Body };

/** What a call of an operation takes. */
export type CallInput<Id extends OperationId> = Part<"params", ParamsOf<Id>> &
	Part<"query", QueryOf<Id>> &
	Part<"headers", HeadersOf<Id>> &
	BodyPart<BodyOf<Id>>;
type CallArguments<Id extends OperationId> =
	Partial<CallInput<Id>> extends CallInput<Id> ? [input?: CallInput<Id>] : [input: CallInput<Id>];

/** What an open WebSocket tells. */
export interface ChannelListener<Frame> {
	readonly frame: (frame: Frame) => void;
	/** Called once, last. The error says why it could not be opened or was lost. */
	readonly closed: (error: ApiError) => void;
}

/** A client of one Causeway's HTTP API; one for each token. */
export class Client {
	readonly #options: ClientOptions;
	readonly #base: string;

	constructor(options: ClientOptions) {
		this.#options = options;
		this.#base = options.url.replace(/\/+$/, "");
	}

	/** The server's address. */
	get url(): string {
		return this.#base;
	}

	/** The same server with another token. */
	withToken(token: string): Client {
		return new Client({ ...this.#options, token });
	}

	/** Calls an operation of the contract; rejects with {@link ApiError}. */
	async call<Id extends OperationId>(id: Id, ...[input]: CallArguments<Id>): Promise<ResultOf<Id>> {
		const operation: Operation = operations[id];
		const { params, query, headers, body } = (input ?? {}) as LooseInput;
		const { fetch: send = fetch, token, callTimeoutMs = 30_000 } = this.#options;
		const url = this.#base + fillPath(operation.path, params) + formatQuery(query);
		let status: number;
		let text: string;
		try {
			const response = await send(url, {
				method: operation.method,
				headers: {
					accept: "application/json, application/problem+json",
					...definedStrings(headers),
					...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
					...(body === undefined ? {} : { "content-type": "application/json" }),
				},
				...(body === undefined ? {} : { body: JSON.stringify(body) }),
				redirect: "error",
				signal: AbortSignal.timeout(callTimeoutMs),
			});
			status = response.status;
			text = await response.text();
		} catch (error) {
			throw createUnreachableError(this.#base, error);
		}
		const schema = operation.responses[status];
		if (schema === undefined) throw readApiError(this.#base, status, text);
		if (schema === null) return undefined as ResultOf<Id>;
		return this.#read(schema, text, status) as ResultOf<Id>;
	}

	/** Opens a WebSocket of the contract; returns what closes it (nothing but `closed` is told after that). */
	open<Id extends ChannelId>(id: Id, query: ChannelQueryOf<Id>, listener: ChannelListener<FrameOf<Id>>): () => void {
		const channel: Channel = channels[id];
		const url = this.#base.replace(/^http/, "ws") + channel.path + formatQuery(query);
		const openSocket = this.#options.openSocket ?? openNodeSocket;
		let fault: ApiError | undefined;
		const close = openSocket(url, this.#options.token, {
			text: (text) => {
				if (fault !== undefined) return;
				try {
					listener.frame(this.#read(channel.frame, text, 101) as FrameOf<Id>);
				} catch (error) {
					if (!(error instanceof ApiError)) throw error;
					fault = error;
					close();
				}
			},
			closed: (end) => listener.closed(fault ?? this.#explainEnd(end)),
		});
		return close;
	}

	#explainEnd({ code, reason, status, cause }: SocketEnd): ApiError {
		if (cause !== undefined) return createUnreachableError(this.#base, cause);
		if (status !== undefined) {
			const refused = status === 401 || status === 403;
			return new ApiError(
				status,
				refused ? "unauthorized" : "refused",
				refused ? "the token does not open this WebSocket" : `the server refused the WebSocket (HTTP status ${status})`,
			);
		}
		const why = reason === "" ? `WebSocket close code ${code}` : reason;
		return new ApiError(0, "connection-lost", `the connection to ${this.#base} ended (${why})`);
	}

	#read(schema: z.ZodType, text: string, status: number): unknown {
		const read = schema.safeParse(parseJson(text));
		if (read.success) return read.data;
		const [issue] = read.error.issues;
		const place = issue === undefined ? "" : ` (/${issue.path.join("/")}: ${issue.message})`;
		const detail = `the answer of ${this.#base} does not fit this program's version of the API${place}`;
		throw new ApiError(status, "not-causeway", detail, { cause: read.error });
	}
}

/** What stands in a path, a query or a header. */
type Scalars = Readonly<Record<string, string | number | boolean | undefined>>;

/** A call's input with the types of its operation forgotten. */
interface LooseInput {
	readonly params?: Scalars;
	readonly query?: Scalars;
	readonly headers?: Scalars;
	readonly body?: unknown;
}

function fillPath(path: string, params: Scalars = {}): string {
	return path.replace(/\{([a-z_]+)\}/g, (_whole, name: string) => encodeURIComponent(String(params[name])));
}

function definedStrings(values: Scalars = {}): Record<string, string> {
	const defined: Record<string, string> = {};
	for (const [name, value] of Object.entries(values)) {
		if (value !== undefined) defined[name] = String(value);
	}
	return defined;
}

function formatQuery(query: Scalars = {}): string {
	const text = new URLSearchParams(definedStrings(query)).toString();
	return text === "" ? "" : `?${text}`;
}
