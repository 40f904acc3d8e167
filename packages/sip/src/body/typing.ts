/** "Somebody writes": RFC 3994 documents, and the older `KeyboardActivity` of the Microsoft clients. */
import { type Result, refusal, success } from "../fault.ts";
import { invariant } from "../text/assert.ts";
import { escapeXml, firstChild, parseXml } from "./xml.ts";

const NAMESPACE = "urn:ietf:params:xml:ns:im-iscomposing";
/** Clients write KeyboardActivity without a namespace. */
const NO_NAMESPACE = [""];
const LONGEST_REFRESH_SECONDS = 86_400;
/** RFC 3994 §3.3. */
const LEAST_REFRESH_SECONDS = 60;

/** What an `isComposing` document says (RFC 3994 §3). */
export interface ComposingStatus {
	/** Unknown states count as idle (RFC 3994 §3.2). */
	readonly state: "active" | "idle";
	/** Seconds after which an unrenewed `active` ends; undefined where absent. */
	readonly refreshSeconds: number | undefined;
}

/** Reads an `application/im-iscomposing+xml` document. Faults: those of XML, `bad-iscomposing`. */
export function parseIsComposing(octets: Uint8Array): Result<ComposingStatus> {
	const root = parseXml(octets);
	if (!root.ok) return root;
	const state = firstChild(root.value, [NAMESPACE], "state");
	if (root.value.name !== "isComposing" || root.value.namespace !== NAMESPACE || state === undefined) {
		return refusal("bad-iscomposing", "RFC 3994 §4", 0, "the document is no isComposing with a state");
	}
	const refresh = firstChild(root.value, [NAMESPACE], "refresh")?.text.trim() ?? "";
	const seconds = isDigits(refresh) ? Math.min(Number(refresh), LONGEST_REFRESH_SECONDS) : undefined;
	return success({ state: state.text.trim() === "active" ? "active" : "idle", refreshSeconds: seconds });
}

/** What an `isComposing` document of ours says (RFC 3994 §3). */
export interface IsComposingToWrite {
	readonly state: "active" | "idle";
	/** Media type being written. */
	readonly contentType?: string;
	/** Seconds; at least 60 (RFC 3994 §3.3), else a bug of the caller. */
	readonly refreshSeconds?: number;
}

/** Writes an `application/im-iscomposing+xml` document. */
export function formatIsComposing(status: IsComposingToWrite): Uint8Array {
	const { refreshSeconds = LEAST_REFRESH_SECONDS } = status;
	invariant(refreshSeconds >= LEAST_REFRESH_SECONDS, "a composing indication is refreshed once a minute at most");
	const type = status.contentType === undefined ? "" : `<contenttype>${escapeXml(status.contentType)}</contenttype>`;
	const refresh = status.refreshSeconds === undefined ? "" : `<refresh>${status.refreshSeconds}</refresh>`;
	return new TextEncoder().encode(
		`<?xml version="1.0" encoding="UTF-8"?>\r\n<isComposing xmlns="${NAMESPACE}"><state>${status.state}</state>${type}${refresh}</isComposing>`,
	);
}

/** Reads `<KeyboardActivity><status status="type"/></KeyboardActivity>`. Faults: those of XML, `bad-keyboard-activity`. */
export function parseKeyboardActivity(octets: Uint8Array): Result<ComposingStatus> {
	const root = parseXml(octets);
	if (!root.ok) return root;
	const status = firstChild(root.value, NO_NAMESPACE, "status");
	if (root.value.name !== "KeyboardActivity" || status === undefined) {
		return refusal("bad-keyboard-activity", "KeyboardActivity", 0, "the document is no KeyboardActivity with a status");
	}
	return success({ state: status.attributes.get("status") === "type" ? "active" : "idle", refreshSeconds: undefined });
}

/** Writes the body of an INFO with `application/xml`. */
export function formatKeyboardActivity(state: "active" | "idle"): Uint8Array {
	const word = state === "active" ? "type" : "idle";
	return new TextEncoder().encode(`<KeyboardActivity><status status="${word}"/></KeyboardActivity>`);
}

function isDigits(text: string): boolean {
	if (text.length === 0 || text.length > 9) return false;
	for (let index = 0; index < text.length; index += 1) {
		const code = text.charCodeAt(index);
		if (code < 0x30 || code > 0x39) return false;
	}
	return true;
}
