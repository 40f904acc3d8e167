/** Between Unicode text and octets kept as latin1 characters, the form in which heads are read and written. */

/** The UTF-8 octets of `text` as latin1 characters; ASCII text comes back as it is. */
export function utf8ToOctets(text: string): string {
	return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** Octets in latin1 characters decoded as UTF-8, for display: octets that are no UTF-8 become U+FFFD. */
export function octetsToText(octets: string): string {
	return isAscii(octets) ? octets : Buffer.from(octets, "latin1").toString("utf8");
}

/**
 * A copy of `text` that keeps nothing else alive. The engine lets a slice point into the string it was cut from; what a
 * dialog or a subscription retains must not hold whole message heads.
 */
export function detach(text: string): string {
	// Below this length the engine copies by itself.
	if (text.length < 13) return text;
	const { length } = text;
	for (let index = 0; index < length; index++) {
		if (text.charCodeAt(index) > 0xff) return Buffer.from(text, "utf16le").toString("utf16le");
	}
	if (length > room.length) return Buffer.from(text, "latin1").toString("latin1");
	Buffer.prototype.latin1Write.call(room, text, 0, length);
	return Buffer.prototype.latin1Slice.call(room, 0, length);
}

/** Where texts are copied to and read back from. */
const room = new Uint8Array(512);

function isAscii(text: string): boolean {
	for (let index = 0; index < text.length; index++) {
		if (text.charCodeAt(index) > 0x7f) return false;
	}
	return true;
}
