/** The presence document writer: the structure of the profile's sample, to the element (REQ-10 … REQ-13, REQ-19, REQ-23). */
import { invariant } from "../text/assert.ts";
import type { BasicStatus } from "./pidf.ts";
import {
	CIPID_NAMESPACE,
	DATA_MODEL_NAMESPACE,
	MAX_NOTE_LENGTH,
	PIDF_NAMESPACE,
	RPID_NAMESPACE,
	RPID_STATUS_NAMESPACE,
	RPID_TUPLE_NAMESPACE,
} from "./pidf.ts";
import { escapeXml } from "./xml.ts";

/** The words that every peer is known to read; richer ones risk showing as available. */
export type WrittenActivity = "away" | "busy" | "on-the-phone";

/** Which form a peer wants: its `presence_profile`. */
export type PresenceProfile = "profile" | "rfc4480";

/** What a presence document of ours says (RFC 3863 §4, protocol sheet 5.1); texts are Unicode. */
export interface PidfToWrite {
	/** `sip:` and the address of record. */
	readonly entity: string;
	readonly basic: BasicStatus;
	/** Left out of a closed document. */
	readonly activity?: WrittenActivity | undefined;
	readonly displayName?: string | undefined;
	/** An https URL; any other is a bug of the caller and throws. */
	readonly icon?: string | undefined;
	/** Cut at {@link MAX_NOTE_LENGTH} characters. */
	readonly note?: string | undefined;
}

/**
 * Writes a presence document as UTF-8 octets. Form `profile`: one tuple with id `0`, activities in the draft's text form,
 * icon and display name at presence level. Form `rfc4480` adds a `dm:person` behind the tuple and a legal tuple id.
 */
export function formatPidf(document: PidfToWrite, profile: PresenceProfile = "profile"): Uint8Array {
	const { entity, icon, displayName } = document;
	invariant(icon === undefined || URL.parse(icon)?.protocol === "https:", "a presence icon has an https URL");
	const activity = document.basic === "open" ? document.activity : undefined;
	const note = document.note === undefined ? "" : Array.from(document.note).slice(0, MAX_NOTE_LENGTH).join("");
	const rich = profile === "rfc4480";
	const text = [
		'<?xml version="1.0" encoding="utf-8"?>\r\n',
		`<presence xmlns="${PIDF_NAMESPACE}" xmlns:ep="${RPID_STATUS_NAMESPACE}"`,
		` xmlns:et="${RPID_TUPLE_NAMESPACE}" xmlns:ci="${CIPID_NAMESPACE}"`,
		rich ? ` xmlns:dm="${DATA_MODEL_NAMESPACE}" xmlns:r="${RPID_NAMESPACE}"` : "",
		` entity="${escapeXml(entity)}">`,
		`<tuple id="${rich ? "t0" : "0"}"><status><basic>${document.basic}</basic>`,
		activity === undefined ? "" : `<ep:activities><ep:activity>${activity}</ep:activity></ep:activities>`,
		"</status></tuple>",
		// RFC 3863 §4.4: notes stand before elements of other namespaces.
		note === "" ? "" : `<note>${escapeXml(note)}</note>`,
		rich && activity !== undefined
			? `<dm:person id="p0"><r:activities><r:${activity}/></r:activities></dm:person>`
			: "",
		icon === undefined ? "" : `<ci:icon>${escapeXml(icon)}</ci:icon>`,
		displayName === undefined ? "" : `<ci:display-name>${escapeXml(displayName)}</ci:display-name>`,
		"</presence>",
	];
	return new TextEncoder().encode(text.join(""));
}
