/** Headers that say who somebody is: what crosses the boundary of a domain is what its sender may say, and our own statement (REQ-71 to REQ-75, REQ-80). */
import {
	addresses,
	type Edit,
	FIELD_STRIDE,
	formatVerificationLevel,
	HeaderId,
	isSipUri,
	type MessageHead,
	parseNameAddr,
	type VerificationLevel,
} from "@causeway/sip";
import type { Peer } from "../federation/peers.ts";
import { verificationOf } from "../federation/verification.ts";

/** One way over the boundary. */
export interface Crossing {
	readonly sender: Peer;
	/** Domain of the users who speak. */
	readonly senderDomain: string;
	readonly receiver: Peer;
	/** `[federation] mark_outgoing_verification`. */
	readonly markOutgoing: boolean;
}

/** Headers with the level of their sender: requests that open a dialog, and messages (protocol sheet 7.6). */
const STATED_ON: ReadonlySet<string> = new Set(["INVITE", "SUBSCRIBE", "MESSAGE"]);

const AT_BOUNDARY = new Uint8Array(256);
for (const id of [
	HeaderId.replyTo,
	HeaderId.pAssertedIdentity,
	HeaderId.pPreferredIdentity,
	HeaderId.remotePartyId,
	HeaderId.diversion,
	HeaderId.historyInfo,
	HeaderId.msDiagnostics,
	HeaderId.msEdgeProxyMessageTrust,
]) {
	AT_BOUNDARY[id] = 1;
}

/** Whether a header, the statement about the sender left out, is one that the boundary has rules for. */
export function meetsBoundary(id: number): boolean {
	return AT_BOUNDARY[id] === 1;
}

/** `method`: that of a request; undefined for a response. */
export function boundaryEdits(head: MessageHead, method: string | undefined, crossing: Crossing): readonly Edit[] {
	const { fields } = head;
	const edits: Edit[] = [];
	let level = wantedLevel(head, crossing);
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id !== HeaderId.msAssertedVerificationLevel && !meetsBoundary(id)) continue;
		const field = at / FIELD_STRIDE;
		if (id === HeaderId.msAssertedVerificationLevel) {
			const start = fields[at + 2] as number;
			const end = fields[at + 3] as number;
			if (level === undefined || level === "said") edits.push({ kind: "remove", field });
			else if (head.text.slice(start, end) !== level) edits.push({ kind: "replace", field, start, end, value: level });
			if (level !== undefined) level = "said";
		} else if (isForeign(head, id, at, crossing)) edits.push({ kind: "remove", field });
	}
	if (level !== undefined && level !== "said" && method !== undefined && STATED_ON.has(method)) {
		const field = (fields.length - 1) / FIELD_STRIDE;
		edits.push({ kind: "insert", field, id: HeaderId.msAssertedVerificationLevel, value: level });
	}
	return edits;
}

/** The value our statement has; undefined where nothing is stated toward partners. */
function wantedLevel(head: MessageHead, { sender, receiver, markOutgoing }: Crossing): string | undefined {
	if (receiver.kind !== "inside" && !markOutgoing) return undefined;
	return formatVerificationLevel(verificationOf(head, sender));
}

/** What is stated about the sender of a request that itself says `said`; undefined where nothing is stated toward partners. */
export function statementOf(crossing: Crossing, said: VerificationLevel | undefined): string | undefined {
	const text = said === undefined ? "" : formatVerificationLevel(said);
	const fields = said === undefined ? [0] : [HeaderId.msAssertedVerificationLevel, 0, 0, text.length, text.length];
	return wantedLevel({ text, fields }, crossing);
}

/** Whether a field says what its sender has no business to say, or what is no business of the receiver. */
function isForeign(head: MessageHead, id: number, at: number, { sender, senderDomain, receiver }: Crossing): boolean {
	switch (id) {
		case HeaderId.msEdgeProxyMessageTrust:
			return true;
		case HeaderId.msDiagnostics:
			// Protocol sheet 7.7: the private form stays inside.
			return receiver.kind !== "inside";
		case HeaderId.pAssertedIdentity:
		case HeaderId.pPreferredIdentity:
		case HeaderId.remotePartyId:
		case HeaderId.diversion:
		case HeaderId.historyInfo:
			return !isOfDomain(head, id, sender, senderDomain);
		case HeaderId.replyTo: {
			const { text, fields } = head;
			const value = parseNameAddr(text, fields[at + 2] as number, fields[at + 3] as number);
			return !(value.ok && speaksFor(value.value.uri, sender, senderDomain));
		}
		default:
			return false;
	}
}

/** Whether every address of a header is one that the sender may speak for. */
function isOfDomain(head: MessageHead, id: HeaderId, sender: Peer, senderDomain: string): boolean {
	const found = addresses(head, id);
	return found.ok && found.value.every(({ uri }) => speaksFor(uri, sender, senderDomain));
}

function speaksFor(uri: Parameters<typeof isSipUri>[0], sender: Peer, senderDomain: string): boolean {
	return isSipUri(uri) && (uri.host === senderDomain || sender.domains.includes(uri.host));
}
