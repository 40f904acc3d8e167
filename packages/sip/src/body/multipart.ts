/** Multipart bodies (RFC 2046 §5.1): finds one part, within narrow limits. */
import { type Result, refusal, success } from "../fault.ts";
import { type MediaType, parseMediaType } from "../header/media-type.ts";
import { unquotedParam } from "../header/params.ts";
import { lowerAscii } from "../text/ascii.ts";
import { latin1ToOctets, octetsToLatin1 } from "./octets.ts";

/** Nesting and number of parts that are read; a mail client needs two and three. */
const MAX_DEPTH = 4;
const MAX_PARTS = 64;
const RULE = "RFC 2046 §5.1";
/** RFC 2045 §6.2: encodings that change nothing. */
const PLAIN_ENCODINGS: readonly string[] = ["7bit", "8bit", "binary"];

/** A part of a multipart body (RFC 2046 §5.1): what it is and its octets, without the line end before the delimiter. */
export interface BodyPart {
	/** Undefined where the part names none: text/plain then (§5.1). */
	readonly contentType: MediaType | undefined;
	readonly body: Uint8Array;
}

/**
 * The part that satisfies `isWanted`: the first one, but the last in `multipart/alternative`, where the best stands last
 * (§5.1.4). Undefined where there is none. Faults: `bad-multipart`, `multipart-too-deep`, `too-many-parts`.
 */
export function findBodyPart(
	type: MediaType,
	body: Uint8Array,
	isWanted: (type: MediaType) => boolean,
): Result<BodyPart | undefined> {
	const budget = { parts: MAX_PARTS };
	const found = search(type, octetsToLatin1(body), isWanted, 1, budget);
	if (!found.ok || found.value === undefined) return found.ok ? success(undefined) : found;
	return success({ contentType: found.value.type, body: latin1ToOctets(found.value.text) ?? new Uint8Array(0) });
}

interface Found {
	readonly type: MediaType | undefined;
	readonly text: string;
}

function search(
	type: MediaType,
	text: string,
	isWanted: (type: MediaType) => boolean,
	depth: number,
	budget: { parts: number },
): Result<Found | undefined> {
	if (depth > MAX_DEPTH)
		return refusal("multipart-too-deep", RULE, 0, "the parts of the body are nested too deep", 415);
	const boundary = unquotedParam(type.params, "boundary");
	if (boundary === undefined || boundary === "" || boundary.length > 70) {
		return refusal("bad-multipart", RULE, 0, "the body has no boundary between its parts", 415);
	}
	let best: Found | undefined;
	for (const part of splitParts(text, boundary)) {
		budget.parts -= 1;
		if (budget.parts < 0) return refusal("too-many-parts", RULE, 0, "the body has too many parts", 415);
		const found = inspect(part, isWanted, depth, budget);
		if (!found.ok) return found;
		if (found.value === undefined) continue;
		if (type.subtype !== "alternative") return found;
		best = found.value;
	}
	return success(best);
}

function inspect(
	part: string,
	isWanted: (type: MediaType) => boolean,
	depth: number,
	budget: { parts: number },
): Result<Found | undefined> {
	const { head, body } = splitHead(part);
	// A part in base64 or quoted-printable is one we do not understand; in SIP bodies are sent as they are.
	const encoding = lowerAscii(fieldValue(head, "content-transfer-encoding") ?? "binary");
	if (!PLAIN_ENCODINGS.includes(encoding)) return success(undefined);
	const value = fieldValue(head, "content-type");
	const type = value === undefined ? undefined : parseMediaType(value, 0, value.length);
	if (type !== undefined && !type.ok) return success(undefined);
	const media = type?.value;
	if (media?.type === "multipart") return search(media, body, isWanted, depth + 1, budget);
	const isIt = isWanted(media ?? { type: "text", subtype: "plain", params: "" });
	return success(isIt ? { type: media, text: body } : undefined);
}

/** The texts between the delimiter lines; what stands before the first and behind the last one is nobody's. */
function* splitParts(text: string, boundary: string): Iterable<string> {
	const delimiter = `--${boundary}`;
	let from = -1;
	for (let at = text.indexOf(delimiter); at !== -1; at = text.indexOf(delimiter, at + delimiter.length)) {
		if (at !== 0 && text.charAt(at - 1) !== "\n") continue;
		const behind = at + delimiter.length;
		const isLast = text.startsWith("--", behind);
		const next = nextLine(text, behind);
		// The boundary of an inner multipart may begin like ours.
		if (!isLast && next === undefined) continue;
		if (from !== -1) yield text.slice(from, lineEndBefore(text, at, from));
		if (isLast || next === undefined) return;
		from = next;
	}
}

/** Where the next line begins, if nothing but white space stands before it (RFC 2046 §5.1.1 `transport-padding`). */
function nextLine(text: string, at: number): number | undefined {
	let index = at;
	while (" \t\r".includes(text.charAt(index) || "-")) index += 1;
	return text.charAt(index) === "\n" ? index + 1 : undefined;
}

/** The line end before a delimiter belongs to the delimiter. */
function lineEndBefore(text: string, at: number, from: number): number {
	const end = text.charAt(at - 2) === "\r" ? at - 2 : at - 1;
	return Math.max(end, from);
}

function splitHead(part: string): { readonly head: string; readonly body: string } {
	if (part.startsWith("\r\n")) return { head: "", body: part.slice(2) };
	const end = part.indexOf("\r\n\r\n");
	return end === -1 ? { head: part, body: "" } : { head: part.slice(0, end), body: part.slice(end + 4) };
}

/** The value of a part's header field; folded lines count as one. */
function fieldValue(head: string, name: string): string | undefined {
	let value: string | undefined;
	for (const line of head.split("\r\n")) {
		const isFolded = line.startsWith(" ") || line.startsWith("\t");
		if (isFolded && value !== undefined) value += ` ${line.trim()}`;
		if (isFolded) continue;
		if (value !== undefined) return value;
		const colon = line.indexOf(":");
		if (colon !== -1 && lowerAscii(line.slice(0, colon).trim()) === name) value = line.slice(colon + 1).trim();
	}
	return value;
}
