/** The offer of an INVITE, out of its body (protocol sheet 3.5, rows 4 to 6). */
import { contentType, findBodyPart, matchMediaType, parseSdp, type Sdp, type SipRequest } from "@causeway/sip";

/** Our answer repeats every line of an offer, and must itself stay within the bounds of a description. */
export const LONGEST_OFFER_BYTES = 32_768;

/** Undefined where there is none that can be read. */
export function readOffer(request: Pick<SipRequest, "head" | "body">): Sdp | undefined | "wrong-type" {
	if (request.body.length === 0) return undefined;
	const type = contentType(request.head);
	if (!type.ok || type.value === undefined) return "wrong-type";
	let { body }: { body: Uint8Array | undefined } = request;
	if (type.value.type.toLowerCase() === "multipart") {
		const part = findBodyPart(type.value, body, (media) => matchMediaType(media, "application", "sdp"));
		body = part.ok ? part.value?.body : undefined;
	} else if (!matchMediaType(type.value, "application", "sdp")) {
		return "wrong-type";
	}
	if (body === undefined) return "wrong-type";
	if (body.length > LONGEST_OFFER_BYTES) return undefined;
	const offer = parseSdp(body);
	return offer.ok ? offer.value : undefined;
}
