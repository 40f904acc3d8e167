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
	type Random,
	resolveHops,
	SipConnection,
	type SipMessage,
} from "@causeway/sip";
import type { PresentedPeer, RefusedHandshake, TlsDialler } from "@causeway/sip/node";
import type { Trace } from "../observe/trace.ts";
import { type Admission, type AdmissionOptions, admitAccepted, admitDialled } from "./admission.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import { DomainBinding } from "./domain-binding.ts";
import { type Link, linkName } from "./link.ts";
import { type LinkLimits, LinkTable } from "./link-table.ts";
import type { BindingVerdict, FederationRefusal } from "./outcome.ts";
import type { Peer, PeerDirectory } from "./peers.ts";

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
}

/** What is above the transport. */
export interface FederationUser {
	received(link: Link, message: SipMessage): void;
	/** The link is gone; called once, after its last message. */
	closed(link: Link, cause: CloseCause): void;
	/** Work under way on a link: the least loaded one gets the next dialog. */
	load(link: Link): number;
}

export type LinkOutcome =
	| { readonly ok: true; readonly link: Link; readonly peer: Peer }
	| { readonly ok: false; readonly refusal: FederationRefusal };

type DialResult =
	| { readonly ok: true; readonly link: Link }
	| { readonly ok: false; readonly refusal: FederationRefusal };

export class Federation {
	readonly #options: FederationOptions;
	readonly #links: LinkTable;
	readonly #binding: DomainBinding;
	readonly #admission: AdmissionOptions;
	/** Attempts under way, by edge name: whoever wants the same edge meanwhile waits for the same connection. */
	readonly #dialling = new Map<string, { readonly network: string; readonly result: Promise<DialResult> }>();
	/** Last refusal of each edge or domain, for listings. */
	readonly #failures = new Map<string, FederationRefusal & { readonly at: number }>();
	#lastConnectionId = 0;
	#closing = false;

	constructor(options: FederationOptions) {
		this.#options = options;
		this.#links = new LinkTable(options.linkLimits);
		this.#binding = new DomainBinding(options);
		this.#admission = options;
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

	/** Whether requests from this domain may come over this link. */
	bind(link: Link, domain: string): BindingVerdict | Promise<BindingVerdict> {
		return this.#binding.bind(link, domain);
	}

	/** A TLS connection a peer opened, its handshake done, nothing read. */
	accepted(stream: ByteStream, presented: PresentedPeer): void {
		void this.#admit(stream, presented);
	}

	/** A TLS connection that ended before its handshake did. */
	refused(refusal: RefusedHandshake): void {
		this.#options.log.warn("peer refused: TLS handshake failed", {
			remote: `${refusal.remote.address}:${refusal.remote.port}`,
			code: refusal.code,
			reason: refusal.reason,
		});
	}

	/** A link on which a new dialog with this domain may be opened: an open one, or one dialled now. Never rejects. */
	async linkTo(domain: string): Promise<LinkOutcome> {
		const found = this.#options.directory().find(domain);
		if (found.kind === "blocked")
			return this.#fail(domain, refusal(403, 1005, "blocked-domain", `${domain} is blocked here`, "us"));
		if (found.kind === "not-listed") {
			return this.#fail(
				domain,
				refusal(404, 1005, "not-listed", `${domain} is no partner of ours, and discovery is off`, "us"),
			);
		}
		const { peer } = found;
		const staticLink =
			peer.edge && this.#links.findOpen(peer.edge.host, peer.name, (link) => this.#options.user.load(link));
		if (staticLink !== undefined) return { ok: true, link: staticLink, peer };
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
		return this.#linkToAny(domain, peer, hops.hops);
	}

	/** Ends everything: links send what is queued, then close. */
	close(reason: string): void {
		this.#closing = true;
		for (const link of this.#links) link.connection.close(reason);
	}

	async #linkToAny(domain: string, peer: Peer, hops: readonly Hop[]): Promise<LinkOutcome> {
		let last: FederationRefusal | undefined;
		for (const hop of hops) {
			const open = this.#links.findOpen(hop.serverName, peer.name, (link) => this.#options.user.load(link));
			if (open !== undefined) return { ok: true, link: open, peer };
			const result = await this.#dialOnce(hop, peer);
			if (result.ok) return { ok: true, link: result.link, peer };
			last = result.refusal;
		}
		return this.#fail(domain, last ?? refusal(504, 1007, "connect-failed", `${domain} has no edge to dial`, "peer"));
	}

	#dialOnce(hop: Hop, peer: Peer): Promise<DialResult> {
		const key = `${hop.serverName} ${hop.address} ${hop.port}`;
		const underWay = this.#dialling.get(key);
		if (underWay !== undefined) return underWay.result;
		const pending = [...this.#dialling.entries()];
		const allowed = this.#links.mayDial(hop.serverName, peer.name, {
			toEdge: pending.filter(([name]) => name.startsWith(`${hop.serverName} `)).length,
			toNetwork: pending.filter(([, { network }]) => network === peer.name).length,
		});
		if (!allowed || this.#closing) {
			const reason = this.#closing ? "this edge is stopping" : `no more connections to ${hop.serverName} are allowed`;
			return Promise.resolve({ ok: false, refusal: refusal(504, 1007, "connection-limit", reason, "us") });
		}
		const result = this.#dial(hop, peer).finally(() => this.#dialling.delete(key));
		this.#dialling.set(key, { network: peer.name, result });
		return result;
	}

	async #dial(hop: Hop, peer: Peer): Promise<DialResult> {
		const { log } = this.#options;
		const remote = `${hop.address}:${hop.port}`;
		const outcome = await this.#options.dialler.dial({
			address: hop.address,
			port: hop.port,
			serverName: hop.serverName,
			minVersion: peer.minVersion === "1.0" ? "TLSv1" : `TLSv${peer.minVersion}`,
			timeoutMs: this.#options.handshakeMs,
		});
		if (!outcome.ok) {
			const { stage, code, reason } = outcome.failure;
			log.warn("peer not reached", { peer: hop.serverName, remote, stage, code, reason });
			const id = stage === "tls" ? 1010 : 1007;
			return {
				ok: false,
				refusal: refusal(
					504,
					id,
					"connect-failed",
					`${hop.serverName} (${remote}): ${reason}`,
					stage === "tls" ? "peer" : "network",
				),
			};
		}
		const admission = admitDialled(outcome.presented, peer, hop.serverName, this.#admission);
		if (!admission.ok) {
			outcome.stream.destroy("certificate refused");
			this.#logRefusal(admission, remote, hop.serverName);
			return {
				ok: false,
				refusal: refusal(
					504,
					1010,
					"certificate-refused",
					`${hop.serverName}: ${firstLine(admission.text)}`,
					admission.whose === "ours" ? "us" : "peer",
				),
			};
		}
		return {
			ok: true,
			link: this.#open("outbound", outcome.stream, outcome.presented, admission, hop.serverName, peer.name),
		};
	}

	async #admit(stream: ByteStream, presented: PresentedPeer): Promise<void> {
		const remote = `${stream.remote.address}:${stream.remote.port}`;
		const admission = await admitAccepted(presented, this.#admission);
		if (this.#closing || !stream.isOpen) {
			stream.destroy("this edge is stopping");
			return;
		}
		if (!admission.ok) {
			stream.destroy("certificate refused");
			this.#logRefusal(admission, remote, undefined);
			return;
		}
		const network = admission.admittedAs[0]?.name;
		if (network !== undefined && this.#links.countNetwork(network) >= this.#options.linkLimits.perNetwork) {
			stream.destroy("too many connections of this peer");
			this.#options.log.warn("peer refused: too many connections", { peer: network, remote });
			return;
		}
		this.#open("inbound", stream, presented, admission, undefined, network);
	}

	#open(
		direction: "inbound" | "outbound",
		stream: ByteStream,
		presented: PresentedPeer,
		admission: Extract<Admission, { ok: true }>,
		dialledName: string | undefined,
		network: string | undefined,
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
				received: (_connection: Connection, message: SipMessage) => this.#received(link, message),
				closed: (_connection: Connection, cause: CloseCause) => this.#closed(link, cause),
			},
			hooks: {
				sent: (own, message) => trace.record("out", own, peerName, message),
				received: (own, message) => trace.record("in", own, peerName, message),
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
			admittedAs: admission.admittedAs,
			dialledName,
			tlsVersion: presented.protocol,
			cipher: presented.cipher,
			openedAt: clock.wall(),
			bindings: new Map(),
			network,
			requestsIn: 0,
			requestsOut: 0,
			lastReceivedAt: clock.wall(),
			isDraining: false,
		};
		const peerName = linkName(link);
		this.#links.add(link);
		log.info("connection open", {
			direction,
			peer: peerName,
			remote: `${stream.remote.address}:${stream.remote.port}`,
			names: admission.identity.names,
			tls: presented.protocol,
			...(admission.warnings.length === 0 ? {} : { warnings: admission.warnings }),
		});
		connection.start();
		return link;
	}

	#received(link: Link, message: SipMessage): void {
		link.lastReceivedAt = this.#options.clock.wall();
		if (message.kind === "request") {
			link.requestsIn += 1;
		} else if (findSips(message) !== undefined) {
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
		this.#options.log.info("connection closed", { peer: linkName(link), by: cause.by, reason: cause.reason });
		this.#options.user.closed(link, cause);
	}

	#logRefusal(admission: Extract<Admission, { ok: false }>, remote: string, dialled: string | undefined): void {
		this.#options.log.warn("peer refused: certificate", {
			remote,
			code: admission.code,
			whose: admission.whose,
			expected: admission.expected,
			shown: admission.shown,
			verdict: admission.text,
			...(dialled === undefined ? {} : { dialled }),
		});
	}

	#fail(domain: string, why: FederationRefusal): LinkOutcome {
		this.#failures.set(domain, { ...why, at: this.#options.clock.wall() });
		this.#options.log.warn("no way to a domain", { domain, code: why.code, reason: why.reason });
		return { ok: false, refusal: why };
	}
}

function refusal(
	status: number,
	diagnosticsId: number | undefined,
	code: string,
	reason: string,
	blame: FederationRefusal["blame"],
): FederationRefusal {
	return { status, diagnosticsId, code, reason, blame };
}

function firstLine(text: string): string {
	const end = text.indexOf("\n");
	return end === -1 ? text : text.slice(0, end);
}
