/**
 * The short way of the proxy: requests of dialogs that it saw begin, and their responses, go from octets to octets without being read as
 * messages. It takes what is written as usual and would pass every check of the pipeline, and leaves the rest to it. What it may skip: a
 * token that is, character for character, the one we made for this dialog and connection need not be verified again (docs/benchmarks.md).
 */

import {
	type Clock,
	createResponse,
	FIELD_STRIDE,
	findParam,
	formatDiagnosticsPublic,
	formatVerificationLevel,
	HeaderId,
	type HeaderInput,
	HeadSplices,
	headerName,
	type MessageHead,
	mentionsSips,
	type OctetFrame,
	parseVia,
	placeOf,
	type Random,
	type SipResponse,
	subscriptionState,
	type Timer,
	type TransactionLayer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { BindingVerdict } from "../federation/outcome.ts";
import type { Peer } from "../federation/peers.ts";
import { createBranchBase, formatBranchOf } from "../federation/signature/branch-signature.ts";
import type { TokenKey } from "../federation/signature/route-token.ts";
import { boundaryEdits, type Crossing, statementOf } from "./boundary-headers.ts";
import { lineStart, putEdit } from "./head-edits.ts";
import { MOST_HOPS, popVia } from "./message-edits.ts";
import { textOf } from "./octet-text.ts";
import { sentBy } from "./own-identity.ts";
import { type Passage, PassageMemory } from "./passage-memory.ts";
import type { DialogRoute, RelayDialogs, RelayedDialog } from "./relay-dialogs.ts";
import {
	plainCSeq,
	plainHops,
	readMovingParts,
	readStandingParts,
	type ShortSpots,
	type StandingParts,
	scanShortRequest,
} from "./short-request.ts";
import { findOurBranch, findOurVia, isResponse, readStatus } from "./short-response.ts";
import { ShortTransaction, ShortTransactions } from "./short-transactions.ts";
import type { ProxyRules } from "./steps.ts";

export interface ShortWayOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly rules: ProxyRules;
	readonly keys: { readonly active: TokenKey };
	readonly markOutgoing: boolean;
	readonly transactions: TransactionLayer;
	readonly dialogs: RelayDialogs;
	readonly federation: () => {
		findLink(connectionId: number): Link | undefined;
		bind(link: Link, domain: string): BindingVerdict | Promise<BindingVerdict>;
	};
	readonly counted: (method: string, status: number, code: string) => void;
}

/** A message that takes the short way; nothing has happened yet. Valid until the next message is looked at. */
export interface ShortPassage {
	readonly kind: "request" | "response";
	forward(): void;
}

/** Timer F (RFC 3261 §17.1.2.2). */
const SILENCE_MS = 32_000;
/** Requests of one connection under way; what comes above goes the usual way, where it is refused. */
const MOST_PER_CONNECTION = 10_000;
/** Tokens hold whole minutes, and the clock may be stepped: near the ends of its life a token is verified as usual. */
const MARGIN_MS = 120_000;
const LEVEL_NAME = headerName(HeaderId.msAssertedVerificationLevel).name;

/** What is under way on one connection: requests that came over it, and requests of ours that left on it. */
interface Traffic {
	arrived: number;
	outstanding: number;
}

export class ShortWay {
	readonly #options: ShortWayOptions;
	readonly #transactions: ShortTransactions;
	readonly #traffic = new Map<number, Traffic>();
	readonly #memory: PassageMemory;
	readonly #splices = new HeadSplices();
	/** A Via of ours up to its branch. */
	readonly #ownVia: string;
	readonly #ownSentBy: string;
	readonly #request: RecognisedRequest;
	readonly #response: RecognisedResponse;
	#silence: Timer | undefined;

	constructor(options: ShortWayOptions) {
		this.#options = options;
		this.#transactions = new ShortTransactions(options.random.below(0x4000_0000));
		this.#memory = new PassageMemory(options.random.below(0x4000_0000));
		this.#ownSentBy = sentBy(options.rules.identity);
		this.#ownVia = `SIP/2.0/TLS ${this.#ownSentBy};branch=`;
		this.#request = new RecognisedRequest((recognised) => this.#send(recognised));
		this.#response = new RecognisedResponse((recognised) => this.#pass(recognised));
	}

	/** What is to be done with a message; undefined where it goes the usual way. */
	recognise(link: Link, frame: OctetFrame): ShortPassage | undefined {
		return isResponse(frame) ? this.#recogniseResponse(link, frame) : this.#recogniseRequest(link, frame);
	}

	/** A response to one of these requests that is written otherwise than usual, or says what has to be answered otherwise. */
	receive(link: Link, response: SipResponse): boolean {
		const transaction = this.#transactions.get(response.topVia.branch ?? "");
		if (transaction?.passage.departure !== link || transaction.method !== response.cseq.method) return false;
		const { statusCode } = response;
		if (statusCode === 100) return true;
		const via = popVia(response);
		if (via === undefined) {
			if (statusCode >= 200) this.#fail(transaction, 502, "via-lost");
		} else if (statusCode === 503) this.#fail(transaction, 500, "far-end-503");
		else {
			const { head } = response;
			const splices = this.#splices;
			splices.clear();
			putEdit(splices, head, via);
			for (const edit of boundaryEdits(head, undefined, transaction.passage.back)) putEdit(splices, head, edit);
			transaction.passage.arrival.connection.sendSpliced(placeOf(response), splices);
			this.#answered(transaction, statusCode);
		}
		return true;
	}

	outstanding(link: Link): number {
		return this.#traffic.get(link.connection.id)?.outstanding ?? 0;
	}

	closed(link: Link): void {
		this.#traffic.delete(link.connection.id);
		this.#memory.forget(link);
		for (const transaction of this.#transactions.values()) {
			const { arrival, departure } = transaction.passage;
			if (arrival === link) this.#remove(transaction);
			else if (departure === link) this.#fail(transaction, 504, "far-end-lost", unreachable);
		}
	}

	close(): void {
		this.#silence?.stop();
		this.#transactions.clear();
		this.#traffic.clear();
	}

	#send(recognised: RecognisedRequest): void {
		const { frame, found, passage, hops, cseqNumber, arrivalHash } = recognised;
		const { keys, random, clock } = this.#options;
		const { departure, noted } = passage;
		const { method, viaAt, hopsAt, routeAt } = found;
		const { octets, start, headEnd, fields } = frame;
		const text = Buffer.prototype.latin1Slice.call(octets, start, headEnd);
		const topVia = textOf(frame, viaAt);
		let viaBelow = topVia + noted;
		if (found.vias > 1) viaBelow += viasBehind(frame, viaAt);
		const branch = formatBranchOf(keys.active, random.token(), passage.branches, cseqNumber, method, viaBelow);
		const splices = this.#splices;
		splices.clear();
		const viaStart = fields[viaAt + 1] as number;
		splices.put(viaStart, viaStart, `Via: ${this.#ownVia}${branch};alias\r\n`);
		const viaEnd = fields[viaAt + 3] as number;
		if (noted !== "") splices.put(viaEnd, viaEnd, noted);
		const hopsEnd = fields[hopsAt + 3] as number;
		splices.put(fields[hopsAt + 2] as number, hopsEnd, String(Math.min(hops - 1, MOST_HOPS)));
		splices.put(fields[routeAt + 1] as number, lineStart(fields, frame.fieldsLength, routeAt / FIELD_STRIDE + 2), "");
		if (found.isAtBoundary) {
			const head: MessageHead = { text, fields: fields.slice(0, frame.fieldsLength) };
			for (const edit of boundaryEdits(head, method, passage.crossing)) putEdit(splices, head, edit);
		} else this.#putLevel(recognised);
		departure.requestsOut += 1;
		const isSent = departure.connection.sendSpliced(frame, splices);
		if (method === "ACK") return;
		const transaction = new ShortTransaction(
			branch,
			method,
			passage,
			text,
			topVia,
			textOf(frame, found.cseqAt),
			method === "NOTIFY" && isTerminated({ text, fields: fields.slice(0, frame.fieldsLength) }),
			clock.now() + SILENCE_MS,
			arrivalHash,
		);
		this.#add(transaction);
		// The sender hears of it after what it sent is done with, as it would of a connection that is lost later.
		if (!isSent) clock.setTimer(0, () => this.#fail(transaction, 504, "far-end-lost", unreachable));
	}

	/** What is stated about the sender, where the request states it in our own words or not at all. */
	#putLevel({ frame, found, passage }: RecognisedRequest): void {
		const { fields, fieldsLength } = frame;
		const { levelAt, level } = found;
		const stated = level === undefined ? passage.statements.silent : passage.statements[level];
		if (levelAt < 0) {
			if (stated === undefined || found.method !== "MESSAGE") return;
			const end = fields[fieldsLength - 1] as number;
			this.#splices.put(end, end, `${LEVEL_NAME}: ${stated}\r\n`);
		} else if (stated === undefined) {
			this.#splices.put(fields[levelAt + 1] as number, lineStart(fields, fieldsLength, levelAt / FIELD_STRIDE + 1), "");
		} else if (level !== undefined && stated !== formatVerificationLevel(level)) {
			this.#splices.put(fields[levelAt + 2] as number, fields[levelAt + 3] as number, stated);
		}
	}

	/** Sends a response on. */
	#pass({ frame, transaction, status, viaStart, viaEnd }: RecognisedResponse): void {
		const splices = this.#splices;
		splices.clear();
		splices.put(viaStart, viaEnd, "");
		transaction.passage.arrival.connection.sendSpliced(frame, splices);
		this.#answered(transaction, status);
	}

	/** A response was sent on. */
	#answered(transaction: ShortTransaction, status: number): void {
		if (status < 200 || !this.#remove(transaction)) return;
		this.#follow(transaction, status);
		this.#options.counted(transaction.method, status, "relayed");
	}

	#recogniseRequest(link: Link, frame: OctetFrame): ShortPassage | undefined {
		const { connection } = link;
		const found = scanShortRequest(frame, this.#ownSentBy);
		if (found === undefined) return undefined;
		const hash = this.#transactions.hashOfArrival(connection.id, frame, found.viaAt);
		const repeated = this.#transactions.findArrived(hash, connection.id, frame, found.viaAt);
		if (repeated !== undefined) return repeated.method === found.method ? repeatedRequest : undefined;
		if (this.#trafficOf(connection.id).arrived >= MOST_PER_CONNECTION || mentionsSips(frame)) return undefined;
		if (found.method === "ACK" && this.#servesInvite(link, frame, found)) return undefined;
		const request = this.#request;
		request.arrivalHash = hash;
		request.frame = frame;
		request.found = found;
		return this.#isRemembered(link, request) || this.#decide(link, request) ? request : undefined;
	}

	#servesInvite({ connection }: Link, frame: OctetFrame, { viaAt }: ShortSpots): boolean {
		const text = textOf(frame, viaAt);
		const via = parseVia(text, 0, text.length);
		return via.ok && this.#options.transactions.servesInvite(connection, via.value);
	}

	/** Whether one like it was decided lately, and would be decided again. */
	#isRemembered(link: Link, request: RecognisedRequest): boolean {
		const { frame, found } = request;
		const passage = this.#memory.find(link, frame, found);
		if (passage === undefined || !this.#holds(passage)) return false;
		request.passage = passage;
		request.hops = plainHops(frame, found);
		request.cseqNumber = plainCSeq(frame, found);
		return request.hops > 0 && request.cseqNumber > 0;
	}

	/** Whether what was decided of a passage would be decided again. */
	#holds({ parts, dialog, route, arrival, departure, crossing, policy }: Passage): boolean {
		const { rules, federation } = this.#options;
		if (policy !== rules.policy() || dialog.isOver || !this.#isYoung(route)) return false;
		if (!departure.connection.isOpen || departure.network !== crossing.receiver.name) return false;
		const bound = federation().bind(arrival, parts.fromDomain);
		return !(bound instanceof Promise) && bound.ok && bound.peer === crossing.sender;
	}

	/** The way of a request by all the rules; false where the pipeline has to say something about it. */
	#decide(link: Link, request: RecognisedRequest): boolean {
		const { rules, dialogs, federation } = this.#options;
		const { connection } = link;
		const { frame, found } = request;
		const head = frame.decodeHead();
		const moving = readMovingParts(head, found);
		const parts = moving && readStandingParts(head, found, rules.identity.fqdn);
		const dialog = parts && dialogs.find(parts.callId, [parts.fromTag, parts.toTag]);
		const route = dialog?.route;
		if (moving === undefined || parts === undefined || dialog === undefined || route === undefined) return false;
		if (!isPassable(dialog, route, parts, link) || !this.#isYoung(route)) return false;
		const bound = federation().bind(link, parts.fromDomain);
		if (bound instanceof Promise || !bound.ok) return false;
		const policy = rules.policy();
		const from = policy.find(parts.fromDomain);
		const to = policy.find(parts.toDomain);
		if (from.kind !== "peer" || from.peer !== bound.peer || isThrottled(bound.peer) || to.kind !== "peer") return false;
		const departure = federation().findLink(dialog.connections[dialog.connections[0] === connection.id ? 1 : 0]);
		if (departure?.connection.isOpen !== true || departure.network !== to.peer.name) return false;
		const { topVia, branch, maxForwards, cseqNumber } = moving;
		const source = connection.remote.address;
		const isNoted = topVia.host !== source && findParam(topVia.params, "received") === undefined;
		const crossing = this.#crossing(bound.peer, parts.fromDomain, to.peer);
		request.passage = {
			parts,
			dialog,
			route,
			arrival: link,
			departure,
			crossing,
			back: this.#crossing(to.peer, parts.toDomain, bound.peer),
			statements: {
				silent: statementOf(crossing, undefined),
				verified: statementOf(crossing, "verified"),
				unverified: statementOf(crossing, "unverified"),
			},
			noted: isNoted ? `;received=${source}` : "",
			branches: createBranchBase(`${parts.requestUri} ${parts.toTag}`, { sentBy: this.#ownSentBy, ...parts }),
			policy,
			octets: undefined,
		};
		request.hops = maxForwards;
		request.cseqNumber = cseqNumber;
		this.#memory.keep(request.passage, frame, found, branch);
		return true;
	}

	#isYoung(route: DialogRoute): boolean {
		const { keys } = this.#options.rules;
		const now = keys.now();
		const isTimely = now > route.issuedAt - MARGIN_MS && now < route.issuedAt + keys.dialogMs - MARGIN_MS;
		return isTimely && keys.find(route.kid) !== undefined;
	}

	#recogniseResponse(link: Link, frame: OctetFrame): ShortPassage | undefined {
		const branch = findOurBranch(frame, this.#ownVia);
		if (branch === undefined) return undefined;
		const transaction = this.#transactions.findByBranch(frame.octets, branch.start, branch.end);
		if (transaction?.passage.departure !== link) return undefined;
		const status = readStatus(frame);
		if (status === undefined || status === 100 || status === 503 || mentionsSips(frame)) return undefined;
		const via = findOurVia(frame, transaction);
		if (via === undefined) return undefined;
		const response = this.#response;
		response.frame = frame;
		response.transaction = transaction;
		response.status = status;
		response.viaStart = via.start;
		response.viaEnd = via.end;
		return response;
	}

	/** Answers in place of the far end. */
	#fail(transaction: ShortTransaction, status: number, code: string, headers: readonly HeaderInput[] = []): void {
		if (!this.#remove(transaction)) return;
		const response = createResponse(transaction.request(), status, { headers });
		transaction.passage.arrival.connection.send(response);
		this.#follow(transaction, status);
		this.#options.counted(transaction.method, status, code);
	}

	/** What a final response means for the dialog. */
	#follow(transaction: ShortTransaction, status: number): void {
		const { method } = transaction;
		const { parts } = transaction.passage;
		const { callId } = parts;
		const tags = [parts.fromTag, parts.toTag];
		if (method === "BYE" || status === 481 || status === 408) this.#options.dialogs.end(callId, tags);
		else if (transaction.isLast) this.#options.dialogs.end(callId, tags);
	}

	#add(transaction: ShortTransaction): void {
		const { arrival, departure } = transaction.passage;
		this.#transactions.add(transaction);
		this.#trafficOf(arrival.connection.id).arrived += 1;
		this.#trafficOf(departure.connection.id).outstanding += 1;
		this.#silence ??= this.#options.clock.setTimer(SILENCE_MS, () => this.#hearSilence());
	}

	/** False where it is over already. */
	#remove(transaction: ShortTransaction): boolean {
		if (!this.#transactions.remove(transaction)) return false;
		const { arrival, departure } = transaction.passage;
		const arrived = this.#traffic.get(arrival.connection.id);
		if (arrived !== undefined) arrived.arrived -= 1;
		const departed = this.#traffic.get(departure.connection.id);
		if (departed !== undefined) departed.outstanding -= 1;
		return true;
	}

	/** One timer for all, set to the oldest that it saw last. */
	#hearSilence(): void {
		this.#silence = undefined;
		const now = this.#options.clock.now();
		let next = Number.POSITIVE_INFINITY;
		for (const transaction of this.#transactions.values()) {
			if (transaction.endsAt <= now) this.#fail(transaction, 408, "far-end-silent");
			else next = Math.min(next, transaction.endsAt);
		}
		if (next < Number.POSITIVE_INFINITY)
			this.#silence = this.#options.clock.setTimer(next - now, () => this.#hearSilence());
	}

	#trafficOf(connectionId: number): Traffic {
		let traffic = this.#traffic.get(connectionId);
		if (traffic === undefined) {
			traffic = { arrived: 0, outstanding: 0 };
			this.#traffic.set(connectionId, traffic);
		}
		return traffic;
	}

	#crossing(sender: Peer, senderDomain: string, receiver: Peer): Crossing {
		return { sender, senderDomain, receiver, markOutgoing: this.#options.markOutgoing };
	}
}

/** A request that takes the short way; one serves for all. */
class RecognisedRequest implements ShortPassage {
	readonly kind = "request";
	readonly #send: (recognised: RecognisedRequest) => void;
	frame!: OctetFrame;
	found!: ShortSpots;
	passage!: Passage;
	hops = 0;
	cseqNumber = 0;
	arrivalHash = 0;

	constructor(send: (recognised: RecognisedRequest) => void) {
		this.#send = send;
	}

	forward(): void {
		this.#send(this);
	}
}

/** A response that takes the short way; one serves for all. */
class RecognisedResponse implements ShortPassage {
	readonly kind = "response";
	readonly #pass: (recognised: RecognisedResponse) => void;
	frame!: OctetFrame;
	transaction!: ShortTransaction;
	status = 0;
	/** Where our Via stands in the head. */
	viaStart = 0;
	viaEnd = 0;

	constructor(pass: (recognised: RecognisedResponse) => void) {
		this.#pass = pass;
	}

	forward(): void {
		this.#pass(this);
	}
}

function isTerminated(head: MessageHead): boolean {
	const state = subscriptionState(head);
	return state.ok && state.value?.state === "terminated";
}

/** The Via values behind the first, a comma before each. */
function viasBehind(frame: OctetFrame, viaAt: number): string {
	let vias = "";
	for (let at = viaAt + FIELD_STRIDE; at + FIELD_STRIDE < frame.fieldsLength; at += FIELD_STRIDE) {
		if (frame.fields[at] === HeaderId.via) vias += `,${textOf(frame, at)}`;
	}
	return vias;
}

const repeatedRequest: ShortPassage = { kind: "request", forward() {} };

/** Whether a request is of this dialog, came the way it must, and shows both of our routes as we wrote them. */
function isPassable(
	{ initiator, other, connections }: RelayedDialog,
	route: DialogRoute,
	request: StandingParts,
	{ connection }: Link,
): boolean {
	if (request.fromTag === request.toTag) return false;
	const isByInitiator = request.fromTag === route.initiatorTag;
	const [one, two] = isByInitiator ? [initiator, other] : [other, initiator];
	if (request.fromAor !== one || request.toAor !== two || connections[isByInitiator ? 0 : 1] !== connection.id)
		return false;
	const [first, second] = isByInitiator
		? [route.initiatorSide, route.otherSide]
		: [route.otherSide, route.initiatorSide];
	return request.firstRoute === first && request.secondRoute === second;
}

/** Whether ceilings stand in this peer's way, which the pipeline keeps. */
function isThrottled({ kind, throttle }: Peer): boolean {
	return kind === "discovered" || throttle !== undefined;
}

const unreachable: readonly HeaderInput[] = [
	["ms-diagnostics-public", formatDiagnosticsPublic(1007, "Temporarily cannot route")],
];
