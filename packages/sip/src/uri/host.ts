/** Hosts: names, IPv4 addresses and IPv6 references (RFC 3261 §25.1 `host`). */
import { lowerAscii } from "../text/ascii.ts";
import { CHAR_CLASSES, CharClass, hasClass } from "../text/char-class.ts";
import { octetsOf } from "../text/octet-view.ts";
import { parseDecimal } from "../text/scan.ts";
import { scanName } from "./plain-name.ts";

/** A host and where it ends (RFC 3261 §25.1). */
export interface Host {
	/** Lower case; an IPv6 reference without its brackets. */
	readonly host: string;
	readonly hostKind: "name" | "ipv4" | "ipv6";
	/** Offset behind the host. */
	readonly end: number;
}

const maxNameLength = 253;
const maxLabelLength = 63;

/**
 * Reads the host that starts at `at`; what follows it is the caller's to judge. Undefined where no host stands there: a
 * label that is empty, too long or has a hyphen at its edge, a last label that starts with a digit in what is no IPv4
 * address, an octet above 255 or with leading zeros, a broken IPv6 reference. A percent sign is never part of a host.
 */
export function parseHost(text: string, at: number, end: number): Host | undefined {
	const span = findHost(octetsOf(text), text, at, end);
	if (span === NO_HOST) return undefined;
	return { host: hostIn(text, at, span), hostKind: hostKindOf(span), end: hostEndOf(span) };
}

/** Where a host ends and of which kind it is, in one number: {@link hostEndOf}, {@link hostKindOf}, {@link hostIn}. */
export type HostSpan = number;

/** No host stands there. */
export const NO_HOST: HostSpan = -1;

const KINDS = ["name", "name", "ipv4", "ipv6"] as const;
const NAME = 0;
const NAME_WITH_CAPITALS = 1;
const IPV4 = 2;
const IPV6 = 3;

/** As {@link parseHost}, without an object for each host of each message; `octets` are those of `text`. */
export function findHost(octets: Uint8Array, text: string, at: number, end: number): HostSpan {
	const run = scanName(octets, at, end);
	const runEnd = run >> 1;
	// A name this short has no label that is too long.
	const isName = (run & 1) !== 0 && runEnd - at <= maxLabelLength;
	return isName ? (runEnd << 2) | NAME : findAnyHost(octets, text, at, end);
}

/** As {@link findHost}, by the whole grammar. */
export function findAnyHost(octets: Uint8Array, text: string, at: number, end: number): HostSpan {
	if (at < end && octets[at] === 0x5b) return findIpv6Reference(octets, text, at, end);
	let index = at;
	let labelStart = at;
	let previousLabelStart = at;
	let hasLetters = false;
	let hasCapitals = false;
	for (; index < end; index++) {
		const code = octets[index] as number;
		// Lower case first: nearly all octets of hosts are that.
		if (code >= 0x61 && code <= 0x7a) {
			hasLetters = true;
			continue;
		}
		const classes = CHAR_CLASSES[code] as number;
		if ((classes & CharClass.digit) !== 0) continue;
		if ((classes & CharClass.hostLabel) !== 0) {
			hasLetters = true;
			if (code !== 0x2d) hasCapitals = true;
		} else if (code === 0x2e) {
			if (!isLabel(octets, labelStart, index)) return NO_HOST;
			previousLabelStart = labelStart;
			labelStart = index + 1;
		} else break;
	}
	if (index === at || index - at > maxNameLength) return NO_HOST;
	if (!hasLetters) return isIpv4(octets, at, index) ? (index << 2) | IPV4 : NO_HOST;
	if (labelStart === index) {
		// A name may end in a dot; its last label is then the one before.
		labelStart = previousLabelStart;
	} else if (!isLabel(octets, labelStart, index)) return NO_HOST;
	if (!hasClass(octets[labelStart] as number, CharClass.alpha)) return NO_HOST;
	return (index << 2) | (hasCapitals ? NAME_WITH_CAPITALS : NAME);
}

/** Offset behind a host that was found. */
export function hostEndOf(span: HostSpan): number {
	return span >> 2;
}

export function hostKindOf(span: HostSpan): "name" | "ipv4" | "ipv6" {
	return KINDS[span & 3] as "name" | "ipv4" | "ipv6";
}

/** The host that was found at `at`: lower case; an IPv6 reference without its brackets. */
export function hostIn(text: string, at: number, span: HostSpan): string {
	const kind = span & 3;
	if (kind === IPV6) return lowerAscii(withoutThirdColon(text.slice(at + 1, hostEndOf(span) - 1)));
	const host = text.slice(at, hostEndOf(span));
	return kind === NAME_WITH_CAPITALS ? lowerAscii(host) : host;
}

/** As {@link parseIpv4} of what holds digits and dots alone. */
function isIpv4(octets: Uint8Array, start: number, end: number): boolean {
	let count = 0;
	let at = start;
	for (;;) {
		const first = at;
		let value = 0;
		while (at < end && octets[at] !== 0x2e) {
			value = value * 10 + (octets[at] as number) - 0x30;
			at++;
		}
		const digits = at - first;
		if (digits === 0 || digits > 3 || value > 255 || (digits > 1 && octets[first] === 0x30)) return false;
		count++;
		if (at === end) return count === 4;
		at++;
	}
}

function isLabel(octets: Uint8Array, start: number, end: number): boolean {
	const length = end - start;
	return length > 0 && length <= maxLabelLength && octets[start] !== 0x2d && octets[end - 1] !== 0x2d;
}

function findIpv6Reference(octets: Uint8Array, text: string, at: number, end: number): HostSpan {
	let close = at + 1;
	while (close < end && octets[close] !== 0x5d) close++;
	if (close >= end || parseIpv6(withoutThirdColon(text.slice(at + 1, close))) === undefined) return NO_HOST;
	return ((close + 1) << 2) | IPV6;
}

/**
 * RFC 5118 §4.10: the grammar of RFC 3261 lets three colons stand before an IPv4 address where two are meant; readers are
 * asked to take it. What is written is right.
 */
function withoutThirdColon(address: string): string {
	const colons = address.indexOf(":::");
	if (colons < 0 || parseIpv4(address.slice(colons + 3)) === undefined) return address;
	return address.slice(0, colons) + address.slice(colons + 1);
}

/** The four octets of an IPv4 address in dotted form (RFC 3261 §25.1); undefined for anything else, leading zeros included. */
export function parseIpv4(text: string): readonly number[] | undefined {
	if (text.length > 15) return undefined;
	const parts = text.split(".");
	if (parts.length !== 4) return undefined;
	const octets: number[] = [];
	for (const part of parts) {
		const octet = parseDecimal(part, 0, part.length, 3);
		// A leading zero is read as octal by some resolvers: refuse what two readers understand in two ways.
		if (octet === undefined || octet > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
		octets.push(octet);
	}
	return octets;
}

/** The eight 16-bit groups of an IPv6 address (RFC 4291 §2.2) without brackets and zone; undefined for anything else. */
export function parseIpv6(text: string): readonly number[] | undefined {
	if (text.length < 2 || text.length > 45) return undefined;
	const gap = text.indexOf("::");
	if (gap < 0) {
		const groups = parseGroups(text);
		return groups?.length === 8 ? groups : undefined;
	}
	const left = gap === 0 ? [] : parseGroups(text.slice(0, gap), false);
	const right = gap + 2 === text.length ? [] : parseGroups(text.slice(gap + 2));
	if (left === undefined || right === undefined || left.length + right.length > 7) return undefined;
	return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function parseGroups(text: string, mayEndInIpv4 = true): number[] | undefined {
	const parts = text.split(":");
	const groups: number[] = [];
	for (const [index, part] of parts.entries()) {
		if (mayEndInIpv4 && index === parts.length - 1 && part.includes(".")) {
			const octets = parseIpv4(part);
			if (octets === undefined) return undefined;
			const [first = 0, second = 0, third = 0, fourth = 0] = octets;
			groups.push(first * 256 + second, third * 256 + fourth);
			continue;
		}
		if (part.length < 1 || part.length > 4) return undefined;
		let group = 0;
		for (let at = 0; at < part.length; at++) {
			const code = part.charCodeAt(at);
			if (!hasClass(code, CharClass.hex)) return undefined;
			group = group * 16 + (code <= 0x39 ? code - 0x30 : (code & 0x0f) + 9);
		}
		groups.push(group);
	}
	return groups;
}

/** Whether two hosts in the form of {@link Host} name the same place: addresses by value, names by letters (RFC 3261 §19.1.4). */
export function equalHosts(left: string, right: string): boolean {
	if (left === right) return true;
	if (!left.includes(":") || !right.includes(":")) return false;
	const leftGroups = parseIpv6(left);
	const rightGroups = parseIpv6(right);
	return (
		leftGroups !== undefined &&
		rightGroups !== undefined &&
		leftGroups.every((group, index) => group === rightGroups[index])
	);
}
