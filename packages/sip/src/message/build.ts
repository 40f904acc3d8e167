/** New messages: requests of ours, and responses made from requests (RFC 3261 §8.1.1, §8.2.6). */
import type { Fault } from "../fault.ts";
import { type NameAddr, parseNameAddr } from "../header/name-addr.ts";
import { findHeaderId, HeaderId } from "../header/names.ts";
import { invariant } from "../text/assert.ts";
import { isToken } from "../text/char-class.ts";
import { utf8ToOctets } from "../text/octets.ts";
import { hasHeader, headerValue } from "./fields.ts";
import {
	beginHead,
	copyFields,
	endHead,
	type HeadDraft,
	type HeaderInput,
	writeField,
	writeInput,
} from "./head-writer.ts";
import type { MessageHead, SipRequest, SipResponse } from "./message.ts";
import { methodOf, parseMessage } from "./parse.ts";
import { reasonPhrase } from "./reason-phrase.ts";

export type { HeaderInput } from "./head-writer.ts";

const noBody = new Uint8Array(0);

/** What a request of ours is made of (RFC 3261 §8.1.1). */
export interface RequestParts {
	readonly method: string;
	/** The Request-URI as text. */
	readonly requestUri: string;
	/** In the order in which they are written; Via, From, To, Call-ID and CSeq among them. Max-Forwards is 70 where absent. */
	readonly headers: readonly HeaderInput[];
	/** Needs a Content-Type among the headers. */
	readonly body?: Uint8Array;
}

/** A request of ours (RFC 3261 §8.1.1). Throws where it would not be well formed: that is our own mistake. */
export function createRequest(parts: RequestParts): SipRequest {
	const { method, requestUri, headers, body = noBody } = parts;
	invariant(isToken(method), "the method of a request to write is no token");
	const draft = beginHead(`${method} ${utf8ToOctets(requestUri)} SIP/2.0`);
	let hasMaxForwards = false;
	for (const header of headers) {
		if (findHeaderId(header[0], 0, header[0].length) === HeaderId.maxForwards) hasMaxForwards = true;
		writeInput(draft, header);
	}
	if (!hasMaxForwards) writeField(draft, HeaderId.maxForwards, "70");
	const outcome = parseMessage({ head: endWithBody(draft, body), body });
	invariant(outcome.ok, `a request to write is malformed: ${outcome.ok ? "" : outcome.fault.detail}`);
	invariant(outcome.message.kind === "request", "a request to write reads as a response");
	return outcome.message;
}

/** What a response carries beside what it copies from its request (RFC 3261 §8.2.6). */
export interface ResponseParts {
	/** Unicode; the usual words where absent. */
	readonly reasonPhrase?: string;
	/** Put on To where the request has no tag there; required then for every status but 100 (RFC 3261 §8.2.6.2). */
	readonly toTag?: string;
	/** Behind the copied headers, before Content-Type. */
	readonly headers?: readonly HeaderInput[];
	/** Copy Record-Route, as answers that create a dialog do (§12.1.1). */
	readonly recordRoute?: boolean;
	readonly contentType?: string;
	readonly body?: Uint8Array;
}

/** A response: Via, From, To, Call-ID and CSeq byte for byte those of the request, folds undone (RFC 3261 §8.2.6.2). */
export function createResponse(request: SipRequest, statusCode: number, parts: ResponseParts = {}): SipResponse {
	const { headers = [], toTag, body = noBody } = parts;
	const { head } = request;
	const phrase = utf8ToOctets(parts.reasonPhrase ?? reasonPhrase(statusCode));
	const draft = beginStatusLine(statusCode, phrase);
	copyFields(draft, head, HeaderId.via);
	copyFields(draft, head, HeaderId.from);
	const to = writeTo(draft, request, toTag);
	copyFields(draft, head, HeaderId.callId);
	copyFields(draft, head, HeaderId.cseq);
	// RFC 3261 §8.2.6.1: a 100 carries the Timestamp of its request.
	if (statusCode === 100) copyFields(draft, head, HeaderId.timestamp);
	if (parts.recordRoute === true) copyFields(draft, head, HeaderId.recordRoute);
	for (const header of headers) {
		const id = findHeaderId(header[0], 0, header[0].length);
		invariant(!isCopied(id), "a header that is copied from the request is given again");
		writeInput(draft, header);
	}
	if (parts.contentType !== undefined) writeField(draft, HeaderId.contentType, utf8ToOctets(parts.contentType));
	const { topVia, from, callId, cseq } = request;
	return {
		kind: "response",
		head: endWithBody(draft, body),
		body,
		topVia,
		from,
		to,
		callId,
		cseq,
		statusCode,
		reasonPhrase: phrase,
	};
}

/**
 * The head of a stateless answer to a request that could not be read: what of Via, From, To, Call-ID and CSeq is there is
 * copied. Undefined where no answer may be sent: no Via, an ACK, a response. `toTag` completes a To without tag.
 */
export function createErrorResponse(head: MessageHead, fault: Fault, toTag: string): MessageHead | undefined {
	const method = methodOf(head);
	if (method === undefined || method === "ACK" || !hasHeader(head, HeaderId.via)) return undefined;
	// RFC 3261 §21.4.1: the reason phrase of a 400 says what is wrong. Details never hold octets of the peer.
	const draft = beginStatusLine(fault.status, fault.status === 400 ? fault.detail : reasonPhrase(fault.status));
	copyFields(draft, head, HeaderId.via);
	writeFirst(draft, head, HeaderId.from);
	const to = headerValue(head, HeaderId.to);
	if (to !== undefined) {
		const parsed = parseNameAddr(to, 0, to.length);
		writeField(draft, HeaderId.to, parsed.ok && parsed.value.tag === undefined ? `${to};tag=${toTag}` : to);
	}
	writeFirst(draft, head, HeaderId.callId);
	writeFirst(draft, head, HeaderId.cseq);
	return endHead(draft, 0);
}

function beginStatusLine(statusCode: number, phrase: string): HeadDraft {
	invariant(Number.isInteger(statusCode) && statusCode >= 100 && statusCode <= 699, "a status code is out of range");
	return beginHead(`SIP/2.0 ${statusCode} ${phrase}`);
}

function writeTo(draft: HeadDraft, request: SipRequest, toTag: string | undefined): NameAddr {
	const { head, to } = request;
	if (to.tag !== undefined || toTag === undefined) {
		copyFields(draft, head, HeaderId.to);
		return to;
	}
	invariant(isToken(toTag), "a tag to write is no token");
	writeField(draft, HeaderId.to, `${headerValue(head, HeaderId.to) ?? ""};tag=${toTag}`);
	return { ...to, params: `${to.params};tag=${toTag}`, tag: toTag };
}

function writeFirst(draft: HeadDraft, head: MessageHead, id: HeaderId): void {
	const value = headerValue(head, id);
	if (value !== undefined) writeField(draft, id, value);
}

function isCopied(id: HeaderId): boolean {
	return (
		id === HeaderId.via || id === HeaderId.from || id === HeaderId.to || id === HeaderId.callId || id === HeaderId.cseq
	);
}

function endWithBody(draft: HeadDraft, body: Uint8Array): MessageHead {
	const head = endHead(draft, body.length);
	invariant(body.length === 0 || hasHeader(head, HeaderId.contentType), "a body to write has no Content-Type");
	return head;
}
