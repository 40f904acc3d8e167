/** What a proxy does to a message (RFC 3261 §16.6): a few fields change, every other octet stays as it came. */
import type { Result } from "../fault.ts";
import { HeaderId, headerName, LAST_SINGLE_ID } from "../header/names.ts";
import { parseMaxForwards } from "../header/number.ts";
import type { Via } from "../header/via.ts";
import { invariant } from "../text/assert.ts";
import { isOneLine } from "../text/scan.ts";
import { headerValue } from "./fields.ts";
import { FIELD_STRIDE, type MessageHead, type SipMessage, type SipRequest, type SipResponse } from "./message.ts";
import { parseFirstVia, parseMessage, readTopVia } from "./parse.ts";

/**
 * One change. `field` counts the header fields of the message from 0; texts are octets as latin1 characters. Inserted
 * fields take the canonical name; several at one place stand in the order of the edits.
 */
export type Edit =
	| { readonly kind: "remove"; readonly field: number }
	/** Puts `value` in the place of the octets from `start` to `end` of the head, inside the field's value; once a field. */
	| {
			readonly kind: "replace";
			readonly field: number;
			readonly start: number;
			readonly end: number;
			readonly value: string;
	  }
	/** Before the field; before the empty line where `field` is the number of fields. */
	| { readonly kind: "insert"; readonly field: number; readonly id: HeaderId; readonly value: string }
	| { readonly kind: "request-uri"; readonly uri: string };

/** How many header fields a head has (RFC 3261 §7.3); several of one name count each. */
export function countFields(head: MessageHead): number {
	return (head.fields.length - 1) / FIELD_STRIDE;
}

/** The number, counted from 0, of the first field of that header from field `from` on; undefined where there is none. */
export function findField(head: MessageHead, id: HeaderId, from = 0): number | undefined {
	const count = countFields(head);
	for (let field = from; field < count; field++) {
		if (head.fields[field * FIELD_STRIDE] === id) return field;
	}
	return undefined;
}

/**
 * The message with the edits made. What was decoded of fields that no edit touches is taken over, the rest is read anew.
 * Throws where the outcome is no message: that is our own mistake.
 */
export function applyEdits(message: SipRequest, edits: readonly Edit[]): SipRequest;
export function applyEdits(message: SipResponse, edits: readonly Edit[]): SipResponse;
export function applyEdits(message: SipMessage, edits: readonly Edit[]): SipMessage {
	const { head } = message;
	const splice = new Splice(head);
	let mustRead = false;
	let hasVia = false;
	let hasHops = false;
	let newVia: string | undefined;
	for (const edit of inOrder(edits)) {
		splice.apply(edit);
		const id = idOf(head, edit);
		if (!isQuick(head, edit, id)) mustRead = true;
		else if (id === HeaderId.via) {
			if (!hasVia && edit.kind === "insert" && edit.field <= (findField(head, HeaderId.via) ?? edit.field)) {
				newVia = edit.value;
			}
			hasVia = true;
		} else if (id === HeaderId.maxForwards) hasHops = true;
	}
	const edited = splice.finish();
	if (mustRead) return readAnew(edited, message);
	const topVia = hasVia ? viaOf(newVia === undefined ? readTopVia(edited) : parseFirstVia(newVia)) : message.topVia;
	// Written out, so that edited messages have the shape of those that were read.
	if (message.kind === "response") {
		const { kind, body, from, to, callId, cseq, statusCode, reasonPhrase } = message;
		return { kind, head: edited, body, topVia, from, to, callId, cseq, statusCode, reasonPhrase };
	}
	const { kind, body, from, to, callId, cseq, method, requestUri } = message;
	const maxForwards = hasHops ? readHops(edited) : message.maxForwards;
	return { kind, head: edited, body, topVia, from, to, callId, cseq, method, requestUri, maxForwards };
}

/** By place; edits that stand at one place keep their order. */
function inOrder(edits: readonly Edit[]): readonly Edit[] {
	for (let index = 1; index < edits.length; index++) {
		if (compareEdits(edits[index - 1] as Edit, edits[index] as Edit) > 0) return edits.toSorted(compareEdits);
	}
	return edits;
}

function compareEdits(left: Edit, right: Edit): number {
	return placeOf(left) - placeOf(right) || rank(left) - rank(right);
}

/** The header that an edit concerns; `other` for the Request-URI. */
function idOf(head: MessageHead, edit: Edit): number {
	if (edit.kind === "request-uri") return HeaderId.other;
	return edit.kind === "insert" ? edit.id : (head.fields[edit.field * FIELD_STRIDE] ?? HeaderId.other);
}

/** Whether an edit leaves everything decoded as it was, save Via and Max-Forwards, and cannot double a header. */
function isQuick(head: MessageHead, edit: Edit, id: number): boolean {
	if (edit.kind === "request-uri") return false;
	if (edit.kind === "insert") return id > LAST_SINGLE_ID || findField(head, edit.id) === undefined;
	return id !== HeaderId.from && id !== HeaderId.to && id !== HeaderId.callId && id !== HeaderId.cseq;
}

function readAnew(head: MessageHead, message: SipMessage): SipMessage {
	const outcome = parseMessage({ head, body: message.body });
	invariant(outcome.ok, `an edited message is malformed: ${outcome.ok ? "" : outcome.fault.detail}`);
	invariant(outcome.message.kind === message.kind, "an edited message changed its kind");
	return outcome.message;
}

function viaOf(via: Result<Via> | undefined): Via {
	invariant(via?.ok === true, "an edited message has no readable Via on top");
	return via.value;
}

function readHops(head: MessageHead): number | undefined {
	const value = headerValue(head, HeaderId.maxForwards);
	const hops = value === undefined ? undefined : parseMaxForwards(value, 0, value.length);
	invariant(hops?.ok !== false, "an edited message has no readable Max-Forwards");
	return hops?.value;
}

function placeOf(edit: Edit): number {
	return edit.kind === "request-uri" ? -1 : edit.field;
}

/** At one field, what is inserted before it comes before what changes it. */
function rank(edit: Edit): number {
	return edit.kind === "insert" ? 0 : 1;
}

/** The index under construction; each head gets a copy of what it needs. */
const index: number[] = [];

/** Copies a head from left to right and makes the edits on the way. */
class Splice {
	readonly #head: MessageHead;
	#text = "";
	/** Numbers in the index. */
	#count = 0;
	/** Octets and fields of the old head that are copied already. */
	#copied = 0;
	#field = 0;

	constructor(head: MessageHead) {
		this.#head = head;
	}

	apply(edit: Edit): void {
		if (edit.kind === "request-uri") this.#setRequestUri(edit.uri);
		else if (edit.kind === "insert") this.#insert(edit.field, edit.id, edit.value);
		else if (edit.kind === "remove") this.#remove(edit.field);
		else this.#replace(edit.field, edit.start, edit.end, edit.value);
	}

	finish(): MessageHead {
		this.#copyFields(countFields(this.#head));
		index[this.#count] = this.#text.length + this.#lineStart(this.#field) - this.#copied;
		this.#copyText(this.#head.text.length);
		return { text: this.#text, fields: index.slice(0, this.#count + 1) };
	}

	#setRequestUri(uri: string): void {
		invariant(this.#copied === 0, "a Request-URI is replaced twice");
		checkLine(uri);
		const start = this.#head.text.indexOf(" ") + 1;
		const end = this.#head.text.lastIndexOf(" ", this.#lineStart(0));
		this.#copyText(start);
		this.#text += uri;
		this.#copied = end;
	}

	#insert(field: number, id: HeaderId, value: string): void {
		checkLine(value);
		invariant(id !== HeaderId.other, "a header to insert has no name");
		this.#copyFields(field);
		this.#copyText(this.#lineStart(field));
		const { name } = headerName(id);
		const start = this.#text.length;
		const valueStart = start + name.length + 2;
		this.#text += `${name}: ${value}\r\n`;
		this.#addField(id, start, valueStart, valueStart + value.length);
	}

	#remove(field: number): void {
		invariant(field < countFields(this.#head), "a field to remove is none of the message");
		this.#copyFields(field);
		this.#copyText(this.#lineStart(field));
		this.#field = field + 1;
		this.#copied = this.#lineStart(field + 1);
	}

	#replace(field: number, start: number, end: number, value: string): void {
		checkLine(value);
		const { fields } = this.#head;
		const at = field * FIELD_STRIDE;
		const valueStart = fields[at + 2] ?? 0;
		const valueEnd = fields[at + 3] ?? 0;
		const isInside = start >= valueStart && start <= end && end <= valueEnd;
		invariant(field < countFields(this.#head) && isInside, "octets to replace lie outside their value");
		this.#copyFields(field);
		const shift = this.#text.length - this.#copied;
		this.#copyText(start);
		this.#text += value;
		this.#copied = end;
		this.#copyText(valueEnd);
		this.#addField(fields[at] ?? 0, (fields[at + 1] ?? 0) + shift, valueStart + shift, this.#text.length);
		this.#field = field + 1;
	}

	/** Takes over the index of the fields before `field`; their octets are copied when the next edit is made. */
	#copyFields(field: number): void {
		const { fields } = this.#head;
		invariant(field >= this.#field && field <= countFields(this.#head), "edits of one message overlap");
		const shift = this.#text.length - this.#copied;
		for (let at = this.#field * FIELD_STRIDE; at < field * FIELD_STRIDE; at += FIELD_STRIDE) {
			const start = (fields[at + 1] as number) + shift;
			this.#addField(
				fields[at] as number,
				start,
				(fields[at + 2] as number) + shift,
				(fields[at + 3] as number) + shift,
			);
		}
		this.#field = field;
	}

	#addField(id: number, start: number, valueStart: number, valueEnd: number): void {
		const count = this.#count;
		index[count] = id;
		index[count + 1] = start;
		index[count + 2] = valueStart;
		index[count + 3] = valueEnd;
		this.#count = count + FIELD_STRIDE;
	}

	#copyText(end: number): void {
		if (end > this.#copied) this.#text += this.#head.text.slice(this.#copied, end);
		this.#copied = end;
	}

	/** Offset of the first octet of a field's line, or of the empty line. */
	#lineStart(field: number): number {
		const { fields } = this.#head;
		const at = field * FIELD_STRIDE;
		return fields[at === fields.length - 1 ? at : at + 1] ?? 0;
	}
}

function checkLine(octets: string): void {
	invariant(isOneLine(octets), "a text to insert holds a line end or NUL");
}
