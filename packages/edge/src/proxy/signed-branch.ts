/** The branch of the Via we put on a relayed request (protocol sheet 4.5): signed, and telling a loop from a spiral. */
import { isSipUri, type SipRequest, type Uri } from "@causeway/sip";
import type { BranchFields } from "../federation/signature/branch-signature.ts";
import { type OwnIdentity, sentBy } from "./own-identity.ts";

/** `viaBelow`: the Via values below ours, joined with commas. */
export function branchFields(request: SipRequest, identity: OwnIdentity, viaBelow: string): BranchFields {
	return {
		sentBy: sentBy(identity),
		callId: request.callId,
		cseqNumber: request.cseq.number,
		cseqMethod: request.cseq.method,
		fromAor: aorOf(request.from.uri),
		fromTag: request.from.tag ?? "",
		viaBelow,
	};
}

/** All that decides where a request goes: one that comes back with another Request-URI was sent on to somebody else (RFC 3261 §16.3). */
export function routingKey({ requestUri, to }: SipRequest): string {
	return to.tag === undefined ? requestUri.text : `${requestUri.text} ${to.tag}`;
}

function aorOf(uri: Uri): string {
	return isSipUri(uri) ? `${uri.user ?? ""}@${uri.host}` : uri.text;
}
