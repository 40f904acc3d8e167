/** Textual encoding of certificates and lists (RFC 7468). */

/** The decoded blocks with this label, in order, other blocks left out; undefined where one is damaged. */
export function readPemBlocks(text: string, label: string): readonly Uint8Array[] | undefined {
	const begin = `-----BEGIN ${label}-----`;
	const end = `-----END ${label}-----`;
	const blocks: Uint8Array[] = [];
	let from = text.indexOf(begin);
	while (from >= 0) {
		const to = text.indexOf(end, from);
		if (to < 0) return undefined;
		const base64 = text.slice(from + begin.length, to);
		if (!isBase64(base64)) return undefined;
		const block = Buffer.from(base64, "base64");
		if (block.length === 0) return undefined;
		blocks.push(block);
		from = text.indexOf(begin, to);
	}
	return blocks;
}

/** Base64 characters and white space, nothing else: Node's decoder would skip what it does not know. */
function isBase64(text: string): boolean {
	for (let index = 0; index < text.length; index += 1) {
		const code = text.charCodeAt(index);
		const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
		const digit = code >= 0x30 && code <= 0x39;
		const other =
			code === 0x2b ||
			code === 0x2f ||
			code === 0x3d ||
			code === 0x0a ||
			code === 0x0d ||
			code === 0x20 ||
			code === 0x09;
		if (!letter && !digit && !other) return false;
	}
	return true;
}
