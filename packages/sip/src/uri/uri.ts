/** URIs: `sip:` and `sips:` decoded (RFC 3261 §19.1), every other scheme kept as text. */
import type { Params } from "./params.ts";

/** RFC 3261 §19.1.1. Text parts are octets as latin1 characters, escapes not undone. */
export interface SipUri {
	readonly scheme: "sip" | "sips";
	/** As written, without the angle brackets around it. */
	readonly text: string;
	/** Undefined where the URI names a host alone. */
	readonly user: string | undefined;
	readonly password: string | undefined;
	/** Lower case; an IPv6 reference without its brackets. */
	readonly host: string;
	readonly hostKind: "name" | "ipv4" | "ipv6";
	/** Undefined where absent. */
	readonly port: number | undefined;
	readonly params: Params;
	/** Behind the question mark, as written; empty where absent. */
	readonly headers: string;
}

/** A URI of another scheme. */
export interface OtherUri {
	/** Lower case: `tel`, `im`, `pres`. */
	readonly scheme: string;
	readonly text: string;
}

/** A URI of any scheme; `isSipUri` tells whether it is decoded. */
export type Uri = SipUri | OtherUri;

/** Whether a URI is decoded, that is of scheme `sip` or `sips` (RFC 3261 §19.1.1). */
export function isSipUri(uri: Uri): uri is SipUri {
	return "host" in uri;
}
