/** A stub resolver with true TTLs: asks the configured name servers, remembers what they say for as long as they say it. */
import { getServers } from "node:dns";
import type { AddressRecord, Clock, DnsAnswer, DnsLookup, Logger, SrvRecord } from "@causeway/sip";
import type { Answer, DecodedPacket } from "dns-packet";
import { parseHostPort } from "../../config/host-port.ts";
import { askServer, type NameServer, type Question } from "./dns-message.ts";

export interface DnsClientOptions {
	/** Asked in this order; empty for those of the system. */
	readonly servers: readonly NameServer[];
	readonly clock: Clock;
	readonly log: Logger;
	/** For one attempt; 2 s unless given. */
	readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 2_000;
const ATTEMPTS_PER_SERVER = 2;
const DNS_PORT = 53;
/** Protocol sheet 1.2: a TTL is clamped to these bounds, and a negative answer holds for a minute. */
const SHORTEST_TTL_SECONDS = 30;
const LONGEST_TTL_SECONDS = 86_400;
const NEGATIVE_TTL_SECONDS = 60;
const MOST_ANSWERS = 1_000;
/** Questions to name servers: so many at once, so many in the long run. */
const MOST_AT_ONCE = 1_000;
const MOST_PER_SECOND = 200;
/** Records of one answer that are looked at, aliases among them. */
const MOST_RECORDS = 64;
const MOST_ALIASES = 8;

type AnyRecord = SrvRecord | AddressRecord;

interface Remembered {
	readonly answer: DnsAnswer<AnyRecord>;
	readonly untilMs: number;
}

export class DnsClient implements DnsLookup {
	readonly #options: DnsClientOptions;
	readonly #servers: readonly NameServer[];
	/** By type and name; in order of use, so that the first one is the one to forget. */
	readonly #remembered = new Map<string, Remembered>();
	readonly #underWay = new Map<string, Promise<DnsAnswer<AnyRecord>>>();
	#allowance = MOST_AT_ONCE;
	#allowedAt: number;

	constructor(options: DnsClientOptions) {
		this.#options = options;
		this.#allowedAt = options.clock.now();
		this.#servers = options.servers.length > 0 ? options.servers : systemServers();
	}

	async srv(name: string): Promise<DnsAnswer<SrvRecord>> {
		return (await this.#look({ name, type: "SRV" })) as DnsAnswer<SrvRecord>;
	}

	async addresses(name: string): Promise<DnsAnswer<AddressRecord>> {
		const [ipv4, ipv6] = (await Promise.all([this.#look({ name, type: "A" }), this.#look({ name, type: "AAAA" })])) as [
			DnsAnswer<AddressRecord>,
			DnsAnswer<AddressRecord>,
		];
		if (ipv4.kind === "records" && ipv6.kind === "records") {
			return {
				kind: "records",
				records: [...ipv4.records, ...ipv6.records],
				ttlSeconds: Math.min(ipv4.ttlSeconds, ipv6.ttlSeconds),
			};
		}
		if (ipv4.kind === "records") return ipv4;
		if (ipv6.kind === "records") return ipv6;
		// One family failing says nothing about the name; what the other said does.
		return ipv4.kind === "failed" ? ipv4 : ipv6.kind === "failed" ? ipv6 : ipv4;
	}

	/** Forgets everything that was remembered. */
	flush(): void {
		this.#remembered.clear();
	}

	async #look(question: Question): Promise<DnsAnswer<AnyRecord>> {
		const key = `${question.type} ${question.name.toLowerCase()}`;
		const known = this.#remembered.get(key);
		if (known !== undefined && known.untilMs > this.#options.clock.now()) {
			this.#remembered.delete(key);
			this.#remembered.set(key, known);
			return known.answer;
		}
		const underWay = this.#underWay.get(key);
		if (underWay !== undefined) return underWay;
		const asked = this.#ask(question).then((answer) => {
			this.#underWay.delete(key);
			this.#remember(key, answer);
			return answer;
		});
		this.#underWay.set(key, asked);
		return asked;
	}

	#remember(key: string, answer: DnsAnswer<AnyRecord>): void {
		// A failure is not remembered: the next question may find a server that answers.
		if (answer.kind === "failed") return;
		const seconds =
			answer.kind === "records"
				? Math.min(Math.max(answer.ttlSeconds, SHORTEST_TTL_SECONDS), LONGEST_TTL_SECONDS)
				: NEGATIVE_TTL_SECONDS;
		this.#remembered.delete(key);
		this.#remembered.set(key, { answer, untilMs: this.#options.clock.now() + seconds * 1000 });
		for (const oldest of this.#remembered.keys()) {
			if (this.#remembered.size <= MOST_ANSWERS) break;
			this.#remembered.delete(oldest);
		}
	}

	/** Strangers decide which domains are looked up: whoever sends in the name of thousands must not make us ask thousands. */
	#mayAsk(): boolean {
		const now = this.#options.clock.now();
		this.#allowance = Math.min(MOST_AT_ONCE, this.#allowance + ((now - this.#allowedAt) / 1000) * MOST_PER_SECOND);
		this.#allowedAt = now;
		if (this.#allowance < 1) return false;
		this.#allowance -= 1;
		return true;
	}

	async #ask(question: Question): Promise<DnsAnswer<AnyRecord>> {
		if (!this.#mayAsk()) return { kind: "failed", reason: "too many names are looked up at this moment" };
		let reason = "no name server is configured";
		for (let attempt = 0; attempt < ATTEMPTS_PER_SERVER; attempt += 1) {
			for (const server of this.#servers) {
				const reply = await askServer(server, question, this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
				const place = `${server.address}:${server.port}`;
				if (!reply.ok) {
					reason = `${place}: ${reply.reason}`;
					continue;
				}
				const answer = readAnswer(question, reply.packet);
				if (answer.kind !== "failed") return answer;
				reason = `${place}: ${answer.reason}`;
			}
		}
		this.#options.log.warn("name not looked up", { name: question.name, type: question.type, reason });
		return { kind: "failed", reason };
	}
}

function readAnswer(question: Question, packet: DecodedPacket): DnsAnswer<AnyRecord> {
	const { rcode } = packet as DecodedPacket & { readonly rcode: string };
	if (rcode === "NXDOMAIN") return { kind: "no-name" };
	if (rcode !== "NOERROR") return { kind: "failed", reason: `the server answered ${rcode}` };
	const answers = (packet.answers ?? []).slice(0, MOST_RECORDS);
	let name = question.name.toLowerCase();
	let ttlSeconds = LONGEST_TTL_SECONDS;
	for (let aliases = 0; aliases < MOST_ALIASES; aliases += 1) {
		const records: AnyRecord[] = [];
		let alias: string | undefined;
		for (const answer of answers) {
			if (!("ttl" in answer) || answer.name.toLowerCase() !== name || answer.class !== "IN") continue;
			const record = answer.type === question.type ? toRecord(answer) : undefined;
			if (record !== undefined) {
				records.push(record);
				ttlSeconds = Math.min(ttlSeconds, answer.ttl ?? 0);
			} else if (answer.type === "CNAME") {
				alias = answer.data.toLowerCase();
				ttlSeconds = Math.min(ttlSeconds, answer.ttl ?? 0);
			}
		}
		if (records.length > 0) return { kind: "records", records, ttlSeconds };
		if (alias === undefined) return { kind: "no-data" };
		name = alias;
	}
	return { kind: "failed", reason: "the name is an alias of too many others" };
}

function toRecord(answer: Answer): AnyRecord | undefined {
	switch (answer.type) {
		case "SRV": {
			const { priority, weight, port, target } = answer.data;
			return { priority: priority ?? 0, weight: weight ?? 0, port, target };
		}
		case "A":
			return { address: answer.data, family: 4 };
		case "AAAA":
			return { address: answer.data, family: 6 };
		default:
			return undefined;
	}
}

function systemServers(): readonly NameServer[] {
	return getServers().map((text) => {
		const read = parseHostPort(text);
		return { address: read?.host ?? text, port: read?.port ?? DNS_PORT };
	});
}
