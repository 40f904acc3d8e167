import type { Contact, EventFrame, Message, OperationId } from "@causeway/admin";
import { operations } from "@causeway/admin";
import type { LogFields, Logger } from "@causeway/sip";
import { SimClock } from "@causeway/sip/testing";
import type { Authenticate } from "./authenticate.ts";
import { EventHub } from "./event-hub.ts";
import type { ApiHandlers, ApiRequest, ChannelHandlers, ChannelSink } from "./handlers.ts";
import { ApiProblem } from "./handlers.ts";
import type { HttpServerOptions } from "./http-server.ts";

/** One line a test's logger was given. */
export interface LoggedLine {
	readonly level: keyof Logger;
	readonly event: string;
	readonly fields: LogFields;
}

/** A logger that keeps what it is told. */
export function createKeptLog(): { readonly log: Logger; readonly lines: LoggedLine[] } {
	const lines: LoggedLine[] = [];
	const keep =
		(level: keyof Logger) =>
		(event: string, fields: LogFields = {}): void => {
			lines.push({ level, event, fields });
		};
	return {
		lines,
		log: { debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") },
	};
}

export const adminToken = "admin-token-of-the-tests-0123456789";
export const aliceToken = "cwu_alice";

/** Knows the admin token and `cwu_<user>` tokens of contoso.example; those in `ended` no more. */
export function createFakeAuth(ended: ReadonlySet<string> = new Set()): Authenticate {
	return (token) => {
		if (ended.has(token)) return undefined;
		if (token === adminToken) return { kind: "admin", name: "admin" };
		if (!token.startsWith("cwu_")) return undefined;
		return { kind: "user", aor: `${token.slice(4)}@contoso.example`, tokenId: "1" };
	};
}

/** What a fake handler was called with. */
export interface FakeCall {
	readonly id: OperationId;
	readonly request: ApiRequest<OperationId>;
}

/** Handlers that refuse everything but what `known` answers, and keep what they were called with. */
export function createFakeHandlers(known: Partial<ApiHandlers>): {
	readonly api: ApiHandlers;
	readonly calls: FakeCall[];
} {
	const calls: FakeCall[] = [];
	const api = Object.fromEntries(
		(Object.keys(operations) as OperationId[]).map((id) => [
			id,
			(request: ApiRequest<OperationId>) => {
				calls.push({ id, request });
				const handler = known[id] as ((request: ApiRequest<OperationId>) => unknown) | undefined;
				if (handler === undefined) throw new ApiProblem("not-found", `${id} is not faked`);
				return handler(request);
			},
		]),
	) as unknown as ApiHandlers;
	return { api, calls };
}

/** WebSockets over a hub, and a trace that says nothing but keeps its sinks. */
export function createFakeChannels(hub: EventHub): {
	readonly channels: ChannelHandlers;
	readonly traceSinks: ChannelSink<never>[];
} {
	const traceSinks: ChannelSink<never>[] = [];
	return {
		traceSinks,
		channels: {
			watchEvents: ({ caller, query }, sink) => hub.serve(caller.aor, query, sink),
			watchTrace: (_request, sink) => {
				traceSinks.push(sink);
				return () => traceSinks.splice(traceSinks.indexOf(sink), 1);
			},
		},
	};
}

/** Options of a server on a loopback port the system picks, with what its parts were told. */
export function createFakeServerOptions(
	known: Partial<ApiHandlers> = {},
	changes: Partial<HttpServerOptions> = {},
): {
	readonly options: HttpServerOptions;
	readonly calls: FakeCall[];
	readonly lines: LoggedLine[];
	readonly hub: EventHub;
	readonly clock: SimClock;
	readonly traceSinks: ChannelSink<never>[];
} {
	const clock = new SimClock();
	const hub = new EventHub({ epoch: "e1", clock });
	const { log, lines } = createKeptLog();
	const { api, calls } = createFakeHandlers(known);
	const { channels, traceSinks } = createFakeChannels(hub);
	const options: HttpServerOptions = {
		listen: { host: "127.0.0.1", port: 0 },
		publicUrl: "",
		trustedProxies: [],
		version: "1.2.3",
		clock,
		log,
		auth: createFakeAuth(),
		api,
		channels,
		readiness: () => ({ ready: true, missing: [] }),
		icon: () => undefined,
		metricsText: () => "causeway_up 1\n",
		...changes,
	};
	return { options, calls, lines, hub, clock, traceSinks };
}

export const bob: Contact = {
	aor: "bob@fabrikam.example",
	state: "available",
	verification: "verified",
	changed_at: "2026-11-23T10:00:00.000Z",
};

export const sentMessage: Message = {
	id: "01m",
	direction: "out",
	with: bob.aor,
	text: "Lunch?",
	created_at: "2026-11-23T10:00:00.000Z",
	fate: "queued",
};

/** Kinds of frames, in order, for short comparisons. */
export function describeFrames(frames: readonly EventFrame[]): readonly string[] {
	return frames.map((frame) => `${frame.kind} ${frame.seq}`);
}
