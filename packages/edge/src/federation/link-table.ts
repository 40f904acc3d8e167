/** The open links and the limits on them (REQ-42, REQ-43): at most 4 dialled to one edge, at most 40 with one network. */
import type { Link } from "./link.ts";

export interface LinkLimits {
	/** Connections we dial to one edge name. */
	readonly perEdge: number;
	/** Connections with one peer network, both directions counted. */
	readonly perNetwork: number;
}

export class LinkTable {
	readonly #limits: LinkLimits;
	readonly #links = new Map<number, Link>();
	readonly #byNetwork = new Map<string, Set<Link>>();

	constructor(limits: LinkLimits) {
		this.#limits = limits;
	}

	get size(): number {
		return this.#links.size;
	}

	[Symbol.iterator](): IterableIterator<Link> {
		return this.#links.values();
	}

	add(link: Link): void {
		this.#links.set(link.connection.id, link);
		if (link.network !== undefined) this.#index(link, link.network);
	}

	/** Counts a link for a network, once what came over it proved which. False, and not counted, where that is one too many. */
	join(link: Link, network: string, pending = 0): boolean {
		if (link.network !== undefined) return true;
		if (!this.hasRoom(network, pending)) return false;
		link.network = network;
		if (this.#links.has(link.connection.id)) this.#index(link, network);
		return true;
	}

	find(connectionId: number): Link | undefined {
		return this.#links.get(connectionId);
	}

	remove(connectionId: number): Link | undefined {
		const link = this.#links.get(connectionId);
		if (link === undefined) return undefined;
		this.#links.delete(connectionId);
		if (link.network !== undefined) {
			const ofNetwork = this.#byNetwork.get(link.network);
			ofNetwork?.delete(link);
			if (ofNetwork?.size === 0) this.#byNetwork.delete(link.network);
		}
		return link;
	}

	/**
	 * The least busy link on which new dialogs with this edge may be opened, whoever opened it. A link counts for the network
	 * alone that it proved to be: a name in a certificate proves nothing by itself.
	 */
	findOpen(edgeName: string, network: string, load: (link: Link) => number): Link | undefined {
		let best: Link | undefined;
		let bestLoad = Number.POSITIVE_INFINITY;
		for (const link of this.#byNetwork.get(network) ?? []) {
			if (link.isDraining || !link.connection.isOpen) continue;
			if (link.dialledName !== edgeName && !link.identity.names.includes(edgeName)) continue;
			const own = load(link);
			if (own < bestLoad) {
				best = link;
				bestLoad = own;
			}
		}
		return best;
	}

	/** Whether one more connection may be dialled; `pending` are the attempts under way. */
	mayDial(
		edgeName: string,
		network: string,
		pending: { readonly toEdge: number; readonly toNetwork: number },
	): boolean {
		let toEdge = pending.toEdge;
		for (const link of this.#links.values()) if (link.dialledName === edgeName) toEdge += 1;
		return toEdge < this.#limits.perEdge && this.hasRoom(network, pending.toNetwork);
	}

	/** Whether one more connection with this network is within the limit; `pending` are the attempts under way. */
	hasRoom(network: string, pending: number): boolean {
		return this.countNetwork(network) + pending < this.#limits.perNetwork;
	}

	countNetwork(network: string): number {
		return this.#byNetwork.get(network)?.size ?? 0;
	}

	#index(link: Link, network: string): void {
		const ofNetwork = this.#byNetwork.get(network) ?? new Set<Link>();
		ofNetwork.add(link);
		this.#byNetwork.set(network, ofNetwork);
	}
}
