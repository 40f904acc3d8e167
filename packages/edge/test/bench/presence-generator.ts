/** Process that plays a partner's watchers, and for Kamailio the presentities too; driven over its channel by `presence.ts`. */
import { Agent, request as httpRequest } from "node:http";
import type { ByteStream } from "@causeway/sip";
import { createTurnFlusher, TlsDialler } from "@causeway/sip/node";
import { headerOf, MessageReader, statusOf } from "./message-reader.ts";
import { answerOf, formatPublish, formatSubscribe, type Watcher } from "./presence-text.ts";

export interface PresencePlan {
	readonly kind: "open";
	readonly address: string;
	readonly port: number;
	readonly serverName: string;
	readonly certificate: string;
	readonly key: string;
	readonly connections: number;
	/** Outstanding operations. */
	readonly window: number;
	/** Who is watched: published over HTTP with a token each, or over SIP where there is none. */
	readonly presentities: readonly { readonly aor: string; readonly token: string | undefined }[];
	readonly httpUrl: string | undefined;
}

export type PresenceRequest =
	| PresencePlan
	/** New subscriptions, each with its NOTIFY answered. */
	| { readonly kind: "subscribe"; readonly operations: number }
	/** Waits until everybody may change again, so that the round that follows never waits. */
	| { readonly kind: "rest" }
	/** Changes of state, each told to everybody who watches; no presentity changes twice within the spacing. */
	| { readonly kind: "change"; readonly operations: number; readonly watchers: number };

/** What is timed. */
export type PresenceRound = Extract<PresenceRequest, { readonly kind: "subscribe" | "change" }>;

export type PresenceAnswer =
	| { readonly kind: "opened" }
	| { readonly kind: "rested" }
	| {
			readonly kind: "finished";
			readonly succeeded: number;
			readonly errors: number;
			readonly firstError: string | undefined;
			readonly elapsedMs: number;
			readonly cpuMs: number;
	  }
	| { readonly kind: "failed"; readonly reason: string };

/** A little more than the spacing of 5 s and a tick of the server's timers. */
const SPACING_MS = 5_600;
const STALL_LIMIT_MS = 20_000;

class Generator {
	readonly #plan: PresencePlan;
	readonly #streams: ByteStream[] = [];
	readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
	/** Parts still missing of each operation under way: for a subscription its 200 and its NOTIFY, for a change its NOTIFYs. */
	readonly #missing = new Map<string, number>();
	readonly #etags = new Map<string, string>();
	readonly #changedAt = new Map<string, number>();
	#number = 0;
	#succeeded = 0;
	#errors = 0;
	#firstError: string | undefined;
	#settled: () => void = () => undefined;

	constructor(plan: PresencePlan) {
		this.#plan = plan;
	}

	async open(): Promise<void> {
		const { certificate, key, address, port, serverName, connections } = this.#plan;
		const dialler = new TlsDialler({ credentials: { certificate, key }, flusher: createTurnFlusher() });
		for (let index = 0; index < connections; index += 1) {
			const outcome = await dialler.dial({ address, port, serverName });
			if (!outcome.ok) throw new Error(`not connected: ${outcome.failure.reason}`);
			const { stream } = outcome;
			const reader = new MessageReader((head) => this.#arrived(stream, head));
			stream.start({
				data: (chunk) => reader.read(chunk),
				closed: ({ by, reason }) => this.#fail(`connection closed by ${by}: ${reason}`),
			});
			this.#streams.push(stream);
		}
	}

	async rest(): Promise<void> {
		const readyAt = Math.max(0, ...this.#changedAt.values()) + SPACING_MS;
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, readyAt - performance.now())));
	}

	async run(what: PresenceRound): Promise<PresenceAnswer> {
		this.#succeeded = 0;
		this.#errors = 0;
		this.#firstError = undefined;
		const cpuBefore = process.cpuUsage();
		const startedAt = performance.now();
		let left = what.operations;
		let waitMs = 0;
		for (let seen = -1; ; ) {
			const done = this.#succeeded + this.#errors;
			while (left > 0 && this.#missing.size < this.#plan.window) {
				const now = performance.now();
				if (what.kind === "subscribe") this.#subscribe();
				else {
					const aor = this.#plan.presentities[this.#number % this.#plan.presentities.length]?.aor ?? "";
					waitMs = (this.#changedAt.get(aor) ?? Number.NEGATIVE_INFINITY) + SPACING_MS - now;
					if (waitMs > 0) break;
					this.#change(what.watchers);
				}
				left -= 1;
			}
			if (left === 0 && this.#missing.size === 0) break;
			if (waitMs <= 0 && done === seen) {
				this.#errors += this.#missing.size + left;
				this.#firstError ??= `no answer within ${STALL_LIMIT_MS / 1000} s`;
				this.#missing.clear();
				break;
			}
			seen = waitMs > 0 ? -1 : done;
			await this.#next(waitMs > 0 && this.#missing.size === 0 ? waitMs : STALL_LIMIT_MS);
			waitMs = 0;
		}
		const elapsedMs = performance.now() - startedAt;
		const { user, system } = process.cpuUsage(cpuBefore);
		return {
			kind: "finished",
			succeeded: this.#succeeded,
			errors: this.#errors,
			firstError: this.#firstError,
			elapsedMs,
			cpuMs: (user + system) / 1000,
		};
	}

	/** Until an operation ends, or so long. */
	#next(limitMs: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, limitMs);
			this.#settled = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	#subscribe(): void {
		const stream = this.#streams[this.#number % this.#streams.length];
		const presentity = this.#plan.presentities[this.#number % this.#plan.presentities.length];
		if (stream === undefined || presentity === undefined) return;
		const watcher: Watcher = { number: this.#number, presentity: presentity.aor, port: stream.local.port };
		this.#number += 1;
		this.#missing.set(`s${watcher.number}`, 2);
		stream.write(formatSubscribe(watcher));
	}

	#change(watchers: number): void {
		const number = this.#number;
		const presentity = this.#plan.presentities[number % this.#plan.presentities.length];
		if (presentity === undefined) return;
		const { aor, token } = presentity;
		this.#number += 1;
		this.#changedAt.set(aor, performance.now());
		const round = Math.floor(number / this.#plan.presentities.length);
		const state = round % 2 === 0 ? "busy" : "away";
		this.#missing.set(aor, watchers + 1);
		if (token === undefined) {
			this.#streams[0]?.write(formatPublish({ number, aor, state, etag: this.#etags.get(aor) }));
			return;
		}
		const request = httpRequest(
			`${this.#plan.httpUrl}/api/v1/me/presence`,
			{
				agent: this.#agent,
				method: "PUT",
				headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			},
			(response) => {
				response.resume();
				if (response.statusCode === 200) this.#part(aor);
				else this.#fail(`the API answered ${response.statusCode}`);
			},
		);
		request.on("error", (error) => this.#fail(error.message));
		request.end(JSON.stringify({ state }));
	}

	#arrived(stream: ByteStream, head: string): void {
		const status = statusOf(head);
		const callId = headerOf(head, "Call-ID") ?? "";
		if (status === undefined) {
			if (!head.startsWith("NOTIFY ")) {
				this.#fail(`unexpected request: ${head.slice(0, head.indexOf("\r\n"))}`);
				return;
			}
			stream.write(answerOf(head));
			const number = callId.slice(0, callId.indexOf("@"));
			if (this.#missing.has(number)) this.#part(number);
			else this.#part(presentityOf(head));
			return;
		}
		if (status < 200) return;
		const isPublish = callId.startsWith("p");
		if (status !== 200 && status !== 202) {
			this.#fail(head.slice(0, head.indexOf("\r\n")));
			return;
		}
		if (!isPublish) {
			this.#part(callId.slice(0, callId.indexOf("@")));
			return;
		}
		const aor = presentityOf(head);
		const etag = headerOf(head, "SIP-ETag");
		if (etag !== undefined) this.#etags.set(aor, etag);
		this.#part(aor);
	}

	#part(key: string): void {
		const missing = this.#missing.get(key);
		if (missing === undefined) return;
		if (missing > 1) {
			this.#missing.set(key, missing - 1);
			return;
		}
		this.#missing.delete(key);
		this.#succeeded += 1;
		this.#settled();
	}

	#fail(reason: string): void {
		this.#errors += 1;
		this.#firstError ??= reason;
		this.#settled();
	}
}

/** Of a NOTIFY or of the answer to a PUBLISH: who it is about stands in From. */
function presentityOf(head: string): string {
	const from = headerOf(head, "From") ?? "";
	const start = from.indexOf("sip:") + 4;
	const ends = [from.indexOf(">", start), from.indexOf(";", start)].filter((end) => end >= 0);
	return from.slice(start, Math.min(...ends));
}

function tell(message: PresenceAnswer): void {
	process.send?.(message);
}

let generator: Generator | undefined;

async function serve(request: PresenceRequest): Promise<void> {
	if (request.kind === "open") {
		generator = new Generator(request);
		await generator.open();
		tell({ kind: "opened" });
	} else if (request.kind === "rest") {
		await generator?.rest();
		tell({ kind: "rested" });
	} else if (generator !== undefined) tell(await generator.run(request));
}

process.on("message", (request: PresenceRequest) => {
	serve(request).catch((error: unknown) => tell({ kind: "failed", reason: String(error) }));
});
process.on("disconnect", () => process.exit());
