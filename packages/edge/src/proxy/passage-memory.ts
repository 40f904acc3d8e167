/** What the proxy decided about the last requests, by their octets: the next one of the same side of a dialog, written alike, is decided like it. */
import { detach, type MessageHead, octetsOfHead } from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { PeerDirectory } from "../federation/peers.ts";
import type { Crossing } from "./boundary-headers.ts";
import type { DialogRoute, KeptDialog } from "./relay-dialogs.ts";
import { hasStandingParts, type ShortSpots, type StandingParts } from "./short-request.ts";

/** One side of a dialog: what its requests have in common, and the way they go. */
export interface Passage {
	readonly parts: StandingParts;
	readonly dialog: KeptDialog;
	readonly route: DialogRoute;
	readonly arrival: Link;
	readonly departure: Link;
	/** The way of the request, and that of its responses. */
	readonly crossing: Crossing;
	readonly back: Crossing;
	/** The policy that decided. */
	readonly policy: Pick<PeerDirectory, "find">;
}

/** Sides of dialogs that are remembered: a place each, which the next one that falls on it takes. About 700 octets a place. */
const PLACES = 8_192;

/** A side is remembered with this request of it: most dialogs have no more than two or three in a direction. */
const KEPT_FROM = 4;

export class PassageMemory {
	readonly #places = new Array<Passage | undefined>(PLACES).fill(undefined);
	/** Requests that fell on a place and were not found there, one behind the other; one of another Call-ID begins anew. */
	readonly #counts = new Uint8Array(PLACES);
	readonly #hashes = new Int32Array(PLACES);
	/** How many passages arrive or depart on a link. */
	readonly #remembered = new Map<Link, number>();
	readonly #seed: number;

	/** `seed`: a number that nobody can guess; peers choose their Call-IDs. */
	constructor(seed: number) {
		this.#seed = seed;
	}

	find(link: Link, head: MessageHead, found: ShortSpots): Passage | undefined {
		const passage = this.#places[this.#hashOf(link, head, found) & (PLACES - 1)];
		return passage !== undefined && passage.arrival === link && hasStandingParts(head, found, passage.parts)
			? passage
			: undefined;
	}

	/** Keeps a passage that was decided for this request, unless it is one of the first of its side. */
	keep(passage: Passage, head: MessageHead, found: ShortSpots): void {
		const hash = this.#hashOf(passage.arrival, head, found);
		const place = hash & (PLACES - 1);
		const count = this.#hashes[place] === hash ? (this.#counts[place] as number) + 1 : 1;
		this.#hashes[place] = hash;
		this.#counts[place] = count % KEPT_FROM;
		if (count < KEPT_FROM) return;
		const { parts } = passage;
		// What is kept must not hold the request it was cut from.
		const kept: StandingParts = {
			requestUri: detach(parts.requestUri),
			fromText: detach(parts.fromText),
			toText: detach(parts.toText),
			fromTag: detach(parts.fromTag),
			toTag: detach(parts.toTag),
			fromAor: detach(parts.fromAor),
			toAor: detach(parts.toAor),
			fromDomain: detach(parts.fromDomain),
			toDomain: detach(parts.toDomain),
			callId: detach(parts.callId),
			firstRoute: detach(parts.firstRoute),
			secondRoute: detach(parts.secondRoute),
		};
		this.#set(place, { ...passage, parts: kept });
	}

	/** Forgets what came over a link or would leave on it. */
	forget(link: Link): void {
		// Most connections that end never had a dialog that was remembered.
		if (!this.#remembered.has(link)) return;
		for (const [place, passage] of this.#places.entries()) {
			if (passage?.arrival === link || passage?.departure === link) this.#set(place, undefined);
		}
	}

	#set(place: number, passage: Passage | undefined): void {
		this.#tally(this.#places[place], -1);
		this.#tally(passage, 1);
		this.#places[place] = passage;
	}

	#tally(passage: Passage | undefined, by: 1 | -1): void {
		if (passage === undefined) return;
		for (const link of [passage.arrival, passage.departure]) {
			const count = (this.#remembered.get(link) ?? 0) + by;
			if (count === 0) this.#remembered.delete(link);
			else this.#remembered.set(link, count);
		}
	}

	#hashOf({ connection }: Link, head: MessageHead, { callIdAt }: ShortSpots): number {
		const octets = octetsOfHead(head);
		const end = head.fields[callIdAt + 3] as number;
		let hash = this.#seed ^ connection.id;
		for (let at = head.fields[callIdAt + 2] as number; at < end; at++) {
			hash = Math.imul(hash ^ (octets[at] as number), 0x5bd1_e995) ^ (hash >>> 15);
		}
		return hash ^ (hash >>> 13);
	}
}
