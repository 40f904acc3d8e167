/** Asks the other end of a connection for its capabilities (RFC 3261 §11), and reads what the answer tells about it. */
import {
	type ByteStream,
	type Clock,
	type CloseCause,
	createRequest,
	DEFAULT_ARRIVAL_TIMES,
	DEFAULT_FRAMER_LIMITS,
	headerValuesByName,
	type Random,
	SipConnection,
	type SipResponse,
} from "@causeway/sip";

export interface OptionsProbeInput {
	readonly stream: ByteStream;
	readonly clock: Clock;
	readonly random: Random;
	/** Our FQDN and the port of our listener, for Via. */
	readonly fqdn: string;
	readonly port: number;
	readonly timeoutMs: number;
}

export type ProbeOutcome =
	| {
			readonly kind: "answered";
			readonly status: number;
			readonly reasonPhrase: string;
			readonly response: SipResponse;
	  }
	/** The connection ended before an answer came: in TLS 1.3 the refusal of our certificate arrives so. */
	| { readonly kind: "closed"; readonly reason: string }
	| { readonly kind: "silent" };

/** One connection that is asked several times, one question after the other. */
export class OptionsProbe {
	readonly #input: OptionsProbeInput;
	readonly #connection: SipConnection;
	#waiting: { readonly callId: string; readonly settle: (outcome: ProbeOutcome) => void } | undefined;
	#ended: CloseCause | undefined;

	constructor(input: OptionsProbeInput) {
		this.#input = input;
		this.#connection = new SipConnection({
			id: 1,
			direction: "outbound",
			stream: input.stream,
			clock: input.clock,
			random: input.random,
			limits: DEFAULT_FRAMER_LIMITS,
			times: DEFAULT_ARRIVAL_TIMES,
			user: {
				received: (_connection, message) => {
					if (message.kind !== "response" || message.statusCode < 200) return;
					if (message.callId !== this.#waiting?.callId) return;
					const { statusCode: status, reasonPhrase } = message;
					this.#settle({ kind: "answered", status, reasonPhrase, response: message });
				},
				closed: (_connection, cause) => {
					this.#ended = cause;
					this.#settle({ kind: "closed", reason: cause.reason });
				},
			},
		});
		this.#connection.start();
	}

	/** `from` and `to` are `sip:` URIs without brackets. Never rejects. */
	ask(from: string, to: string): Promise<ProbeOutcome> {
		const { clock, random, fqdn, port, timeoutMs } = this.#input;
		if (this.#ended !== undefined) return Promise.resolve({ kind: "closed", reason: this.#ended.reason });
		const callId = `${random.token()}@${fqdn}`;
		const request = createRequest({
			method: "OPTIONS",
			requestUri: to,
			headers: [
				["Via", `SIP/2.0/TLS ${fqdn}:${port};branch=z9hG4bK${random.token()};alias`],
				["Max-Forwards", "70"],
				["From", `<${from}>;tag=${random.token()}`],
				["To", `<${to}>`],
				["Call-ID", callId],
				["CSeq", "1 OPTIONS"],
				["Accept", "application/sdp"],
			],
		});
		return new Promise((resolve) => {
			const timer = clock.setTimer(timeoutMs, () => this.#settle({ kind: "silent" }));
			this.#waiting = {
				callId,
				settle: (outcome) => {
					timer.stop();
					resolve(outcome);
				},
			};
			this.#connection.send(request);
		});
	}

	close(): void {
		this.#connection.close("the check is done");
	}

	#settle(outcome: ProbeOutcome): void {
		const waiting = this.#waiting;
		this.#waiting = undefined;
		waiting?.settle(outcome);
	}
}

/** The other side's clock by its answer (RFC 3261 §20.17), in milliseconds since 1970; undefined where it does not say. */
export function answeredAt(response: SipResponse): number | undefined {
	const [text] = headerValuesByName(response, "Date");
	const time = text === undefined ? Number.NaN : Date.parse(text);
	return Number.isNaN(time) ? undefined : time;
}
