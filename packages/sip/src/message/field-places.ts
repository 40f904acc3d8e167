/**
 * Where the first and the last field of each header stand in the head that was read last. Readers ask for a dozen headers
 * of each message; to look for each among all fields costs more than to read it.
 */
import { HeaderId, headerCount, LAST_SINGLE_ID } from "../header/names.ts";
import { FIELD_STRIDE, type MessageHead } from "./message.ts";

// Places are offsets in the index of the head. Those of headers it does not have are of a head before.
const firsts = new Int32Array(headerCount);
const lasts = new Int32Array(headerCount);
/** The head in which a header was seen last. */
const seenIn = new Float64Array(headerCount);
/** Heads are counted: to mark places as old costs nothing then. */
let current = 0;
let doubled = -1;
let placedHead: MessageHead | undefined;

/** Begins with a head whose fields come one by one: {@link placeField}, then {@link endPlaces}. */
export function beginPlaces(): void {
	current++;
	doubled = -1;
	placedHead = undefined;
}

/** Notes the field whose numbers start at `at` of the index. */
export function placeField(id: number, at: number): void {
	if (seenIn[id] !== current) {
		seenIn[id] = current;
		firsts[id] = at;
	} else if (doubled === -1 && id <= LAST_SINGLE_ID && id !== HeaderId.other) doubled = at;
	lasts[id] = at;
}

/** The fields that were placed are those of `head`. */
export function endPlaces(head: MessageHead): void {
	placedHead = head;
}

/** Makes the places those of `head`, where they are another's. */
export function placeFields(head: MessageHead): void {
	if (head === placedHead) return;
	beginPlaces();
	const { fields } = head;
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) placeField(fields[at] as number, at);
	endPlaces(head);
}

/** Where the first field of that header stands among those placed last; -1 where there is none. */
export function firstPlaced(id: HeaderId): number {
	return seenIn[id] === current ? (firsts[id] as number) : -1;
}

/** Where the last field of a header stands that is among those placed last. */
export function lastPlaced(id: HeaderId): number {
	return lasts[id] as number;
}

/** Where the first field of that header stands in the index of a head; -1 where there is none. */
export function firstField(head: MessageHead, id: HeaderId): number {
	if (head === placedHead) return firstPlaced(id);
	const { fields } = head;
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		if (fields[at] === id) return at;
	}
	return -1;
}

/** Where the last field of a header stands that the head has; no place before it in a head that is not the one placed. */
export function lastField(head: MessageHead, id: HeaderId): number {
	return head === placedHead ? lastPlaced(id) : head.fields.length - 1 - FIELD_STRIDE;
}

/** The first field of the head placed last that stands there a second time and must not; -1 where there is none. */
export function doubledField(): number {
	return doubled;
}
