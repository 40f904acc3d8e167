/**
 * SIP messages (RFC 3261 §7). A message keeps its head as it came, one latin1 string (one character an octet), with an
 * index of the header fields beside it: what nobody touches leaves byte for byte as it arrived. The fields that every
 * element needs are decoded once, so a message that lacks them cannot exist.
 */
import type { CSeq } from "../header/cseq.ts";
import type { NameAddr } from "../header/name-addr.ts";
import type { Via } from "../header/via.ts";
import type { Uri } from "../uri/uri.ts";

/** Numbers that one header field takes in {@link MessageHead.fields}. */
export const FIELD_STRIDE = 4;

/**
 * The head of a message: start line, header fields, empty line.
 *
 * `fields` holds {@link FIELD_STRIDE} whole numbers for each header field, in the order of the message: header id
 * (`header/names.ts`, 0 for a name that is not in the table), offset of the first octet of the name, offset of the first
 * octet of the value (white space skipped), offset behind the last octet of the value (trailing white space left out; a
 * folded value keeps its folds inside). One more number follows: the offset of the empty line, where the last field ends.
 */
export interface MessageHead {
	/** Octets of the head as latin1 characters, up to and including the empty line. */
	readonly text: string;
	readonly fields: readonly number[];
}

interface MessageParts {
	readonly head: MessageHead;
	/** Exactly Content-Length octets. */
	readonly body: Uint8Array;
	/** The first Via value. */
	readonly topVia: Via;
	readonly from: NameAddr;
	readonly to: NameAddr;
	readonly callId: string;
	readonly cseq: CSeq;
}

/** A request: RFC 3261 §7.1. */
export interface SipRequest extends MessageParts {
	readonly kind: "request";
	/** As written; methods are case-sensitive. */
	readonly method: string;
	readonly requestUri: Uri;
	/** Undefined where the field is absent. */
	readonly maxForwards: number | undefined;
}

/** A response: RFC 3261 §7.2. */
export interface SipResponse extends MessageParts {
	readonly kind: "response";
	/** 100 to 699. */
	readonly statusCode: number;
	/** Octets as latin1 characters; may be empty. */
	readonly reasonPhrase: string;
}

/** A request or a response (RFC 3261 §7); `kind` tells which. */
export type SipMessage = SipRequest | SipResponse;
