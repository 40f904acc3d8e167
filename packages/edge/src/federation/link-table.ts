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
	}

	find(connectionId: number): Link | undefined {
		return this.#links.get(connectionId);
	}

	remove(connectionId: number): Link | undefined {
		const link = this.#links.get(connectionId);
		this.#links.delete(connectionId);
		return link;
	}

	/** The least busy link on which new dialogs with this edge may be opened, whoever opened it. */
	findOpen(edgeName: string, network: string, load: (link: Link) => number): Link | undefined {
		let best: Link | undefined;
		let bestLoad = Number.POSITIVE_INFINITY;
		for (const link of this.#links.values()) {
			if (link.isDraining || !link.connection.isOpen) continue;
			if (link.dialledName !== edgeName && !link.identity.names.includes(edgeName)) continue;
			if (link.network !== undefined && link.network !== network) continue;
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
		return toEdge < this.#limits.perEdge && this.countNetwork(network) + pending.toNetwork < this.#limits.perNetwork;
	}

	/** Whether an inbound connection of this network is within the limit, itself counted already. */
	isWithinNetworkLimit(network: string): boolean {
		return this.countNetwork(network) <= this.#limits.perNetwork;
	}

	countNetwork(network: string): number {
		let count = 0;
		for (const link of this.#links.values()) if (link.network === network) count += 1;
		return count;
	}
}
