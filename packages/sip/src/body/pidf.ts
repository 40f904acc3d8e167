/** Presence documents: PIDF (RFC 3863) with the RPID and CIPID parts that the federation profile speaks. */

/** The namespaces of the profile's sample, and those that others write for the same things. */
export const PIDF_NAMESPACE = "urn:ietf:params:xml:ns:pidf";
/** RPID of draft -03: what the profile writes. */
export const RPID_STATUS_NAMESPACE = "urn:ietf:params:xml:ns:pidf:status:rpid-status";
/** RPID as the interdomain drafts spell it in their examples. */
export const RPID_DRAFT_NAMESPACE = "urn:ietf:params:xml:ns:pidf:rpid-status";
/** Declared in the profile's sample, never used there (REQ-23). */
export const RPID_TUPLE_NAMESPACE = "urn:ietf:params:xml:ns:pidf:rpid-tuple";
/** RPID of RFC 4480. */
export const RPID_NAMESPACE = "urn:ietf:params:xml:ns:pidf:rpid";
/** Namespace of display name and icon (RFC 4482 §3). */
export const CIPID_NAMESPACE = "urn:ietf:params:xml:ns:pidf:cipid";
/** Namespace of `person` and `device` (RFC 4479). */
export const DATA_MODEL_NAMESPACE = "urn:ietf:params:xml:ns:pidf:data-model";

/** The media type of a presence document. */
export const PIDF_MEDIA_TYPE = "application/pidf+xml";

/** The longest display name read, in characters. */
export const MAX_DISPLAY_NAME_LENGTH = 256;
/** The longest note read or written, in characters. */
export const MAX_NOTE_LENGTH = 500;

/** `basic` of RFC 3863 §4.1.4. */
export type BasicStatus = "open" | "closed";

/** What a presence document says about its presentity: its first tuple, and what stands at presence level. */
export interface PresenceDocument {
	/** As written: `sip:joe@contoso.example`, `pres:…`, or bare. Compare with {@link entityMatches}. */
	readonly entity: string;
	/** Undefined where the document has no tuple, or a value that is neither word. */
	readonly basic: BasicStatus | undefined;
	/** Activity words, lower case, each once, in the order of the document. */
	readonly activities: readonly string[];
	/** Plain text without control characters, at most {@link MAX_NOTE_LENGTH} characters. */
	readonly note?: string;
	/** Plain text without control characters, at most {@link MAX_DISPLAY_NAME_LENGTH} characters. */
	readonly displayName?: string;
	/** A URL with scheme https and no user information; every other is left out (REQ-18). */
	readonly icon?: string;
}

/**
 * Whether a document's entity names this address of record. Scheme (`sip:`, `pres:`, none), letter case, port and URI
 * parameters do not matter.
 */
export function entityMatches(entity: string, aor: string): boolean {
	const wanted = bareAddress(aor);
	return wanted !== undefined && bareAddress(entity) === wanted;
}

/** `user@host` in lower case; undefined for what has no user or no host. */
function bareAddress(address: string): string | undefined {
	let text = address.trim().toLowerCase();
	for (const scheme of ["sip:", "pres:"]) {
		if (text.startsWith(scheme)) {
			text = text.slice(scheme.length);
			break;
		}
	}
	const at = text.lastIndexOf("@");
	if (at < 1) return undefined;
	const user = text.slice(0, at);
	const host = hostOf(text.slice(at + 1));
	if (host === "" || user.includes("@")) return undefined;
	return `${unescapeUser(user)}@${host}`;
}

/** The host before port, parameters and headers. */
function hostOf(hostPort: string): string {
	let end = 0;
	while (end < hostPort.length && !":;?".includes(hostPort[end] ?? "")) end += 1;
	return hostPort.slice(0, end);
}

/** RFC 3261 §19.1.4: an escaped character equals the character itself. */
function unescapeUser(user: string): string {
	if (!user.includes("%")) return user;
	try {
		return decodeURIComponent(user).toLowerCase();
	} catch {
		return user;
	}
}
