/**
 * A dialog that a peer began, in one string: what a subscription holds for hours is an eighth of what its parts would take, and a NOTIFY
 * is pieces of it joined. RFC 3261 §12.1.1, §12.2.1.1.
 */
import { type Result, success } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import type { SipRequest } from "../message/message.ts";
import type { WrittenRequest } from "../message/written-request.ts";
import { invariant } from "../text/assert.ts";
import { isOneLine } from "../text/scan.ts";
import { contactMissing, type Dialog, headerText, readRemoteTarget } from "./dialog.ts";
import type { DialogId } from "./dialog-id.ts";
import { applyRouteSet, type RouteSet } from "./route-set.ts";
import type { RouteSetCache } from "./route-set-cache.ts";

const END = "\r\n";
const TAG = ";tag=";
const CONTACT = "Contact: ";
const MAX_CSEQ = 2 ** 31 - 1;

/** What a request in a packed dialog carries beside what the dialog gives it. */
export interface WrittenParts {
	/** A method with a Contact: NOTIFY, SUBSCRIBE. */
	readonly method: string;
	/** Value of the Via that we put on top, and its branch. */
	readonly via: string;
	readonly branch: string;
	/** Header fields behind those of the dialog, each with its line end; octets. Content-Type among them where there is a body. */
	readonly fields: string;
	readonly body?: Uint8Array | undefined;
}

const noBody = new Uint8Array(0);

/**
 * A confirmed dialog, its sides as the UAS has them. Its parts stand in one string in this order, each up to a line end: remote target,
 * From, To, Call-ID and Contact of our requests, with their names, and the remote tag. Our tag is the last parameter of From.
 */
export class PackedDialog implements DialogId {
	readonly #routeSet: RouteSet;
	#text: string;
	/** Numbers of the last request of each side; 0 before our first. */
	#localCSeq: number;
	#remoteCSeq: number;

	private constructor(text: string, routeSet: RouteSet, localCSeq: number, remoteCSeq: number) {
		this.#text = flat(text);
		this.#routeSet = routeSet;
		this.#localCSeq = localCSeq;
		this.#remoteCSeq = remoteCSeq;
	}

	/**
	 * We answer a request that makes a dialog; our 2xx is on its way. `localTag` is the tag of our To, `localContact` the value of our
	 * Contact. Faults as of `createUasDialog`.
	 */
	static accept(
		request: SipRequest,
		localTag: string,
		localContact: string,
		routeSets: RouteSetCache,
	): Result<PackedDialog> {
		invariant(request.to.tag === undefined, "a request inside a dialog makes no other");
		const routeSet = routeSets.ofRequest(request);
		if (!routeSet.ok) return routeSet;
		const target = readRemoteTarget(request);
		if (!target.ok) return target;
		if (target.value === undefined) return contactMissing();
		const text = join(
			target.value,
			`${headerText(request, HeaderId.to)}${TAG}${localTag}`,
			headerText(request, HeaderId.from),
			request.callId,
			localContact,
			request.from.tag ?? "",
		);
		return success(new PackedDialog(text, routeSet.value, 0, request.cseq.number));
	}

	/** The same dialog, packed. Only one that is confirmed, and that the peer began. */
	static of(dialog: Dialog): PackedDialog {
		const { id, role, state, remoteTarget, localUri, remoteUri, localContact, routeSet } = dialog;
		invariant(role === "uas" && state === "confirmed", "what is packed is a confirmed dialog of the peer");
		invariant(localUri.endsWith(TAG + id.localTag), "our tag stands at the end of our From");
		const text = join(remoteTarget, localUri, remoteUri, id.callId, localContact, id.remoteTag);
		return new PackedDialog(text, routeSet, dialog.localCSeq ?? 0, dialog.remoteCSeq ?? 0);
	}

	get callId(): string {
		return this.#part(3, "Call-ID: ".length);
	}

	get localTag(): string {
		const from = this.#part(1, "From: ".length);
		return from.slice(from.lastIndexOf(TAG) + TAG.length);
	}

	get remoteTag(): string {
		return this.#text.slice(this.#text.lastIndexOf(END) + END.length);
	}

	/** Value of our Contact. */
	get localContact(): string {
		return this.#part(4, CONTACT.length);
	}

	unpack(): Dialog {
		const { callId, localTag, remoteTag, localContact } = this;
		return {
			id: { callId, localTag, remoteTag },
			role: "uas",
			state: "confirmed",
			localUri: this.#part(1, "From: ".length),
			remoteUri: this.#part(2, "To: ".length),
			remoteTarget: this.#part(0, 0),
			localContact,
			routeSet: this.#routeSet,
			localCSeq: this.#localCSeq === 0 ? undefined : this.#localCSeq,
			remoteCSeq: this.#remoteCSeq,
		};
	}

	/** A request of the peer arrived: false, and nothing changed, where its number is not above that of the last one (RFC 3261 §12.2.2). */
	take(request: SipRequest): boolean {
		if (request.cseq.number <= this.#remoteCSeq) return false;
		this.#remoteCSeq = request.cseq.number;
		return true;
	}

	/** Its Contact is the remote target from now on (RFC 6665 §4.4.1); one that cannot be used changes nothing. */
	refreshTarget(request: SipRequest): void {
		const target = readRemoteTarget(request);
		if (!target.ok || target.value === undefined || target.value === this.#part(0, 0)) return;
		this.#text = flat(target.value + this.#text.slice(this.#text.indexOf(END)));
	}

	/** The next request of ours, counted. The same octets as `createDialogRequest` would make. */
	write({ method, via, branch, fields, body = noBody }: WrittenParts): WrittenRequest {
		invariant(this.#localCSeq < MAX_CSEQ, "a dialog ends before its sequence numbers do");
		this.#localCSeq += 1;
		const text = this.#text;
		const targetEnd = text.indexOf(END);
		const contact = text.indexOf(END + CONTACT, targetEnd) + END.length;
		const contactEnd = text.indexOf(END, contact) + END.length;
		const { requestUri, routes } =
			this.#routeSet.routes.length === 0
				? { requestUri: text.slice(0, targetEnd), routes: this.#routeSet.routes }
				: applyRouteSet(this.#routeSet, text.slice(0, targetEnd));
		let head = `${method} ${requestUri} SIP/2.0\r\nVia: ${via}\r\n`;
		for (const route of routes) head += `Route: ${route}\r\n`;
		head += "Max-Forwards: 70\r\n";
		const start = head.length;
		head += `${text.slice(targetEnd + END.length, contact)}CSeq: ${this.#localCSeq} ${method}\r\n`;
		const end = head.length;
		head += `${text.slice(contact, contactEnd)}${fields}Content-Length: ${body.length}\r\n\r\n`;
		return { method, branch, via, echo: { start, end }, head: { text: head }, body };
	}

	#part(index: number, nameLength: number): string {
		let start = 0;
		for (let left = index; left > 0; left -= 1) start = this.#text.indexOf(END, start) + END.length;
		return this.#text.slice(start + nameLength, this.#text.indexOf(END, start));
	}
}

function join(target: string, from: string, to: string, callId: string, contact: string, remoteTag: string): string {
	const text = `${target}\r\nFrom: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\n${CONTACT}${contact}\r\n${remoteTag}`;
	// What was read holds no line ends; a Contact of ours is what it should be, or our mistake.
	invariant(isOneLine(contact), "a Contact to write holds a line end or NUL");
	return text;
}

/** The engine keeps joined strings as a tree of their pieces, which may be slices of a message, until somebody looks inside. */
function flat(text: string): string {
	return Buffer.from(text, "latin1").toString("latin1");
}
