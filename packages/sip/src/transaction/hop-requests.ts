/** The requests that a client transaction makes by itself, for its own hop: ACK (RFC 3261 §17.1.1.3) and CANCEL (§9.1). */
import { HeaderId } from "../header/names.ts";
import { createRequest, type HeaderInput } from "../message/build.ts";
import { headerValue, headerValues } from "../message/fields.ts";
import type { SipMessage, SipRequest, SipResponse } from "../message/message.ts";
import { invariant } from "../text/assert.ts";
import { octetsToText } from "../text/octets.ts";

/** The ACK of a response of 300 and above: it stays on the hop of `invite` and takes the To tag of `response`. */
export function createFailureAck(invite: SipRequest, response: SipResponse): SipRequest {
	return createHopRequest("ACK", invite, response);
}

/** The CANCEL of `invite`. */
export function createCancel(invite: SipRequest): SipRequest {
	return createHopRequest("CANCEL", invite, invite);
}

function createHopRequest(method: "ACK" | "CANCEL", invite: SipRequest, toSource: SipMessage): SipRequest {
	const topVia = headerValues(invite, HeaderId.via)[0];
	const from = headerValue(invite, HeaderId.from);
	const to = headerValue(toSource, HeaderId.to);
	invariant(topVia !== undefined && from !== undefined && to !== undefined, "a message has Via, From and To");
	// Both rules copy Route, so that the next element takes the same way.
	const routes = headerValues(invite, HeaderId.route).map((route): HeaderInput => ["Route", route, "octets"]);
	return createRequest({
		method,
		requestUri: octetsToText(invite.requestUri.text),
		headers: [
			["Via", topVia, "octets"],
			...routes,
			["Max-Forwards", "70"],
			["From", from, "octets"],
			["To", to, "octets"],
			["Call-ID", invite.callId, "octets"],
			["CSeq", `${invite.cseq.number} ${method}`],
		],
	});
}
