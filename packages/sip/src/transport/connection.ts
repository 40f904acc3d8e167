/** A connection as transactions, dialogs and proxies see it: whole messages in both directions (RFC 3261 §18). */
import type { HeadSplices } from "../message/head-splices.ts";
import type { MessageHead, SipMessage } from "../message/message.ts";
import type { MessagePlace, OctetFrame } from "../message/octet-frame.ts";
import type { CloseCause, Endpoint } from "./byte-stream.ts";

/** The octets of a message, whether anybody has read them or not; a {@link SipMessage} is one. */
export interface MessageOctets {
	readonly head: Pick<MessageHead, "text">;
	readonly body: Uint8Array;
}

/** A port: where whole messages are sent; what transactions and dialogs know of a transport. */
export interface Connection {
	/** Unique in the process, never used again. */
	readonly id: number;
	/** Who opened it: `inbound` when the peer did. */
	readonly direction: "inbound" | "outbound";
	readonly remote: Endpoint;
	readonly local: Endpoint;
	readonly isOpen: boolean;
	/** Queues a whole message. Returns false, and sends nothing, when the connection is closed. */
	send(message: MessageOctets): boolean;
	/** Queues a message as it stands there, but for some pieces of its head. Returns as {@link Connection.send}. */
	sendSpliced(message: MessagePlace, splices: HeadSplices): boolean;
	/** Reads nothing more for so long: back-pressure toward a peer that sends too much. The longest of several counts. */
	delayReading(ms: number): void;
	/** Sends what is queued, then closes. */
	close(reason: string): void;
}

/** What happens on a connection, told to whoever owns it. */
export interface ConnectionUser {
	/**
	 * A whole message whose head is indexed and nothing decoded; valid within the call. True where the user has dealt with it and `received` is not to be called: a
	 * proxy need not read what it sends on as it came. Absent where every message is read.
	 */
	framed?(connection: Connection, frame: OctetFrame): boolean;
	received(connection: Connection, message: SipMessage): void;
	/** Called exactly once, after the last `received`. */
	closed(connection: Connection, cause: CloseCause): void;
}
