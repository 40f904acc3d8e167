/**
 * The federation transport: connections with peer edges in both directions. It admits what is accepted, finds and dials
 * what is needed, keeps the limits, and hands whole messages up with the link they came on.
 */
import {
	type ByteStream,
	type Clock,
	type CloseCause,
	type Connection,
	DEFAULT_HEAD_LIMITS,
	type DnsLookup,
	findSips,
	type Hop,
	type Logger,
	type OctetFrame,
	type Random,
	resolveHops,
	SipConnection,
	type SipMessage,
} from "@causeway/sip";
import type { PresentedPeer, RefusedHandshake, TlsDialler } from "@causeway/sip/node";
import type { Trace } from "../observe/trace.ts";
import { type Admission, admitAccepted } from "./admission.ts";
import { refuseVerdict, type Verdict } from "./certificate/verdict.ts";
import { expectationOf } from "./certificate-expectation.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import { dialHop, explainFailure, formatEndpoint } from "./dial-hop.ts";
import { DomainBinding } from "./domain-binding.ts";
import { type Link, linkName, type PeerIdentity } from "./link.ts";
import { type LinkLimits, LinkTable } from "./link-table.ts";
import { LinkUpkeep } from "./link-upkeep.ts";
import { findOpenProvider } from "./open-provider.ts";
import { type DialResult, OutboundLinks, type TriedLinks } from "./outbound-links.ts";
import { type BindingVerdict, type FederationRefusal, refusal } from "./outcome.ts";
import { discoveredPeer, type Peer, type PeerDirectory } from "./peers.ts";
import { standingOf } from "./policy-cut.ts";
import { type RefusedConnection, RefusedConnections } from "./refused-connections.ts";
import { keptOut, RejectedCertificates } from "./rejected-certificates.ts";
import { tlsVersionFault } from "./tls-version.ts";

export interface FederationOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly lookup: DnsLookup;
	readonly dialler: TlsDialler;
	readonly judge: CertificateJudge;
	readonly trace: Trace;
	readonly directory: () => PeerDirectory;
	/** Domains of ours, lower case. */
	readonly ownDomains: ReadonlySet<string>;
	readonly allowPrivateAddresses: boolean;
	readonly linkLimits: LinkLimits;
	readonly streamLimits: {
		readonly headBytes: number;
		readonly bodyBytes: number;
		readonly headMs: number;
		readonly bodyMs: number;
	};
	readonly handshakeMs: number;
	readonly user: FederationUser;
	/** Told of each connection that was refused or could not be made. */
	readonly refused: (refusal: RefusedConnection) => void;
}

/** A message that needs no reading. */
export interface Recognised {
	readonly kind: "request" | "response";
	forward(): void;
}

/** What is above the transport. */
export interface FederationUser {
	/**
	 * A message whose head is indexed and not read. What comes back is asked to `forward` it once the message is counted and traced;
	 * undefined: `received` is called with the message read.
	 */
	recognise?(link: Link, frame: OctetFrame): Recognised | undefined;
	received(link: Link, message: SipMessage): void;
	/** The link is gone; called once, after its last message. */
	closed(link: Link, cause: CloseCause): void;
	/** Dialogs on a link. */
	load(link: Link): number;
	/** Requests of ours on a link that have no final answer yet: the least busy one gets the next dialog. */
	outstanding(link: Link): number;
}

export type LinkOutcome =
	| { readonly ok: true; readonly link: Link; readonly peer: Peer }
	| { readonly ok: false; readonly refusal: FederationRefusal };

/** Whether the sender may talk with this peer: why not, or undefined. */
export type RefusesPeer = (peer: Peer) => FederationRefusal | undefined;

/** However many addresses a domain has: who waits for a connection is told by then (Timer B, Timer F). */
const LONGEST_SEARCH_MS = 32_000;
/** Connections of peers that have not said yet which domain they speak for, of all of them together. */
const MOST_UNPROVEN = 1_000;
/** Domains whose last refusal is kept; the oldest go first. */
const MOST_FAILURES = 1_000;

export class Federation {
	/** Signs of life that peers asked for: answered, and those that were too many in a second. */
	readonly pings = { answered: 0, unanswered: 0 };
	readonly #options: FederationOptions;
	readonly #links: LinkTable;
	readonly #binding: DomainBinding;
	readonly #upkeep: LinkUpkeep;
	readonly #refusedConnections: RefusedConnections;
	readonly #outbound: OutboundLinks;
	readonly #rejected: RejectedCertificates;
	readonly #sipConnections = new Map<Link, SipConnection>();
	/** Last refusal of each domain, for listings. */
	readonly #failures = new Map<string, FederationRefusal & { readonly at: number }>();
	#lastConnectionId = 0;
	#closing = false;

	constructor(options: FederationOptions) {
		this.#options = options;
		this.#links = new LinkTable(options.linkLimits);
		this.#refusedConnections = new RefusedConnections(options);
		this.#binding = new DomainBinding(options, (link, network) => this.#join(link, network));
		this.#rejected = new RejectedCertificates(options.clock);
		const load = (link: Link): number => options.user.load(link);
		const outstanding = (link: Link): number => options.user.outstanding(link);
		this.#outbound = new OutboundLinks({
			clock: options.clock,
			links: this.#links,
			load,
			outstanding,
			dial: (hop, peer, timeoutMs) => this.#dial(hop, peer, timeoutMs),
			attemptMs: options.handshakeMs,
		});
		this.#upkeep = new LinkUpkeep({
			clock: options.clock,
			links: this.#links,
			load,
			outstanding,
			provedNothing: (link) => {
				if (this.#rejected.hasOnlyFailed(link)) this.#rejected.reject(link.identity.fingerprint);
			},
			ping: (link) => this.#sipConnections.get(link)?.ping() ?? false,
			end: (link, reason, isOrderly) => {
				if (isOrderly) link.connection.close(reason);
				else this.#sipConnections.get(link)?.destroy(reason);
			},
		});
	}

	get links(): Iterable<Link> {
		return this.#links;
	}

	findLink(connectionId: number): Link | undefined {
		return this.#links.find(connectionId);
	}

	lastFailure(name: string): (FederationRefusal & { readonly at: number }) | undefined {
		return this.#failures.get(name);
	}

	/** Connections that came to nothing, the latest first. */
	get refusals(): readonly RefusedConnection[] {
		return this.#refusedConnections.list();
	}

	/** Whether requests from this domain may come over this link. */
	bind(link: Link, domain: string): BindingVerdict | Promise<BindingVerdict> {
		const verdict = this.#binding.bind(link, domain);
		if (!(verdict instanceof Promise)) return this.#judged(link, verdict);
		return verdict.then((decided) => this.#judged(link, decided));
	}

	/** Protocol sheet 7.3: a discovered peer whose first requests all fail is no peer; it hears the last answer still. */
	#judged(link: Link, verdict: BindingVerdict): BindingVerdict {
		if (!this.#rejected.judged(link, verdict.ok)) return verdict;
		this.#refusedConnections.certificate(refuseVerdict(link.verdict, keptOut), {
			direction: link.connection.direction,
			remote: formatEndpoint(link.connection.remote),
			dialled: link.dialledName,
			wasOpen: true,
		});
		this.#options.clock.setTimer(0, () => link.connection.close("the peer proved no domain of its own"));
		return verdict;
	}

	/** A TLS connection a peer opened, its handshake done, nothing read. */
	accepted(stream: ByteStream, presented: PresentedPeer, isLegacy = false): void {
		const failed = (error: unknown): void => {
			stream.destroy("internal fault");
			this.#options.log.error("peer not admitted", { reason: String(error) });
		};
		try {
			const admission = admitAccepted(presented, this.#options, isLegacy);
			const admit = (decided: Admission): void => this.#admit(stream, presented, decided, isLegacy);
			// Most are known by their certificate: nothing has to be waited for.
			if (admission instanceof Promise) admission.then(admit).catch(failed);
			else admit(admission);
		} catch (error) {
			failed(error);
		}
	}

	/** A TLS connection that ended before its handshake did. */
	refused(refusal: RefusedHandshake): void {
		const { remote, code, reason } = refusal;
		this.#refusedConnections.record({
			direction: "inbound",
			remote: formatEndpoint(remote),
			dialled: undefined,
			wasOpen: false,
			...explainFailure({ stage: "tls", code, reason }),
			verdict: undefined,
		});
	}

	/**
	 * A link on which a new dialog with this domain may be opened: an open one, or one dialled now. Never rejects. Nothing is
	 * dialled for a peer that is refused. With links that were tried, it leads elsewhere or nowhere.
	 */
	async linkTo(
		domain: string,
		refuses: RefusesPeer = () => undefined,
		tried: TriedLinks = new Set(),
	): Promise<LinkOutcome> {
		const outcome = await this.#findLink(domain, refuses, tried).catch((error: unknown) => {
			this.#options.log.error("no connection made", { domain, reason: String(error) });
			return this.#fail(domain, refusal(500, undefined, "internal", "a fault of this server", "us"));
		});
		if (!outcome.ok) return outcome;
		// The policy may have changed while the connection was made.
		const directory = this.#options.directory();
		const now = directory.find(domain);
		if (now.kind === "peer" && now.peer.name === outcome.peer.name) return { ...outcome, peer: now.peer };
		const open = directory.open.find(({ name }) => name === outcome.peer.name);
		const isStranger = now.kind === "not-listed" || (now.kind === "peer" && now.peer.kind === "discovered");
		if (open !== undefined && isStranger) return { ...outcome, peer: open };
		return this.#fail(domain, refusal(403, 1005, "policy-changed", `${domain} is no partner of ours any more`, "us"));
	}

	/** What {@link linkTo} would find without waiting for anything; undefined where it would have to ask or refuse, or would dial. */
	openLinkTo(domain: string): { readonly link: Link; readonly peer: Peer } | undefined {
		const found = this.#options.directory().find(domain);
		if (found.kind !== "peer" || found.peer.kind === "discovered" || found.peer.edge === undefined) return undefined;
		const { peer } = found;
		const open = this.#outbound.find(found.peer.edge.host, peer);
		if (open === undefined) return undefined;
		if (open.isBusy && this.#outbound.mayDialFurther(found.peer.edge.host, peer)) return undefined;
		return { link: open.link, peer };
	}

	/** The policy, the trust or the revocation lists are others now: links that nothing holds any more are closed. */
	policyChanged(): void {
		this.#rejected.clear();
		this.#outbound.forgetFailures();
		const view = { directory: this.#options.directory(), judge: this.#options.judge };
		const standings = [...this.#links].map((link) => [link, standingOf(link, view)] as const);
		for (const [link, standing] of standings) {
			link.bindings.clear();
			if (standing.kind === "holds") {
				this.#links.rehome(link, standing.network);
				continue;
			}
			const lost = standing.kind === "lost" ? "the policy no longer allows this peer" : undefined;
			const reason = this.#reasonToCut(link) ?? lost;
			if (reason !== undefined) link.connection.close(reason);
		}
	}

	/** Our certificate is another: open links end with their dialogs, new dialogs open new ones (protocol sheet 1.3). */
	drain(): void {
		for (const link of this.#links) link.isDraining = true;
	}

	async #findLink(domain: string, refuses: RefusesPeer, tried: TriedLinks): Promise<LinkOutcome> {
		const until = this.#options.clock.now() + LONGEST_SEARCH_MS;
		const directory = this.#options.directory();
		const found = directory.find(domain);
		if (found.kind === "blocked")
			return this.#fail(domain, refusal(403, 1005, "blocked-domain", `${domain} is blocked here`, "us"));
		const isListed = found.kind === "peer" && found.peer.kind !== "discovered";
		const provider = isListed ? undefined : await findOpenProvider(domain, directory, this.#options.lookup);
		if (found.kind === "not-listed" && provider === undefined) {
			return this.#fail(
				domain,
				refusal(404, 1005, "not-listed", `${domain} is no partner of ours, and discovery is off`, "us"),
			);
		}
		const peer = provider ?? (found.kind === "peer" ? found.peer : discoveredPeer(domain));
		const refused = refuses(peer);
		// The sender's own matter: it says nothing about the way to the domain.
		if (refused !== undefined) return { ok: false, refusal: refused };
		const open = peer.edge && this.#outbound.find(peer.edge.host, peer, tried);
		if (open?.isBusy === false) return { ok: true, link: open.link, peer };
		const hops = await resolveHops(
			peer.edge === undefined
				? { kind: "domain", domain }
				: {
						kind: "static",
						host: peer.edge.host,
						port: peer.edge.port,
						...(peer.connect === undefined ? {} : { connect: peer.connect }),
					},
			{
				lookup: this.#options.lookup,
				random: this.#options.random,
				requireSameDomain: true,
				refusePrivateAddresses: !this.#options.allowPrivateAddresses,
			},
		);
		if (!hops.ok) {
			const { status, diagnosticsId, reason, detail } = hops.refusal;
			return this.#fail(domain, refusal(status, diagnosticsId, reason, detail, "peer"));
		}
		const outcome = await this.#outbound.toAny(peer, hops.hops, until, tried);
		// That nothing is left beside what was tried is no news about the domain: whoever asks knows why the last one failed.
		if (!outcome.ok && tried.size > 0) return outcome;
		return outcome.ok ? { ...outcome, peer } : this.#fail(domain, outcome.refusal);
	}

	/** Ends everything: links send what is queued, then close. */
	close(reason: string): void {
		this.#closing = true;
		this.#outbound.close();
		this.#upkeep.close();
		for (const link of this.#links) link.connection.close(reason);
	}

	async #dial(hop: Hop, peer: Peer, timeoutMs: number): Promise<DialResult> {
		const dialled = await dialHop(hop, peer, timeoutMs, {
			...this.#options,
			refusedConnections: this.#refusedConnections,
		});
		if (!dialled.ok) return dialled;
		const { stream, presented, admission } = dialled;
		if (this.#closing) {
			stream.destroy("this edge is stopping");
			return { ok: false, refusal: refusal(504, 1007, "connection-limit", "this edge is stopping", "us") };
		}
		return { ok: true, link: this.#open("outbound", stream, presented, admission, hop.serverName, peer.name) };
	}

	/** Counts a link for the network it proved to be of; REQ-43: the 41st is closed. Attempts of ours under way have their place. */
	#join(link: Link, network: string): boolean {
		if (this.#links.join(link, network, this.#outbound.countDialling(network))) return true;
		link.connection.close("too many connections of this peer");
		this.#refuseSurplus(network, formatEndpoint(link.connection.remote), link.verdict);
		return false;
	}

	/** Why policy, trust and revocation lists of today would not let a link in that is open; undefined where they would. */
	#reasonToCut(link: Link): string | undefined {
		const { network } = link;
		const { policy } = this.#options.directory();
		const listed = policy.peers.find(({ name }) => name === network);
		const blocked = "the policy no longer allows this peer";
		if (network !== undefined && listed === undefined && !policy.discovery) return blocked;
		const peer = listed ?? discoveredPeer(network ?? "");
		if (peer.domains.length > 0 && peer.domains.every((domain) => policy.blocked.has(domain))) return blocked;
		const fault = tlsVersionFault(peer, link.presented.protocol, link.isLegacy);
		if (fault !== undefined && network !== undefined) return fault.text;
		const names = peer.edge === undefined ? [] : [peer.edge.host];
		const expectation = expectationOf(peer, link.dialledName === undefined ? "accepted" : "dialled", names);
		const { ok, verdict } = this.#options.judge.judge(
			link.presented,
			peer.edge === undefined ? { ...expectation, domains: [] } : expectation,
		);
		if (ok) return undefined;
		// REQ-90: a certificate that is revoked or no longer trusted ends what it once let in, and is explained as at the door.
		const { text } = this.#refusedConnections.certificate(verdict, {
			direction: link.connection.direction,
			remote: formatEndpoint(link.connection.remote),
			dialled: link.dialledName,
			wasOpen: true,
		});
		return `certificate refused: ${text}`;
	}

	/** The network where one more connection of it is one too many. */
	#surplusOf(network: string): string | undefined {
		return this.#links.hasRoom(network, this.#outbound.countDialling(network)) ? undefined : network;
	}

	/** The same for a peer that has not said yet which domain it speaks for: its certificate stands for it. */
	#surplusOfUnproven({ fingerprint, names, subject }: PeerIdentity): string | undefined {
		const name = names[0] ?? subject;
		if (this.#links.unproven >= MOST_UNPROVEN) return name;
		const { network, isFull } = this.#links.countsFor(fingerprint);
		if (network !== undefined) return this.#surplusOf(network);
		return isFull ? name : undefined;
	}

	#refuseSurplus(network: string, remote: string, verdict: Verdict): void {
		const { perNetwork } = this.#options.linkLimits;
		this.#refusedConnections.record({
			direction: "inbound",
			remote,
			dialled: undefined,
			stage: "limit",
			code: "too-many-connections",
			whose: "peer",
			wasOpen: false,
			text: `${network} has ${perNetwork} connections with us already, and that is the limit`,
			remedy: "the peer must use its connections for many dialogs each, and close those that it does not need",
			verdict,
		});
	}

	#admit(stream: ByteStream, presented: PresentedPeer, admission: Admission, isLegacy: boolean): void {
		const remote = formatEndpoint(stream.remote);
		if (this.#closing || !stream.isOpen) {
			stream.destroy("this edge is stopping");
			return;
		}
		if (!admission.ok) {
			stream.destroy("certificate refused");
			this.#refusedConnections.certificate(admission.verdict, {
				direction: "inbound",
				remote,
				dialled: undefined,
				wasOpen: false,
			});
			return;
		}
		const { identity, admittedAs, verdict } = admission;
		if (admittedAs.length === 0 && this.#rejected.isRejected(identity.fingerprint)) {
			stream.destroy("certificate kept out");
			const where = { direction: "inbound", remote, dialled: undefined, wasOpen: false } as const;
			this.#refusedConnections.certificate(refuseVerdict(verdict, keptOut), where);
			return;
		}
		const network = admittedAs[0]?.name;
		const surplus = network === undefined ? this.#surplusOfUnproven(identity) : this.#surplusOf(network);
		if (surplus !== undefined) {
			stream.destroy("too many connections of this peer");
			this.#refuseSurplus(surplus, remote, verdict);
			return;
		}
		this.#open("inbound", stream, presented, admission, undefined, network, isLegacy);
	}

	#open(
		direction: "inbound" | "outbound",
		stream: ByteStream,
		presented: PresentedPeer,
		admission: Extract<Admission, { ok: true }>,
		dialledName: string | undefined,
		network: string | undefined,
		isLegacy = false,
	): Link {
		const { clock, log, streamLimits, trace } = this.#options;
		this.#lastConnectionId += 1;
		const connection = new SipConnection({
			id: this.#lastConnectionId,
			direction,
			stream,
			clock,
			random: this.#options.random,
			limits: { headBytes: streamLimits.headBytes, bodyBytes: streamLimits.bodyBytes, head: DEFAULT_HEAD_LIMITS },
			times: { headMs: streamLimits.headMs, bodyMs: streamLimits.bodyMs },
			user: {
				framed: (own, frame) => this.#framed(link, own, peerName, frame),
				received: (_connection: Connection, message: SipMessage) => this.#received(link, message),
				closed: (_connection: Connection, cause: CloseCause) => this.#closed(link, cause),
			},
			hooks: {
				sent: (own, place) => trace.record("out", own, peerName, place),
				received: (own, place) => trace.record("in", own, peerName, place),
				pinged: (_own, asked, answered) => {
					this.pings.answered += answered;
					this.pings.unanswered += asked - answered;
					this.#upkeep.heard(link, "ping");
				},
				ponged: () => this.#upkeep.heard(link, "pong"),
				malformed: (_own, fault) =>
					log.warn("malformed message", {
						peer: peerName,
						code: fault.code,
						rule: fault.rule,
						detail: fault.detail,
						status: fault.status,
					}),
			},
		});
		const link: Link = {
			connection,
			identity: admission.identity,
			presented,
			verdict: admission.verdict,
			admittedAs: admission.admittedAs,
			dialledName,
			isLegacy,
			tlsVersion: presented.protocol,
			cipher: presented.cipher,
			openedAt: clock.wall(),
			bindings: new Map(),
			network,
			requestsIn: 0,
			requestsOut: 0,
			responsesIn: 0,
			lastReceivedAt: clock.wall(),
			isDraining: false,
		};
		const peerName = linkName(link);
		const { warnings } = admission.verdict;
		this.#links.add(link);
		this.#sipConnections.set(link, connection);
		this.#upkeep.opened(link);
		log.info("connection open", {
			direction,
			peer: peerName,
			remote: formatEndpoint(stream.remote),
			names: admission.identity.names,
			tls: presented.protocol,
			...(warnings.length === 0 ? {} : { warnings: warnings.map(({ text }) => text) }),
		});
		connection.start();
		return link;
	}

	#framed(link: Link, connection: Connection, peerName: string, frame: OctetFrame): boolean {
		const recognised = this.#options.user.recognise?.(link, frame);
		if (recognised === undefined) return false;
		this.#options.trace.record("in", connection, peerName, frame);
		this.#count(link, recognised.kind);
		recognised.forward();
		return true;
	}

	#count(link: Link, kind: "request" | "response"): void {
		link.lastReceivedAt = this.#options.clock.wall();
		this.#upkeep.heard(link, "message");
		if (kind === "request") link.requestsIn += 1;
		else link.responsesIn += 1;
	}

	#received(link: Link, message: SipMessage): void {
		this.#count(link, message.kind);
		if (message.kind === "response" && findSips(message) !== undefined) {
			// Product contract 9: a response that holds `sips:` is dropped; its request runs into its time limit.
			this.#options.log.warn("response dropped: it holds a sips: URI", {
				peer: linkName(link),
				callId: message.callId,
			});
			return;
		}
		this.#options.user.received(link, message);
	}

	#closed(link: Link, cause: CloseCause): void {
		this.#links.remove(link.connection.id);
		this.#sipConnections.delete(link);
		this.#upkeep.closed(link);
		this.#options.log.info("connection closed", { peer: linkName(link), by: cause.by, reason: cause.reason });
		this.#options.user.closed(link, cause);
	}

	#fail(domain: string, why: FederationRefusal): LinkOutcome {
		this.#failures.delete(domain);
		this.#failures.set(domain, { ...why, at: this.#options.clock.wall() });
		for (const oldest of this.#failures.keys()) {
			if (this.#failures.size <= MOST_FAILURES) break;
			this.#failures.delete(oldest);
		}
		this.#options.log.warn("no way to a domain", { domain, code: why.code, reason: why.reason });
		return { ok: false, refusal: why };
	}
}
