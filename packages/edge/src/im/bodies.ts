/** What may stand in a MESSAGE, and how its text comes out of it (protocol sheet 3.6). */
import {
	contentType,
	decodeTextBody,
	findBodyPart,
	HeaderId,
	headerValue,
	htmlToText,
	type MediaType,
	matchMediaType,
	parseIsComposing,
	parseKeyboardActivity,
	type SipRequest,
} from "@causeway/sip";

/** Media types we take, as our SDP names them. */
export const ACCEPTED_TYPES = ["text/plain", "text/html", "application/im-iscomposing+xml"] as const;

/** An instant message's body (product contract, `[limits]`). */
export const LONGEST_MESSAGE_BYTES = 65_536;

export type Arrived =
	| { readonly kind: "text"; readonly text: string }
	| { readonly kind: "typing"; readonly typing: boolean; readonly form: "keyboard" | "iscomposing" }
	/** Nothing that a person wrote, and nothing wrong: an empty body, a delivery report. */
	| { readonly kind: "nothing" }
	| { readonly kind: "refused"; readonly status: 400 | 413 | 415 | 513; readonly code: string };

/** Reads the body of a MESSAGE or INFO. */
export function readArrived(request: SipRequest): Arrived {
	if (request.body.length === 0) return { kind: "nothing" };
	if (request.body.length > LONGEST_MESSAGE_BYTES) return { kind: "refused", status: 513, code: "message-too-large" };
	const encoding = headerValue(request, HeaderId.contentEncoding)?.toLowerCase() ?? "identity";
	// Nothing is unpacked here: what a few octets may become nobody knows.
	if (encoding !== "identity") return { kind: "refused", status: 415, code: "content-encoding" };
	const type = contentType(request);
	if (!type.ok) return { kind: "refused", status: 400, code: type.fault.code };
	if (request.method === "INFO") return readInfo(request.body);
	return readBody(type.value, request.body);
}

/** Unknown INFO is ignored with 200 (protocol sheet 2.7). */
function readInfo(body: Uint8Array): Arrived {
	const activity = parseKeyboardActivity(body);
	return activity.ok
		? { kind: "typing", typing: activity.value.state === "active", form: "keyboard" }
		: { kind: "nothing" };
}

function readBody(type: MediaType | undefined, body: Uint8Array): Arrived {
	if (type === undefined || matchMediaType(type, "text", "plain")) return decoded(type, body, false);
	if (matchMediaType(type, "text", "html")) return decoded(type, body, true);
	if (matchMediaType(type, "application", "im-iscomposing+xml")) {
		const composing = parseIsComposing(body);
		if (!composing.ok) return { kind: "refused", status: 400, code: composing.fault.code };
		return { kind: "typing", typing: composing.value.state === "active", form: "iscomposing" };
	}
	if (matchMediaType(type, "application", "ms-imdn+xml")) return { kind: "nothing" };
	if (type.type.toLowerCase() === "multipart") {
		let blank: Arrived | undefined;
		for (const wanted of ["plain", "html"] as const) {
			const part = findBodyPart(type, body, (media) => matchMediaType(media, "text", wanted));
			if (!part.ok || part.value === undefined) continue;
			const read = decoded(part.value.contentType, part.value.body, wanted === "html");
			if (read.kind === "text" && read.text.trim() !== "") return read;
			blank ??= read;
		}
		if (blank !== undefined) return blank;
	}
	return { kind: "refused", status: 415, code: "content-type" };
}

function decoded(type: MediaType | undefined, body: Uint8Array, isHtml: boolean): Arrived {
	const text = decodeTextBody(type, body);
	if (!text.ok) return { kind: "refused", status: 415, code: text.fault.code };
	if (!isHtml) return text.value === "" ? { kind: "nothing" } : { kind: "text", text: text.value };
	const shown = htmlToText(text.value);
	// Promise 1: markup without a word, a picture say, is not thrown away with a 200; its sender learns that it was not read.
	return shown.trim() === "" ? { kind: "refused", status: 415, code: "no-text" } : { kind: "text", text: shown };
}
