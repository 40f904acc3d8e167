/** Matching messages to transactions: RFC 3261 §17.1.3 (responses) and §17.2.3 (requests). */
import type { Via } from "../header/via.ts";
import type { SipRequest, SipResponse } from "../message/message.ts";
import { invariant } from "../text/assert.ts";

/** What begins every branch of RFC 3261 (§8.1.1.7). */
export const MAGIC_COOKIE = "z9hG4bK";

/**
 * Stands between the parts of a key: no part can hold it, because a line of a head ends in CRLF and a folded value begins
 * its next line with white space.
 */
const SEPARATOR = "\r\n\r\n";

/** The key of the client transaction that `message` (the request sent, or a response to it) belongs to (§17.1.3). */
export function clientTransactionKey(message: SipRequest | SipResponse): string | undefined {
	const { branch } = message.topVia;
	if (branch === undefined) return undefined;
	// A CANCEL has the branch of its INVITE (§9.1). Every other request has a branch of its own, which is then the key as it
	// stands; that the methods agree is checked by whoever finds the transaction.
	return message.cseq.method === "CANCEL" ? `CANCEL${SEPARATOR}${branch}` : branch;
}

/**
 * The key of the server transaction that `request` belongs to (§17.2.3), within its connection. An ACK has the key of its
 * INVITE.
 */
export function serverTransactionKey(request: SipRequest): string {
	return requestKey(request, request.method === "ACK" ? "INVITE" : request.method);
}

/** The key of the INVITE server transaction that an ACK with this Via on top would belong to; its branch begins with the cookie. */
export function ackKey(topVia: Via): string {
	return branchKey("INVITE", topVia);
}

/** The key of the INVITE server transaction that `cancel` wants to end (§9.2). */
export function cancelledTransactionKey(cancel: SipRequest): string {
	return requestKey(cancel, "INVITE");
}

/**
 * The key under which a request that arrives twice over different ways is found (§8.2.2.2); undefined for a request inside a
 * dialog or without a From tag. The Request-URI is part of it: a request that comes back with another one is a spiral, which
 * §16.3 step 4 allows.
 */
export function mergeKey(request: SipRequest): string | undefined {
	const { from, to, cseq } = request;
	if (to.tag !== undefined || from.tag === undefined) return undefined;
	return mergeKeyOf(from.tag, request.callId, cseq.number, request.method, request.requestUri.text);
}

/** The same from its parts. */
export function mergeKeyOf(fromTag: string, callId: string, cseqNumber: number, method: string, uri: string): string {
	return `${fromTag}${SEPARATOR}${callId}${SEPARATOR}${cseqNumber} ${method}${SEPARATOR}${uri}`;
}

/** True where the To tag of `ack` is the one of the response it acknowledges; asked only of the keys of RFC 2543 (§17.2.3). */
export function acknowledges(ack: SipRequest, response: SipResponse): boolean {
	return hasOwnBranch(ack.topVia) || ack.to.tag === response.to.tag;
}

function requestKey(request: SipRequest, method: string): string {
	const { topVia } = request;
	if (hasOwnBranch(topVia)) return branchKey(method, topVia);
	// RFC 3261 §17.2.3, for elements of RFC 2543: the To tag takes no part for INVITE, because its ACK has the tag of the
	// response, and a CANCEL is looked up by the same key.
	const toTag = method === "INVITE" ? undefined : request.to.tag;
	const parts = [
		method,
		sentByText(topVia),
		topVia.transport,
		topVia.params,
		request.requestUri.text,
		request.callId,
		String(request.cseq.number),
		tagText(request.from.tag),
		tagText(toTag),
	];
	// One separator more than a key by branch begins with: the two kinds never meet.
	return `${SEPARATOR}${parts.join(SEPARATOR)}`;
}

/** The key of a request whose branch begins with the cookie. */
export function branchKey(method: string, topVia: Via): string {
	return `${method}${SEPARATOR}${sentByText(topVia)}${SEPARATOR}${topVia.branch ?? ""}`;
}

function sentByText({ host, port }: Via): string {
	return `${host}:${port ?? ""}`;
}

/** True for a branch that its element promises to be unique. */
export function hasOwnBranch(via: Via): boolean {
	const { branch } = via;
	return branch !== undefined && isOwnBranch(branch);
}

/** A cookie with nothing behind it names no transaction (RFC 4475 §3.2.1). */
export function isOwnBranch(branch: string): boolean {
	return branch.length > MAGIC_COOKIE.length && branch.startsWith(MAGIC_COOKIE);
}

/** An absent tag differs from an empty one. */
function tagText(tag: string | undefined): string {
	return tag === undefined ? "" : `=${tag}`;
}

/** The branch of a request of ours, which must have one. */
export function ownBranch(request: SipRequest): string {
	const { branch } = request.topVia;
	invariant(
		branch !== undefined && hasOwnBranch(request.topVia),
		"our requests carry a Via with a branch of ours on top",
	);
	return branch;
}
