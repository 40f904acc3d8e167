/** Writing SIP URIs: RFC 3261 §19.1.1. */
import { invariant } from "../text/assert.ts";
import { CharClass, hasClass, skipEscapedClass } from "../text/char-class.ts";
import { utf8ToOctets } from "../text/octets.ts";
import { formatParams, type Param } from "./params.ts";

/** What a URI of ours is made of (RFC 3261 §19.1.1). */
export interface SipUriParts {
	/** Escaped already ({@link escapeUser}). */
	readonly user?: string | undefined;
	/** A name, an IPv4 address, or an IPv6 address without brackets. */
	readonly host: string;
	readonly port?: number | undefined;
	readonly params?: readonly Param[];
}

/** A `sip:` URI. There is no way to write `sips:` (REQ-51). */
export function formatSipUri(parts: SipUriParts): string {
	const { user, host, port, params } = parts;
	let text = "sip:";
	if (user !== undefined) {
		const whole = user.length > 0 && skipEscapedClass(user, 0, user.length, CharClass.user) === user.length;
		invariant(whole, "the user part of a URI to write is empty or not escaped");
		text += `${user}@`;
	}
	text += host.includes(":") ? `[${host}]` : host;
	if (port !== undefined) text += `:${port}`;
	if (params !== undefined) text += formatParams(params);
	return text;
}

/** Unicode text as a user part (RFC 3261 §19.1.2): what the grammar does not allow becomes `%HH` of its UTF-8 octets. */
export function escapeUser(text: string): string {
	const octets = utf8ToOctets(text);
	let escaped = "";
	for (let index = 0; index < octets.length; index++) {
		const code = octets.charCodeAt(index);
		escaped += hasClass(code, CharClass.user)
			? octets.charAt(index)
			: `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
	}
	return escaped;
}
