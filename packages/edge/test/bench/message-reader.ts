/** The load generator's own reader of SIP: just enough, so that it shares no code with the server it measures. */

const LENGTH = "\r\nContent-Length: ";

/** Cuts a stream of octets into messages, as latin1 text. */
export class MessageReader {
	readonly #arrived: (head: string, whole: string) => void;
	readonly #pinged: () => void;
	#rest = "";

	/**
	 * `arrived` gets the start line and header of each message, without the empty line, and the whole message; `pinged` hears of
	 * each keep-alive between two messages (RFC 5626 §3.5.1), which the server's peer must answer.
	 */
	constructor(arrived: (head: string, whole: string) => void, pinged: () => void = () => {}) {
		this.#arrived = arrived;
		this.#pinged = pinged;
	}

	/** Throws where a message names no length. */
	read(chunk: Uint8Array): void {
		const text = this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
		let at = 0;
		for (;;) {
			const end = text.indexOf("\r\n\r\n", at);
			if (end < 0) break;
			if (end === at) {
				at += 4;
				this.#pinged();
				continue;
			}
			const head = text.slice(at, end);
			const after = end + 4 + bodyLength(head);
			if (after > text.length) break;
			const whole = text.slice(at, after);
			at = after;
			this.#arrived(head, whole);
		}
		this.#rest = text.slice(at);
	}
}

function bodyLength(head: string): number {
	const start = head.indexOf(LENGTH);
	const length =
		start < 0 ? Number.NaN : Number.parseInt(head.slice(start + LENGTH.length, start + LENGTH.length + 9), 10);
	if (Number.isNaN(length)) throw new Error(`a message without Content-Length:\n${head}`);
	return length;
}

/** Status code of a response; undefined for a request. */
export function statusOf(head: string): number | undefined {
	return head.startsWith("SIP/2.0 ") ? Number.parseInt(head.slice(8, 11), 10) : undefined;
}

/** Value of the first header of that name as the edge writes it; undefined where it is absent. */
export function headerOf(head: string, name: string): string | undefined {
	const start = head.indexOf(`\r\n${name}: `);
	if (start < 0) return undefined;
	const end = head.indexOf("\r\n", start + 2);
	return head.slice(start + name.length + 4, end < 0 ? undefined : end);
}
