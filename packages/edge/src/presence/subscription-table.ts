/** The subscriptions of partners' users, found by whom they watch and who watches, and counted against the caps. */
import type { Peer } from "../federation/peers.ts";

/** What the table needs to know of a subscription. */
export interface TableEntry {
	readonly presentity: string;
	readonly watcher: string;
	readonly peer: Pick<Peer, "name">;
}

export interface SubscriptionCaps {
	/** Of one watcher with one presentity: more are devices no more. */
	readonly perPair: number;
	/** Of one watcher with everybody. */
	readonly perWatcher: number;
	/** Of all users of one peer network. */
	readonly perPeer: number;
}

export const DEFAULT_SUBSCRIPTION_CAPS: SubscriptionCaps = { perPair: 16, perWatcher: 2_000, perPeer: 200_000 };

/** Adding, finding a pair and removing take constant time, however many watchers a presentity has. */
export class SubscriptionTable<Entry extends TableEntry> {
	readonly #caps: SubscriptionCaps;
	/** Nearly every watcher has one subscription, which then stands there without an array. */
	readonly #byPresentity = new Map<string, Map<string, Entry | readonly Entry[]>>();
	readonly #ofWatcher = new Map<string, number>();
	readonly #ofPeer = new Map<string, number>();
	#size = 0;

	constructor(caps: SubscriptionCaps = DEFAULT_SUBSCRIPTION_CAPS) {
		this.#caps = caps;
	}

	get size(): number {
		return this.#size;
	}

	*[Symbol.iterator](): IterableIterator<Entry> {
		for (const presentity of this.#byPresentity.keys()) yield* this.ofPresentity(presentity);
	}

	/** The cap that one more would break; undefined where there is room. */
	capReached(presentity: string, watcher: string, peer: string): keyof SubscriptionCaps | undefined {
		if (this.ofPair(presentity, watcher).length >= this.#caps.perPair) return "perPair";
		if ((this.#ofWatcher.get(watcher) ?? 0) >= this.#caps.perWatcher) return "perWatcher";
		return (this.#ofPeer.get(peer) ?? 0) >= this.#caps.perPeer ? "perPeer" : undefined;
	}

	add(entry: Entry): void {
		const { presentity, watcher, peer } = entry;
		let byWatcher = this.#byPresentity.get(presentity);
		if (byWatcher === undefined) {
			byWatcher = new Map();
			this.#byPresentity.set(presentity, byWatcher);
		}
		const known = byWatcher.get(watcher);
		byWatcher.set(watcher, known === undefined ? entry : [...listOf(known), entry]);
		count(this.#ofWatcher, watcher, 1);
		count(this.#ofPeer, peer.name, 1);
		this.#size += 1;
	}

	remove(entry: Entry): void {
		const { presentity, watcher, peer } = entry;
		const byWatcher = this.#byPresentity.get(presentity);
		const entries = listOf(byWatcher?.get(watcher));
		if (byWatcher === undefined || !entries.includes(entry)) return;
		const rest = entries.filter((other) => other !== entry);
		if (rest.length > 0) byWatcher.set(watcher, rest);
		else byWatcher.delete(watcher);
		if (byWatcher.size === 0) this.#byPresentity.delete(presentity);
		count(this.#ofWatcher, watcher, -1);
		count(this.#ofPeer, peer.name, -1);
		this.#size -= 1;
	}

	countOfPeer(peer: string): number {
		return this.#ofPeer.get(peer) ?? 0;
	}

	/** A list that later changes leave as it is. */
	ofPair(presentity: string, watcher: string): readonly Entry[] {
		return listOf(this.#byPresentity.get(presentity)?.get(watcher));
	}

	/** Everybody who watches; safe against removals while it is walked. */
	*ofPresentity(presentity: string): Iterable<Entry> {
		for (const entries of this.#byPresentity.get(presentity)?.values() ?? []) yield* listOf(entries);
	}
}

function listOf<Entry extends TableEntry>(held: Entry | readonly Entry[] | undefined): readonly Entry[] {
	if (held === undefined) return [];
	return isList(held) ? held : [held];
}

function isList<Entry extends TableEntry>(held: Entry | readonly Entry[]): held is readonly Entry[] {
	return Array.isArray(held);
}

function count(counts: Map<string, number>, key: string, by: number): void {
	const next = (counts.get(key) ?? 0) + by;
	if (next > 0) counts.set(key, next);
	else counts.delete(key);
}
