/** The presence document reader (RFC 3863, REQ-21): the first tuple and what stands at presence level, nothing more. */
import type { Result } from "../fault.ts";
import { refusal, success } from "../fault.ts";
import type { BasicStatus, PresenceDocument } from "./pidf.ts";
import {
	CIPID_NAMESPACE,
	DATA_MODEL_NAMESPACE,
	MAX_DISPLAY_NAME_LENGTH,
	MAX_NOTE_LENGTH,
	PIDF_NAMESPACE,
	RPID_DRAFT_NAMESPACE,
	RPID_NAMESPACE,
	RPID_STATUS_NAMESPACE,
} from "./pidf.ts";
import type { XmlElement } from "./xml.ts";
import { firstChild, parseXml } from "./xml.ts";

const PIDF = [PIDF_NAMESPACE];
const CIPID = [CIPID_NAMESPACE];
const RPID = [RPID_STATUS_NAMESPACE, RPID_DRAFT_NAMESPACE, RPID_NAMESPACE];
/** Where RFC 8048 gateways put `<show>`, a word of RFC 6121 §4.7.2.1. */
const SHOW = ["jabber:client"];
const NOTE = [PIDF_NAMESPACE, DATA_MODEL_NAMESPACE, RPID_NAMESPACE];

const MAX_WORD_LENGTH = 64;
const MAX_ICON_URL_LENGTH = 2048;

/** How a presence document is read: what differs between peers. */
export interface PidfReadOptions {
	/** Also read the first `dm:person`: for peers whose presence profile is `rfc4480`. */
	readonly personState?: boolean;
}

/**
 * Reads a presence document. Later tuples, persons and devices are ignored; a display name, icon or note at presence
 * level goes before one in the tuple; an icon that is not https is dropped and the rest kept (REQ-22).
 * Faults: those of {@link parseXml}, and `bad-pidf` (400).
 */
export function parsePidf(octets: Uint8Array, options: PidfReadOptions = {}): Result<PresenceDocument> {
	const xml = parseXml(octets);
	if (!xml.ok) return xml;
	const root = xml.value;
	if (root.name !== "presence" || root.namespace !== PIDF_NAMESPACE) {
		return refusal("bad-pidf", "RFC 3863 §4.1.1", 0, "the document's root is not a presence element");
	}
	const entity = root.attributes.get("entity")?.trim();
	if (entity === undefined || entity === "") {
		return refusal("bad-pidf", "RFC 3863 §4.1.1", 0, "the presence element has no entity");
	}
	const tuple = firstChild(root, PIDF, "tuple");
	const status = tuple && firstChild(tuple, PIDF, "status");
	const person = options.personState === true ? firstChild(root, [DATA_MODEL_NAMESPACE], "person") : undefined;
	// Presence level first, then the first tuple: the profile's sample has name and icon outside its tuple.
	const places = [root, tuple, status, person].filter((place) => place !== undefined);
	const note = firstText(places, NOTE, "note", MAX_NOTE_LENGTH);
	const displayName = firstText(places, CIPID, "display-name", MAX_DISPLAY_NAME_LENGTH);
	const icon = firstIcon(places);
	return success({
		entity,
		basic: status && basicOf(status),
		activities: activitiesOf([status, tuple, person].filter((place) => place !== undefined)),
		...(note !== undefined && { note }),
		...(displayName !== undefined && { displayName }),
		...(icon !== undefined && { icon }),
	});
}

function basicOf(status: XmlElement): BasicStatus | undefined {
	const word = firstChild(status, PIDF, "basic")?.text.trim().toLowerCase();
	return word === "open" || word === "closed" ? word : undefined;
}

function activitiesOf(places: readonly XmlElement[]): readonly string[] {
	const words = new Set<string>();
	for (const place of places) {
		for (const child of place.children) {
			const isRpid = RPID.includes(child.namespace);
			if (isRpid && child.name === "activities") addActivities(words, child.children);
			// COMPAT: single activities outside a list, as the first RPID drafts had them.
			else if (isRpid && child.name === "activity") addActivities(words, [child]);
			else if (SHOW.includes(child.namespace) && child.name === "show") addWord(words, child.text);
		}
	}
	return [...words];
}

/** Text form, `<activity>away</activity>`, nested or not, and empty-element form, `<away/>`. Depth is bounded by XML's. */
function addActivities(words: Set<string>, elements: readonly XmlElement[]): void {
	for (const element of elements) {
		if (element.name === "activity") {
			addWord(words, element.text);
			addActivities(words, element.children);
		} else if (element.name === "activities") {
			addActivities(words, element.children);
		} else if (element.name !== "note") {
			addWord(words, element.name);
		}
	}
}

function addWord(words: Set<string>, text: string): void {
	const word = text.trim().toLowerCase();
	if (word !== "" && word.length <= MAX_WORD_LENGTH) words.add(word);
}

function firstText(
	places: readonly XmlElement[],
	namespaces: readonly string[],
	name: string,
	limit: number,
): string | undefined {
	for (const place of places) {
		const element = firstChild(place, namespaces, name);
		const text = element === undefined ? "" : plainText(element.text, limit);
		if (text !== "") return text;
	}
	return undefined;
}

function firstIcon(places: readonly XmlElement[]): string | undefined {
	for (const place of places) {
		const text = firstChild(place, CIPID, "icon")?.text.trim();
		const icon = text === undefined ? undefined : httpsUrl(text);
		if (icon !== undefined) return icon;
	}
	return undefined;
}

function httpsUrl(text: string): string | undefined {
	if (text.length > MAX_ICON_URL_LENGTH) return undefined;
	const url = URL.parse(text);
	return url !== null && url.protocol === "https:" && url.username === "" && url.password === "" ? url.href : undefined;
}

/** Control characters become spaces, runs of white space one space; cut at `limit` whole characters. */
function plainText(text: string, limit: number): string {
	const characters: string[] = [];
	for (const character of text) {
		const code = character.codePointAt(0) ?? 0;
		const isBlank = code <= 0x20 || (code >= 0x7f && code <= 0xa0);
		if (isBlank && (characters.length === 0 || characters.at(-1) === " ")) continue;
		if (characters.length === limit) break;
		characters.push(isBlank ? " " : character);
	}
	return characters.join("").trim();
}
