/** From a message back to octets. */
import type { SipMessage } from "./message.ts";

/** Head and body as they go on the wire. */
export function formatMessage(message: SipMessage): Uint8Array {
	const { text } = message.head;
	const octets = new Uint8Array(text.length + message.body.length);
	Buffer.prototype.latin1Write.call(octets, text, 0, text.length);
	octets.set(message.body, text.length);
	return octets;
}
