/** Prometheus metrics of the edge. Labels are bounded: methods and codes of our own lists, never what a peer wrote. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** Methods that get a label of their own; a peer's invention counts as `other`. */
const METHODS: ReadonlySet<string> = new Set([
	"INVITE",
	"ACK",
	"BYE",
	"CANCEL",
	"MESSAGE",
	"SUBSCRIBE",
	"NOTIFY",
	"OPTIONS",
	"INFO",
	"REGISTER",
	"PUBLISH",
	"REFER",
	"UPDATE",
]);

/** What is read when the metrics are asked for. */
export interface LiveCounts {
	readonly connections: () => number;
	readonly dialogs: () => number;
	readonly subscriptions: () => number;
	readonly messagesWaiting: () => number;
	readonly droppedResponses: () => number;
	/** CRLF pings of peers; unanswered are those above the bound of a second. */
	readonly pings: () => { readonly answered: number; readonly unanswered: number };
	/** Keys that live: next, active and verify-only. */
	readonly signingKeys: () => number;
	/** Seconds by which the calendar was set back; 0 where it was not. */
	readonly signingClockBehindSeconds: () => number;
	/** 1 where the signing keys are not on disk as they are in use. */
	readonly signingKeysNotOnDisk: () => number;
}

export class Metrics {
	readonly #registry = new Registry();
	/** Answers by labels, counted here and put in the registry when it is read: for each of them a counter would hash its labels. */
	readonly #answered = new Map<string, Map<number, Map<string, number>>>();
	readonly #messages: Counter<"fate">;
	readonly #signatures: Counter<"code">;
	readonly #refusals: Counter<"direction" | "stage" | "code">;

	constructor() {
		collectDefaultMetrics({ register: this.#registry, prefix: "causeway_" });
		const answered = this.#answered;
		new Counter({
			name: "causeway_sip_answers_total",
			help: "Requests from peers that were answered, by method, status and the rule that decided",
			labelNames: ["method", "status", "code"],
			registers: [this.#registry],
			collect() {
				this.reset();
				for (const [method, statuses] of answered) {
					for (const [status, codes] of statuses) {
						for (const [code, count] of codes) this.inc({ method, status: String(status), code }, count);
					}
				}
			},
		});
		this.#signatures = new Counter({
			name: "causeway_signatures_refused_total",
			help: "Route tokens and Via branches that came back and could not be verified, by reason",
			labelNames: ["code"],
			registers: [this.#registry],
		});
		this.#messages = new Counter({
			name: "causeway_messages_total",
			help: "Messages of hosted users by final fate; received for those that came in",
			labelNames: ["fate"],
			registers: [this.#registry],
		});
		this.#refusals = new Counter({
			name: "causeway_refused_connections_total",
			help: "Connections with peers that were refused or could not be made, by who dialled, how far they came and why",
			labelNames: ["direction", "stage", "code"],
			registers: [this.#registry],
		});
	}

	/** A connection that was refused or could not be made. */
	refused(direction: "inbound" | "outbound", stage: string, code: string): void {
		this.#refusals.inc({ direction, stage, code });
	}

	/** Adds the gauges, once what they read exists. */
	watch(counts: LiveCounts): void {
		const gauge = (name: string, help: string, read: () => number): void => {
			new Gauge({
				name,
				help,
				registers: [this.#registry],
				collect() {
					this.set(read());
				},
			});
		};
		gauge("causeway_peer_connections", "Open TLS connections with peers", counts.connections);
		gauge("causeway_dialogs", "SIP dialogs", counts.dialogs);
		gauge("causeway_subscriptions", "Presence subscriptions of partners' users", counts.subscriptions);
		gauge("causeway_messages_waiting", "Messages whose fate is not final", counts.messagesWaiting);
		gauge("causeway_responses_dropped", "Responses dropped because their connection was gone", counts.droppedResponses);
		gauge("causeway_pings_answered", "CRLF pings of peers that were answered", () => counts.pings().answered);
		gauge(
			"causeway_pings_unanswered",
			"CRLF pings of peers that were not answered because they were too many",
			() => counts.pings().unanswered,
		);
		gauge("causeway_signing_keys", "Keys that sign or verify the routes of dialogs", counts.signingKeys);
		gauge(
			"causeway_signing_clock_behind_seconds",
			"How far the clock was set back while the edge ran: alarm above 0",
			counts.signingClockBehindSeconds,
		);
		gauge(
			"causeway_signing_keys_not_on_disk",
			"1 where the signing keys could not be written: a restart would end dialogs",
			counts.signingKeysNotOnDisk,
		);
	}

	/** Counts a request whose route token, or a response whose branch, was not ours or not good any more. */
	signatureRefused(code: string): void {
		this.#signatures.inc({ code });
	}

	/** How far peers with ceilings are from them. The table that is read has a bound, and so have the labels. */
	watchThrottles(
		read: () => readonly {
			readonly name: string;
			readonly view: {
				readonly tokens: number | undefined;
				readonly distinctUsers: number;
				readonly refused: number;
				readonly delayed: number;
				readonly isSuspicious: boolean;
			};
		}[],
	): void {
		const gauge = (
			name: string,
			help: string,
			value: (view: ReturnType<typeof read>[number]["view"]) => number,
		): void => {
			new Gauge({
				name,
				help,
				labelNames: ["peer"],
				registers: [this.#registry],
				collect() {
					this.reset();
					for (const { name: peer, view } of read()) this.set({ peer }, value(view));
				},
			});
		};
		gauge(
			"causeway_throttle_tokens",
			"Messages that a peer with ceilings may send at once",
			(view) => view.tokens ?? 0,
		);
		gauge("causeway_throttle_users", "Users of ours that a peer with ceilings addressed", (view) => view.distinctUsers);
		gauge(
			"causeway_throttle_refused",
			"Requests refused because of ceilings, or that would be",
			(view) => view.refused,
		);
		gauge(
			"causeway_throttle_delayed",
			"Requests delayed because of ceilings, or that would be",
			(view) => view.delayed,
		);
		gauge("causeway_throttle_suspicious", "Whether the suspicious rate holds", (view) => (view.isSuspicious ? 1 : 0));
	}

	answered(method: string, status: number, code: string): void {
		const statuses = entryOf(this.#answered, METHODS.has(method) ? method : "other", () => new Map());
		const codes = entryOf(statuses, status, () => new Map());
		codes.set(code, (codes.get(code) ?? 0) + 1);
	}

	message(fate: string): void {
		this.#messages.inc({ fate });
	}

	/** Prometheus text. */
	text(): Promise<string> {
		return this.#registry.metrics();
	}
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
	let value = map.get(key);
	if (value === undefined) {
		value = create();
		map.set(key, value);
	}
	return value;
}
