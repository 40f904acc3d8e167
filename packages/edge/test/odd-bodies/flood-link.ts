/** The flooding partner's side: connections, sessions in them, and one request of a session at a time. */
import {
	type ByteStream,
	DEFAULT_ARRIVAL_TIMES,
	DEFAULT_FRAMER_LIMITS,
	HeaderId,
	headerValue,
	SipConnection,
	type SipRequest,
	type SipResponse,
} from "@causeway/sip";
import { systemClock, systemRandom } from "@causeway/sip/node";
import { formatAnswer } from "../wire/wire-world.ts";

const WAIT_MS = 60_000;
const clock = systemClock();
const random = systemRandom();
let lastLink = 0;

/** A final response, or what came in its place. */
export type Outcome = SipResponse | "closed" | "silent";

/** One connection; answers go to whoever sent the request. */
export class FloodLink {
	readonly #stream: ByteStream;
	readonly #waiting = new Map<string, (outcome: Outcome) => void>();
	/** Requests of the edge: a session that it ended, say. */
	readonly requests: string[] = [];
	isOpen = true;
	readonly #closed: Promise<void>;

	constructor(stream: ByteStream) {
		this.#stream = stream;
		lastLink += 1;
		let end = (): void => {};
		this.#closed = new Promise((resolve) => {
			end = resolve;
		});
		const connection = new SipConnection({
			id: lastLink,
			direction: "outbound",
			stream,
			clock,
			random,
			limits: DEFAULT_FRAMER_LIMITS,
			times: DEFAULT_ARRIVAL_TIMES,
			user: {
				received: (_connection, message) => {
					if (message.kind === "request") this.#answer(message);
					else if (message.statusCode >= 200) this.#settle(message);
				},
				closed: () => {
					this.isOpen = false;
					for (const settle of [...this.#waiting.values()]) settle("closed");
					end();
				},
			},
		});
		connection.start();
	}

	/** Sends a request that has an answer. */
	exchange(callId: string, sequence: number, head: string, body: Uint8Array): Promise<Outcome> {
		return new Promise((resolve) => {
			const key = `${callId} ${sequence}`;
			const settle = (outcome: Outcome): void => {
				clearTimeout(timer);
				this.#waiting.delete(key);
				resolve(outcome);
			};
			const timer = setTimeout(() => settle("silent"), WAIT_MS);
			this.#waiting.set(key, settle);
			this.write(head, body);
		});
	}

	write(head: string, body: Uint8Array): void {
		this.#stream.write(head, body);
	}

	/** Fulfils when the connection is closed. */
	closed(): Promise<void> {
		return this.#closed;
	}

	destroy(): void {
		this.#stream.destroy("the flood is over");
	}

	#answer(request: SipRequest): void {
		this.requests.push(request.method);
		if (request.method !== "ACK") this.#stream.write(formatAnswer(request, "200 OK"));
	}

	#settle(response: SipResponse): void {
		this.#waiting.get(`${response.callId} ${response.cseq.number}`)?.(response);
	}
}

const OFFER = Buffer.from(
	"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=message 5060 sip/tcp *\r\n",
);
const NOTHING = new Uint8Array(0);

/** One call of one of the partner's users. */
export class FloodSession {
	readonly from: string;
	readonly #link: FloodLink;
	readonly #fqdn: string;
	readonly #callId = random.token();
	#remote: string;
	#target: string;
	#sequence = 0;

	constructor(
		link: FloodLink,
		{ fqdn, from, to }: { readonly fqdn: string; readonly from: string; readonly to: string },
	) {
		this.#link = link;
		this.#fqdn = fqdn;
		this.from = from;
		this.#remote = `<sip:${to}>`;
		this.#target = `sip:${to}`;
	}

	get link(): FloodLink {
		return this.#link;
	}

	/** Calls, with this body in place of a good offer where one is given; a call that is taken is acknowledged. */
	async call(headers = ["Content-Type: application/sdp"], body: Uint8Array = OFFER): Promise<Outcome> {
		const answer = await this.send("INVITE", headers, body);
		if (typeof answer !== "string" && answer.statusCode === 200) {
			this.#remote = headerValue(answer, HeaderId.to) ?? "";
			const contact = headerValue(answer, HeaderId.contact) ?? "";
			this.#target = contact.slice(contact.indexOf("<") + 1, contact.indexOf(">"));
		}
		if (typeof answer !== "string") this.#acknowledge(answer.statusCode);
		return answer;
	}

	send(method: string, headers: readonly string[], body: Uint8Array): Promise<Outcome> {
		this.#sequence += 1;
		const head = this.#head(method, headers, body.length);
		return this.#link.exchange(this.#callId, this.#sequence, head, body);
	}

	hangUp(): Promise<Outcome> {
		return this.send("BYE", [], NOTHING);
	}

	/** An ACK to a refusal belongs to the transaction of the INVITE: its branch and target. */
	#acknowledge(status: number): void {
		const branch = status === 200 ? `${this.#callId}ack` : undefined;
		this.#link.write(this.#head("ACK", [], 0, branch), NOTHING);
	}

	#head(
		method: string,
		headers: readonly string[],
		length: number,
		branch = `${this.#callId}${this.#sequence}`,
	): string {
		const isFirst = method === "INVITE";
		return [
			`${method} ${this.#target} SIP/2.0`,
			`Via: SIP/2.0/TLS ${this.#fqdn}:5061;branch=z9hG4bK${branch}`,
			"Max-Forwards: 70",
			`From: <sip:${this.from}>;tag=${this.#callId.slice(0, 8)}`,
			`To: ${this.#remote}`,
			`Call-ID: ${this.#callId}`,
			`CSeq: ${this.#sequence} ${method}`,
			...(isFirst
				? [
						`Contact: <sip:${this.#fqdn}:5061;transport=tls>`,
						"Ms-asserted-verification-level: ms-source-verification-level=verified",
					]
				: []),
			...headers,
			`Content-Length: ${length}`,
			"",
			"",
		].join("\r\n");
	}
}
