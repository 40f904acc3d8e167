/** Content-Type, and the media ranges of Accept: RFC 3261 §20.15, §20.1. */
import type { Result } from "../fault.ts";
import { lowerAscii } from "../text/ascii.ts";
import { invariant } from "../text/assert.ts";
import { CharClass, skipOctets } from "../text/char-class.ts";
import { octetsOf } from "../text/octet-view.ts";
import { outcomeOf, refuse } from "../text/refuse.ts";
import { skipLwsOctets } from "../text/scan.ts";
import { createUsualTexts, findUsualText } from "../text/usual-texts.ts";
import type { Params } from "../uri/params.ts";
import { readParams } from "./params.ts";

/** A media type, or a range of Accept (RFC 3261 §20.1, §20.15). */
export interface MediaType {
	/** Lower case; `*` in ranges. */
	readonly type: string;
	/** Lower case; `*` in ranges. */
	readonly subtype: string;
	readonly params: Params;
}

/** Reads one media type or range that fills `text` from `start` to `end`. Faults: `bad-media-type`. */
export function parseMediaType(text: string, start: number, end: number): Result<MediaType> {
	return outcomeOf(readMediaType(octetsOf(text), text, start, end));
}

/** What nearly every message with a body says, letter for letter; anything else is read. */
const USUAL = [
	"text/plain; charset=UTF-8",
	"text/plain;charset=UTF-8",
	"text/plain; charset=utf-8",
	"text/plain;charset=utf-8",
	"text/plain",
	"text/html",
	"application/sdp",
	"application/pidf+xml",
	"application/im-iscomposing+xml",
	"application/xml",
	"message/sipfrag",
] as const;

const usual = createUsualTexts(USUAL);
const usualTypes: readonly MediaType[] = USUAL.map((text) => {
	const type = readAnyMediaType(octetsOf(text), text, 0, text.length);
	invariant(type !== undefined, "a usual media type cannot be read");
	return Object.freeze(type);
});

/** As {@link parseMediaType}; `octets` are those of `text`. Undefined with a reason ({@link refuse}). */
export function readMediaType(octets: Uint8Array, text: string, start: number, end: number): MediaType | undefined {
	const index = findUsualText(usual, octets, start, end);
	return index < 0 ? readAnyMediaType(octets, text, start, end) : usualTypes[index];
}

/** As {@link readMediaType}, by the whole grammar. */
export function readAnyMediaType(octets: Uint8Array, text: string, start: number, end: number): MediaType | undefined {
	const typeStart = skipLwsOctets(octets, start, end);
	const typeEnd = skipOctets(octets, typeStart, end, CharClass.token);
	const slash = skipLwsOctets(octets, typeEnd, end);
	if (typeEnd === typeStart || slash >= end || octets[slash] !== 0x2f) {
		return bad(typeEnd, "A media type is two words with a slash between them.");
	}
	const subtypeStart = skipLwsOctets(octets, slash + 1, end);
	const subtypeEnd = skipOctets(octets, subtypeStart, end, CharClass.token);
	if (subtypeEnd === subtypeStart) return bad(subtypeStart, "A media type has nothing behind its slash.");
	const found = readParams(octets, text, subtypeEnd, end, "");
	if (found === undefined) return bad(subtypeEnd, "The parameters of a media type are malformed.");
	const type = lowerAscii(text.slice(typeStart, typeEnd));
	return { type, subtype: lowerAscii(text.slice(subtypeStart, subtypeEnd)), params: found.params };
}

/** A media type as text: `text/plain;charset=UTF-8` (RFC 3261 §20.15). */
export function formatMediaType(mediaType: MediaType): string {
	return `${mediaType.type}/${mediaType.subtype}${mediaType.params}`;
}

/** Whether a range (`application/pidf+xml`, `application/*`, `*` + `/*`) covers a type; parameters do not count (RFC 3261 §20.1). */
export function matchMediaType(range: MediaType, type: string, subtype: string): boolean {
	if (range.type === "*") return range.subtype === "*";
	return range.type === type && (range.subtype === "*" || range.subtype === subtype);
}

function bad(offset: number, detail: string) {
	return refuse("bad-media-type", "RFC 3261 §20.15", offset, detail);
}
