/** Quoted strings (RFC 3261 §25.1) and folded values. */

/** `text` as a quoted string (RFC 3261 §25.1); backslashes and quotes inside are escaped. */
export function quote(text: string): string {
	let quoted = '"';
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (code === 0x22 || code === 0x5c) quoted += "\\";
		quoted += text.charAt(index);
	}
	return `${quoted}"`;
}

/** What a quoted string says (RFC 3261 §25.1); text without quotes around it comes back as it is. */
export function unquote(text: string): string {
	const last = text.length - 1;
	if (last < 1 || text.charCodeAt(0) !== 0x22 || text.charCodeAt(last) !== 0x22) return text;
	const inner = text.slice(1, last);
	if (!inner.includes("\\")) return inner;
	let plain = "";
	for (let index = 0; index < inner.length; index++) {
		if (inner.charCodeAt(index) === 0x5c && index + 1 < inner.length) index++;
		plain += inner.charAt(index);
	}
	return plain;
}

/** `text` from `start` to `end` with every fold (line end and the white space around it) turned into one space (RFC 3261 §7.3.1). */
export function unfold(text: string, start: number, end: number): string {
	const value = text.slice(start, end);
	if (!value.includes("\r")) return value;
	let flat = "";
	let at = 0;
	while (at < value.length) {
		const lineEnd = value.indexOf("\r\n", at);
		if (lineEnd < 0) return flat + value.slice(at);
		flat += `${value.slice(at, blankStart(value, at, lineEnd))} `;
		at = lineEnd + 2;
		while (at < value.length && isBlankOrLineEnd(value.charCodeAt(at))) at++;
	}
	return flat;
}

function blankStart(value: string, from: number, end: number): number {
	let index = end;
	while (index > from && isBlankOrLineEnd(value.charCodeAt(index - 1))) index--;
	return index;
}

function isBlankOrLineEnd(code: number): boolean {
	return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
