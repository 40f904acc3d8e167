/** Writes heads: text and field index grow together, so that nothing we wrote is scanned again. */
import { findHeaderId, HeaderId, headerName } from "../header/names.ts";
import { invariant } from "../text/assert.ts";
import { isToken } from "../text/char-class.ts";
import { utf8ToOctets } from "../text/octets.ts";
import { unfold } from "../text/quoting.ts";
import { isOneLine } from "../text/scan.ts";
import { FIELD_STRIDE, type MessageHead } from "./message.ts";

/**
 * A header field to write. The value is Unicode and leaves as UTF-8; with `"octets"` it is octets as latin1 characters,
 * as they came with another message, and leaves as it is. A CR, LF or NUL in it is our own mistake.
 */
export type HeaderInput = readonly [name: string, value: string, form?: "octets"];

/** A head under construction. */
export interface HeadDraft {
	text: string;
	readonly fields: number[];
}

/** Begins a head; `startLine` is octets, without line end. */
export function beginHead(startLine: string): HeadDraft {
	invariant(isOneLine(startLine), "a start line to write holds a line end or NUL");
	return { text: `${startLine}\r\n`, fields: [] };
}

/** Appends a field of a known header under its canonical name; `octets` without line ends. */
export function writeField(draft: HeadDraft, id: HeaderId, octets: string): void {
	append(draft, id, headerName(id).name, octets);
}

/** Appends a field as the caller gives it. Content-Length is the writer's own. */
export function writeInput(draft: HeadDraft, input: HeaderInput): void {
	const [name, value, form] = input;
	const id = findHeaderId(name, 0, name.length);
	invariant(isToken(name), "the name of a header to write is no token");
	invariant(id !== HeaderId.contentLength, "Content-Length is written by the builder");
	append(draft, id, name, form === "octets" ? value : utf8ToOctets(value));
}

function append(draft: HeadDraft, id: HeaderId, name: string, octets: string): void {
	invariant(isOneLine(octets), `a value of ${name} to write holds a line end or NUL`);
	const nameStart = draft.text.length;
	const valueStart = nameStart + name.length + 2;
	draft.text += `${name}: ${octets}\r\n`;
	draft.fields.push(id, nameStart, valueStart, valueStart + octets.length);
}

/** Copies every field of one header from another head, in order, under its canonical name and without folds. */
export function copyFields(draft: HeadDraft, head: MessageHead, id: HeaderId): void {
	const { text, fields } = head;
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		if (fields[at] === id) writeField(draft, id, unfold(text, fields[at + 2] ?? 0, fields[at + 3] ?? 0));
	}
}

/** Ends the head with Content-Length and the empty line. */
export function endHead(draft: HeadDraft, bodyLength: number): MessageHead {
	writeField(draft, HeaderId.contentLength, String(bodyLength));
	draft.fields.push(draft.text.length);
	draft.text += "\r\n";
	return draft;
}
