/** What left as octets, as whoever gets it reads it. */
import { indexHead } from "../message/head-index.ts";
import { DEFAULT_HEAD_LIMITS } from "../message/limits.ts";
import type { SipMessage } from "../message/message.ts";
import { parseMessage } from "../message/parse.ts";
import { invariant } from "../text/assert.ts";
import type { MessageOctets } from "../transport/connection.ts";

/** The message itself where it was read before it left. */
export function readSent(message: MessageOctets | SipMessage): SipMessage {
	if ("kind" in message) return message;
	const octets = Buffer.from(message.head.text, "latin1");
	const indexed = indexHead(octets, 0, octets.length, DEFAULT_HEAD_LIMITS);
	invariant(indexed.ok, "what we write is a head");
	const outcome = parseMessage({ head: indexed.head, body: message.body });
	invariant(outcome.ok, "what we write is a message");
	return outcome.message;
}
