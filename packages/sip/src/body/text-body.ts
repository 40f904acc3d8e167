/** The text of a message body: charsets, and HTML reduced to what a person would read. */
import { type Result, refusal, success } from "../fault.ts";
import type { MediaType } from "../header/media-type.ts";
import { unquotedParam } from "../header/params.ts";
import { lowerAscii } from "../text/ascii.ts";

/**
 * Decodes a text body by the charset of its Content-Type; UTF-8 where none is named (RFC 3428 §4). Faults:
 * `bad-charset` (415) for a charset we do not know, `bad-text` (415) for octets that are not in it.
 */
export function decodeTextBody(type: MediaType | undefined, body: Uint8Array): Result<string> {
	const label = lowerAscii((type && unquotedParam(type.params, "charset")) ?? "").trim();
	// The decoder takes "utf-16" for little-endian always; RFC 2781 §4.3 lets the byte order mark decide.
	const isBigEndian = label === "utf-16" && body[0] === 0xfe && body[1] === 0xff;
	let decoder: TextDecoder;
	try {
		decoder = new TextDecoder(isBigEndian ? "utf-16be" : label || "utf-8", { fatal: true });
	} catch {
		return refusal("bad-charset", "RFC 3261 §20.15", 0, "the charset of the body is not known here", 415);
	}
	try {
		return success(decoder.decode(body));
	} catch {
		return refusal("bad-text", "RFC 3261 §20.15", 0, "the body is not in the charset that it names", 415);
	}
}

/** Elements whose content nobody reads. */
const HIDDEN: readonly string[] = ["script", "style", "head", "title"];
/** Elements that end a line. */
const BREAKING: ReadonlySet<string> = new Set([
	"br",
	"p",
	"div",
	"li",
	"tr",
	"h1",
	"h2",
	"h3",
	"h4",
	"h5",
	"h6",
	"blockquote",
]);
const ENTITIES: ReadonlyMap<string, string> = new Map([
	["amp", "&"],
	["lt", "<"],
	["gt", ">"],
	["quot", '"'],
	["apos", "'"],
	["nbsp", " "],
]);
const LONGEST_ENTITY = 10;

/**
 * HTML as plain text, in one pass over it: tags dropped, white space as a browser shows it, entities resolved, scripts and
 * styles left out. A `<` that begins no tag is text. The outcome is text, not markup: who shows it as HTML must escape it.
 */
export function htmlToText(html: string): string {
	const pieces: string[] = [];
	let at = 0;
	while (at < html.length) {
		const tag = indexOfTag(html, at);
		pieces.push(resolveEntities(collapse(html.slice(at, tag === -1 ? html.length : tag))));
		if (tag === -1) break;
		const end = html.startsWith("<!--", tag) ? html.indexOf("-->", tag + 4) : html.indexOf(">", tag);
		if (end === -1) break;
		const name = tagName(html, tag + 1, end);
		if (BREAKING.has(name.startsWith("/") ? name.slice(1) : name)) pieces.push("\n");
		at = html.startsWith("<!--", tag) ? end + 3 : end + 1;
		if (HIDDEN.includes(name)) {
			const close = indexOfClosing(html, name, at);
			if (close === -1) break;
			at = close;
		}
	}
	return tidy(pieces.join(""));
}

/** The next `<` that begins a tag, a comment or a declaration. */
function indexOfTag(html: string, from: number): number {
	for (let at = html.indexOf("<", from); at !== -1; at = html.indexOf("<", at + 1)) {
		const next = html.charAt(at + 1);
		if ("!/?".includes(next || " ") || (lowerAscii(next) >= "a" && lowerAscii(next) <= "z")) return at;
	}
	return -1;
}

/** Every run of blanks and line ends as one blank. */
function collapse(text: string): string {
	const characters: string[] = [];
	for (const character of text) {
		const isBlank = " \t\r\n\f".includes(character);
		if (!isBlank || characters.at(-1) !== " ") characters.push(isBlank ? " " : character);
	}
	return characters.join("");
}

function tagName(html: string, start: number, end: number): string {
	let index = start;
	while (index < end && !" \t\r\n>".includes(html.charAt(index)) && (index === start || html.charAt(index) !== "/"))
		index += 1;
	return lowerAscii(html.slice(start, index));
}

/** Where the element's end tag begins; each character is looked at once for each hidden element at most. */
function indexOfClosing(html: string, name: string, from: number): number {
	for (let at = html.indexOf("</", from); at !== -1; at = html.indexOf("</", at + 2)) {
		if (lowerAscii(html.slice(at + 2, at + 2 + name.length)) === name) return at;
	}
	return -1;
}

function resolveEntities(text: string): string {
	if (!text.includes("&")) return text;
	const pieces: string[] = [];
	let at = 0;
	for (let amp = text.indexOf("&"); amp !== -1; amp = text.indexOf("&", at)) {
		pieces.push(text.slice(at, amp));
		const window = text.slice(amp + 1, amp + 1 + LONGEST_ENTITY);
		const end = window.indexOf(";");
		const known = end === -1 ? undefined : entity(window.slice(0, end));
		pieces.push(known ?? "&");
		at = amp + 1 + (known === undefined ? 0 : end + 1);
	}
	pieces.push(text.slice(at));
	return pieces.join("");
}

function entity(name: string): string | undefined {
	if (!name.startsWith("#")) return ENTITIES.get(name);
	const isHex = name.charAt(1) === "x" || name.charAt(1) === "X";
	const code = Number.parseInt(name.slice(isHex ? 2 : 1), isHex ? 16 : 10);
	const isText = Number.isInteger(code) && code >= 0x20 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
	return isText ? String.fromCodePoint(code) : undefined;
}

/** Lines without space around them, never two empty ones in a row. */
function tidy(text: string): string {
	const lines: string[] = [];
	for (const line of text.split("\n")) {
		const trimmed = line.trim();
		if (trimmed !== "" || (lines.length > 0 && lines.at(-1) !== "")) lines.push(trimmed);
	}
	while (lines.at(-1) === "") lines.pop();
	return lines.join("\n");
}
