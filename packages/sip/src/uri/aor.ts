/** Addresses of record: who, not where. From and To of federated traffic carry nothing else (protocol sheet 2.5). */
import { type Result, refusal, success } from "../fault.ts";
import { lowerAscii } from "../text/ascii.ts";
import { normaliseEscapes } from "./compare-uris.ts";
import { parseUriText } from "./parse-uri.ts";
import { isSipUri, type Uri } from "./uri.ts";

/** An address of record (protocol sheet 2.5, REQ-70). */
export interface Aor {
	/** As written, escapes kept. */
	readonly user: string;
	/** Lower case. */
	readonly host: string;
}

const rule = "REQ-70";

/**
 * Whether a URI is an address of record: scheme `sip`, a user, a plain domain, and neither password, port, parameters
 * nor headers. Faults: `bad-aor`.
 */
export function parseAor(uri: Uri): Result<Aor> {
	if (!isSipUri(uri) || uri.scheme !== "sip") return bad("An address of record has the scheme sip.");
	if (uri.user === undefined) return bad("An address of record names a user.");
	if (uri.hostKind !== "name" || uri.host.endsWith(".")) return bad("The host of an address of record is a domain.");
	if (uri.port !== undefined || uri.password !== undefined || uri.params !== "" || uri.headers !== "") {
		return bad("An address of record has no password, port, parameter or header.");
	}
	return success({ user: uri.user, host: uri.host });
}

/** Reads `sip:user@domain` or `user@domain`, as people and programs write it. */
export function parseAorText(text: string): Result<Aor> {
	const parsed = parseUriText(text.slice(0, 4).toLowerCase() === "sip:" ? text : `sip:${text}`);
	return parsed.ok ? parseAor(parsed.value) : parsed;
}

/** `sip:user@domain`. */
export function formatAor(aor: Aor): string {
	return `sip:${aor.user}@${aor.host}`;
}

/**
 * Text under which an address is stored and compared: `user@domain` in lower case. RFC 3261 compares users by case;
 * directories of the LCS family do not (protocol sheet 2.5).
 */
export function aorKey(aor: Aor): string {
	return lowerAscii(`${normaliseEscapes(aor.user)}@${aor.host}`);
}

function bad(detail: string) {
	return refusal("bad-aor", rule, 0, detail);
}
