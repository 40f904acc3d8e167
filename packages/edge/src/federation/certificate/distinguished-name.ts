/** Distinguished names (RFC 5280 §4.1.2.4), read for people and for the one attribute that may name a host. */
import { contentOf, type DerElement, derTag, readChildren, readObjectIdentifier } from "./der.ts";

export interface DistinguishedName {
	/** The encoded name as latin1 characters: equal where and only where the octets are, which is how issuers are matched. */
	readonly key: string;
	/** `CN=sip.contoso.example, O=Contoso`: for people; harmless in a log line. */
	readonly text: string;
	/** Common names as written, in order. */
	readonly commonNames: readonly string[];
}

const attributeLabels: Readonly<Record<string, string>> = {
	"2.5.4.3": "CN",
	"2.5.4.5": "serialNumber",
	"2.5.4.6": "C",
	"2.5.4.7": "L",
	"2.5.4.8": "ST",
	"2.5.4.10": "O",
	"2.5.4.11": "OU",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1": "emailAddress",
};

const maxTextLength = 256;

/** Undefined where the element is not a name. */
export function readDistinguishedName(
	bytes: Uint8Array,
	element: DerElement | undefined,
): DistinguishedName | undefined {
	if (element === undefined || element.tag !== derTag.sequence) return undefined;
	const sets = readChildren(bytes, element);
	if (sets === undefined) return undefined;
	const parts: string[] = [];
	const commonNames: string[] = [];
	for (const set of sets) {
		const attributes = set.tag === derTag.set ? readChildren(bytes, set) : undefined;
		if (attributes === undefined) return undefined;
		for (const attribute of attributes) {
			const [type, value] = attribute.tag === derTag.sequence ? (readChildren(bytes, attribute) ?? []) : [];
			const oid = readObjectIdentifier(bytes, type);
			if (oid === undefined || value === undefined) return undefined;
			const label = attributeLabels[oid] ?? oid;
			const text = readText(bytes, value);
			parts.push(`${label}=${printable(text)}`);
			if (label === "CN") commonNames.push(text);
		}
	}
	const text = parts.join(", ");
	return {
		key: Buffer.from(bytes.subarray(element.start, element.end)).toString("latin1"),
		text: text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text,
		commonNames,
	};
}

function readText(bytes: Uint8Array, element: DerElement): string {
	const content = Buffer.from(contentOf(bytes, element));
	if (element.tag === derTag.bmpString)
		return content
			.subarray(0, content.length & ~1)
			.swap16()
			.toString("utf16le");
	return content.toString(element.tag === derTag.utf8String ? "utf8" : "latin1");
}

/** Text from a certificate with everything that could forge a log line or drive a terminal replaced by `?`. */
export function printable(text: string): string {
	let clean = "";
	for (const character of text) {
		const code = character.codePointAt(0) ?? 0;
		const control = code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x202e);
		const direction = (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code === 0xfeff;
		clean += control || direction || code === 0xfffd ? "?" : character;
	}
	return clean;
}
