/** The open links and the limits on them (REQ-42, REQ-43): at most 4 dialled to one edge, at most 40 with one network. */
import type { Link } from "./link.ts";

export interface LinkLimits {
	/** Connections we dial to one edge name. */
	readonly perEdge: number;
	/** Connections with one peer network, both directions counted. */
	readonly perNetwork: number;
}

/**
 * A link that has not proved its network yet counts for the network that its certificate proved on another link, else for
 * the certificate: a peer found by SRV cannot have more connections by saying nothing on them.
 */
export class LinkTable {
	readonly #limits: LinkLimits;
	readonly #links = new Map<number, Link>();
	/** By what they count for. */
	readonly #groups = new Map<string, Set<Link>>();
	readonly #groupOf = new Map<Link, string>();
	#unproven = 0;

	constructor(limits: LinkLimits) {
		this.#limits = limits;
	}

	get size(): number {
		return this.#links.size;
	}

	/** Links that have proved no network yet. */
	get unproven(): number {
		return this.#unproven;
	}

	[Symbol.iterator](): IterableIterator<Link> {
		return this.#links.values();
	}

	add(link: Link): void {
		this.#links.set(link.connection.id, link);
		if (link.network === undefined) this.#unproven += 1;
		else this.#moveCertificate(link.identity.fingerprint, link.network);
		this.#count(link, link.network ?? this.#groupFor(link.identity.fingerprint));
	}

	/**
	 * Counts a link for a network, once what came over it proved which, and with it the others of its certificate. False,
	 * and nothing changes, where that is one too many.
	 */
	join(link: Link, network: string, pending = 0): boolean {
		if (link.network !== undefined) return true;
		const { fingerprint } = link.identity;
		const isCounted = this.#groupOf.get(link) === network;
		const joining = isCounted ? 0 : (this.#groups.get(certificateGroup(fingerprint))?.size ?? 1);
		if (this.countNetwork(network) + joining + pending > this.#limits.perNetwork) return false;
		link.network = network;
		if (!this.#links.has(link.connection.id)) return true;
		this.#unproven -= 1;
		this.#moveCertificate(fingerprint, network);
		this.#count(link, network);
		return true;
	}

	/** Counts a link for another network from now on: the policy is another, and the link's edge is that network's. */
	rehome(link: Link, network: string): void {
		if (link.network === network) return;
		link.network = network;
		if (this.#links.has(link.connection.id)) this.#count(link, network);
	}

	find(connectionId: number): Link | undefined {
		return this.#links.get(connectionId);
	}

	remove(connectionId: number): Link | undefined {
		const link = this.#links.get(connectionId);
		if (link === undefined) return undefined;
		this.#links.delete(connectionId);
		if (link.network === undefined) this.#unproven -= 1;
		this.#uncount(link);
		return link;
	}

	/**
	 * The least busy link on which new dialogs with this edge may be opened, whoever opened it. A link is used for the network
	 * alone that it proved to be: a name in a certificate proves nothing by itself.
	 */
	findOpen(edgeName: string, network: string, load: (link: Link) => number): Link | undefined {
		let best: Link | undefined;
		let bestLoad = Number.POSITIVE_INFINITY;
		for (const link of this.#groups.get(network) ?? NO_LINKS) {
			if (link.isDraining || !isUsable(link, edgeName, network)) continue;
			const own = load(link);
			if (own < bestLoad) {
				best = link;
				bestLoad = own;
			}
		}
		return best;
	}

	/** A link to this edge that is about to be closed. */
	findDraining(edgeName: string, network: string): Link | undefined {
		for (const link of this.#groups.get(network) ?? NO_LINKS) {
			if (link.isDraining && isUsable(link, edgeName, network)) return link;
		}
		return undefined;
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

	/** What a connection that has proved nothing counts for: the network of its certificate's other links, where there is one. */
	countsFor(fingerprint: string): { readonly network: string | undefined; readonly isFull: boolean } {
		const group = this.#groupFor(fingerprint);
		const isFull = (this.#groups.get(group)?.size ?? 0) >= this.#limits.perNetwork;
		return { network: group === certificateGroup(fingerprint) ? undefined : group, isFull };
	}

	/** Links that count for the network. */
	countNetwork(network: string): number {
		return this.#groups.get(network)?.size ?? 0;
	}

	#groupFor(fingerprint: string): string {
		for (const link of this.#links.values()) {
			if (link.network !== undefined && link.identity.fingerprint === fingerprint) return link.network;
		}
		return certificateGroup(fingerprint);
	}

	#moveCertificate(fingerprint: string, network: string): void {
		for (const link of [...(this.#groups.get(certificateGroup(fingerprint)) ?? [])]) this.#count(link, network);
	}

	#count(link: Link, group: string): void {
		this.#uncount(link);
		const links = this.#groups.get(group) ?? new Set<Link>();
		links.add(link);
		this.#groups.set(group, links);
		this.#groupOf.set(link, group);
	}

	#uncount(link: Link): void {
		const group = this.#groupOf.get(link);
		if (group === undefined) return;
		this.#groupOf.delete(link);
		const links = this.#groups.get(group);
		links?.delete(link);
		if (links?.size === 0) this.#groups.delete(group);
	}
}

const NO_LINKS: ReadonlySet<Link> = new Set();

function isUsable({ network, connection, dialledName, identity }: Link, edgeName: string, wanted: string): boolean {
	if (network !== wanted || !connection.isOpen) return false;
	return dialledName === edgeName || identity.names.includes(edgeName);
}

/** No network has such a name: a space is in no domain. */
function certificateGroup(fingerprint: string): string {
	return `certificate ${fingerprint}`;
}
