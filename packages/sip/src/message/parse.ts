/** From a frame to a typed message: start line, the mandatory header fields, and nothing that can wait (RFC 3261 §7, §8.1.1). */
import { type Fault, type Result, refusal, success } from "../fault.ts";
import { readCSeq } from "../header/cseq.ts";
import { methodIn } from "../header/methods.ts";
import { type NameAddr, readNameAddr } from "../header/name-addr.ts";
import { HeaderId, headerName } from "../header/names.ts";
import { readMaxForwards } from "../header/number.ts";
import { readVia, type Via } from "../header/via.ts";
import { matchesIgnoreCase } from "../text/ascii.ts";
import { CharClass, skipClass, skipOctets } from "../text/char-class.ts";
import { octetsOf, octetsOfHead } from "../text/octet-view.ts";
import { outcomeOf, refuse, refused } from "../text/refuse.ts";
import { parseDecimal, skipListItem, trimLwsEnd } from "../text/scan.ts";
import { readUri } from "../uri/parse-uri.ts";
import { isSipUri, type Uri } from "../uri/uri.ts";
import { doubledField, firstField, placeFields } from "./field-places.ts";
import type { MessageHead, SipMessage } from "./message.ts";

/** A message, or why it is none. The head of what is none may still be answered (`createErrorResponse`). */
export type ParseOutcome =
	| { readonly ok: true; readonly message: SipMessage }
	| {
			readonly ok: false;
			readonly fault: Fault;
			/** What the start line looks like. */
			readonly kind: "request" | "response";
			readonly head: MessageHead;
	  };

/**
 * Reads the message of a frame. Checked are the start line, that Via, From, To, Call-ID and CSeq are there and well
 * formed, that no header appears twice that may not, Max-Forwards, and that CSeq names the method of the request. A
 * version other than 2.0 is a fault with status 505.
 */
export function parseMessage(frame: { readonly head: MessageHead; readonly body: Uint8Array }): ParseOutcome {
	const { head, body } = frame;
	const lineEnd = ((head.fields.length > 1 ? head.fields[1] : head.fields[0]) as number) - 2;
	return matchesIgnoreCase(head.text, 0, "SIP/")
		? parseResponse(head, body, lineEnd)
		: parseRequest(head, body, lineEnd);
}

function parseRequest(head: MessageHead, body: Uint8Array, lineEnd: number): ParseOutcome {
	const { text } = head;
	const octets = octetsOfHead(head);
	const methodEnd = skipOctets(octets, 0, lineEnd, CharClass.token);
	const requestUri = readRequestLine(octets, text, methodEnd, lineEnd);
	if (requestUri === undefined) return none("request", head);
	const common = readCommon(octets, head);
	if (common === undefined) return none("request", head);
	const { topVia, from, to, callId, cseq, maxForwards } = common;
	const method = methodIn(octets, text, 0, methodEnd);
	if (cseq.method !== method) {
		refuse("cseq-method", "RFC 3261 §8.1.1.5", 0, "CSeq names another method than the request.");
		return none("request", head);
	}
	return {
		ok: true,
		message: { kind: "request", head, body, topVia, from, to, callId, cseq, method, requestUri, maxForwards },
	};
}

function parseResponse(head: MessageHead, body: Uint8Array, lineEnd: number): ParseOutcome {
	const { text } = head;
	const line = readStatusLine(text, lineEnd);
	if (!line.ok) return { ok: false, fault: line.fault, kind: "response", head };
	const common = readCommon(octetsOfHead(head), head);
	if (common === undefined) return none("response", head);
	const { statusCode, reasonPhrase } = line.value;
	const { topVia, from, to, callId, cseq } = common;
	return {
		ok: true,
		message: { kind: "response", head, body, topVia, from, to, callId, cseq, statusCode, reasonPhrase },
	};
}

/** What a reader refused just now. */
function none(kind: "request" | "response", head: MessageHead): ParseOutcome {
	return { ok: false, fault: refused().fault, kind, head };
}

const version = "SIP/2.0";

/** RFC 3261 §7.1: single spaces, no white space at the end. Gives the Request-URI; undefined with a reason. */
function readRequestLine(octets: Uint8Array, text: string, methodEnd: number, lineEnd: number): Uri | undefined {
	if (methodEnd === 0 || octets[methodEnd] !== 0x20) {
		return badRequestLine(methodEnd, "The request line starts with no method and space.");
	}
	const versionStart = lineEnd - version.length;
	if (octets[versionStart - 1] !== 0x20 || !isVersion2(octets, versionStart)) {
		return otherVersion(text, methodEnd, lineEnd);
	}
	const uri = readUri(octets, text, methodEnd + 1, versionStart - 1);
	if (uri !== undefined && isSipUri(uri) && uri.headers !== "") {
		return refuse("bad-uri", "RFC 3261 §19.1.1", methodEnd + 1, "A Request-URI carries no headers.");
	}
	return uri;
}

/** Whether `SIP/2.0` stands at `at`, in any case. */
function isVersion2(octets: Uint8Array, at: number): boolean {
	return (
		((octets[at] as number) | 0x20) === 0x73 &&
		((octets[at + 1] as number) | 0x20) === 0x69 &&
		((octets[at + 2] as number) | 0x20) === 0x70 &&
		octets[at + 3] === 0x2f &&
		octets[at + 4] === 0x32 &&
		octets[at + 5] === 0x2e &&
		octets[at + 6] === 0x30
	);
}

function otherVersion(text: string, methodEnd: number, lineEnd: number): undefined {
	const word = text.lastIndexOf(" ", lineEnd - 1) + 1;
	if (word > methodEnd + 1 && isVersion(text, word, lineEnd)) {
		return refuse("other-version", "RFC 3261 §21.5.6", word, "The SIP version is not 2.0.", 505);
	}
	return badRequestLine(word, "The request line does not end in a space and SIP/2.0.");
}

function isVersion(text: string, start: number, end: number): boolean {
	if (!matchesIgnoreCase(text, start, "SIP/")) return false;
	const major = skipClass(text, start + 4, end, CharClass.digit);
	if (major === start + 4 || text.charCodeAt(major) !== 0x2e) return false;
	const minor = skipClass(text, major + 1, end, CharClass.digit);
	return minor > major + 1 && minor === end;
}

/** RFC 3261 §7.2. The space before an empty reason phrase may be missing. */
function readStatusLine(text: string, lineEnd: number): Result<{ statusCode: number; reasonPhrase: string }> {
	if (!matchesIgnoreCase(text, 0, version) || text.charCodeAt(version.length) !== 0x20) {
		return badStartLine(0, "The status line does not start with SIP/2.0.");
	}
	const codeStart = version.length + 1;
	const codeEnd = codeStart + 3;
	const statusCode = codeEnd <= lineEnd ? parseDecimal(text, codeStart, codeEnd, 3) : undefined;
	if (statusCode === undefined || statusCode < 100 || statusCode > 699) {
		return badStartLine(codeStart, "The status code is no number from 100 to 699.");
	}
	if (codeEnd !== lineEnd && text.charCodeAt(codeEnd) !== 0x20) {
		return badStartLine(codeEnd, "The status code is not followed by a space.");
	}
	return success({ statusCode, reasonPhrase: text.slice(codeEnd + 1, lineEnd) });
}

interface Common {
	readonly topVia: Via;
	readonly from: NameAddr;
	readonly to: NameAddr;
	readonly callId: string;
	readonly cseq: { readonly number: number; readonly method: string };
	readonly maxForwards: number | undefined;
}

/** Reads the fields that every message has; undefined with a reason. */
function readCommon(octets: Uint8Array, head: MessageHead): Common | undefined {
	const { text, fields } = head;
	placeFields(head);
	const doubledAt = doubledField();
	if (doubledAt >= 0) return twice(fields, doubledAt);
	const viaAt = firstField(head, HeaderId.via);
	const fromAt = firstField(head, HeaderId.from);
	const toAt = firstField(head, HeaderId.to);
	const callIdAt = firstField(head, HeaderId.callId);
	const cseqAt = firstField(head, HeaderId.cseq);
	const maxForwardsAt = firstField(head, HeaderId.maxForwards);
	if (viaAt < 0) return missing(HeaderId.via);
	if (fromAt < 0) return missing(HeaderId.from);
	if (toAt < 0) return missing(HeaderId.to);
	if (callIdAt < 0) return missing(HeaderId.callId);
	if (cseqAt < 0) return missing(HeaderId.cseq);
	const topVia = readFirstVia(octets, text, valueStart(fields, viaAt), valueEnd(fields, viaAt));
	if (topVia === undefined) return undefined;
	const from = readNameAddr(octets, text, valueStart(fields, fromAt), valueEnd(fields, fromAt));
	if (from === undefined) return undefined;
	const to = readNameAddr(octets, text, valueStart(fields, toAt), valueEnd(fields, toAt));
	if (to === undefined) return undefined;
	const callId = readCallId(octets, text, valueStart(fields, callIdAt), valueEnd(fields, callIdAt));
	if (callId === undefined) return undefined;
	const cseq = readCSeq(octets, text, valueStart(fields, cseqAt), valueEnd(fields, cseqAt));
	if (cseq === undefined) return undefined;
	let maxForwards: number | undefined;
	if (maxForwardsAt >= 0) {
		maxForwards = readMaxForwards(octets, valueStart(fields, maxForwardsAt), valueEnd(fields, maxForwardsAt));
		if (maxForwards === undefined) return undefined;
	}
	return { topVia, from, to, callId, cseq, maxForwards };
}

/** The first Via value of a head; undefined where it has none. */
export function readTopVia(head: MessageHead): Result<Via> | undefined {
	const { text, fields } = head;
	const at = firstField(head, HeaderId.via);
	if (at < 0) return undefined;
	return outcomeOf(readFirstVia(octetsOfHead(head), text, valueStart(fields, at), valueEnd(fields, at)));
}

/** The first value of the text of a Via field. */
export function parseFirstVia(text: string): Result<Via> {
	return outcomeOf(readFirstVia(octetsOf(text), text, 0, text.length));
}

function readFirstVia(octets: Uint8Array, text: string, start: number, end: number): Via | undefined {
	// Nearly every field holds one value; looking for a comma first would cost as much as reading it.
	const only = readVia(octets, text, start, end);
	if (only !== undefined) return only;
	const itemEnd = skipListItem(text, start, end);
	return itemEnd === end ? undefined : readVia(octets, text, start, trimLwsEnd(text, start, itemEnd));
}

/** RFC 3261 §20.8: one word; which characters it is made of matters to nobody but the one who wrote it. */
function readCallId(octets: Uint8Array, text: string, start: number, end: number): string | undefined {
	for (let at = start; at < end; at++) {
		if ((octets[at] as number) <= 0x20) {
			return refuse("bad-call-id", "RFC 3261 §20.8", at, "Call-ID is not one word.");
		}
	}
	if (start === end) return refuse("bad-call-id", "RFC 3261 §20.8", start, "Call-ID is empty.");
	return text.slice(start, end);
}

function valueStart(fields: readonly number[], at: number): number {
	return fields[at + 2] as number;
}

function valueEnd(fields: readonly number[], at: number): number {
	return fields[at + 3] as number;
}

function badStartLine(offset: number, detail: string) {
	return refusal("bad-start-line", "RFC 3261 §7.1", offset, detail);
}

function badRequestLine(offset: number, detail: string): undefined {
	return refuse("bad-start-line", "RFC 3261 §7.1", offset, detail);
}

function missing(id: HeaderId): undefined {
	return refuse("missing-header", "RFC 3261 §8.1.1", 0, `The message has no ${headerName(id).name}.`);
}

function twice(fields: readonly number[], at: number): undefined {
	const { name } = headerName(fields[at] as HeaderId);
	const detail = `The message has more than one ${name}.`;
	return refuse("doubled-header", "RFC 3261 §7.3.1", fields[at + 1] as number, detail);
}

/** The method of a head that need not be well formed (RFC 3261 §7.1); undefined for a response or a line without method. */
export function methodOf(head: MessageHead): string | undefined {
	const end = skipClass(head.text, 0, head.text.length, CharClass.token);
	return end > 0 && head.text.charCodeAt(end) === 0x20 ? head.text.slice(0, end) : undefined;
}
