/** IP addresses in text form: RFC 791 dotted quads and RFC 4291 §2.2. */

const IPV4_PARTS = 4;
const IPV6_GROUPS = 8;

/** The four octets of a dotted quad in its only safe spelling (decimal, no leading zeros), else undefined. */
export function parseIpv4(text: string): readonly number[] | undefined {
	const parts = text.split(".", IPV4_PARTS + 1);
	if (parts.length !== IPV4_PARTS) return undefined;
	const octets = parts.map(decimalOctet);
	return octets.every((octet) => octet >= 0) ? octets : undefined;
}

/** The eight 16-bit groups of an IPv6 address without zone, else undefined. */
export function parseIpv6(text: string): readonly number[] | undefined {
	if (text.length < 2 || text.length > 45) return undefined;
	const gap = text.indexOf("::");
	if (gap < 0) {
		const groups = readGroups(text);
		return groups?.length === IPV6_GROUPS ? groups : undefined;
	}
	const head = gap === 0 ? [] : readGroups(text.slice(0, gap));
	const tail = gap + 2 === text.length ? [] : readGroups(text.slice(gap + 2));
	// A dotted quad may stand at the very end only, so not before the gap.
	if (head === undefined || tail === undefined || text.slice(0, gap).includes(".")) return undefined;
	const missing = IPV6_GROUPS - head.length - tail.length;
	return missing < 1 ? undefined : [...head, ...Array<number>(missing).fill(0), ...tail];
}

/** True for anything an address parser somewhere may take for a number: `192.0.2.1`, `::1`, `127.1`, `0x7f000001`. */
export function isNumericHost(host: string): boolean {
	if (host.includes(":") || host.includes("[")) return true;
	const labels = host.split(".");
	const last = (labels.at(-1) === "" ? labels.at(-2) : labels.at(-1)) ?? "";
	return allDigits(last) || (last.toLowerCase().startsWith("0x") && allHexDigits(last.slice(2)));
}

/**
 * True for an address that the public internet does not route to one host: loopback, private, link-local, unique local,
 * shared (RFC 6598), multicast, reserved, and every IPv6 form that carries such an IPv4 address inside. True, too, for a
 * text that is no address.
 */
export function isPrivateAddress(address: string): boolean {
	const octets = parseIpv4(address);
	if (octets !== undefined) return isPrivateIpv4(octets[0] ?? 0, octets[1] ?? 0, octets[2] ?? 0);
	const groups = parseIpv6(address);
	return groups === undefined || isPrivateIpv6(groups);
}

function isPrivateIpv4(first: number, second: number, third: number): boolean {
	if (first === 0 || first === 10 || first === 127 || first >= 224) return true;
	if (first === 100) return second >= 64 && second < 128;
	if (first === 169) return second === 254;
	if (first === 172) return second >= 16 && second < 32;
	if (first === 192) return second === 168 || (second === 0 && third === 0);
	if (first === 198) return second === 18 || second === 19;
	return false;
}

function isPrivateIpv6(groups: readonly number[]): boolean {
	const [first = 0, second = 0, third = 0] = groups;
	if (first === 0x2002) return isEmbeddedPrivate(second, third); // 6to4, RFC 3056
	if (first === 0x64 && second === 0xff9b) {
		// NAT64, RFC 6052; everything else below 64:ff9b is for local use (RFC 8215).
		return groups.slice(2, 6).some((group) => group !== 0) || isEmbeddedPrivate(groups[6] ?? 0, groups[7] ?? 0);
	}
	if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
		return isEmbeddedPrivate(groups[6] ?? 0, groups[7] ?? 0); // mapped, RFC 4291 §2.5.5.2
	}
	if (first === 0x2001 && second === 0) return true; // Teredo, RFC 4380: the far end is hidden inside
	// Global unicast is 2000::/3 (RFC 4291 §2.4); what lies outside is loopback, link-local, unique local, multicast, reserved.
	return (first & 0xe000) !== 0x2000;
}

function isEmbeddedPrivate(high: number, low: number): boolean {
	return isPrivateIpv4(high >> 8, high & 0xff, low >> 8);
}

function readGroups(text: string): number[] | undefined {
	const groups: number[] = [];
	const parts = text.split(":", IPV6_GROUPS + 1);
	for (const [index, part] of parts.entries()) {
		if (part.includes(".")) {
			const octets = index === parts.length - 1 ? parseIpv4(part) : undefined;
			if (octets === undefined) return undefined;
			const [a = 0, b = 0, c = 0, d = 0] = octets;
			groups.push((a << 8) | b, (c << 8) | d);
		} else {
			if (part.length === 0 || part.length > 4 || !allHexDigits(part)) return undefined;
			groups.push(Number.parseInt(part, 16));
		}
	}
	return groups;
}

/** -1 for what is no octet. */
function decimalOctet(text: string): number {
	if (text.length === 0 || text.length > 3 || !allDigits(text)) return -1;
	if (text.length > 1 && text.startsWith("0")) return -1;
	const value = Number(text);
	return value <= 255 ? value : -1;
}

function allDigits(text: string): boolean {
	for (let index = 0; index < text.length; index += 1) {
		const code = text.charCodeAt(index);
		if (code < 0x30 || code > 0x39) return false;
	}
	return text.length > 0;
}

function allHexDigits(text: string): boolean {
	for (let index = 0; index < text.length; index += 1) {
		const code = text.charCodeAt(index);
		const isDigit = code >= 0x30 && code <= 0x39;
		const isLetter = (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
		if (!isDigit && !isLetter) return false;
	}
	return true;
}
