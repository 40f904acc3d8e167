/** Character classes of RFC 3261 §25.1: one table look-up for an octet. */

/** Bits of {@link hasClass}; several may be asked for at once. */
export const CharClass = {
	digit: 1,
	alpha: 2,
	hex: 4,
	/** `token`. */
	token: 8,
	/** `user`, the percent sign left out. */
	user: 16,
	/** `password`, the percent sign left out. */
	password: 32,
	/** `pvalue` of URIs, the percent sign left out. */
	uriParam: 64,
	/** `hname` and `hvalue` of URIs, the percent sign left out. */
	uriHeader: 128,
	/** Letters, digits and hyphens of host names. */
	hostLabel: 256,
	/** Behind the first letter of a URI scheme. */
	scheme: 512,
	/** `unreserved`. */
	unreserved: 1024,
	/** Unquoted value of a header parameter: `token` and everything else that cannot end the value. */
	paramValue: 2048,
	/** Any visible octet a URI of an unknown scheme may hold. */
	opaqueUri: 4096,
	/** `pname` of URIs, the percent sign left out. */
	uriParamName: 8192,
	/** What stands for itself in a quoted string: neither quote nor backslash, nor a fold. */
	plainQuoted: 16384,
} as const;

const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const alphanumeric = letters + digits;
const unreserved = `${alphanumeric}-_.!~*'()`;

function buildTable(): Uint16Array {
	const table = new Uint16Array(256);
	const add = (mask: number, characters: string) => {
		for (let index = 0; index < characters.length; index++) {
			const code = characters.charCodeAt(index);
			table[code] = (table[code] ?? 0) | mask;
		}
	};
	const addRange = (mask: number, first: number, last: number, except: string) => {
		for (let code = first; code <= last; code++) {
			if (!except.includes(String.fromCharCode(code))) table[code] = (table[code] ?? 0) | mask;
		}
	};
	add(CharClass.digit, digits);
	add(CharClass.alpha, letters);
	add(CharClass.hex, `${digits}abcdefABCDEF`);
	add(CharClass.token, `${alphanumeric}-.!%*_+\`'~`);
	add(CharClass.unreserved, unreserved);
	add(CharClass.user, `${unreserved}&=+$,;?/`);
	add(CharClass.password, `${unreserved}&=+$,`);
	// COMPAT(lcs-2005): base64 padding stands unescaped in `opaque` and `ms-*` values, hence the equals sign.
	add(CharClass.uriParam, `${unreserved}[]/:&+$=`);
	add(CharClass.uriParamName, `${unreserved}[]/:&+$`);
	add(CharClass.uriHeader, `${unreserved}[]/?:+$=&`);
	add(CharClass.hostLabel, `${alphanumeric}-`);
	add(CharClass.scheme, `${alphanumeric}+-.`);
	addRange(CharClass.paramValue, 0x21, 0xff, '";,<>\x7f');
	addRange(CharClass.opaqueUri, 0x21, 0x7e, '<>"');
	addRange(CharClass.plainQuoted, 0, 0xff, '"\\\r\n');
	return table;
}

/**
 * The classes of each octet, for loops on the way of every message: the engine stops putting small functions in the place
 * of their calls where many of them meet. A code above 255 finds nothing there, and nothing has no bit set.
 */
export const CHAR_CLASSES: Uint16Array = buildTable();
const table = CHAR_CLASSES;

/** Whether an octet belongs to one of the classes in `mask` ({@link CharClass}). */
export function hasClass(code: number, mask: number): boolean {
	return ((table[code] as number) & mask) !== 0;
}

/** Whether `text` is a `token` (RFC 3261 §25.1): at least one character, all of the class. */
export function isToken(text: string): boolean {
	return text.length > 0 && skipClass(text, 0, text.length, CharClass.token) === text.length;
}

/** Offset of the first character from `at` on, before `end`, that is outside `mask`; `end` where there is none. */
export function skipClass(text: string, at: number, end: number, mask: number): number {
	let index = at;
	while (index < end && ((table[text.charCodeAt(index)] as number) & mask) !== 0) index++;
	return index;
}

/** As {@link skipClass}, of octets. */
export function skipOctets(octets: Uint8Array, at: number, end: number, mask: number): number {
	let index = at;
	while (index < end && ((table[octets[index] as number] as number) & mask) !== 0) index++;
	return index;
}

/** As {@link skipEscapedClass}, of octets. */
export function skipEscapedOctets(octets: Uint8Array, at: number, end: number, mask: number): number {
	let index = at;
	for (;;) {
		while (index < end && ((table[octets[index] as number] as number) & mask) !== 0) index++;
		if (index + 2 >= end || octets[index] !== 0x25) return index;
		if (!hasClass(octets[index + 1] as number, CharClass.hex)) return index;
		if (!hasClass(octets[index + 2] as number, CharClass.hex)) return index;
		index += 3;
	}
}

/** As {@link skipClass}, and steps over `%HH`; a percent sign without two hexadecimal digits ends the run. */
export function skipEscapedClass(text: string, at: number, end: number, mask: number): number {
	let index = at;
	while (index < end) {
		const code = text.charCodeAt(index);
		if (((table[code] as number) & mask) !== 0) index++;
		else if (code === 0x25 && index + 2 < end && isHexPair(text, index + 1)) index += 3;
		else break;
	}
	return index;
}

function isHexPair(text: string, at: number): boolean {
	return hasClass(text.charCodeAt(at), CharClass.hex) && hasClass(text.charCodeAt(at + 1), CharClass.hex);
}
