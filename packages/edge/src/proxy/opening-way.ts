/**
 * The way of first requests that are written as usual: an INVITE or SUBSCRIBE goes from octets to octets, and its 2xx back, with one
 * record for both transactions (`RelayedPair`). It takes what would pass every check of the pipeline and whose far connection is open, and
 * leaves the rest to it: it refuses nothing and answers nothing. Whatever else happens to such a request than a 2xx parts the record into
 * the usual transactions; then it is a `RelayedRequest` like any other.
 */
import assert from "node:assert/strict";
import {
	applyEdits,
	type Clock,
	chooseMessageLine,
	FIELD_STRIDE,
	type Frame,
	findParam,
	HeadSplices,
	indexHead,
	type MessageHead,
	mentionsSips,
	type OctetFrame,
	type PartedUser,
	type PreparedPair,
	parseMessage,
	type Random,
	type RelayedPair,
	type RelayedPairUser,
	type ServerTransaction,
	type SipRequest,
	type SipResponse,
	type TransactionLayer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { BindingVerdict } from "../federation/outcome.ts";
import type { Peer } from "../federation/peers.ts";
import { formatBranch } from "../federation/signature/branch-signature.ts";
import type { TokenKey } from "../federation/signature/route-token.ts";
import { boundaryEdits, type Crossing } from "./boundary-headers.ts";
import { createDialogRoute } from "./dialog-route.ts";
import { lineStart, putEdit } from "./head-edits.ts";
import { MOST_HOPS, popVia } from "./message-edits.ts";
import { mayOpen, type OpeningRequest, readOpeningRequest } from "./opening-request.ts";
import { acceptStatus, branchOfAccept, findOurViaOfAccept, mayAccept, type OpeningEcho } from "./opening-response.ts";
import { sentBy } from "./own-identity.ts";
import { readOffer } from "./read-offer.ts";
import type { DialogRoute } from "./relay-dialogs.ts";
import { isTooLong, type ProxyRules } from "./steps.ts";

export interface OpeningWayOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly rules: ProxyRules;
	readonly keys: { readonly active: TokenKey };
	/** Names this run of the edge in tokens. */
	readonly node: string;
	readonly markOutgoing: boolean;
	readonly transactions: TransactionLayer;
	readonly federation: () => {
		/** An open link for a new dialog with the domain; undefined where it has to be waited for. */
		openLinkTo(domain: string): { readonly link: Link; readonly peer: Peer } | undefined;
		bind(link: Link, domain: string): BindingVerdict | Promise<BindingVerdict>;
	};
	readonly user: OpeningWayUser;
}

/** The proxy around it. */
export interface OpeningWayUser {
	/** New dialogs are refused. */
	readonly isDraining: boolean;
	/** A 2xx went back: there is a dialog. */
	accepted(opening: Opening, status: number, response: MessageHead): void;
	/** The request has transactions of its own now. */
	parted(server: ServerTransaction, back: Crossing, route: DialogRoute, departure: Link): PartedUser;
}

/** What was decided about a request: who sends it, and where it goes. */
interface FarEnd {
	readonly sender: Peer;
	readonly receiver: Peer;
	readonly departure: Link;
}

/** A message that takes this way; nothing has happened yet. */
export interface OpeningPassage {
	readonly kind: "request" | "response";
	readonly opensDialog: true;
	forward(): void;
}

export class OpeningWay {
	readonly #options: OpeningWayOptions;
	readonly #splices = new HeadSplices();

	constructor(options: OpeningWayOptions) {
		this.#options = options;
	}

	/** What is to be done with a message; undefined where it goes the usual way. */
	recognise(link: Link, frame: OctetFrame): OpeningPassage | undefined {
		if (mayOpen(frame)) return this.#recogniseRequest(link, frame, frame.decode());
		return mayAccept(frame) ? this.#recogniseAccept(link, frame, frame.decodeHead()) : undefined;
	}

	#recogniseRequest(link: Link, frame: OctetFrame, decoded: Frame): OpeningPassage | undefined {
		const { rules, user, transactions } = this.#options;
		const { head, body } = decoded;
		const request = readOpeningRequest(head, sentBy(rules.identity));
		if (request === undefined || user.isDraining || mentionsSips(frame)) return undefined;
		const farEnd = this.#farEndOf(link, request);
		if (farEnd === undefined) return undefined;
		if (request.method === "INVITE" && body.length > 0 && !isPassableOffer(decoded)) return undefined;
		const prepared = transactions.preparePair(link.connection, request);
		if (prepared === undefined) return undefined;
		const forward = (): void => this.#send(link, frame, decoded, request, farEnd, prepared);
		return { kind: "request", opensDialog: true, forward };
	}

	/** REQ-68, REQ-69, REQ-82, as the pipeline has them; undefined where it has to say something about them. */
	#farEndOf(link: Link, request: OpeningRequest): FarEnd | undefined {
		const { rules, federation } = this.#options;
		const { fromUser, fromDomain, toUser, toDomain, targetUser, targetHost } = request;
		if (targetHost === rules.identity.fqdn || targetHost !== toDomain || rules.hostedDomains.has(toDomain))
			return undefined;
		if (isTooLong(fromUser, fromDomain) || isTooLong(toUser, toDomain) || isTooLong(targetUser ?? "", toDomain))
			return undefined;
		const bound = federation().bind(link, fromDomain);
		if (bound instanceof Promise || !bound.ok || isThrottled(bound.peer)) return undefined;
		if (bound.peer.kind !== "inside" && !rules.relayDomains.has(toDomain)) return undefined;
		const open = federation().openLinkTo(toDomain);
		return open && { sender: bound.peer, receiver: open.peer, departure: open.link };
	}

	#send(
		link: Link,
		frame: OctetFrame,
		{ head, body }: Frame,
		request: OpeningRequest,
		farEnd: FarEnd,
		prepared: PreparedPair,
	): void {
		const { rules, keys, node, random, transactions, clock, user, markOutgoing } = this.#options;
		const { sender, receiver, departure } = farEnd;
		const { method, requestUri, topVia, topViaText, callId, fromTag, fromDomain, toDomain } = request;
		const source = link.connection.remote.address;
		const isNoted = topVia.host !== source && findParam(topVia.params, "received") === undefined;
		const viaNote = isNoted ? `;received=${source}` : "";
		const own = sentBy(rules.identity);
		const key = keys.active;
		const fromAor = `${request.fromUser}@${fromDomain}`;
		const branch = formatBranch(key, random.token(), requestUri, {
			sentBy: own,
			callId,
			cseqNumber: request.cseqNumber,
			cseqMethod: method,
			fromAor,
			fromTag,
			viaBelow: isNoted ? topViaText + viaNote + request.vias.slice(topViaText.length) : request.vias,
		});
		const route = createDialogRoute(rules, key, node, {
			isSubscription: method === "SUBSCRIBE",
			callId,
			initiatorTag: fromTag,
			initiatorAor: fromAor,
			otherAor: `${request.toUser}@${toDomain}`,
			initiatorDomain: fromDomain,
			otherDomain: toDomain,
			initiator: { link, network: sender.name },
			other: { link: departure, network: receiver.name },
		});
		const crossing: Crossing = { sender, senderDomain: fromDomain, receiver, markOutgoing };
		const via = `SIP/2.0/TLS ${own};branch=${branch};alias`;
		const splices = this.#splices;
		splices.clear();
		putOpening(splices, request, head, via, viaNote, route, crossing);
		const sentText = splices.applyTo(head.text);
		const back: Crossing = { sender: receiver, senderDomain: toDomain, receiver: sender, markOutgoing };
		const opening = new Opening(link, back, { request, head, sentText, body, viaNote, route, departure }, user);
		departure.requestsOut += 1;
		const pair = transactions.startPair(prepared, departure.connection, branch, opening);
		if (departure.connection.sendSpliced(frame, splices)) return;
		// The sender hears of it after what it sent is done with, as it would of a connection that is lost later.
		clock.setTimer(0, () => pair.transportFailed());
	}

	#recogniseAccept(link: Link, frame: OctetFrame, head: MessageHead): OpeningPassage | undefined {
		const status = acceptStatus(head);
		const branch = status === undefined ? undefined : branchOfAccept(head);
		if (status === undefined || branch === undefined) return undefined;
		const pair = this.#options.transactions.findPair(link.connection, branch);
		if (!(pair?.passing instanceof Opening) || mentionsSips(frame)) return undefined;
		const opening = pair.passing;
		const via = findOurViaOfAccept(head, opening.echo);
		if (via === undefined) return undefined;
		const forward = (): void => this.#accept(pair, opening, status, frame, head, via);
		return { kind: "response", opensDialog: true, forward };
	}

	#accept(
		pair: RelayedPair,
		opening: Opening,
		status: number,
		frame: OctetFrame,
		head: MessageHead,
		via: { readonly start: number; readonly end: number },
	): void {
		const splices = this.#splices;
		splices.clear();
		splices.put(via.start, via.end, "");
		opening.arrival.connection.sendSpliced(frame, splices);
		pair.accept();
		this.#options.user.accepted(opening, status, head);
		opening.settle();
	}
}

/** What is kept of a request until its 2xx. */
interface Pending extends OpeningEcho {
	readonly request: OpeningRequest;
	/** Its head as it left. */
	readonly sentText: string;
	readonly body: Uint8Array;
	readonly route: DialogRoute;
	readonly departure: Link;
}

/** A request that went this way. */
export class Opening implements RelayedPairUser {
	readonly arrival: Link;
	/** The way of its responses. */
	readonly #back: Crossing;
	readonly #user: OpeningWayUser;
	#pending: Pending | undefined;

	constructor(arrival: Link, back: Crossing, pending: Pending, user: OpeningWayUser) {
		this.arrival = arrival;
		this.#back = back;
		this.#pending = pending;
		this.#user = user;
	}

	/** Forgets the request: what may come yet is another 2xx. */
	settle(): void {
		this.#pending = undefined;
	}

	get request(): OpeningRequest {
		return this.#open.request;
	}

	get route(): DialogRoute {
		return this.#open.route;
	}

	get departure(): Link {
		return this.#open.departure;
	}

	get echo(): OpeningEcho {
		return this.#open;
	}

	// RelayedPairUser.

	received(): SipRequest {
		return readAgain(this.#open.head.text, this.#open.body);
	}

	sent(): SipRequest {
		return readAgain(this.#open.sentText, this.#open.body);
	}

	parted(server: ServerTransaction): PartedUser {
		return this.#user.parted(server, this.#back, this.#open.route, this.#open.departure);
	}

	acceptedAgain(response: SipResponse): void {
		const via = popVia(response);
		if (via === undefined) return;
		const edits = [via, ...boundaryEdits(response.head, undefined, this.#back)];
		this.arrival.connection.send(applyEdits(response, edits));
	}

	get #open(): Pending {
		assert(this.#pending !== undefined, "a request is asked for after its end");
		return this.#pending;
	}
}

/** Our own octets were within every limit before we added ours. */
const NO_LIMITS = {
	startLineBytes: Number.MAX_SAFE_INTEGER,
	fieldBytes: Number.MAX_SAFE_INTEGER,
	textFieldBytes: Number.MAX_SAFE_INTEGER,
	fields: Number.MAX_SAFE_INTEGER,
	vias: Number.MAX_SAFE_INTEGER,
};

function readAgain(text: string, body: Uint8Array): SipRequest {
	const octets = Buffer.from(text, "latin1");
	const indexed = indexHead(octets, 0, octets.length, NO_LIMITS);
	assert(indexed.ok, "what was indexed once is indexed again");
	const outcome = parseMessage({ head: indexed.head, body });
	assert(outcome.ok && outcome.message.kind === "request", "what was sent on from its octets reads as a request");
	return outcome.message;
}

/** Whether ceilings stand in this peer's way, which the pipeline keeps. */
function isThrottled({ kind, throttle }: Peer): boolean {
	return kind === "discovered" || throttle !== undefined;
}

/** REQ-54. */
function isPassableOffer(frame: Frame): boolean {
	const offer = readOffer(frame);
	return offer !== undefined && offer !== "wrong-type" && chooseMessageLine(offer) !== undefined;
}

/** Everything that changes in a request that opens a dialog. */
function putOpening(
	splices: HeadSplices,
	request: OpeningRequest,
	head: MessageHead,
	via: string,
	viaNote: string,
	{ otherSide, initiatorSide }: DialogRoute,
	crossing: Crossing,
): void {
	const { fields } = head;
	const viaStart = fields[request.viaAt + 1] as number;
	splices.put(viaStart, viaStart, `Via: ${via}\r\n`);
	if (viaNote !== "") {
		const viaEnd = fields[request.viaAt + 3] as number;
		splices.put(viaEnd, viaEnd, viaNote);
	}
	const routesAt = lineStart(fields, fields.length, request.recordRouteAt / FIELD_STRIDE);
	// The value for the receiver's side stands on top.
	const routes = `Record-Route: ${otherSide}\r\nRecord-Route: ${initiatorSide}\r\n`;
	splices.put(routesAt, routesAt, routes);
	const hops = String(Math.min(request.maxForwards - 1, MOST_HOPS));
	splices.put(fields[request.hopsAt + 2] as number, fields[request.hopsAt + 3] as number, hops);
	for (const edit of boundaryEdits(head, request.method, crossing)) putEdit(splices, head, edit);
}
