/** From a message back to octets. */
import type { SipMessage } from "./message.ts";

/** Head and body as they go on the wire; memory of their own only where they are long. */
export function formatMessage(message: SipMessage): Uint8Array {
	const { text } = message.head;
	const octets = Buffer.allocUnsafe(text.length + message.body.length);
	octets.write(text, 0, "latin1");
	if (message.body.length > 0) octets.set(message.body, text.length);
	return octets;
}
