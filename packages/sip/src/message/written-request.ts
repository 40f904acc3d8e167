/** A request of ours as octets: written from parts that were read before, and not read again. */
import type { MessageHead } from "./message.ts";

/** What is sent, and what its transaction needs to know of it (RFC 3261 §17.1.2). */
export interface WrittenRequest {
	readonly method: string;
	/** Of the Via on top. */
	readonly branch: string;
	/** Value of that Via. */
	readonly via: string;
	/** Where From, To, Call-ID and CSeq stand in the head, one behind the other: what an answer repeats. */
	readonly echo: { readonly start: number; readonly end: number };
	readonly head: Pick<MessageHead, "text">;
	readonly body: Uint8Array;
}
