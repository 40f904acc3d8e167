/** A world for the tests of the chat: a clock that moves when told, a server that answers as told, shelves in memory. */
import { Client, type EventFrame, type Message, type SocketEnd, type UserEventContent } from "@causeway/admin";
import type { ChatEnv, Shelf } from "./env.ts";

export const me = "alice@contoso.example";
export const bob = "bob@fabrikam.example";
/** When the tests begin: 2026-11-23T10:00:00Z. */
const startMs = Date.UTC(2026, 10, 23, 10);

export class TestClock {
	#now = startMs;
	readonly #timers = new Set<{ readonly at: number; readonly call: () => void }>();

	readonly now = (): number => this.#now;

	readonly setTimer = (ms: number, call: () => void): (() => void) => {
		const timer = { at: this.#now + ms, call };
		this.#timers.add(timer);
		return () => this.#timers.delete(timer);
	};

	get timerCount(): number {
		return this.#timers.size;
	}

	/** Moves on, running what comes due in its order. */
	advance(ms: number): void {
		const until = this.#now + ms;
		for (;;) {
			const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
			if (next === undefined) break;
			this.#timers.delete(next);
			this.#now = next.at;
			next.call();
		}
		this.#now = until;
	}
}

export function createMemoryShelf(): Shelf {
	const texts = new Map<string, string>();
	return {
		read: (name) => texts.get(name),
		write: (name, text) => {
			if (text === undefined) texts.delete(name);
			else texts.set(name, text);
		},
	};
}

export interface TestEnv extends ChatEnv {
	readonly clock: TestClock;
}

export function createTestEnv(): TestEnv {
	let keys = 0;
	return {
		clock: new TestClock(),
		random: () => 1,
		randomKey: () => `key-${++keys}`,
		tabShelf: createMemoryShelf(),
		browserShelf: createMemoryShelf(),
	};
}

/** Somebody asks, as an event. */
export function createRequest(aor: string, wants: "presence" | "messages" = "presence") {
	return {
		kind: "request",
		wants,
		aor,
		verification: "unverified",
		requested_at: "2026-11-23T10:00:00.000Z",
		state: "pending",
	} as const;
}

export function createMessage(id: string, change: Partial<Message> = {}): Message {
	return {
		id,
		direction: "in",
		with: bob,
		text: `text of ${id}`,
		created_at: "2026-11-23T10:00:00.000Z",
		fate: change.direction === "out" ? "queued" : "received",
		...change,
	};
}

/** An answer; `lost` is none at all. */
export type Answer = { readonly status: number; readonly body?: unknown } | "lost";

export interface TestCall {
	/** `POST /api/v1/me/messages?…`. */
	readonly line: string;
	readonly body: unknown;
	readonly headers: Readonly<Record<string, string>>;
}

/** One WebSocket the page has open, or had. */
export interface TestSocket {
	readonly url: URL;
	readonly send: (frame: EventFrame) => void;
	readonly end: (end?: Partial<SocketEnd>) => void;
	readonly isClosed: () => boolean;
}

/** A server in memory behind the real client. */
export class TestServer {
	readonly calls: TestCall[] = [];
	readonly sockets: TestSocket[] = [];
	/** Answers by the beginning of the line; the longest that fits counts. */
	readonly answers = new Map<string, (call: TestCall) => Answer | Promise<Answer>>([
		["GET /api/v1/me/presence", () => ({ status: 200, body: { state: "available" } })],
		["GET /api/v1/me/contacts", () => ({ status: 200, body: { contacts: [] } })],
		["GET /api/v1/me/requests", () => ({ status: 200, body: { requests: [] } })],
		["GET /api/v1/me/message-requests", () => ({ status: 200, body: { requests: [] } })],
		["GET /api/v1/me/blocks", () => ({ status: 200, body: { blocks: [] } })],
		["GET /api/v1/me/conversations", () => ({ status: 200, body: { conversations: [] } })],
		["GET /api/v1/me/messages", () => ({ status: 200, body: { messages: [] } })],
		["PUT /api/v1/me/typing", () => ({ status: 204 })],
	]);
	#seq = 0;

	readonly client = new Client({
		url: "http://chat.test",
		token: "cwu_alice",
		fetch: async (input, init = {}) => {
			const url = new URL(input instanceof Request ? input.url : input);
			const call: TestCall = {
				line: `${init.method ?? "GET"} ${url.pathname}${url.search}`,
				body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
				headers: init.headers as Record<string, string>,
			};
			this.calls.push(call);
			const [best] = [...this.answers.keys()]
				.filter((start) => call.line.startsWith(start))
				.sort((one, other) => other.length - one.length);
			const answer = await (best === undefined ? { status: 500 } : this.answers.get(best)?.(call));
			if (answer === undefined || answer === "lost") throw new TypeError("Failed to fetch");
			return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), { status: answer.status });
		},
		openSocket: (url, _token, listener) => {
			let isClosed = false;
			const end = (how: Partial<SocketEnd> = {}): void => {
				if (isClosed) return;
				isClosed = true;
				listener.closed({ code: 1006, reason: "", ...how });
			};
			this.sockets.push({
				url: new URL(url),
				send: (frame) => {
					if (!isClosed) listener.text(JSON.stringify(frame));
				},
				end,
				isClosed: () => isClosed,
			});
			return () => end({ code: 1000 });
		},
	});

	/** The newest WebSocket. */
	get socket(): TestSocket {
		const socket = this.sockets.at(-1);
		if (socket === undefined) throw new Error("no WebSocket was opened");
		return socket;
	}

	/** First frame of a connection. */
	open(kind: "welcome" | "reset" = "welcome", seq: number = this.#seq, epoch = "e1"): void {
		this.#seq = seq;
		this.socket.send({ kind, epoch, seq });
	}

	publish(content: UserEventContent): void {
		this.#seq += 1;
		this.socket.send({ seq: this.#seq, at: "2026-11-23T10:00:00.000Z", ...content });
	}

	/** How often a line was called, by its beginning. */
	count(start: string): number {
		return this.calls.filter(({ line }) => line.startsWith(start)).length;
	}
}

export function problem(status: number, code: string, detail = code): Answer {
	return { status, body: { type: `urn:causeway:problem:${code}`, title: code, status, code, detail } };
}

/** Until everything that waits for nothing but promises has run. */
export async function settle(): Promise<void> {
	for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
