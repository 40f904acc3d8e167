/**
 * Dialogs: RFC 3261 §12. A dialog is a record that functions replace; the route set is frozen by the first 2xx (REQ-55),
 * the remote target is what target refreshes make of it.
 */
import { type Result, refusal, success } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import { contacts, headerValue, recordRoutes } from "../message/fields.ts";
import type { SipMessage, SipRequest, SipResponse } from "../message/message.ts";
import { invariant } from "../text/assert.ts";
import { detach } from "../text/octets.ts";
import { isSipUri } from "../uri/uri.ts";
import { type DialogId, responseDialogId } from "./dialog-id.ts";
import { createRouteSet, emptyRouteSet, type RouteSet, requestUriText } from "./route-set.ts";

/** All texts are octets in latin1 characters and keep no message alive. */
export interface Dialog {
	readonly id: DialogId;
	/** Which side of the request that made the dialog we were. */
	readonly role: "uac" | "uas";
	readonly state: "early" | "confirmed" | "terminated";
	/** Value of From in our requests, tag and other parameters included, as first written. */
	readonly localUri: string;
	/** Value of To in our requests, tag and other parameters included, as the peer wrote it. */
	readonly remoteUri: string;
	/** URI that the peer's Contact named last, ready for a Request-URI. */
	readonly remoteTarget: string;
	/** Value of our Contact. */
	readonly localContact: string;
	readonly routeSet: RouteSet;
	/** Number of our last request; undefined before the first. */
	readonly localCSeq: number | undefined;
	/** Number of the peer's last request; undefined before the first. */
	readonly remoteCSeq: number | undefined;
}

/**
 * Our request was answered: RFC 3261 §12.1.2. A 2xx makes a confirmed dialog, a provisional response with a To tag an
 * early one. Without a usable Contact the remote target is the Request-URI, because a 2xx must be acknowledged and its
 * dialog ended whatever it lacks. Faults: `no-dialog` (the response makes none), what Record-Route and Contact cause.
 */
export function createUacDialog(request: SipRequest, response: SipResponse): Result<Dialog> {
	const isFinal = response.statusCode >= 200;
	if (response.statusCode >= 300 || (!isFinal && (response.statusCode === 100 || response.to.tag === undefined))) {
		return refusal("no-dialog", "RFC 3261 §12.1", 0, "the response makes no dialog");
	}
	const peer = readPeer(response, "uac");
	if (!peer.ok) return peer;
	return success({
		...uacParts(request, responseDialogId(response), headerText(response, HeaderId.to)),
		state: isFinal ? "confirmed" : "early",
		remoteTarget: peer.value.remoteTarget ?? requestUriText(request.requestUri),
		routeSet: peer.value.routeSet,
		remoteCSeq: undefined,
	});
}

/**
 * A NOTIFY overtook the 2xx to our SUBSCRIBE (RFC 6665 §4.1.2.4): an early dialog without a route set, which
 * {@link confirmUacDialog} takes from the 2xx. Faults: `contact-missing`, what Contact causes.
 */
export function createNotifiedDialog(subscribe: SipRequest, notify: SipRequest): Result<Dialog> {
	const target = readTarget(notify);
	if (!target.ok) return target;
	if (target.value === undefined) return contactMissing();
	const id = { callId: notify.callId, localTag: notify.to.tag ?? "", remoteTag: notify.from.tag ?? "" };
	return success({
		...uacParts(subscribe, id, headerText(notify, HeaderId.from)),
		state: "early",
		remoteTarget: target.value,
		routeSet: emptyRouteSet,
		remoteCSeq: notify.cseq.number,
	});
}

/**
 * We answer a request that makes a dialog: RFC 3261 §12.1.1. The dialog is early until our 2xx is on its way
 * ({@link confirmUasDialog}). `localTag` is the tag of our To, `localContact` the value of our Contact. Faults, to answer
 * with their status: `contact-missing`, what Record-Route and Contact cause.
 */
export function createUasDialog(request: SipRequest, localTag: string, localContact: string): Result<Dialog> {
	invariant(request.to.tag === undefined, "a request inside a dialog makes no other");
	const peer = readPeer(request, "uas");
	if (!peer.ok) return peer;
	if (peer.value.remoteTarget === undefined) return contactMissing();
	return success({
		id: { callId: detach(request.callId), localTag: detach(localTag), remoteTag: detach(request.from.tag ?? "") },
		role: "uas",
		state: "early",
		localUri: detach(`${headerText(request, HeaderId.to)};tag=${localTag}`),
		remoteUri: detach(headerText(request, HeaderId.from)),
		remoteTarget: peer.value.remoteTarget,
		localContact: detach(localContact),
		routeSet: peer.value.routeSet,
		localCSeq: undefined,
		remoteCSeq: request.cseq.number,
	});
}

/** RFC 3261 §13.2.2.4: the 2xx confirms an early dialog; its Record-Route is the route set from now on. */
export function confirmUacDialog(dialog: Dialog, response: SipResponse): Result<Dialog> {
	invariant(dialog.role === "uac" && dialog.state === "early", "an early dialog of ours is confirmed once");
	const peer = readPeer(response, "uac");
	if (!peer.ok) return peer;
	return success({
		...dialog,
		state: "confirmed",
		remoteTarget: peer.value.remoteTarget ?? dialog.remoteTarget,
		routeSet: peer.value.routeSet,
	});
}

/** Our 2xx is on its way. */
export function confirmUasDialog(dialog: Dialog): Dialog {
	invariant(dialog.role === "uas" && dialog.state === "early", "an early dialog of the peer is confirmed once");
	return { ...dialog, state: "confirmed" };
}

/** The dialog in its last state: nothing is sent in it any more (RFC 3261 §12.3). */
export function terminateDialog(dialog: Dialog): Dialog {
	return dialog.state === "terminated" ? dialog : { ...dialog, state: "terminated" };
}

/** Where a request of the peer stands in the dialog: RFC 3261 §12.2.2. */
export type DialogRequestMatch =
	/** The dialog with the request's number. */
	| { readonly kind: "in-order"; readonly dialog: Dialog }
	/** The number of the last request: the same request again, or a copy of it. */
	| { readonly kind: "retransmission" }
	/** A lower number: answer 500. */
	| { readonly kind: "out-of-order"; readonly statusCode: 500 };

/** Orders a request that arrived in the dialog. Gaps are legal. ACK and CANCEL carry the number of their INVITE. */
export function matchDialogRequest(dialog: Dialog, request: SipRequest): DialogRequestMatch {
	if (request.method === "ACK" || request.method === "CANCEL") return { kind: "in-order", dialog };
	const { number } = request.cseq;
	const last = dialog.remoteCSeq;
	if (last !== undefined && number < last) return { kind: "out-of-order", statusCode: 500 };
	if (last !== undefined && number === last) return { kind: "retransmission" };
	return { kind: "in-order", dialog: { ...dialog, remoteCSeq: number } };
}

/**
 * The peer's Contact in a target refresh, request or 2xx, becomes the remote target: RFC 3261 §12.2, RFC 6665 §4.4.1.
 * Every other message, and one whose Contact cannot be used, changes nothing; the route set never changes.
 */
export function applyTargetRefresh(dialog: Dialog, message: SipMessage): Dialog {
	if (!isTargetRefresh(message.cseq.method)) return dialog;
	if (message.kind === "response" && (message.statusCode < 200 || message.statusCode >= 300)) return dialog;
	const target = readTarget(message);
	if (!target.ok || target.value === undefined || target.value === dialog.remoteTarget) return dialog;
	return { ...dialog, remoteTarget: target.value };
}

/** Methods whose requests and 2xx carry a Contact that counts. */
export function isTargetRefresh(method: string): boolean {
	return method === "INVITE" || method === "SUBSCRIBE" || method === "NOTIFY" || method === "UPDATE";
}

function uacParts(request: SipRequest, id: DialogId, remoteUri: string) {
	return {
		id: { callId: detach(id.callId), localTag: detach(id.localTag), remoteTag: detach(id.remoteTag) },
		role: "uac",
		localUri: detach(headerText(request, HeaderId.from)),
		remoteUri: detach(remoteUri),
		localContact: detach(headerText(request, HeaderId.contact)),
		localCSeq: request.cseq.number,
	} as const;
}

interface PeerParts {
	/** Undefined where the message names no usable one. */
	readonly remoteTarget: string | undefined;
	readonly routeSet: RouteSet;
}

function readPeer(message: SipMessage, role: "uac" | "uas"): Result<PeerParts> {
	const recorded = recordRoutes(message);
	if (!recorded.ok) return recorded;
	const target = readTarget(message);
	if (!target.ok) return target;
	return success({ remoteTarget: target.value, routeSet: createRouteSet(recorded.value, role) });
}

function readTarget(message: SipMessage): Result<string | undefined> {
	const target = readRemoteTarget(message);
	return target.ok && target.value !== undefined ? success(detach(target.value)) : target;
}

/** The URI that Contact names first, as a Request-URI and still part of the message's text; undefined where none can be used. */
export function readRemoteTarget(message: SipMessage): Result<string | undefined> {
	const read = contacts(message);
	if (!read.ok) return read;
	const first = read.value === "*" ? undefined : read.value[0];
	return success(first !== undefined && isSipUri(first.uri) ? requestUriText(first.uri) : undefined);
}

/** A header field as written, folds made spaces; empty where absent. */
export function headerText(message: SipMessage, id: HeaderId): string {
	return headerValue(message, id) ?? "";
}

/** Why a request makes no dialog. */
export function contactMissing(): Result<never> {
	return refusal(
		"contact-missing",
		"RFC 3261 §8.1.1.8",
		0,
		"a request that makes a dialog carries a Contact with a SIP URI",
	);
}
