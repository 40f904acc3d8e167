/**
 * The short way of the proxy: requests of dialogs that it saw begin, and their responses, go from octets to octets without being read as
 * messages. It takes what is written as usual and would pass every check of the pipeline, and leaves the rest to it. What it may skip: a
 * token that is, character for character, the one we made for this dialog and connection need not be verified again (docs/benchmarks.md).
 */

import assert from "node:assert/strict";
import {
	type Clock,
	createResponse,
	DEFAULT_HEAD_LIMITS,
	type Edit,
	FIELD_STRIDE,
	type Frame,
	findParam,
	formatDiagnosticsPublic,
	type HeaderInput,
	indexHead,
	type MessageHead,
	mentionsSips,
	parseMessage,
	type Random,
	ShortLivedMap,
	type SipRequest,
	type SipResponse,
	subscriptionState,
	type Timer,
	type TransactionLayer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { BindingVerdict } from "../federation/outcome.ts";
import type { Peer } from "../federation/peers.ts";
import { formatBranch } from "../federation/signature/branch-signature.ts";
import type { TokenKey } from "../federation/signature/route-token.ts";
import { boundaryEdits, type Crossing } from "./boundary-headers.ts";
import { lineStart, type Splice, spliceOf, spliceText } from "./head-splice.ts";
import { MOST_HOPS, popVia } from "./message-edits.ts";
import { sentBy } from "./own-identity.ts";
import { type Passage, PassageMemory } from "./passage-memory.ts";
import type { DialogRoute, RelayDialogs, RelayedDialog } from "./relay-dialogs.ts";
import {
	type MovingParts,
	readMovingParts,
	readStandingParts,
	type ShortSpots,
	type StandingParts,
	scanShortRequest,
} from "./short-request.ts";
import { type EchoedParts, findTopBranch, readStatus, withoutOurVia } from "./short-response.ts";
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

/** A message that takes the short way; nothing has happened yet. */
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
const noBody = new Uint8Array(0);

/** What is under way on one connection: requests that came over it, by their top Via, and how many of ours left on it. */
interface Traffic {
	readonly arrived: ShortLivedMap<ShortTransaction>;
	outstanding: number;
}

export class ShortWay {
	readonly #options: ShortWayOptions;
	/** By our branch. */
	readonly #transactions: ShortLivedMap<ShortTransaction>;
	readonly #traffic = new Map<number, Traffic>();
	readonly #memory: PassageMemory;
	#silence: Timer | undefined;

	constructor(options: ShortWayOptions) {
		this.#options = options;
		this.#transactions = createTable(options.random);
		this.#memory = new PassageMemory(options.random.below(0x4000_0000));
	}

	/** What is to be done with a message; undefined where it goes the usual way. */
	recognise(link: Link, frame: Frame): ShortPassage | undefined {
		return frame.head.text.startsWith("SIP/")
			? this.#recogniseResponse(link, frame)
			: this.#recogniseRequest(link, frame);
	}

	/** A response to one of these requests that is written otherwise than usual, or says what has to be answered otherwise. */
	receive(link: Link, response: SipResponse): boolean {
		const transaction = this.#transactions.get(response.topVia.branch ?? "");
		if (transaction?.departure !== link || transaction.method !== response.cseq.method) return false;
		const { statusCode } = response;
		if (statusCode === 100) return true;
		const via = popVia(response);
		if (via === undefined) {
			if (statusCode >= 200) this.#fail(transaction, 502, "via-lost");
		} else if (statusCode === 503) this.#fail(transaction, 500, "far-end-503");
		else {
			const { head, body } = response;
			const edits = [via, ...boundaryEdits(head, undefined, transaction.back)] as Exclude<
				Edit,
				{ kind: "request-uri" }
			>[];
			const text = spliceText(
				head.text,
				edits.map((edit) => spliceOf(head, edit)),
			);
			this.answer(transaction, statusCode, text, body);
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
			if (transaction.arrival === link) this.#remove(transaction);
			else if (transaction.departure === link) this.#fail(transaction, 504, "far-end-lost", unreachable);
		}
	}

	close(): void {
		this.#silence?.stop();
		this.#transactions.clear();
		this.#traffic.clear();
	}

	#send(request: MovingParts, passage: Passage, { head, body }: Frame): void {
		const { rules, keys, random } = this.#options;
		const { parts, arrival, departure, crossing } = passage;
		const source = arrival.connection.remote.address;
		const isNoted = request.topVia.host !== source && findParam(request.topVia.params, "received") === undefined;
		const viaBelow = isNoted ? `${request.topViaText};received=${source}` : request.topViaText;
		const own = sentBy(rules.identity);
		const branch = formatBranch(keys.active, random.token(), `${parts.requestUri} ${parts.toTag}`, {
			sentBy: own,
			callId: parts.callId,
			cseqNumber: request.cseqNumber,
			cseqMethod: request.method,
			fromAor: parts.fromAor,
			fromTag: parts.fromTag,
			viaBelow: viaBelow + request.vias.slice(request.topViaText.length),
		});
		const via = `SIP/2.0/TLS ${own};branch=${branch};alias`;
		const text = spliceText(head.text, shortSplices(request, head, via, isNoted ? source : undefined, crossing));
		departure.requestsOut += 1;
		const isSent = departure.connection.send({ head: { text }, body });
		if (request.method === "ACK") return;
		const endsAt = this.#options.clock.now() + SILENCE_MS;
		const transaction = new ShortTransaction(branch, request, passage, head, viaBelow, endsAt);
		this.#add(transaction);
		// The sender hears of it after what it sent is done with, as it would of a connection that is lost later.
		if (!isSent) this.#options.clock.setTimer(0, () => this.#fail(transaction, 504, "far-end-lost", unreachable));
	}

	/** Sends a response on. */
	answer(transaction: ShortTransaction, status: number, text: string, body: Uint8Array): void {
		transaction.arrival.connection.send({ head: { text }, body });
		if (status < 200 || !this.#remove(transaction)) return;
		this.#follow(transaction, status);
		this.#options.counted(transaction.method, status, "relayed");
	}

	#recogniseRequest(link: Link, frame: Frame): ShortPassage | undefined {
		const { rules, transactions } = this.#options;
		const { connection } = link;
		const { head } = frame;
		const found = scanShortRequest(head, sentBy(rules.identity));
		if (found === undefined) return undefined;
		const { arrived } = this.#trafficOf(connection.id);
		const repeated = arrived.get(found.topViaText);
		if (repeated !== undefined) return repeated.method === found.method ? repeatedRequest : undefined;
		if (arrived.size >= MOST_PER_CONNECTION) return undefined;
		const request = readMovingParts(head, found);
		if (request === undefined || mentionsSips(head)) return undefined;
		if (request.method === "ACK" && transactions.servesInvite(connection, request.topVia)) return undefined;
		const known = this.#memory.find(link, head, found);
		const passage = known !== undefined && this.#holds(known) ? known : this.#decide(link, head, found);
		return passage && { kind: "request", forward: () => this.#send(request, passage, frame) };
	}

	/** Whether what was decided of a passage would be decided again. */
	#holds({ parts, dialog, route, arrival, departure, crossing, policy }: Passage): boolean {
		const { rules, federation } = this.#options;
		if (policy !== rules.policy() || dialog.isOver || !this.#isYoung(route)) return false;
		if (!departure.connection.isOpen || departure.network !== crossing.receiver.name) return false;
		const bound = federation().bind(arrival, parts.fromDomain);
		return !(bound instanceof Promise) && bound.ok && bound.peer === crossing.sender;
	}

	/** The way of a request by all the rules; undefined where the pipeline has to say something about it. */
	#decide(link: Link, head: MessageHead, found: ShortSpots): Passage | undefined {
		const { rules, dialogs, federation } = this.#options;
		const { connection } = link;
		const parts = readStandingParts(head, found, rules.identity.fqdn);
		const dialog = parts && dialogs.find(parts.callId, [parts.fromTag, parts.toTag]);
		const route = dialog?.route;
		if (parts === undefined || dialog === undefined || route === undefined) return undefined;
		if (!isPassable(dialog, route, parts, link) || !this.#isYoung(route)) return undefined;
		const bound = federation().bind(link, parts.fromDomain);
		if (bound instanceof Promise || !bound.ok) return undefined;
		const policy = rules.policy();
		const from = policy.find(parts.fromDomain);
		const to = policy.find(parts.toDomain);
		if (from.kind !== "peer" || from.peer !== bound.peer || isThrottled(bound.peer) || to.kind !== "peer")
			return undefined;
		const departure = federation().findLink(dialog.connections[dialog.connections[0] === connection.id ? 1 : 0]);
		if (departure?.connection.isOpen !== true || departure.network !== to.peer.name) return undefined;
		const passage: Passage = {
			parts,
			dialog,
			route,
			arrival: link,
			departure,
			crossing: this.#crossing(bound.peer, parts.fromDomain, to.peer),
			back: this.#crossing(to.peer, parts.toDomain, bound.peer),
			policy,
		};
		this.#memory.keep(passage, head, found);
		return passage;
	}

	#isYoung(route: DialogRoute): boolean {
		const { keys } = this.#options.rules;
		const now = keys.now();
		const isTimely = now > route.issuedAt - MARGIN_MS && now < route.issuedAt + keys.dialogMs - MARGIN_MS;
		return isTimely && keys.find(route.kid) !== undefined;
	}

	#recogniseResponse(link: Link, { head, body }: Frame): ShortPassage | undefined {
		const branch = findTopBranch(head);
		if (branch === undefined) return undefined;
		const transaction = this.#transactions.get(head.text.slice(branch.start, branch.end));
		if (transaction?.departure !== link) return undefined;
		const status = readStatus(head);
		if (status === undefined || status === 100 || status === 503 || mentionsSips(head)) return undefined;
		const text = withoutOurVia(head, transaction);
		return text === undefined
			? undefined
			: { kind: "response", forward: () => this.answer(transaction, status, text, body) };
	}

	/** Answers in place of the far end. */
	#fail(transaction: ShortTransaction, status: number, code: string, headers: readonly HeaderInput[] = []): void {
		if (!this.#remove(transaction)) return;
		const response = createResponse(transaction.request(), status, { headers });
		transaction.arrival.connection.send(response);
		this.#follow(transaction, status);
		this.#options.counted(transaction.method, status, code);
	}

	/** What a final response means for the dialog. */
	#follow(transaction: ShortTransaction, status: number): void {
		const { method, parts } = transaction;
		const { callId } = parts;
		const tags = [parts.fromTag, parts.toTag];
		if (method === "BYE" || status === 481 || status === 408) this.#options.dialogs.end(callId, tags);
		else if (transaction.isLast) this.#options.dialogs.end(callId, tags);
	}

	#add(transaction: ShortTransaction): void {
		this.#transactions.set(transaction.branch, transaction);
		this.#trafficOf(transaction.arrival.connection.id).arrived.set(transaction.topViaText, transaction);
		this.#trafficOf(transaction.departure.connection.id).outstanding += 1;
		this.#silence ??= this.#options.clock.setTimer(SILENCE_MS, () => this.#hearSilence());
	}

	/** False where it is over already. */
	#remove(transaction: ShortTransaction): boolean {
		if (!this.#transactions.delete(transaction.branch)) return false;
		this.#traffic.get(transaction.arrival.connection.id)?.arrived.delete(transaction.topViaText);
		const departed = this.#traffic.get(transaction.departure.connection.id);
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
			traffic = { arrived: createTable(this.#options.random), outstanding: 0 };
			this.#traffic.set(connectionId, traffic);
		}
		return traffic;
	}

	#crossing(sender: Peer, senderDomain: string, receiver: Peer): Crossing {
		return { sender, senderDomain, receiver, markOutgoing: this.#options.markOutgoing };
	}
}

/** A request that left and whose final response is awaited. */
class ShortTransaction implements EchoedParts {
	readonly branch: string;
	readonly method: string;
	readonly arrival: Link;
	readonly departure: Link;
	/** The head of the request as it came. */
	readonly text: string;
	/** A NOTIFY that says that its subscription is over. */
	readonly isLast: boolean;
	readonly topViaText: string;
	readonly viaBelow: string;
	readonly parts: StandingParts;
	readonly cseqText: string;
	/** The way of the responses. */
	readonly back: Crossing;
	/** On the monotonic clock, milliseconds. */
	readonly endsAt: number;

	constructor(
		branch: string,
		request: MovingParts,
		{ parts, arrival, departure, back }: Passage,
		head: MessageHead,
		viaBelow: string,
		endsAt: number,
	) {
		this.branch = branch;
		this.method = request.method;
		this.arrival = arrival;
		this.departure = departure;
		this.text = head.text;
		this.isLast = request.method === "NOTIFY" && isTerminated(head);
		this.topViaText = request.topViaText;
		this.viaBelow = viaBelow;
		this.parts = parts;
		this.cseqText = request.cseqText;
		this.back = back;
		this.endsAt = endsAt;
	}

	/** Read as a whole, for an answer of our own. */
	request(): SipRequest {
		const octets = Buffer.from(this.text, "latin1");
		const indexed = indexHead(octets, 0, octets.length, DEFAULT_HEAD_LIMITS);
		assert(indexed.ok, "what was indexed once is indexed again");
		const outcome = parseMessage({ head: indexed.head, body: noBody });
		assert(outcome.ok && outcome.message.kind === "request", "what took the short way reads as a request");
		return outcome.message;
	}
}

function isTerminated(head: MessageHead): boolean {
	const state = subscriptionState(head);
	return state.ok && state.value?.state === "terminated";
}

function createTable(random: Random): ShortLivedMap<ShortTransaction> {
	return new ShortLivedMap(random.below(0x4000_0000));
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

/** Everything that changes in a request of a dialog. */
function shortSplices(
	request: MovingParts,
	head: MessageHead,
	via: string,
	source: string | undefined,
	crossing: Crossing,
): Splice[] {
	const { fields } = head;
	const viaStart = lineStart(head, request.topViaField);
	const hopsAt = request.maxForwardsField * FIELD_STRIDE;
	const splices: Splice[] = [
		{ start: viaStart, end: viaStart, text: `Via: ${via}\r\n` },
		{
			start: fields[hopsAt + 2] as number,
			end: fields[hopsAt + 3] as number,
			text: String(Math.min(request.maxForwards - 1, MOST_HOPS)),
		},
		{ start: lineStart(head, request.routeField), end: lineStart(head, request.routeField + 2), text: "" },
	];
	if (source !== undefined) {
		const viaEnd = fields[request.topViaField * FIELD_STRIDE + 3] as number;
		splices.push({ start: viaEnd, end: viaEnd, text: `;received=${source}` });
	}
	for (const edit of boundaryEdits(head, request.method, crossing)) {
		assert(edit.kind !== "request-uri", "no boundary rule concerns the Request-URI");
		splices.push(spliceOf(head, edit));
	}
	return splices;
}

const unreachable: readonly HeaderInput[] = [
	["ms-diagnostics-public", formatDiagnosticsPublic(1007, "Temporarily cannot route")],
];
