/** The port below SIP: a duplex stream of octets between two elements. TLS sockets and memory pairs implement it. */

/** One end of a connection. */
export interface Endpoint {
	/** IPv4 or IPv6 address in text form, without brackets. */
	readonly address: string;
	readonly port: number;
}

/** Why a stream ended: who ended it, and a reason in words for the log. */
export interface CloseCause {
	readonly by: "us" | "peer" | "network";
	readonly reason: string;
}

/** What the user of a stream is told. Nothing is called after `closed`. */
export interface ByteStreamUser {
	/** Octets that arrived; the user must copy what it keeps past the call. */
	data(chunk: Uint8Array): void;
	/** Called exactly once. */
	closed(cause: CloseCause): void;
}

/** Octets that are to be sent, and where among them there is room. */
export interface Room {
	readonly octets: Uint8Array;
	readonly start: number;
}

/** A port: an ordered stream of octets in both directions, as TLS over TCP gives it. */
export interface ByteStream {
	readonly remote: Endpoint;
	readonly local: Endpoint;
	readonly isOpen: boolean;
	/** Octets accepted by `write` that have not left yet. */
	readonly queuedBytes: number;
	/** Begins delivery. Octets that arrived before are not lost. Called once. */
	start(user: ByteStreamUser): void;
	/**
	 * Takes octets to send: `head` as latin1 characters, then `body`. What is written in one turn of the event loop leaves
	 * together. Returns false, and takes nothing, when the stream is closed.
	 */
	write(head: string, body?: Uint8Array): boolean;
	/**
	 * The same for octets that the caller writes itself: as much room as it asked for, to be filled and then committed at once. Undefined
	 * when the stream is closed.
	 */
	claim(bytes: number): Room | undefined;
	/** What was claimed last is filled. */
	commit(): void;
	/** Stops delivery (back-pressure toward the peer) until `resume`. */
	pause(): void;
	resume(): void;
	/** Sends what is queued, then ends the stream. */
	close(reason: string): void;
	/** Ends the stream at once; what is queued is lost. */
	destroy(reason: string): void;
}
