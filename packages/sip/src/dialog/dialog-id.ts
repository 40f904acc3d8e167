/** What names a dialog: RFC 3261 §12. A record, never a joined string: tags and Call-IDs may hold any separator. */
import type { SipRequest, SipResponse } from "../message/message.ts";

/** What names a dialog on one side (RFC 3261 §12): all three parts count, by octets. */
export interface DialogId {
	readonly callId: string;
	readonly localTag: string;
	/** The empty string is the null tag of an element of RFC 2543 (RFC 3261 §12.1.2). */
	readonly remoteTag: string;
}

/** Call-ID and tags are compared octet by octet: RFC 3261 §20.8, §19.3. */
export function equalDialogIds(left: DialogId, right: DialogId): boolean {
	return left.callId === right.callId && left.localTag === right.localTag && left.remoteTag === right.remoteTag;
}

/** The dialog a request that arrived speaks of (RFC 3261 §12); undefined where its To has no tag, that is outside dialogs. */
export function requestDialogId(request: SipRequest): DialogId | undefined {
	if (request.to.tag === undefined) return undefined;
	return { callId: request.callId, localTag: request.to.tag, remoteTag: request.from.tag ?? "" };
}

/** The dialog that a response to our request makes or belongs to. */
export function responseDialogId(response: SipResponse): DialogId {
	return { callId: response.callId, localTag: response.from.tag ?? "", remoteTag: response.to.tag ?? "" };
}
