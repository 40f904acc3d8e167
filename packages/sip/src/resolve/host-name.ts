/** Host and domain names as the edge may look them up: ASCII letters, digits and hyphens (RFC 1123 §2.1; A-labels of RFC 5890). */
import { lowerAscii } from "../text/ascii.ts";
import { isNumericHost } from "./ip-address.ts";

const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

/** Lower case, without a final dot. Undefined for what is no host name, and for numbers of any spelling. */
export function normaliseHostName(text: string): string | undefined {
	const name = lowerAscii(text.endsWith(".") ? text.slice(0, -1) : text);
	if (name.length > MAX_NAME_LENGTH || isNumericHost(name)) return undefined;
	return name.split(".").every(isLabel) ? name : undefined;
}

/** REQ-38: a discovered target lives in the domain that names it; whole labels are compared. Both names normalised. */
export function isWithinDomain(target: string, domain: string): boolean {
	return target === domain || target.endsWith(`.${domain}`);
}

function isLabel(label: string): boolean {
	if (label.length === 0 || label.length > MAX_LABEL_LENGTH || label.startsWith("-") || label.endsWith("-"))
		return false;
	for (let index = 0; index < label.length; index += 1) {
		const code = label.charCodeAt(index);
		const isDigit = code >= 0x30 && code <= 0x39;
		const isLetter = code >= 0x61 && code <= 0x7a;
		if (!isDigit && !isLetter && code !== 0x2d) return false;
	}
	return true;
}
