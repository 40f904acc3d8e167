/** What the proxy decided about the last requests, by their octets: the next one of the same side of a dialog, written alike, is decided like it. */
import { detach, FIELD_STRIDE, type OctetFrame, type VerificationLevel } from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { PeerDirectory } from "../federation/peers.ts";
import type { BranchBase } from "../federation/signature/branch-signature.ts";
import type { Crossing } from "./boundary-headers.ts";
import { isKeptAt, textOf } from "./octet-text.ts";
import type { DialogRoute, KeptDialog } from "./relay-dialogs.ts";
import { BRANCH_COOKIE, type ShortSpots, type StandingParts, targetStart, versionAt } from "./short-request.ts";

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
	/** What is stated about the sender, by what the request says of him; undefined where nothing is. */
	readonly statements: Readonly<Record<"silent" | VerificationLevel, string | undefined>>;
	/** What we note behind the top Via: where it came from (RFC 3261 §18.2.1), or nothing. */
	readonly noted: string;
	/** What our branches are bound to, of this side of the dialog. */
	readonly branches: BranchBase;
	/** The policy that decided. */
	readonly policy: Pick<PeerDirectory, "find">;
	/** Octets that each request of this side has; undefined where they are not remembered. */
	octets: StandingOctets | undefined;
}

/** Sides of dialogs that are remembered. Two places stand together for what falls on them; a third takes that of the older. About two kilobytes a place. */
const PLACES = 8_192;
/** Places to count in: more, so that sides that share a place do not keep each other from being counted. */
const COUNTS = 65_536;

/** A side is remembered with this request of it: most dialogs have no more than two or three in a direction. */
const KEPT_FROM = 4;

/** What stands in every request of one side of a dialog, octet for octet: one piece behind the other. */
export class StandingOctets {
	readonly #octets: Buffer;
	/** Where each piece ends: the Request-URI, From, To, Call-ID, both Routes, and the top Via before and behind its branch. */
	readonly #ends: readonly number[];

	/** Undefined where the top Via has its branch at a place that cannot be found again. */
	static of(frame: OctetFrame, found: ShortSpots, branch: string): StandingOctets | undefined {
		const topVia = textOf(frame, found.viaAt);
		const branchAt = topVia.indexOf(`=${branch}`) + 1;
		const behind = branchAt + branch.length;
		// A second one, or white space around the equals sign: the parser knows which is which.
		if (branchAt === 0 || topVia.indexOf(BRANCH_COOKIE) !== branchAt || topVia.includes(BRANCH_COOKIE, behind))
			return undefined;
		return new StandingOctets(frame, found, topVia.slice(0, branchAt + BRANCH_COOKIE.length), topVia.slice(behind));
	}

	private constructor(frame: OctetFrame, found: ShortSpots, viaHead: string, viaTail: string) {
		const { octets } = frame;
		const target = Buffer.prototype.latin1Slice.call(octets, targetStart(frame, found), versionAt(frame));
		const pieces = [target, ...placesOf(found).map((at) => textOf(frame, at)), viaHead, viaTail];
		this.#octets = Buffer.from(pieces.join(""), "latin1");
		let end = 0;
		this.#ends = pieces.map((piece) => (end += piece.length));
	}

	/** Whether a request has all of them where it must, and a branch of plain characters between the pieces of its Via. */
	stands(frame: OctetFrame, found: ShortSpots): boolean {
		const { octets, start, fields } = frame;
		const kept = this.#octets;
		const ends = this.#ends;
		return (
			isPiece(frame, found.callIdAt, kept, ends[2] as number, ends[3] as number) &&
			isSame(octets, targetStart(frame, found), versionAt(frame), kept, 0, ends[0] as number) &&
			isPiece(frame, found.fromAt, kept, ends[0] as number, ends[1] as number) &&
			isPiece(frame, found.toAt, kept, ends[1] as number, ends[2] as number) &&
			isPiece(frame, found.routeAt, kept, ends[3] as number, ends[4] as number) &&
			isPiece(frame, found.routeAt + FIELD_STRIDE, kept, ends[4] as number, ends[5] as number) &&
			this.#hasVia(octets, start + (fields[found.viaAt + 2] as number), start + (fields[found.viaAt + 3] as number))
		);
	}

	#hasVia(octets: Uint8Array, start: number, end: number): boolean {
		const [head, behindHead, tail] = [this.#ends[5] as number, this.#ends[6] as number, this.#ends[7] as number];
		const branchAt = start + behindHead - head;
		const branchEnd = end - (tail - behindHead);
		if (branchAt >= branchEnd || !isKeptAt(octets, start, this.#octets, head, behindHead)) return false;
		for (let at = branchAt; at < branchEnd; at++) {
			if (PLAIN[octets[at] as number] === 0) return false;
		}
		return isKeptAt(octets, branchEnd, this.#octets, behindHead, tail);
	}
}

export class PassageMemory {
	readonly #places = new Array<Passage | undefined>(PLACES).fill(undefined);
	/** Hashes of {@link #places}. */
	readonly #kept = new Int32Array(PLACES);
	/** Requests of a side that were not found, by its hash; another one that falls there begins anew. */
	readonly #counts = new Uint8Array(COUNTS);
	readonly #counted = new Int32Array(COUNTS);
	/** How many passages arrive or depart on a link. */
	readonly #remembered = new Map<Link, number>();
	readonly #seed: number;

	/** `seed`: a number that nobody can guess; peers choose their Call-IDs. */
	constructor(seed: number) {
		this.#seed = seed;
	}

	find(link: Link, frame: OctetFrame, found: ShortSpots): Passage | undefined {
		const hash = this.#hashOf(link, frame, found);
		const place = placeOf(hash);
		const isFirst = this.#kept[place] === hash;
		if (!isFirst && this.#kept[place + 1] !== hash) return undefined;
		const passage = this.#places[isFirst ? place : place + 1];
		return passage?.arrival === link && passage.octets?.stands(frame, found) === true ? passage : undefined;
	}

	/** Keeps a passage that was decided for this request, unless it is one of the first of its side. */
	keep(passage: Passage, frame: OctetFrame, found: ShortSpots, branch: string): void {
		const hash = this.#hashOf(passage.arrival, frame, found);
		const pair = placeOf(hash);
		const counter = hash & (COUNTS - 1);
		const count = this.#counted[counter] === hash ? (this.#counts[counter] as number) + 1 : 1;
		this.#counted[counter] = hash;
		this.#counts[counter] = count % KEPT_FROM;
		if (count < KEPT_FROM) return;
		// The one that was kept last stands first, and the one that was first gives way to it or moves on.
		if (this.#kept[pair] !== hash) {
			this.#set(pair + 1, this.#places[pair]);
			this.#kept[pair + 1] = this.#kept[pair] as number;
		}
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
		this.#set(pair, { ...passage, parts: kept, octets: StandingOctets.of(frame, found, branch) });
		this.#kept[pair] = hash;
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

	#hashOf({ connection }: Link, { octets, start, fields }: OctetFrame, { callIdAt }: ShortSpots): number {
		const end = start + (fields[callIdAt + 3] as number);
		let hash = this.#seed ^ connection.id;
		for (let at = start + (fields[callIdAt + 2] as number); at < end; at++) {
			hash = Math.imul(hash ^ (octets[at] as number), 0x5bd1_e995) ^ (hash >>> 15);
		}
		return hash ^ (hash >>> 13);
	}
}

/** The first of two places. */
function placeOf(hash: number): number {
	return hash & (PLACES - 2);
}

/** Characters of which a branch is plain: they can end neither it nor the value. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, code) =>
	/[A-Za-z0-9.!%*_+`'~-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

function placesOf({ fromAt, toAt, callIdAt, routeAt }: ShortSpots): readonly number[] {
	return [fromAt, toAt, callIdAt, routeAt, routeAt + FIELD_STRIDE];
}

function isPiece(
	{ octets, start, fields }: OctetFrame,
	at: number,
	kept: Uint8Array,
	from: number,
	end: number,
): boolean {
	return isSame(octets, start + (fields[at + 2] as number), start + (fields[at + 3] as number), kept, from, end);
}

function isSame(octets: Uint8Array, start: number, stop: number, kept: Uint8Array, from: number, end: number): boolean {
	return stop - start === end - from && isKeptAt(octets, start, kept, from, end);
}
