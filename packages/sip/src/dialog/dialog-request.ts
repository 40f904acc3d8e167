/** Requests inside a dialog: RFC 3261 §12.2.1.1, and the ACK to a 2xx: §13.2.2.4. */
import { createRequest, type HeaderInput } from "../message/build.ts";
import type { SipRequest } from "../message/message.ts";
import { invariant } from "../text/assert.ts";
import { type Dialog, isTargetRefresh } from "./dialog.ts";
import { applyRouteSet } from "./route-set.ts";

const MAX_CSEQ = 2 ** 31 - 1;
const DEFAULT_MAX_FORWARDS = 70;

/** What a request in a dialog carries beside what the dialog gives it (RFC 3261 §12.2.1.1). */
export interface DialogRequestParts {
	readonly method: string;
	/** Value of the Via that we put on top. */
	readonly via: string;
	/** Value of Contact in octets; that of the dialog where absent and the method carries one (never MESSAGE or BYE). */
	readonly contact?: string;
	/** Behind the headers that the dialog gives: Event, Content-Type, … */
	readonly headers?: readonly HeaderInput[];
	readonly body?: Uint8Array;
	/** 70 where absent. */
	readonly maxForwards?: number;
}

/**
 * The next request of ours in the dialog, and the dialog that has counted it. Only in a confirmed dialog: before the final
 * response of the request that made it nothing may leave (REQ-57).
 */
export function createDialogRequest(dialog: Dialog, parts: DialogRequestParts): readonly [Dialog, SipRequest] {
	invariant(parts.method !== "ACK" && parts.method !== "CANCEL", "ACK and CANCEL take the number of their INVITE");
	const localCSeq = (dialog.localCSeq ?? 0) + 1;
	invariant(localCSeq <= MAX_CSEQ, "a dialog ends before its sequence numbers do");
	const contact = parts.contact ?? (isTargetRefresh(parts.method) ? dialog.localContact : undefined);
	const request = build(dialog, parts, parts.method, localCSeq, contact);
	return [{ ...dialog, localCSeq }, request];
}

/** What the ACK to a 2xx carries beside what the dialog gives it (RFC 3261 §13.2.2.4). */
export interface AckParts {
	/** Sequence number of the INVITE that is acknowledged. */
	readonly cseqNumber: number;
	readonly via: string;
	readonly headers?: readonly HeaderInput[];
}

/** The ACK to a 2xx (RFC 3261 §13.2.2.4): a request of its own, without Contact, in the route of the dialog. */
export function createAck(dialog: Dialog, parts: AckParts): SipRequest {
	return build(dialog, parts, "ACK", parts.cseqNumber, undefined);
}

function build(
	dialog: Dialog,
	parts: Pick<DialogRequestParts, "via" | "headers" | "body" | "maxForwards">,
	method: string,
	cseqNumber: number,
	contact: string | undefined,
): SipRequest {
	invariant(dialog.state === "confirmed", "a request inside a dialog needs a confirmed dialog");
	const { requestUri, routes } = applyRouteSet(dialog.routeSet, dialog.remoteTarget);
	const headers: HeaderInput[] = [["Via", parts.via]];
	for (const route of routes) headers.push(["Route", route, "octets"]);
	headers.push(
		["Max-Forwards", String(parts.maxForwards ?? DEFAULT_MAX_FORWARDS)],
		["From", dialog.localUri, "octets"],
		["To", dialog.remoteUri, "octets"],
		["Call-ID", dialog.id.callId, "octets"],
		["CSeq", `${cseqNumber} ${method}`],
	);
	if (contact !== undefined) headers.push(["Contact", contact, "octets"]);
	if (parts.headers !== undefined) headers.push(...parts.headers);
	return createRequest({ method, requestUri, headers, ...(parts.body === undefined ? {} : { body: parts.body }) });
}
