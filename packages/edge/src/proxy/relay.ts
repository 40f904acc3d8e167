/**
 * The proxy core (RFC 3261 §16) of relay domains: stateful, loose-routing, one branch. It forwards what passed the pipeline: a first
 * request to the connection that configuration and DNS give, a request in a dialog to the connection its verified token names.
 */
import {
	applyEdits,
	type Clock,
	type Edit,
	expires,
	type FieldSource,
	findSips,
	formatDiagnosticsPublic,
	isSipUri,
	type Logger,
	type MessageHead,
	type OctetFrame,
	type PartedUser,
	type Random,
	type ServerTransaction,
	type SipMessage,
	type SipRequest,
	type SipResponse,
	subscriptionState,
	type TransactionLayer,
	type Uri,
} from "@causeway/sip";
import type { LinkOutcome, RefusesPeer } from "../federation/federation.ts";
import type { Link } from "../federation/link.ts";
import type { TriedLinks } from "../federation/outbound-links.ts";
import type { BindingVerdict } from "../federation/outcome.ts";
import type { Peer } from "../federation/peers.ts";
import { formatBranch } from "../federation/signature/branch-signature.ts";
import type { TokenConnection, TokenKey } from "../federation/signature/route-token.ts";
import { boundaryEdits, type Crossing } from "./boundary-headers.ts";
import type { Destination, RequestContext } from "./context.ts";
import { createDialogRoute } from "./dialog-route.ts";
import { requestEdits, viaBelow, viaEdit } from "./message-edits.ts";
import { type Opening, type OpeningPassage, OpeningWay, type OpeningWayUser } from "./opening-way.ts";
import { sentBy } from "./own-identity.ts";
import { staleRoute } from "./proxy-steps.ts";
import type { RelayUser } from "./reception.ts";
import { type DialogRoute, RelayDialogs, type RelayedDialog } from "./relay-dialogs.ts";
import { RelayedRequest, type RelayedRequestUser } from "./relayed-request.ts";
import { checkRoutes, type SortedRoutes, type VerifiedRoute } from "./route-check.ts";
import { type ShortPassage, ShortWay } from "./short-way.ts";
import { branchFields, routingKey } from "./signed-branch.ts";
import type { ProxyRules } from "./steps.ts";

export interface RelayOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly rules: ProxyRules;
	/** The key that signs. */
	readonly keys: { readonly active: TokenKey };
	/** Names this run of this edge in tokens: 1 to 8 of `0-9a-z`. */
	readonly node: string;
	readonly markOutgoing: boolean;
	readonly transactions: TransactionLayer;
	readonly federation: () => {
		findLink(connectionId: number): Link | undefined;
		linkTo(domain: string, refuses?: RefusesPeer, tried?: TriedLinks): Promise<LinkOutcome>;
		openLinkTo(domain: string): { readonly link: Link; readonly peer: Peer } | undefined;
		bind(link: Link, domain: string): BindingVerdict | Promise<BindingVerdict>;
	};
	/** A first request that came over a link was answered. */
	readonly answered?: (link: Link, status: number) => void;
	/** Counts a request that was answered: method, status, and the rule that decided. */
	readonly counted: (method: string, status: number, code: string) => void;
}

type RelayDestination = Extract<Destination, { kind: "relay" }>;

/** A request that passed the pipeline, and what it came with. */
type Arrived = Pick<RequestContext, "transaction" | "request" | "link" | "route" | "sortedRoutes">;

/** A verified request and the two peers it goes between. */
interface Passage {
	readonly sender: Peer;
	readonly senderDomain: string;
	readonly destination: RelayDestination;
}

const EXPIRE_EVERY_MS = 60_000;
const DEFAULT_SUBSCRIPTION_SECONDS = 3_600;

export class Relay implements RelayUser, RelayedRequestUser, OpeningWayUser {
	readonly dialogs: RelayDialogs;
	readonly #options: RelayOptions;
	readonly #short: ShortWay;
	readonly #opening: OpeningWay;
	#expiring: { stop(): void } | undefined;
	#isDraining = false;

	constructor(options: RelayOptions) {
		this.#options = options;
		this.dialogs = new RelayDialogs(options.random);
		this.#short = new ShortWay({ ...options, dialogs: this.dialogs });
		this.#opening = new OpeningWay({ ...options, user: this });
	}

	get isDraining(): boolean {
		return this.#isDraining;
	}

	/** Refuses new dialogs from here on. */
	drain(): void {
		this.#isDraining = true;
	}

	close(): void {
		this.#expiring?.stop();
		this.#short.close();
	}

	// RelayUser.

	recognise(link: Link, frame: OctetFrame): ShortPassage | OpeningPassage | undefined {
		return this.#short.recognise(link, frame) ?? this.#opening.recognise(link, frame);
	}

	received(link: Link, message: SipMessage): boolean {
		return message.kind === "response" && this.#short.receive(link, message);
	}

	forward(context: RequestContext): void {
		const { transaction, destination, peer, from, request } = context;
		if (destination.kind !== "relay" || peer === undefined || from === undefined) return;
		const passage: Passage = { sender: peer, senderDomain: from.host, destination };
		const back = this.#crossing(destination.peer, destination.domain, peer);
		const relayed = new RelayedRequest(transaction, back, this);
		transaction.attachment = relayed;
		const { route } = context;
		if (this.#isDraining && route === undefined) {
			relayed.fail(503, "draining", [["Retry-After", "30"]]);
			return;
		}
		const link =
			route === undefined ? this.#initialLink(destination.domain) : this.#dialogLink(context, route, passage);
		if (link instanceof Promise) {
			link.then(
				(outcome) => this.#linked(context, passage, relayed, outcome),
				(error: unknown) => {
					this.#options.log.error("request not forwarded", { method: request.method, reason: String(error) });
					relayed.fail(500, "internal");
				},
			);
		} else this.#linked(context, passage, relayed, link);
	}

	ack(link: Link, request: SipRequest): boolean {
		const outcome = checkRoutes(request, this.#options.rules);
		if (outcome.kind === "none") return false;
		// An ACK is never answered: what would be refused is dropped.
		if (outcome.kind === "refused" || request.maxForwards === 0 || findSips(request) !== undefined) return true;
		const bound = this.#options.federation().bind(link, hostOf(request.from.uri));
		if (bound instanceof Promise) {
			bound.then(
				(verdict) => this.#forwardAck(link, request, outcome.route, verdict),
				(error: unknown) => this.#options.log.error("ACK not forwarded", { reason: String(error) }),
			);
		} else this.#forwardAck(link, request, outcome.route, bound);
		return true;
	}

	cancel(transaction: ServerTransaction): boolean {
		const relayed = transaction.attachment;
		if (!(relayed instanceof RelayedRequest)) return false;
		relayed.cancel();
		return true;
	}

	closed(link: Link): void {
		for (const { attachment } of this.#options.transactions.unanswered(link.connection)) {
			// Nobody is left to hear the answer: the far end need not ring on.
			if (attachment instanceof RelayedRequest) attachment.cancel();
		}
		this.#short.closed(link);
		this.dialogs.connectionClosed(link.connection.id);
	}

	load(link: Link): number {
		return this.dialogs.load(link.connection.id);
	}

	outstanding(link: Link): number {
		return this.#short.outstanding(link);
	}

	// OpeningWayUser.

	accepted(opening: Opening, status: number, response: MessageHead): void {
		const { request, route, arrival, departure } = opening;
		const { method, callId, fromTag, fromUser, fromDomain, toUser, toDomain } = request;
		this.#begin(fromTag, {
			usage: method === "INVITE" ? "invite" : "subscribe",
			callId,
			initiator: `${fromUser}@${fromDomain}`,
			other: `${toUser}@${toDomain}`,
			route,
			connections: [arrival.connection.id, departure.connection.id],
			until: method === "INVITE" ? undefined : this.#subscribedUntil(() => opening.received(), response),
		});
		this.#options.answered?.(arrival, status);
		this.#options.counted(method, status, "relayed");
	}

	parted(server: ServerTransaction, back: Crossing, route: DialogRoute, departure: Link): PartedUser {
		const relayed = new RelayedRequest(server, back, this);
		relayed.route = route;
		relayed.tried.add(departure);
		server.attachment = relayed;
		return relayed;
	}

	// RelayedRequestUser.

	newTag(): string {
		return this.#options.random.token();
	}

	answered(relayed: RelayedRequest, response: SipResponse): void {
		const { request } = relayed.server;
		const { statusCode } = response;
		if (statusCode < 200) return;
		const tags = [request.from.tag, request.to.tag];
		if (request.to.tag === undefined) {
			if (statusCode < 300) this.#begun(relayed, response);
		} else if (request.method === "NOTIFY") {
			const state = subscriptionState(request);
			if (state.ok && state.value?.state === "terminated") this.dialogs.end(request.callId, tags);
		} else if (request.method === "SUBSCRIBE" && statusCode < 300) {
			const dialog = this.dialogs.find(request.callId, tags);
			if (dialog !== undefined) dialog.expiresAt = this.#subscribedUntil(() => request, response);
		}
	}

	#begun(relayed: RelayedRequest, response: SipResponse): void {
		const { server, departureId } = relayed;
		const { request } = server;
		const isInvite = request.method === "INVITE";
		if ((!isInvite && request.method !== "SUBSCRIBE") || departureId === undefined) return;
		this.#begin(request.from.tag ?? "", {
			usage: isInvite ? "invite" : "subscribe",
			callId: request.callId,
			initiator: aorOfUri(request.from.uri),
			other: aorOfUri(request.to.uri),
			route: relayed.route,
			connections: [server.connection.id, departureId],
			until: isInvite ? undefined : this.#subscribedUntil(() => request, response),
		});
	}

	/** `until`: a subscription's end, milliseconds since 1970. */
	#begin(
		tag: string,
		dialog: Omit<RelayedDialog, "startedAt" | "expiresAt"> & { readonly until: number | undefined },
	): void {
		const { keys } = this.#options.rules;
		const startedAt = keys.now();
		const { usage, callId, initiator, other, route, connections, until } = dialog;
		const expiresAt = until ?? startedAt + keys.dialogMs;
		this.dialogs.add(tag, { usage, callId, initiator, other, route, connections, startedAt, expiresAt });
		this.#expireLater();
	}

	ended({ server }: RelayedRequest, status: number, code: string): void {
		const { method, callId, from, to } = server.request;
		// Whoever gave the answer, the far end or we in its place (RFC 3261 §12.2.1.2, §15).
		const isOver = to.tag !== undefined && (method === "BYE" || status === 481 || status === 408);
		if (isOver) this.dialogs.end(callId, [from.tag, to.tag]);
		this.#options.counted(method, status, code);
	}

	/** RFC 3261 §16.7 step 6: what opens a dialog tries the next address, with a branch and tokens of its own; what is in one stays. */
	elsewhere(relayed: RelayedRequest, giveUp: () => void): boolean {
		const { server, back, routes, tried } = relayed;
		const { request, connection } = server;
		const link = this.#options.federation().findLink(connection.id);
		if (request.to.tag !== undefined || tried.size === 0 || link === undefined || this.#isDraining) return false;
		const { sender: peer, senderDomain: domain, receiver: sender } = back;
		const destination: RelayDestination = { kind: "relay", domain, peer };
		const passage: Passage = { sender, senderDomain: hostOf(request.from.uri), destination };
		const arrived: Arrived = { transaction: server, request, link, route: undefined, sortedRoutes: routes };
		this.#options
			.federation()
			.linkTo(domain, undefined, tried)
			.then((outcome) => {
				if (outcome.ok) this.#linked(arrived, passage, relayed, outcome);
				else giveUp();
			})
			.catch((error: unknown) => {
				this.#options.log.error("request not forwarded", { method: request.method, reason: String(error) });
				giveUp();
			});
		return true;
	}

	// The way of a request.

	#initialLink(domain: string): Promise<LinkOutcome> {
		return this.#options.federation().linkTo(domain);
	}

	/** The connection of a dialog: the pinned one, or with `rebind` any of the same network. */
	#dialogLink(
		{ link }: RequestContext,
		route: VerifiedRoute,
		passage: Passage,
	): LinkOutcome | Promise<LinkOutcome> | undefined {
		const { destination } = passage;
		const pinned = this.#pinned(link, route, passage);
		if (pinned !== undefined) return { ok: true, link: pinned, peer: destination.peer };
		return this.#mayMove(passage) ? this.#options.federation().linkTo(destination.domain) : undefined;
	}

	/** REQ-48: the connection that the token names, if it is open and the request came on the one the other token names. */
	#pinned(arrival: Link, route: VerifiedRoute, passage: Passage): Link | undefined {
		const { node } = this.#options;
		const isHere = ({ node: named, serial }: TokenConnection, link: Link): boolean =>
			named === node && serial === link.connection.id;
		if (!isHere(route.arrival, arrival) && !this.#mayMove(passage)) return undefined;
		if (route.departure.node !== node) return undefined;
		const link = this.#options.federation().findLink(route.departure.serial);
		const isUsable = link?.connection.isOpen === true && link.network === passage.destination.peer.name;
		return isUsable ? link : undefined;
	}

	/** Product contract 9: `affinity = "rebind"` of the partner lets its dialogs go on over another connection, on both sides. */
	#mayMove({ sender, destination }: Passage): boolean {
		const partner = sender.kind === "inside" ? destination.peer : sender;
		return partner.affinity === "rebind";
	}

	#linked(arrived: Arrived, passage: Passage, relayed: RelayedRequest, outcome: LinkOutcome | undefined): void {
		const { transaction, request, link } = arrived;
		// Meanwhile it may have been cancelled, or its connection lost.
		if (transaction.hasFinal || relayed.isCancelled || !link.connection.isOpen) {
			return;
		}
		if (outcome === undefined) {
			this.dialogs.end(request.callId, [request.from.tag, request.to.tag]);
			relayed.fail(481, "other-connection", staleRoute);
			return;
		}
		if (!outcome.ok) {
			const { status, diagnosticsId, reason, code } = outcome.refusal;
			this.#options.log.info("request not forwarded", {
				method: request.method,
				domain: passage.destination.domain,
				code,
				reason,
			});
			relayed.fail(
				status,
				code,
				diagnosticsId === undefined
					? []
					: [
							[
								"ms-diagnostics-public",
								formatDiagnosticsPublic(diagnosticsId, DIAGNOSTICS[diagnosticsId] ?? "Cannot route"),
							],
						],
			);
			return;
		}
		const next = outcome.link;
		const route = arrived.route === undefined ? this.#dialogRoute(arrived, passage, next) : undefined;
		relayed.route = route;
		relayed.routes = arrived.sortedRoutes;
		relayed.tried.add(next);
		// The value for the receiver's side stands on top.
		const recordRoutes = route === undefined ? [] : [route.otherSide, route.initiatorSide];
		const routes = arrived.route?.routes ?? arrived.sortedRoutes ?? noRoutes;
		const forwarded = this.#edit(request, link, passage, routes, recordRoutes);
		next.requestsOut += 1;
		relayed.sent(this.#options.transactions.sendRequest(next.connection, forwarded, relayed));
	}

	/** REQ-55, REQ-56: our routes in requests that open a dialog, and in no others. */
	#dialogRoute({ request, link }: Arrived, passage: Passage, next: Link): DialogRoute | undefined {
		if (request.method !== "INVITE" && request.method !== "SUBSCRIBE") return undefined;
		const { rules, keys, node } = this.#options;
		const { sender, senderDomain, destination } = passage;
		return createDialogRoute(rules, keys.active, node, {
			isSubscription: request.method === "SUBSCRIBE",
			callId: request.callId,
			initiatorTag: request.from.tag ?? "",
			initiatorAor: aorOfUri(request.from.uri),
			otherAor: aorOfUri(request.to.uri),
			initiatorDomain: senderDomain,
			otherDomain: destination.domain,
			initiator: { link, network: sender.name },
			other: { link: next, network: destination.peer.name },
		});
	}

	/** The request as it leaves. */
	#edit(
		request: SipRequest,
		link: Link,
		passage: Passage,
		routes: SortedRoutes,
		recordRoutes: readonly string[],
	): SipRequest {
		const { rules, keys, random } = this.#options;
		const source = link.connection.remote.address;
		const fields = branchFields(request, rules.identity, viaBelow(request, source));
		const branch = formatBranch(keys.active, random.token(), routingKey(request), fields);
		const edits: Edit[] = [
			viaEdit(request, `SIP/2.0/TLS ${sentBy(rules.identity)};branch=${branch};alias`),
			...requestEdits(request, { source, routes, recordRoutes }),
			...boundaryEdits(
				request.head,
				request.method,
				this.#crossing(passage.sender, passage.senderDomain, passage.destination.peer),
			),
		];
		return applyEdits(request, edits);
	}

	#forwardAck(link: Link, request: SipRequest, route: VerifiedRoute, bound: BindingVerdict): void {
		const domain = hostOf(request.to.uri);
		const found = this.#options.rules.policy().find(domain);
		if (!bound.ok || found.kind !== "peer") return;
		const destination = { kind: "relay", domain, peer: found.peer } as const;
		const passage: Passage = { sender: bound.peer, senderDomain: hostOf(request.from.uri), destination };
		const next = this.#pinned(link, route, passage);
		if (next === undefined) return;
		next.requestsOut += 1;
		this.#options.transactions.sendAck(next.connection, this.#edit(request, link, passage, route.routes, []));
	}

	#crossing(sender: Peer, senderDomain: string, receiver: Peer): Crossing {
		return { sender, senderDomain, receiver, markOutgoing: this.#options.markOutgoing };
	}

	/** When a subscription ends unless it is refreshed. Milliseconds since 1970. */
	#subscribedUntil(request: () => SipRequest, response: FieldSource): number {
		const granted = expires(response);
		const asked = granted.ok && granted.value !== undefined ? granted : expires(request());
		const seconds = (asked.ok ? asked.value : undefined) ?? DEFAULT_SUBSCRIPTION_SECONDS;
		return this.#options.rules.keys.now() + seconds * 1000;
	}

	#expireLater(): void {
		this.#expiring ??= this.#options.clock.setTimer(EXPIRE_EVERY_MS, () => {
			this.#expiring = undefined;
			this.dialogs.expire(this.#options.rules.keys.now());
			if (this.dialogs.size > 0) this.#expireLater();
		});
	}
}

const noRoutes: SortedRoutes = { ours: [], places: [], rest: [], requestUri: undefined };

function aorOfUri(uri: Uri): string {
	return isSipUri(uri) ? `${uri.user ?? ""}@${uri.host}` : "";
}

function hostOf(uri: Uri): string {
	return isSipUri(uri) ? uri.host : "";
}

/** What the field calls these diagnostics (protocol sheet 7.7); what exactly happened stands in our log. */
const DIAGNOSTICS: Readonly<Record<number, string>> = {
	1005: "No route to the destination domain",
	1007: "Temporarily cannot route",
	1008: "The SRV look-up failed",
	1009: "The SRV record and the domain do not belong together",
	1010: "No certificate trust with the next hop",
	1014: "The address look-up failed",
};
