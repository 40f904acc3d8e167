/** SIP URIs as nearly all are: `sip:`, perhaps a user, a name, perhaps a port and parameters, nothing escaped. */
import { CHAR_CLASSES, CharClass } from "../text/char-class.ts";
import { MAX_PARAMS } from "./params.ts";
import { scanName } from "./plain-name.ts";
import type { SipUri } from "./uri.ts";

const maxLabelLength = 63;

/**
 * Reads the URI that starts at `start` and ends at a closing angle bracket or at `end`. Undefined where it is refused or
 * holds anything unusual: that is for `readAnyUri`, which reads in the same way what is read here.
 */
export function readPlainUri(octets: Uint8Array, text: string, start: number, end: number): SipUri | undefined {
	const isSip =
		octets[start] === 0x73 && octets[start + 1] === 0x69 && octets[start + 2] === 0x70 && octets[start + 3] === 0x3a;
	if (!isSip) return undefined;
	let user: string | undefined;
	let hostStart = start + 4;
	let run = scanName(octets, hostStart, end);
	let at = run >> 1;
	if (at < end && octets[at] === 0x40 && at > hostStart) {
		user = text.slice(hostStart, at);
		hostStart = at + 1;
		run = scanName(octets, hostStart, end);
		at = run >> 1;
	}
	// A name this short has no label that is too long.
	if ((run & 1) === 0 || at - hostStart > maxLabelLength) return undefined;
	const host = text.slice(hostStart, at);
	let port: number | undefined;
	if (at < end && octets[at] === 0x3a) {
		const portStart = at + 1;
		at = portStart;
		port = 0;
		for (; at < end; at++) {
			const digit = (octets[at] as number) - 0x30;
			if (digit < 0 || digit > 9) break;
			port = port * 10 + digit;
		}
		if (at === portStart || at - portStart > 5 || port > 65535) return undefined;
	}
	const paramsStart = at;
	for (let count = 0; at < end && octets[at] === 0x3b; count++) {
		const nameStart = at + 1;
		at = nameStart;
		while (at < end && ((CHAR_CLASSES[octets[at] as number] as number) & CharClass.uriParam) !== 0) at++;
		const isWhole = at > nameStart && octets[nameStart] !== 0x3d && octets[at - 1] !== 0x3d && count < MAX_PARAMS;
		if (!isWhole) return undefined;
	}
	if (at < end && octets[at] !== 0x3e) return undefined;
	return {
		scheme: "sip",
		text: text.slice(start, at),
		user,
		password: undefined,
		host,
		hostKind: "name",
		port,
		params: text.slice(paramsStart, at),
		headers: "",
	};
}
