/**
 * A partner's edge as a process of its own, with its own record of what it got and what it was promised. It answers calls and
 * MESSAGEs, and calls and writes by itself; `crash-world.ts` drives it over the channel.
 */
import {
	type ByteStream,
	type Connection,
	createRequest,
	createResponse,
	DEFAULT_ARRIVAL_TIMES,
	DEFAULT_FRAMER_LIMITS,
	HeaderId,
	headerValue,
	SipConnection,
	type SipMessage,
	type SipRequest,
	type SipResponse,
} from "@causeway/sip";
import { createTurnFlusher, systemClock, systemRandom, TlsDialler, TlsListener } from "@causeway/sip/node";

export const EDGE_FQDN = "sip.contoso.example";
export const PEER_FQDN = "sip.fabrikam.example";

export type PeerCommand =
	| { readonly kind: "start"; readonly certificate: string; readonly key: string }
	/** Whether a MESSAGE is answered, or only told. */
	| { readonly kind: "answers"; readonly answers: boolean }
	/** Calls from `callers` and writes in each session without a pause, until the connection ends or `pause` comes. */
	| { readonly kind: "write"; readonly port: number; readonly callers: readonly string[]; readonly to: string }
	| { readonly kind: "pause" };

export type PeerNote =
	| { readonly kind: "listening"; readonly port: number }
	/** A MESSAGE came: to whom, and its text. */
	| { readonly kind: "received"; readonly to: string; readonly text: string }
	/** Its 200 was handed to the connection. */
	| { readonly kind: "answered"; readonly text: string }
	/** A text of ours left, and was answered with 2xx. */
	| { readonly kind: "sent" | "accepted"; readonly from: string; readonly text: string }
	/** Nothing of ours is under way any more. */
	| { readonly kind: "rests" };

const SDP = `v=0\r\no=- 1 1 IN IP4 ${PEER_FQDN}\r\ns=-\r\nc=IN IP4 ${PEER_FQDN}\r\nt=0 0\r\nm=message 5060 sip/tcp *\r\n`;

const clock = systemClock();
const random = systemRandom();
const flusher = createTurnFlusher();
let answers = true;
let isPaused = false;
let lastConnection = 0;
/** One number for all texts, so that each is written once. */
let lastText = 0;
let dialler: TlsDialler | undefined;
let port = 0;
const writers = new Set<Writer>();

function tell(note: PeerNote): void {
	process.send?.(note);
}

/** One session of ours. */
class Writer {
	readonly #connection: Connection;
	readonly #from: string;
	readonly #callId = random.token();
	#remote = "";
	#target = "";
	#cseq = 0;
	#text = "";

	constructor(connection: Connection, from: string, to: string) {
		this.#connection = connection;
		this.#from = from;
		this.#remote = `<sip:${to}>`;
		this.#target = `sip:${to}`;
		this.#send("INVITE", "application/sdp", SDP);
	}

	get callId(): string {
		return this.#callId;
	}

	answered(response: SipResponse): void {
		const { method, number } = response.cseq;
		if (response.statusCode < 200 || number !== this.#cseq) return;
		if (response.statusCode >= 300) {
			writers.delete(this);
			this.#rest();
			return;
		}
		if (method === "INVITE") {
			this.#remote = headerValue(response, HeaderId.to) ?? "";
			const contact = headerValue(response, HeaderId.contact) ?? "";
			this.#target = contact.slice(contact.indexOf("<") + 1, contact.indexOf(">"));
			this.#send("ACK", undefined, "");
		} else {
			tell({ kind: "accepted", from: this.#from, text: this.#text });
		}
		this.#write();
	}

	#write(): void {
		if (isPaused) {
			writers.delete(this);
			this.#rest();
			return;
		}
		lastText += 1;
		this.#text = `in-${lastText}`;
		this.#send("MESSAGE", "text/plain", this.#text);
		tell({ kind: "sent", from: this.#from, text: this.#text });
	}

	#rest(): void {
		if (writers.size === 0) tell({ kind: "rests" });
	}

	#send(method: string, type: string | undefined, body: string): void {
		if (method !== "ACK") this.#cseq += 1;
		this.#connection.send(
			createRequest({
				method,
				requestUri: this.#target,
				headers: [
					["Via", `SIP/2.0/TLS ${PEER_FQDN}:5061;branch=z9hG4bK${random.token()}`],
					["Max-Forwards", "70"],
					["From", `<sip:${this.#from}>;tag=${this.#callId.slice(0, 8)}`],
					["To", this.#remote, "octets"],
					["Call-ID", this.#callId],
					["CSeq", `${method === "ACK" ? 1 : this.#cseq} ${method}`],
					...(method === "INVITE"
						? ([
								["Contact", `<sip:${PEER_FQDN}:5061;transport=tls>`],
								["Ms-asserted-verification-level", "ms-source-verification-level=verified"],
							] as const)
						: []),
					...(type === undefined ? [] : ([["Content-Type", type]] as const)),
				],
				body: Buffer.from(body),
			}),
		);
	}
}

function answer(connection: Connection, request: SipRequest): void {
	switch (request.method) {
		case "ACK":
			break;
		case "INVITE":
			connection.send(
				createResponse(request, 200, {
					toTag: random.token(),
					headers: [["Contact", `<sip:${PEER_FQDN}:5061;transport=tls>`]],
					contentType: "application/sdp",
					body: Buffer.from(SDP),
				}),
			);
			break;
		case "MESSAGE": {
			const text = Buffer.from(request.body).toString();
			tell({ kind: "received", to: headerValue(request, HeaderId.to)?.split(";")[0] ?? "", text });
			if (!answers) break;
			connection.send(createResponse(request, 200));
			tell({ kind: "answered", text });
			break;
		}
		default:
			connection.send(createResponse(request, 200));
	}
}

function open(stream: ByteStream, opened: (connection: SipConnection) => void = () => {}): void {
	lastConnection += 1;
	const own = new Set<Writer>();
	const connection = new SipConnection({
		id: lastConnection,
		direction: "inbound",
		stream,
		clock,
		random,
		limits: DEFAULT_FRAMER_LIMITS,
		times: DEFAULT_ARRIVAL_TIMES,
		user: {
			received(on, message: SipMessage) {
				if (message.kind === "request") answer(on, message);
				else for (const writer of writers) if (writer.callId === message.callId) writer.answered(message);
			},
			closed() {
				for (const writer of own) writers.delete(writer);
				tell({ kind: "rests" });
			},
		},
	});
	connection.start();
	opened(connection);
	for (const writer of writers) own.add(writer);
}

async function start(certificate: string, key: string): Promise<void> {
	const credentials = { certificate, key };
	dialler = new TlsDialler({ credentials, flusher });
	const listener = new TlsListener({
		addresses: [{ address: "127.0.0.1", port: 0 }],
		credentials,
		flusher,
		accepted: (stream) => open(stream),
		refused: () => {},
	});
	await listener.start();
	tell({ kind: "listening", port: listener.endpoints[0]?.port ?? 0 });
}

async function write(callers: readonly string[], to: string): Promise<void> {
	const outcome = await dialler?.dial({ address: "127.0.0.1", port, serverName: EDGE_FQDN });
	// The edge may have been killed meanwhile.
	if (outcome?.ok !== true) {
		tell({ kind: "rests" });
		return;
	}
	open(outcome.stream, (connection) => {
		for (const caller of callers) writers.add(new Writer(connection, caller, to));
	});
}

process.on("message", (command: PeerCommand) => {
	switch (command.kind) {
		case "start":
			void start(command.certificate, command.key);
			break;
		case "answers":
			answers = command.answers;
			break;
		case "write":
			isPaused = false;
			port = command.port;
			void write(command.callers, command.to);
			break;
		case "pause":
			isPaused = true;
			if (writers.size === 0) tell({ kind: "rests" });
			break;
	}
});
process.on("disconnect", () => process.exit());
