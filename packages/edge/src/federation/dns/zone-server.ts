/** A small authoritative DNS server over UDP and TCP, for the demonstration and for tests. It serves the records it is given and nothing else. */
import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:net";
import {
	type Answer,
	AUTHORITATIVE_ANSWER,
	decode,
	encode,
	type Packet,
	streamEncode,
	TRUNCATED_RESPONSE,
} from "dns-packet";

export type ZoneRecord =
	| {
			readonly name: string;
			readonly type: "SRV";
			readonly priority: number;
			readonly weight: number;
			readonly port: number;
			readonly target: string;
			readonly ttlSeconds?: number;
	  }
	| { readonly name: string; readonly type: "A" | "AAAA"; readonly address: string; readonly ttlSeconds?: number };

const DEFAULT_TTL_SECONDS = 60;
/** RFC 1035 §4.2.1: a longer answer is cut, and asked again over TCP. */
const LONGEST_UDP_ANSWER = 512;
const LONGEST_QUESTION = 512;
const NXDOMAIN = 3;
const REFUSED = 5;

export interface ZoneServerOptions {
	readonly address: string;
	/** 0 lets the system choose. */
	readonly port: number;
}

export class ZoneServer {
	readonly #options: ZoneServerOptions;
	#records: readonly ZoneRecord[] = [];
	#udp: Socket | undefined;
	#tcp: Server | undefined;

	constructor(options: ZoneServerOptions) {
		this.#options = options;
	}

	/** Listens on UDP and TCP, on one port. Rejects with the system's error. */
	async start(): Promise<{ readonly address: string; readonly port: number }> {
		const { address, port } = this.#options;
		const tcp = createServer((socket) => {
			const chunks: Buffer[] = [];
			socket.on("error", () => socket.destroy());
			socket.on("data", (chunk: Buffer) => {
				chunks.push(chunk);
				const octets = Buffer.concat(chunks);
				if (octets.length > LONGEST_QUESTION) socket.destroy();
				else if (octets.length >= 2 && octets.length >= octets.readUInt16BE(0) + 2) {
					const reply = this.#answer(octets.subarray(2));
					if (reply === undefined) socket.destroy();
					else socket.end(streamEncode(reply));
				}
			});
		});
		this.#tcp = tcp;
		await new Promise<void>((resolve, reject) => {
			tcp.once("error", reject);
			tcp.listen({ host: address, port }, resolve);
		});
		const bound = tcp.address();
		if (bound === null || typeof bound === "string") throw new Error("assertion: a TCP server has an address");
		const udp = createSocket("udp4");
		this.#udp = udp;
		udp.on("message", (message, remote) => {
			const reply = this.#answer(message);
			if (reply === undefined) return;
			const octets = encode(reply);
			const fits = octets.length <= LONGEST_UDP_ANSWER;
			const cut = fits ? octets : encode({ ...reply, answers: [], flags: (reply.flags ?? 0) | TRUNCATED_RESPONSE });
			udp.send(cut, remote.port, remote.address);
		});
		await new Promise<void>((resolve, reject) => {
			udp.once("error", reject);
			udp.bind({ address, port: bound.port }, resolve);
		});
		return { address, port: bound.port };
	}

	get records(): readonly ZoneRecord[] {
		return this.#records;
	}

	setRecords(records: readonly ZoneRecord[]): void {
		this.#records = records;
	}

	async close(): Promise<void> {
		const udp = this.#udp;
		const tcp = this.#tcp;
		await Promise.all([
			udp && new Promise<void>((resolve) => udp.close(() => resolve())),
			tcp && new Promise<void>((resolve) => tcp.close(() => resolve())),
		]);
	}

	#answer(octets: Buffer): Packet | undefined {
		let question: Packet;
		try {
			question = decode(octets);
		} catch {
			return undefined;
		}
		const [asked] = question.questions ?? [];
		const base: Packet = {
			type: "response",
			...(question.id === undefined ? {} : { id: question.id }),
			questions: question.questions ?? [],
		};
		if (question.type !== "query" || asked === undefined) return { ...base, flags: REFUSED };
		const name = asked.name.toLowerCase();
		const named = this.#records.filter((record) => record.name.toLowerCase() === name);
		const isParent = this.#records.some((record) => record.name.toLowerCase().endsWith(`.${name}`));
		const answers = named.filter(({ type }) => type === asked.type).map(toAnswer);
		const isUnknown = named.length === 0 && !isParent;
		return { ...base, flags: AUTHORITATIVE_ANSWER | (isUnknown ? NXDOMAIN : 0), answers };
	}
}

function toAnswer(record: ZoneRecord): Answer {
	const ttl = record.ttlSeconds ?? DEFAULT_TTL_SECONDS;
	if (record.type !== "SRV") return { name: record.name, type: record.type, ttl, data: record.address };
	const { priority, weight, port, target } = record;
	return { name: record.name, type: "SRV", ttl, data: { priority, weight, port, target } };
}
