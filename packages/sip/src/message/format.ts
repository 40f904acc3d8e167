/** From a message back to octets. */
import type { SipMessage } from "./message.ts";
import type { MessagePlace } from "./octet-frame.ts";

/** Head and body as they go on the wire; memory of their own only where they are long. */
export function formatMessage(message: SipMessage): Uint8Array {
	const { text } = message.head;
	const octets = Buffer.allocUnsafe(text.length + message.body.length);
	octets.write(text, 0, "latin1");
	if (message.body.length > 0) octets.set(message.body, text.length);
	return octets;
}

/** The same, and where in these octets its parts stand. */
export function placeOf(message: SipMessage): MessagePlace {
	const octets = formatMessage(message);
	return { octets, start: 0, headEnd: message.head.text.length, end: octets.length };
}
