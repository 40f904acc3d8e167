/** Via: RFC 3261 §20.42. */
import { type Result, refusal, success } from "../fault.ts";
import { matchesIgnoreCase, upperAscii } from "../text/ascii.ts";
import { CharClass, skipClass } from "../text/char-class.ts";
import { isLws, parseDecimal, skipLws } from "../text/scan.ts";
import { parseHost } from "../uri/host.ts";
import { type Params, paramValue } from "../uri/params.ts";
import { parseParams } from "./params.ts";

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

const usualProtocol = "SIP/2.0/";

/** Reads one Via value that fills `text` from `start` to `end`. White space may stand around the slashes and the colon. */
export function parseVia(text: string, start: number, end: number): Result<Via> {
	let at = readProtocol(text, start, end);
	if (at === undefined) return bad(start, "A Via value starts with SIP/2.0 and a transport.");
	const transportEnd = skipClass(text, at, end, CharClass.token);
	const hostStart = skipLws(text, transportEnd, end);
	if (transportEnd === at || hostStart === transportEnd) return bad(at, "The Via value names no transport.");
	const transport = transportName(text, at, transportEnd);
	const host = parseHost(text, hostStart, end);
	if (host === undefined) return bad(hostStart, "The Via value names no host.");
	at = skipLws(text, host.end, end);
	let port: number | undefined;
	if (at < end && text.charCodeAt(at) === 0x3a) {
		const portStart = skipLws(text, at + 1, end);
		at = skipClass(text, portStart, end, CharClass.digit);
		port = parseDecimal(text, portStart, at, 5);
		if (port === undefined || port > 65535) return bad(portStart, "The port of the Via value is no number to 65535.");
	}
	const params = parseParams(text, at, end);
	if (params === undefined) return bad(at, "The parameters of the Via value are malformed.");
	return success({ transport, host: host.host, port, branch: paramValue(params, "branch"), params });
}

/** A Via value with our usual spacing. */
export function formatVia(via: Pick<Via, "transport" | "host" | "port" | "params">): string {
	const host = via.host.includes(":") ? `[${via.host}]` : via.host;
	const port = via.port === undefined ? "" : `:${via.port}`;
	return `SIP/2.0/${via.transport} ${host}${port}${via.params}`;
}

/** Offset of the transport behind `SIP / 2.0 /`; undefined where something else stands there. */
function readProtocol(text: string, start: number, end: number): number | undefined {
	// Nearly every Via is written without white space.
	if (start + usualProtocol.length <= end && matchesIgnoreCase(text, start, usualProtocol)) {
		const at = start + usualProtocol.length;
		if (!isLws(text.charCodeAt(at))) return at;
	}
	let at = readWord(text, skipLws(text, start, end), end, "SIP");
	at = at === undefined ? undefined : readSlash(text, at, end);
	at = at === undefined ? undefined : readWord(text, at, end, "2.0");
	return at === undefined ? undefined : readSlash(text, at, end);
}

function readWord(text: string, at: number, end: number, word: string): number | undefined {
	const behind = at + word.length;
	return behind <= end && matchesIgnoreCase(text, at, word) ? behind : undefined;
}

function readSlash(text: string, at: number, end: number): number | undefined {
	const slash = skipLws(text, at, end);
	return slash < end && text.charCodeAt(slash) === 0x2f ? skipLws(text, slash + 1, end) : undefined;
}

function transportName(text: string, start: number, end: number): string {
	// Nearly every Via says this one; no new string for it.
	if (end - start === 3 && matchesIgnoreCase(text, start, "TLS")) return "TLS";
	return upperAscii(text.slice(start, end));
}

function bad(offset: number, detail: string) {
	return refusal("bad-via", "RFC 3261 §20.42", offset, detail);
}
