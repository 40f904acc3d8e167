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
	rtfToText,
	type SipRequest,
} from "@causeway/sip";

/** Media types we take, as our SDP names them. */
export const ACCEPTED_TYPES = ["text/plain", "text/html", "application/im-iscomposing+xml"] as const;

/** An instant message's body (product contract, `[limits]`). */
export const LONGEST_MESSAGE_BYTES = 65_536;

export type Arrived =
	| { readonly kind: "text"; readonly text: string }
	| {
			readonly kind: "typing";
			readonly typing: boolean;
			readonly form: "keyboard" | "iscomposing";
			/** How long it holds, where its sender says so. */
			readonly refreshSeconds: number | undefined;
	  }
	/** Nothing that a person wrote, and nothing wrong: an empty body, a delivery report. */
	| { readonly kind: "nothing" }
	| {
			readonly kind: "refused";
			readonly status: 400 | 415 | 513;
			readonly code: string;
			/** With 415: value of Accept (RFC 3261 §21.4.13). */
			readonly accept?: string;
	  };

/** What we take in a MESSAGE, as Accept names it. */
const ACCEPT = "text/plain, text/html, text/rtf, multipart/alternative, application/im-iscomposing+xml";
/** For a text that could not be read in its form. */
const ACCEPT_PLAIN = "text/plain";

/** Reads the body of a MESSAGE or INFO. */
export function readArrived(request: SipRequest): Arrived {
	if (request.body.length === 0) return { kind: "nothing" };
	if (request.body.length > LONGEST_MESSAGE_BYTES) return { kind: "refused", status: 513, code: "message-too-large" };
	const encoding = headerValue(request, HeaderId.contentEncoding)?.toLowerCase() ?? "identity";
	// Nothing is unpacked here: what a few octets may become nobody knows.
	if (encoding !== "identity") return refused("content-encoding", ACCEPT);
	const type = contentType(request);
	if (!type.ok) return { kind: "refused", status: 400, code: type.fault.code };
	if (request.method === "INFO") return readInfo(request.body);
	return readBody(type.value, request.body);
}

/** The type of a body that {@link readPlain} reads; undefined where the body is not, or not only, plain text. */
export function plainType(request: SipRequest): { readonly type: MediaType | undefined } | undefined {
	const type = contentType(request);
	return type.ok && textForm(type.value) === "plain" ? { type: type.value } : undefined;
}

/** A text of such a type as {@link readArrived} reads it; undefined where that says anything but a text. */
export function readPlain(type: MediaType | undefined, body: Uint8Array): string | undefined {
	if (body.length === 0 || body.length > LONGEST_MESSAGE_BYTES) return undefined;
	const read = readText("plain", type, body);
	return read.kind === "text" ? read.text : undefined;
}

/** Unknown INFO is ignored with 200 (protocol sheet 2.7). */
function readInfo(body: Uint8Array): Arrived {
	const activity = parseKeyboardActivity(body);
	return activity.ok
		? {
				kind: "typing",
				typing: activity.value.state === "active",
				form: "keyboard",
				refreshSeconds: activity.value.refreshSeconds,
			}
		: { kind: "nothing" };
}

type TextForm = "plain" | "html" | "rtf";
/** In the order in which we prefer them: the fewer conversions the better. */
const TEXT_FORMS: readonly TextForm[] = ["plain", "html", "rtf"];

/** Which form of text a media type is; a body without a type is plain (RFC 3428 §4). */
function textForm(type: MediaType | undefined): TextForm | undefined {
	if (type === undefined || matchMediaType(type, "text", "plain")) return "plain";
	if (matchMediaType(type, "text", "html")) return "html";
	return matchMediaType(type, "text", "rtf") || matchMediaType(type, "application", "rtf") ? "rtf" : undefined;
}

function readBody(type: MediaType | undefined, body: Uint8Array): Arrived {
	const form = textForm(type);
	if (form !== undefined) return readText(form, type, body);
	if (type === undefined) return refused("content-type", ACCEPT);
	if (matchMediaType(type, "application", "im-iscomposing+xml")) {
		const composing = parseIsComposing(body);
		if (!composing.ok) return { kind: "refused", status: 400, code: composing.fault.code };
		const { state, refreshSeconds } = composing.value;
		return { kind: "typing", typing: state === "active", form: "iscomposing", refreshSeconds };
	}
	if (matchMediaType(type, "application", "ms-imdn+xml")) return { kind: "nothing" };
	return type.type.toLowerCase() === "multipart" ? readParts(type, body) : refused("content-type", ACCEPT);
}

/** The plain part, else the one that takes the least to become plain; a blank one only where there is no other. */
function readParts(type: MediaType, body: Uint8Array): Arrived {
	let second: Arrived | undefined;
	for (const form of TEXT_FORMS) {
		const part = findBodyPart(type, body, (media) => textForm(media) === form);
		if (!part.ok || part.value === undefined) continue;
		const read = readText(form, part.value.contentType, part.value.body);
		if (read.kind === "text" && read.text.trim() !== "") return read;
		second ??= read;
	}
	return second ?? refused("content-type", ACCEPT);
}

function readText(form: TextForm, type: MediaType | undefined, body: Uint8Array): Arrived {
	// RTF names its code page itself.
	const text = form === "rtf" ? rtfToText(body) : decodeTextBody(type, body);
	if (!text.ok) return refused(text.fault.code, ACCEPT_PLAIN);
	if (text.value === "" && form === "plain") return { kind: "nothing" };
	const shown = withoutControls(form === "html" ? htmlToText(text.value) : text.value);
	if (form === "plain" && shown !== "") return { kind: "text", text: shown };
	// Promise 1: markup without a word, a picture say, is not thrown away with a 200; its sender learns that it was not read.
	return shown.trim() === "" ? refused("no-text", ACCEPT_PLAIN) : { kind: "text", text: shown };
}

/** Control characters say nothing to a person and much to a terminal; tabs and line ends stay. */
function withoutControls(text: string): string {
	return text.replaceAll(/[^\P{Cc}\t\n\r]/gu, "");
}

function refused(code: string, accept: string): Arrived {
	return { kind: "refused", status: 415, code, accept };
}
