/** Access to header fields. Values come back without folds, in the order of the message, interleaved or not. */
import { type Fault, type Result, refusal, success } from "../fault.ts";
import { type Diagnostics, parseDiagnostics } from "../header/diagnostics.ts";
import { type Event, parseEvent } from "../header/event.ts";
import { type MediaType, readMediaType } from "../header/media-type.ts";
import { type NameAddr, readNameAddr } from "../header/name-addr.ts";
import { findHeaderId, HeaderId, headerName } from "../header/names.ts";
import { parseDeltaSeconds, parseRetryAfter } from "../header/number.ts";
import { parseSubscriptionState, type SubscriptionState } from "../header/subscription-state.ts";
import { parseTokenList } from "../header/token-list.ts";
import { parseVerificationLevel, type VerificationLevel } from "../header/verification-level.ts";
import { readVia, type Via } from "../header/via.ts";
import { parseWarning, type Warning } from "../header/warning.ts";
import { matchesIgnoreCase } from "../text/ascii.ts";
import { isFolded, octetsOf, octetsOfHead } from "../text/octet-view.ts";
import { unfold } from "../text/quoting.ts";
import { outcomeOf, refuse, refused } from "../text/refuse.ts";
import { skipListItem, skipLws, trimLwsEnd } from "../text/scan.ts";
import { firstField, lastField } from "./field-places.ts";
import { FIELD_STRIDE, type MessageHead, type SipMessage } from "./message.ts";

/** Where header fields are read from. */
export type FieldSource = MessageHead | SipMessage;

/** Most values that one header may have in a message; more is a fault of the typed readers. */
export const MAX_LIST_VALUES = 256;

function headOf(source: FieldSource): MessageHead {
	return "head" in source ? source.head : source;
}

/** Whether the header is there, whatever it says, under any of its names (RFC 3261 §7.3.3). */
export function hasHeader(source: FieldSource, id: HeaderId): boolean {
	return firstField(headOf(source), id) >= 0;
}

/**
 * The whole value of the first field of that header, commas and all, without folds (RFC 3261 §7.3.1), as octets in latin1 characters;
 * undefined where it is absent.
 */
export function headerValue(source: FieldSource, id: HeaderId): string | undefined {
	const head = headOf(source);
	const at = firstField(head, id);
	return at < 0 ? undefined : unfold(head.text, head.fields[at + 2] as number, head.fields[at + 3] as number);
}

/** The values of that header in order: fields of a list are split at their commas, quotes and angle brackets respected (RFC 3261 §7.3.1). */
export function headerValues(source: FieldSource, id: HeaderId): string[] {
	const { text, fields } = headOf(source);
	const isList = headerName(id).list;
	const values: string[] = [];
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		if (fields[at] !== id) continue;
		const start = fields[at + 2] ?? 0;
		const end = fields[at + 3] ?? 0;
		if (isList) splitList(text, start, end, values);
		else values.push(unfold(text, start, end));
	}
	return values;
}

/** The values of a header by its name, known or not; a header that is not in the table is not split (RFC 3261 §7.3.1). */
export function headerValuesByName(source: FieldSource, name: string): string[] {
	const id = findHeaderId(name, 0, name.length);
	if (id !== HeaderId.other) return headerValues(source, id);
	const { text, fields } = headOf(source);
	const values: string[] = [];
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		if (fields[at] !== HeaderId.other || !isNamed(text, fields[at + 1] ?? 0, name)) continue;
		values.push(unfold(text, fields[at + 2] ?? 0, fields[at + 3] ?? 0));
	}
	return values;
}

function isNamed(text: string, start: number, name: string): boolean {
	if (!matchesIgnoreCase(text, start, name)) return false;
	const behind = text.charCodeAt(start + name.length);
	return behind === 0x3a || behind === 0x20 || behind === 0x09;
}

/** Splits a comma list into `into`, each value without white space around it. An empty list has no value. */
function splitList(text: string, start: number, end: number, into: string[]): void {
	if (start >= end) return;
	let at = start;
	for (;;) {
		const itemEnd = skipListItem(text, at, end);
		const itemStart = skipLws(text, at, itemEnd);
		into.push(unfold(text, itemStart, trimLwsEnd(text, itemStart, itemEnd)));
		if (itemEnd >= end) return;
		at = itemEnd + 1;
	}
}

/** Reads the value from `start` to `end`; undefined with a reason ({@link refuse}). */
type ValueReader<Value> = (octets: Uint8Array, text: string, start: number, end: number) => Value | undefined;

/** The reader of a header that is too rare for octets. */
function ofText<Value>(read: (text: string, start: number, end: number) => Result<Value>): ValueReader<Value> {
	return (_octets, text, start, end) => {
		const outcome = read(text, start, end);
		return outcome.ok ? outcome.value : refuseAgain(outcome.fault, outcome.fault.offset);
	};
}

function refuseAgain({ code, rule, detail, status }: Fault, offset: number): undefined {
	return refuse(code, rule, offset, detail, status);
}

const readDeltaSeconds = ofText(parseDeltaSeconds);
const readRetryAfter = ofText(parseRetryAfter);
const readEvent = ofText(parseEvent);
const readSubscriptionState = ofText(parseSubscriptionState);
const readWarning = ofText(parseWarning);

/** The outcome for a header that is absent, which most of those are that are asked for. */
const NO_VALUES: { readonly ok: true; readonly value: readonly never[] } = { ok: true, value: Object.freeze([]) };

/** Reads the values of a header where they stand; what is folded is copied first. */
function readList<Value>(source: FieldSource, id: HeaderId, read: ValueReader<Value>): Result<readonly Value[]> {
	const head = headOf(source);
	const first = firstField(head, id);
	if (first < 0) return NO_VALUES;
	const { text, fields } = head;
	const octets = octetsOfHead(head);
	const folds = isFolded(head);
	const isList = headerName(id).list;
	let values: Value[] | undefined;
	const last = lastField(head, id);
	for (let at = first; at <= last; at += FIELD_STRIDE) {
		if (fields[at] !== id) continue;
		const start = fields[at + 2] as number;
		const end = fields[at + 3] as number;
		if (isList && start === end) continue;
		const value = folds ? readUnfolded(octets, text, start, end, read) : read(octets, text, start, end);
		// A list of one takes no more memory than it needs.
		if (value !== undefined) {
			if (values === undefined) values = [value];
			else values.push(value);
		} else {
			if (!isList) return refused();
			// None of the readers takes a comma outside of quotes and angle brackets: a field that was read held one value.
			values ??= [];
			if (!readItems(octets, text, start, end, read, values)) return refused();
		}
		if (values.length > MAX_LIST_VALUES) return tooMany(id);
	}
	return values === undefined ? NO_VALUES : success(values);
}

/** Reads the values of one comma list into `into`; false with the first refusal. */
function readItems<Value>(
	octets: Uint8Array,
	text: string,
	start: number,
	end: number,
	read: ValueReader<Value>,
	into: Value[],
): boolean {
	for (let at = start; at <= end && into.length <= MAX_LIST_VALUES; ) {
		const itemEnd = skipListItem(text, at, end);
		const itemStart = skipLws(text, at, itemEnd);
		const value = readUnfolded(octets, text, itemStart, trimLwsEnd(text, itemStart, itemEnd), read);
		if (value === undefined) return false;
		into.push(value);
		at = itemEnd + 1;
	}
	return true;
}

/** Reads a value without its folds; the offset of a fault is that in the head, or where a folded value starts. */
function readUnfolded<Value>(
	octets: Uint8Array,
	text: string,
	start: number,
	end: number,
	read: ValueReader<Value>,
): Value | undefined {
	// Every head ends in a line end.
	if (text.indexOf("\r", start) >= end) return read(octets, text, start, end);
	const unfolded = unfold(text, start, end);
	const value = read(octetsOf(unfolded), unfolded, 0, unfolded.length);
	return value ?? refuseAgain(refused().fault, start);
}

function tooMany(id: HeaderId): { readonly ok: false; readonly fault: Fault } {
	const detail = `The message has too many values of ${headerName(id).name}.`;
	return refusal("too-many-values", "RFC 3261 §21.5.7", 0, detail, 513);
}

function readOne<Value>(source: FieldSource, id: HeaderId, read: ValueReader<Value>): Result<Value | undefined> {
	const head = headOf(source);
	const { text, fields } = head;
	const at = firstField(head, id);
	if (at < 0) return success(undefined);
	const start = fields[at + 2] as number;
	const end = fields[at + 3] as number;
	const octets = octetsOfHead(head);
	return outcomeOf(isFolded(head) ? readUnfolded(octets, text, start, end, read) : read(octets, text, start, end));
}

/** Every Via value, the topmost first (RFC 3261 §20.42). Faults: `bad-via`, `too-many-values` (513). */
export function vias(source: FieldSource): Result<readonly Via[]> {
	return readList(source, HeaderId.via, readVia);
}

/** Contact; `"*"` for the star that removes bindings (RFC 3261 §20.10), which then stands alone. */
export function contacts(source: FieldSource): Result<readonly NameAddr[] | "*"> {
	const head = headOf(source);
	const at = firstField(head, HeaderId.contact);
	const start = head.fields[at + 2] as number;
	const isStar = at >= 0 && head.fields[at + 3] === start + 1 && head.text.charCodeAt(start) === 0x2a;
	if (!isStar) return readList(source, HeaderId.contact, readNameAddr);
	if (headerValues(source, HeaderId.contact).length === 1) return success("*");
	return refusal("bad-address", "RFC 3261 §20.10", 0, "Contact names an address beside its star.");
}

/** Every Route value in order (RFC 3261 §20.34). Faults: `bad-address`, `bad-uri`, `too-many-values`. */
export function routes(source: FieldSource): Result<readonly NameAddr[]> {
	return readList(source, HeaderId.route, readNameAddr);
}

/** Every Record-Route value in order (RFC 3261 §20.30). Faults: `bad-address`, `bad-uri`, `too-many-values`. */
export function recordRoutes(source: FieldSource): Result<readonly NameAddr[]> {
	return readList(source, HeaderId.recordRoute, readNameAddr);
}

/**
 * The addresses of any header that holds `name-addr` values (RFC 3261 §25.1): P-Asserted-Identity, Refer-To, Diversion, …
 * Faults: `bad-address`, `bad-uri`, `too-many-values` (513).
 */
export function addresses(source: FieldSource, id: HeaderId): Result<readonly NameAddr[]> {
	return readList(source, id, readNameAddr);
}

/**
 * The tokens of Require, Proxy-Require, Supported, Unsupported, Allow or Allow-Events (RFC 3261 §20.5, §20.32, §20.37); none where
 * it is absent. Faults: `bad-token`, `too-many-values` (513).
 */
export function tokens(source: FieldSource, id: HeaderId): Result<readonly string[]> {
	const values = headerValues(source, id);
	return values.length > MAX_LIST_VALUES ? tooMany(id) : parseTokenList(values);
}

/** Content-Type (RFC 3261 §20.15); undefined where it is absent. Faults: `bad-media-type`. */
export function contentType(source: FieldSource): Result<MediaType | undefined> {
	return readOne(source, HeaderId.contentType, readMediaType);
}

/** The media ranges of Accept; undefined where it is absent (which is not the same as empty: RFC 3261 §20.1). */
export function accept(source: FieldSource): Result<readonly MediaType[] | undefined> {
	return hasHeader(source, HeaderId.accept) ? readList(source, HeaderId.accept, readMediaType) : success(undefined);
}

/** Expires in seconds (RFC 3261 §20.19); undefined where it is absent, at most 2^32 - 1. Faults: `bad-number`. */
export function expires(source: FieldSource): Result<number | undefined> {
	return readOne(source, HeaderId.expires, readDeltaSeconds);
}

/** Min-Expires in seconds (RFC 3261 §20.23); undefined where it is absent, at most 2^32 - 1. Faults: `bad-number`. */
export function minExpires(source: FieldSource): Result<number | undefined> {
	return readOne(source, HeaderId.minExpires, readDeltaSeconds);
}

/** Retry-After in seconds (RFC 3261 §20.33); its comment and parameters are left out; undefined where absent. Faults: `bad-number`. */
export function retryAfter(source: FieldSource): Result<number | undefined> {
	const value = readOne(source, HeaderId.retryAfter, readRetryAfter);
	return value.ok ? success(value.value?.seconds) : value;
}

/** Event (RFC 6665 §8.2.1); undefined where it is absent. Faults: `bad-event`. */
export function event(source: FieldSource): Result<Event | undefined> {
	return readOne(source, HeaderId.event, readEvent);
}

/** Subscription-State (RFC 6665 §8.2.3); undefined where it is absent. */
export function subscriptionState(source: FieldSource): Result<SubscriptionState | undefined> {
	return readOne(source, HeaderId.subscriptionState, readSubscriptionState);
}

/** Every Warning value in order (RFC 3261 §20.43). */
export function warnings(source: FieldSource): Result<readonly Warning[]> {
	return readList(source, HeaderId.warning, readWarning);
}

/** What the other side says of a failure (`ms-diagnostics`, private form and public form); values that cannot be read are left out. */
export function diagnostics(source: FieldSource): readonly Diagnostics[] {
	const found: Diagnostics[] = [];
	for (const id of [HeaderId.msDiagnostics, HeaderId.msDiagnosticsPublic]) {
		for (const text of headerValues(source, id)) {
			const value = parseDiagnostics(text, 0, text.length);
			if (value.ok) found.push(value.value);
		}
	}
	return found;
}

/** What the sending domain says of the sending user; undefined where nothing, nonsense or both (take as unverified). */
export function verificationLevel(source: FieldSource): VerificationLevel | undefined {
	const stated = headerValues(source, HeaderId.msAssertedVerificationLevel);
	return parseVerificationLevel([...stated, ...headerValues(source, HeaderId.msEdgeProxyMessageTrust)]);
}
