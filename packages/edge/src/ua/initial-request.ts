/** Requests of ours that open a dialog: INVITE and SUBSCRIBE (RFC 3261 §8.1.1). */
import { createRequest, formatNameAddr, type HeaderInput, type SipRequest } from "@causeway/sip";
import { aorUri } from "./local-identity.ts";

/** What stays the same over every attempt of one dialog-to-be (§8.1.3.5). */
export interface CallIdentity {
	readonly callId: string;
	readonly fromTag: string;
}

export interface InitialRequestParts {
	readonly method: "INVITE" | "SUBSCRIBE";
	readonly via: string;
	/** `user@domain` of our user, and the name shown with it. */
	readonly from: string;
	readonly displayName: string | undefined;
	readonly to: string;
	readonly call: CallIdentity;
	/** Value of our Contact, signed for this dialog. */
	readonly contact: string;
	readonly cseqNumber: number;
	readonly headers: readonly HeaderInput[];
	readonly body?: Uint8Array;
}

/** From and To carry addresses of record and nothing else (REQ-70); Contact names the edge and holds the route token. */
export function createInitialRequest(parts: InitialRequestParts): SipRequest {
	const target = aorUri(parts.to);
	return createRequest({
		method: parts.method,
		requestUri: target,
		headers: [
			["Via", parts.via],
			["Max-Forwards", "70"],
			["From", formatNameAddr({ displayName: parts.displayName, uri: aorUri(parts.from), tag: parts.call.fromTag })],
			["To", formatNameAddr({ uri: target })],
			["Call-ID", parts.call.callId],
			["CSeq", `${parts.cseqNumber} ${parts.method}`],
			["Contact", parts.contact],
			...parts.headers,
		],
		...(parts.body === undefined ? {} : { body: parts.body }),
	});
}
