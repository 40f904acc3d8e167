/**
 * Links for new dialogs: an open one where there is one, a further one where those that are open are busy, a new one
 * otherwise; within the limits, address after address (protocol sheet 1.2, 1.5).
 */
import type { Clock, Endpoint, Hop } from "@causeway/sip";
import type { Link } from "./link.ts";
import type { LinkTable } from "./link-table.ts";
import { type FederationRefusal, refusal } from "./outcome.ts";
import type { Peer } from "./peers.ts";

/** Links on which a request was answered with 503: the next one goes elsewhere (protocol sheet 1.2). */
export type TriedLinks = ReadonlySet<Link>;
const NONE_TRIED: TriedLinks = new Set();

export interface OutboundLinksOptions {
	readonly clock: Pick<Clock, "now">;
	readonly links: LinkTable;
	/** Dialogs on a link. */
	readonly load: (link: Link) => number;
	/** Requests of ours on a link that have no final answer. */
	readonly outstanding: (link: Link) => number;
	/** Makes one connection. */
	readonly dial: (hop: Hop, peer: Peer, timeoutMs: number) => Promise<DialResult>;
	/** For one attempt. */
	readonly attemptMs: number;
}

export type DialResult =
	| { readonly ok: true; readonly link: Link }
	| { readonly ok: false; readonly refusal: FederationRefusal; readonly isTimeout?: boolean };

interface Dialling {
	readonly network: string;
	readonly edgeName: string;
	readonly result: Promise<DialResult>;
}

interface Failure {
	readonly untilMs: number;
	/** Asking again would take as long as the last time. */
	readonly isTimeout: boolean;
	readonly refusal: FederationRefusal;
}

/** Requests without an answer, or dialogs, on the least busy link from which on a further one is opened. */
const BUSY_REQUESTS = 16;
const BUSY_DIALOGS = 1_000;
/** Protocol sheet 1.2: an address that failed is not what is tried first for this time. */
const FAILURE_MS = 30_000;
const MOST_FAILURES = 1_000;

export class OutboundLinks {
	readonly #options: OutboundLinksOptions;
	/** Attempts under way, by network and address: who wants the same edge meanwhile waits for the same connection. */
	readonly #dialling = new Map<string, Dialling>();
	/** Addresses that failed, by network and address; the oldest go first. */
	readonly #failures = new Map<string, Failure>();
	#isClosed = false;

	constructor(options: OutboundLinksOptions) {
		this.#options = options;
	}

	/** The least busy open link to this edge, and whether it is so busy that another would help; none that leads where a tried one does. */
	find(
		edgeName: string,
		peer: Peer,
		tried: TriedLinks = NONE_TRIED,
	): { readonly link: Link; readonly isBusy: boolean } | undefined {
		const { links, load, outstanding } = this.#options;
		const cost = (one: Link): number =>
			tried.size > 0 && leadsWhereTried(wayOf(one), tried)
				? Number.POSITIVE_INFINITY
				: outstanding(one) + load(one) / 1_000_000;
		const link = links.findOpen(edgeName, peer.name, cost);
		if (link === undefined) return undefined;
		return { link, isBusy: outstanding(link) >= BUSY_REQUESTS || load(link) >= BUSY_DIALOGS };
	}

	/** Whether one more link to this edge would be within the limits. */
	mayDialFurther(edgeName: string, { name }: Peer): boolean {
		let toEdge = 0;
		for (const dialling of this.#dialling.values()) if (dialling.edgeName === edgeName) toEdge += 1;
		return this.#options.links.mayDial(edgeName, name, { toEdge, toNetwork: this.countDialling(name) });
	}

	/** A link to the first of these addresses that takes one, by `until` on the monotonic clock; `tried` lead where nobody can serve now. */
	async toAny(peer: Peer, hops: readonly Hop[], until: number, tried: TriedLinks = NONE_TRIED): Promise<DialResult> {
		const { clock, attemptMs } = this.#options;
		const isFailed = (hop: Hop): boolean => this.#failureOf(hop, peer) !== undefined;
		const left = hops.filter((hop) => !leadsWhereTried({ ...hop, names: undefined }, tried));
		const ordered = [...left.filter((hop) => !isFailed(hop)), ...left.filter(isFailed)];
		let last: DialResult | undefined;
		for (const hop of ordered) {
			const open = this.find(hop.serverName, peer, tried);
			if (open !== undefined) {
				if (open.isBusy) this.#dialFurther(hop, peer);
				return { ok: true, link: open.link };
			}
			const known = this.#failureOf(hop, peer);
			if (known?.isTimeout === true) {
				last ??= { ok: false, refusal: known.refusal };
				continue;
			}
			const leftMs = until - clock.now();
			if (leftMs <= 0) break;
			const result = await this.#dialOnce(hop, peer, Math.min(leftMs, attemptMs));
			if (result.ok) return result;
			last = result;
		}
		return (
			last ?? { ok: false, refusal: refusal(504, 1007, "connect-failed", `${peer.name} has no edge to dial`, "peer") }
		);
	}

	/** Attempts under way toward a network. */
	countDialling(network: string): number {
		let count = 0;
		for (const dialling of this.#dialling.values()) if (dialling.network === network) count += 1;
		return count;
	}

	/** What failed may work now. */
	forgetFailures(): void {
		this.#failures.clear();
	}

	/** Nothing is dialled from here on. */
	close(): void {
		this.#isClosed = true;
	}

	/** Nobody waits for it: the request that found the link busy has left on it already. */
	#dialFurther(hop: Hop, peer: Peer): void {
		if (this.#failureOf(hop, peer) !== undefined || this.#dialling.has(keyOf(hop, peer))) return;
		if (this.#mayDial(hop, peer)) void this.#dialOnce(hop, peer, this.#options.attemptMs);
	}

	#mayDial(hop: Hop, peer: Peer): boolean {
		return !this.#isClosed && this.mayDialFurther(hop.serverName, peer);
	}

	#dialOnce(hop: Hop, peer: Peer, timeoutMs: number): Promise<DialResult> {
		// By network: a connection made under the trust of one peer is none for another that shares the address.
		const key = keyOf(hop, peer);
		const underWay = this.#dialling.get(key);
		if (underWay !== undefined) return underWay.result;
		if (!this.#mayDial(hop, peer)) {
			// Better the old certificate for one more dialog than none: those that drain fill the limit.
			const draining = this.#options.links.findDraining(hop.serverName, peer.name);
			if (draining !== undefined && !this.#isClosed) return Promise.resolve({ ok: true, link: draining });
			const reason = this.#isClosed ? "this edge is stopping" : `no more connections to ${hop.serverName} are allowed`;
			return Promise.resolve({ ok: false, refusal: refusal(504, 1007, "connection-limit", reason, "us") });
		}
		const result = this.#options
			.dial(hop, peer, timeoutMs)
			.then((outcome) => {
				this.#remember(key, outcome);
				return outcome;
			})
			.finally(() => this.#dialling.delete(key));
		this.#dialling.set(key, { network: peer.name, edgeName: hop.serverName, result });
		return result;
	}

	#failureOf(hop: Hop, peer: Peer): Failure | undefined {
		const failure = this.#failures.get(keyOf(hop, peer));
		return failure !== undefined && failure.untilMs > this.#options.clock.now() ? failure : undefined;
	}

	#remember(key: string, outcome: DialResult): void {
		this.#failures.delete(key);
		if (outcome.ok) return;
		const untilMs = this.#options.clock.now() + FAILURE_MS;
		this.#failures.set(key, { untilMs, isTimeout: outcome.isTimeout === true, refusal: outcome.refusal });
		for (const oldest of this.#failures.keys()) {
			if (this.#failures.size <= MOST_FAILURES) break;
			this.#failures.delete(oldest);
		}
	}
}

/** Where an address that is dialled, or an open link, leads. */
interface Way extends Endpoint {
	/** Of the edge that is dialled there; undefined where the other side dialled. */
	readonly serverName: string | undefined;
	/** Of the certificate; undefined where none was shown yet. */
	readonly names: readonly string[] | undefined;
}

function wayOf({ connection, dialledName, identity }: Link): Way {
	const { address, port } = connection.remote;
	return { address, port, serverName: dialledName, names: identity.names };
}

/**
 * Whether a way leads where a tried link does. The port of who dialled us says nothing: edges behind one address are told apart by the
 * names of their certificates, and taken for one where they share a name.
 */
function leadsWhereTried(way: Way, tried: TriedLinks): boolean {
	return [...tried].map(wayOf).some((other) => {
		if (other.address !== way.address) return false;
		if (other.serverName !== undefined && way.serverName !== undefined) return other.port === way.port;
		const names = edgeNames(way);
		return edgeNames(other).some((name) => names.includes(name));
	});
}

function edgeNames({ serverName, names = [] }: Way): readonly string[] {
	return serverName === undefined ? names : [serverName];
}

function keyOf({ serverName, address, port }: Hop, { name }: Peer): string {
	return `${name} ${serverName} ${address} ${port}`;
}
