/** Asks one question of one name server: UDP first, TCP where the answer was cut (RFC 1035 §4.2, RFC 7766). */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { type DecodedPacket, decode, encode, RECURSION_DESIRED, streamEncode } from "dns-packet";

export interface NameServer {
	/** IPv4 or IPv6 address, without brackets. */
	readonly address: string;
	readonly port: number;
}

export type Question = { readonly name: string; readonly type: "SRV" | "A" | "AAAA" };

export type Reply =
	| { readonly ok: true; readonly packet: DecodedPacket }
	| { readonly ok: false; readonly reason: string };

/** Answers above this size are not read; a question of ours has a few records. */
const LONGEST_ANSWER = 16_384;

/** Never rejects. Only a reply from the asked server, with our id and our question, counts. */
export async function askServer(server: NameServer, question: Question, timeoutMs: number): Promise<Reply> {
	try {
		const reply = await askUdp(server, question, timeoutMs);
		return reply.ok && reply.packet.flag_tc ? await askTcp(server, question, timeoutMs) : reply;
	} catch (error) {
		// A name or an address that cannot be put into a question or a socket at all.
		return { ok: false, reason: error instanceof Error ? error.message : "the question cannot be asked" };
	}
}

function createQuery(question: Question): { readonly id: number; readonly octets: Buffer } {
	const id = randomInt(0x1_0000);
	return { id, octets: encodeQuery(id, question, encode) };
}

function encodeQuery(id: number, question: Question, write: typeof encode): Buffer {
	const { name, type } = question;
	return write({ type: "query", id, flags: RECURSION_DESIRED, questions: [{ type, name, class: "IN" }] });
}

function readReply(octets: Buffer, id: number, question: Question): DecodedPacket | undefined {
	// Looked at before anything is decoded: a stranger's datagram must not cost what its author likes.
	if (octets.length < 12 || octets.length > LONGEST_ANSWER || octets.readUInt16BE(0) !== id) return undefined;
	try {
		const packet = decode(octets);
		const [asked] = packet.questions ?? [];
		const isOurs = packet.type === "response" && packet.id === id && asked?.type === question.type;
		return isOurs && asked.name.toLowerCase() === question.name.toLowerCase() ? packet : undefined;
	} catch {
		return undefined;
	}
}

function askUdp(server: NameServer, question: Question, timeoutMs: number): Promise<Reply> {
	return new Promise((resolve) => {
		const { id, octets } = createQuery(question);
		const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4");
		let isSettled = false;
		const settle = (reply: Reply): void => {
			if (isSettled) return;
			isSettled = true;
			clearTimeout(timer);
			socket.close();
			resolve(reply);
		};
		const timer = setTimeout(() => settle({ ok: false, reason: `no answer within ${timeoutMs} ms` }), timeoutMs);
		socket.on("error", (error) => settle({ ok: false, reason: error.message }));
		socket.on("message", (message) => {
			const packet = readReply(message, id, question);
			// Anything else may be an attempt to be first: the right answer may still come.
			if (packet !== undefined) settle({ ok: true, packet });
		});
		// A connected socket takes datagrams of this server alone, and hears when its port is closed.
		// By the event: a callback would be called for a failed connection too, and take the place of its error.
		socket.once("connect", () => {
			if (!isSettled) socket.send(octets);
		});
		socket.connect(server.port, server.address);
	});
}

function askTcp(server: NameServer, question: Question, timeoutMs: number): Promise<Reply> {
	return new Promise((resolve) => {
		const { id } = createQuery(question);
		const chunks: Buffer[] = [];
		let size = 0;
		const socket = connect({ host: server.address, port: server.port });
		const settle = (reply: Reply): void => {
			clearTimeout(timer);
			socket.destroy();
			resolve(reply);
		};
		const timer = setTimeout(
			() => settle({ ok: false, reason: `no answer over TCP within ${timeoutMs} ms` }),
			timeoutMs,
		);
		socket.on("error", (error) => settle({ ok: false, reason: error.message }));
		socket.on("close", () => settle({ ok: false, reason: "the server closed the connection" }));
		socket.on("connect", () => socket.write(encodeQuery(id, question, streamEncode)));
		socket.on("data", (chunk: Buffer) => {
			chunks.push(chunk);
			size += chunk.length;
			const octets = Buffer.concat(chunks);
			if (size > LONGEST_ANSWER) settle({ ok: false, reason: "the answer is too long" });
			else if (size >= 2 && size >= octets.readUInt16BE(0) + 2) {
				const packet = readReply(octets.subarray(2), id, question);
				settle(
					packet === undefined ? { ok: false, reason: "the answer is not one to our question" } : { ok: true, packet },
				);
			}
		});
	});
}
