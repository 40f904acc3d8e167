/** Via: RFC 3261 §20.42. */
import type { Result } from "../fault.ts";
import { upperAscii } from "../text/ascii.ts";
import { CharClass, skipOctets } from "../text/char-class.ts";
import { octetsOf } from "../text/octet-view.ts";
import { outcomeOf, refuse } from "../text/refuse.ts";
import { decimalOf, isLws, skipLwsOctets } from "../text/scan.ts";
import { findHost, hostEndOf, hostIn, NO_HOST } from "../uri/host.ts";
import type { Params } from "../uri/params.ts";
import { findPlainParam, plainValue, readParams } from "./params.ts";

/** A Via value (RFC 3261 §20.42). */
export interface Via {
	/** Upper case: `TLS`. */
	readonly transport: string;
	/** Lower case; an IPv6 reference without its brackets. */
	readonly host: string;
	/** Undefined where absent. */
	readonly port: number | undefined;
	/** Undefined where absent (RFC 2543 elements; COMPAT(rtc-clients)). */
	readonly branch: string | undefined;
	readonly params: Params;
}

/** Reads one Via value that fills `text` from `start` to `end`. White space may stand around the slashes and the colon (RFC 3261 §20.42). Faults: `bad-via`. */
export function parseVia(text: string, start: number, end: number): Result<Via> {
	return outcomeOf(readVia(octetsOf(text), text, start, end));
}

/** As {@link parseVia}; `octets` are those of `text`. Undefined with a reason ({@link refuse}). */
export function readVia(octets: Uint8Array, text: string, start: number, end: number): Via | undefined {
	let transport: string = "TLS";
	let hostStart = start + usualStart.length;
	if (!startsAsUsual(octets, start, end)) {
		const transportStart = protocolEnd(octets, start, end);
		if (transportStart < 0) return bad(start, "A Via value starts with SIP/2.0 and a transport.");
		const transportEnd = skipOctets(octets, transportStart, end, CharClass.token);
		hostStart = skipLwsOctets(octets, transportEnd, end);
		if (transportEnd === transportStart || hostStart === transportEnd) {
			return bad(transportStart, "The Via value names no transport.");
		}
		transport = transportName(octets, text, transportStart, transportEnd);
	}
	const span = findHost(octets, text, hostStart, end);
	if (span === NO_HOST) return bad(hostStart, "The Via value names no host.");
	const host = hostIn(text, hostStart, span);
	let at = skipLwsOctets(octets, hostEndOf(span), end);
	let port: number | undefined;
	if (at < end && octets[at] === 0x3a) {
		const portStart = skipLwsOctets(octets, at + 1, end);
		at = skipOctets(octets, portStart, end, CharClass.digit);
		port = decimalOf(octets, portStart, at, 5);
		if (port === undefined || port > 65535) return bad(portStart, "The port of the Via value is no number to 65535.");
	}
	if (findPlainParam(octets, at, end, "branch")) {
		return { transport, host, port, branch: plainValue(text), params: text.slice(at, end) };
	}
	const found = readParams(octets, text, at, end, "branch");
	if (found === undefined) return bad(at, "The parameters of the Via value are malformed.");
	return { transport, host, port, branch: found.wanted, params: found.params };
}

/** A Via value (RFC 3261 §20.42) with our usual spacing. */
export function formatVia(via: Pick<Via, "transport" | "host" | "port" | "params">): string {
	const host = via.host.includes(":") ? `[${via.host}]` : via.host;
	const port = via.port === undefined ? "" : `:${via.port}`;
	return `SIP/2.0/${via.transport} ${host}${port}${via.params}`;
}

const usualStart = "SIP/2.0/TLS ";

/** Whether a value starts with `SIP/2.0/TLS` and one space, as nearly all do. */
function startsAsUsual(octets: Uint8Array, start: number, end: number): boolean {
	return (
		end - start > usualStart.length &&
		octets[start] === 0x53 &&
		octets[start + 1] === 0x49 &&
		octets[start + 2] === 0x50 &&
		octets[start + 3] === 0x2f &&
		octets[start + 4] === 0x32 &&
		octets[start + 5] === 0x2e &&
		octets[start + 6] === 0x30 &&
		octets[start + 7] === 0x2f &&
		octets[start + 8] === 0x54 &&
		octets[start + 9] === 0x4c &&
		octets[start + 10] === 0x53 &&
		octets[start + 11] === 0x20 &&
		!isLws(octets[start + 12] as number)
	);
}

/** Offset of the transport behind `SIP / 2.0 /`; -1 where something else stands there. */
function protocolEnd(octets: Uint8Array, start: number, end: number): number {
	let at = skipLwsOctets(octets, start, end);
	if (!isSip(octets, at, end)) return -1;
	at = slashEnd(octets, at + 3, end);
	if (at < 0 || at + 3 > end || octets[at] !== 0x32 || octets[at + 1] !== 0x2e || octets[at + 2] !== 0x30) return -1;
	return slashEnd(octets, at + 3, end);
}

function isSip(octets: Uint8Array, at: number, end: number): boolean {
	return (
		at + 3 <= end &&
		((octets[at] as number) | 0x20) === 0x73 &&
		((octets[at + 1] as number) | 0x20) === 0x69 &&
		((octets[at + 2] as number) | 0x20) === 0x70
	);
}

/** Offset behind a slash and the white space around it; -1 where none stands there. */
function slashEnd(octets: Uint8Array, at: number, end: number): number {
	const slash = skipLwsOctets(octets, at, end);
	return slash < end && octets[slash] === 0x2f ? skipLwsOctets(octets, slash + 1, end) : -1;
}

function transportName(octets: Uint8Array, text: string, start: number, end: number): string {
	// Nearly every Via says this one; no new string for it.
	const isTls =
		end - start === 3 &&
		((octets[start] as number) | 0x20) === 0x74 &&
		((octets[start + 1] as number) | 0x20) === 0x6c &&
		((octets[start + 2] as number) | 0x20) === 0x73;
	return isTls ? "TLS" : upperAscii(text.slice(start, end));
}

function bad(offset: number, detail: string) {
	return refuse("bad-via", "RFC 3261 §20.42", offset, detail);
}
