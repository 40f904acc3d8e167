/** From a message back to octets. */
import type { SipMessage } from "./message.ts";

/** Head and body as they go on the wire. */
export function formatMessage(message: SipMessage): Uint8Array {
	const { head, body } = message;
	const octets = new Uint8Array(head.text.length + body.length);
	for (let index = 0; index < head.text.length; index++) octets[index] = head.text.charCodeAt(index);
	octets.set(body, head.text.length);
	return octets;
}
