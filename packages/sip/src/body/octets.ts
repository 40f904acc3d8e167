/** Octets and the latin1 characters that stand for them: one character an octet, nothing decoded. */

/** Octets as latin1 characters. */
export function octetsToLatin1(octets: Uint8Array): string {
	return Buffer.prototype.latin1Slice.call(octets, 0, octets.length);
}

/** The octets that latin1 characters stand for; undefined where a character is above U+00FF. */
export function latin1ToOctets(text: string): Uint8Array | undefined {
	const octets = new Uint8Array(text.length);
	for (let index = 0; index < text.length; index += 1) {
		const code = text.charCodeAt(index);
		if (code > 0xff) return undefined;
		octets[index] = code;
	}
	return octets;
}

/** Text as UTF-8 octets in latin1 characters. */
export function utf8AsLatin1(text: string): string {
	return octetsToLatin1(new TextEncoder().encode(text));
}
