/** Requests that took the short way and whose final responses are awaited, found by their octets. */
import assert from "node:assert/strict";
import { DEFAULT_HEAD_LIMITS, indexHead, type OctetFrame, parseMessage, type SipRequest } from "@causeway/sip";
import { isTextAt } from "./octet-text.ts";
import type { Passage } from "./passage-memory.ts";

/** A request that left and whose final response is awaited. */
export class ShortTransaction {
	readonly branch: string;
	readonly method: string;
	readonly passage: Passage;
	/** The head of the request as it came. */
	readonly text: string;
	/** The top Via as it came; names the request together with its connection. */
	readonly topVia: string;
	readonly cseqText: string;
	/** A NOTIFY that says that its subscription is over. */
	readonly isLast: boolean;
	/** On the monotonic clock, milliseconds. */
	readonly endsAt: number;
	/** Of {@link branch} and of connection and {@link topVia}, and who is next under the same; for the table alone. */
	readonly branchHash: number;
	readonly arrivalHash: number;
	nextByBranch: ShortTransaction | undefined = undefined;
	nextByArrival: ShortTransaction | undefined = undefined;

	constructor(
		branch: string,
		method: string,
		passage: Passage,
		text: string,
		topVia: string,
		cseqText: string,
		isLast: boolean,
		endsAt: number,
		arrivalHash: number,
	) {
		this.branch = branch;
		this.method = method;
		this.passage = passage;
		this.text = text;
		this.topVia = topVia;
		this.cseqText = cseqText;
		this.isLast = isLast;
		this.endsAt = endsAt;
		this.branchHash = hashOfBranch(branch);
		this.arrivalHash = arrivalHash;
	}

	/** Read as a whole, for an answer of our own. */
	request(): SipRequest {
		const octets = Buffer.from(this.text, "latin1");
		const indexed = indexHead(octets, 0, octets.length, DEFAULT_HEAD_LIMITS);
		assert(indexed.ok, "what was indexed once is indexed again");
		const outcome = parseMessage({ head: indexed.head, body: noBody });
		assert(outcome.ok && outcome.message.kind === "request", "what took the short way reads as a request");
		return outcome.message;
	}
}

const noBody = new Uint8Array(0);
const LEAST_CHAINS = 256;
/** Characters at the end of a branch, of its MAC: nobody can foresee them. */
const HASHED = 8;

/**
 * Two tables over the same transactions, whose chains run through the transactions themselves: to add and to remove one makes nothing, and
 * what was removed is forgotten at once (`ShortLivedMap` says why that matters).
 */
export class ShortTransactions {
	readonly #seed: number;
	#byBranch = createChains(LEAST_CHAINS);
	#byArrival = createChains(LEAST_CHAINS);
	#size = 0;

	/** `seed`: a number that nobody can guess; peers choose their Vias. */
	constructor(seed: number) {
		this.#seed = seed | 0;
	}

	get size(): number {
		return this.#size;
	}

	add(transaction: ShortTransaction): void {
		if (this.#size === this.#byBranch.length) this.#grow();
		this.#link(transaction);
		this.#size += 1;
	}

	/** False where it is not there. */
	remove(transaction: ShortTransaction): boolean {
		const chain = transaction.branchHash & (this.#byBranch.length - 1);
		let at = this.#byBranch[chain];
		if (at === transaction) this.#byBranch[chain] = transaction.nextByBranch;
		else {
			while (at !== undefined && at.nextByBranch !== transaction) at = at.nextByBranch;
			if (at === undefined) return false;
			at.nextByBranch = transaction.nextByBranch;
		}
		transaction.nextByBranch = undefined;
		this.#unlinkArrival(transaction);
		this.#size -= 1;
		return true;
	}

	/** The one with the branch that stands there. */
	findByBranch(octets: Uint8Array, start: number, end: number): ShortTransaction | undefined {
		let hash = 0;
		for (let at = Math.max(start, end - HASHED); at < end; at++) hash = mix(hash, octets[at] as number);
		let at = this.#byBranch[hash & (this.#byBranch.length - 1)];
		while (at !== undefined && !(at.branch.length === end - start && isTextAt(octets, start, at.branch))) {
			at = at.nextByBranch;
		}
		return at;
	}

	/** The one with this branch. */
	get(branch: string): ShortTransaction | undefined {
		let at = this.#byBranch[hashOfBranch(branch) & (this.#byBranch.length - 1)];
		while (at !== undefined && at.branch !== branch) at = at.nextByBranch;
		return at;
	}

	/** What {@link findArrived} looks for: the connection and the top Via, whose field is at `viaAt` of the index. */
	hashOfArrival(connectionId: number, { octets, start, fields }: OctetFrame, viaAt: number): number {
		let hash = this.#seed ^ connectionId;
		const end = start + (fields[viaAt + 3] as number);
		for (let at = start + (fields[viaAt + 2] as number); at < end; at++) hash = mix(hash, octets[at] as number);
		return hash ^ (hash >>> 13);
	}

	/** The one that came over this connection with the same top Via. */
	findArrived(hash: number, connectionId: number, frame: OctetFrame, viaAt: number): ShortTransaction | undefined {
		const start = frame.start + (frame.fields[viaAt + 2] as number);
		const length = frame.start + (frame.fields[viaAt + 3] as number) - start;
		let at = this.#byArrival[hash & (this.#byArrival.length - 1)];
		while (
			at !== undefined &&
			!(
				at.arrivalHash === hash &&
				at.passage.arrival.connection.id === connectionId &&
				at.topVia.length === length &&
				isTextAt(frame.octets, start, at.topVia)
			)
		) {
			at = at.nextByArrival;
		}
		return at;
	}

	/** All of them at this moment. */
	values(): ShortTransaction[] {
		const found: ShortTransaction[] = [];
		for (const first of this.#byBranch) {
			for (let at = first; at !== undefined; at = at.nextByBranch) found.push(at);
		}
		return found;
	}

	clear(): void {
		this.#byBranch = createChains(LEAST_CHAINS);
		this.#byArrival = createChains(LEAST_CHAINS);
		this.#size = 0;
	}

	#link(transaction: ShortTransaction): void {
		const mask = this.#byBranch.length - 1;
		transaction.nextByBranch = this.#byBranch[transaction.branchHash & mask];
		this.#byBranch[transaction.branchHash & mask] = transaction;
		transaction.nextByArrival = this.#byArrival[transaction.arrivalHash & mask];
		this.#byArrival[transaction.arrivalHash & mask] = transaction;
	}

	#unlinkArrival(transaction: ShortTransaction): void {
		const chain = transaction.arrivalHash & (this.#byArrival.length - 1);
		let at = this.#byArrival[chain];
		if (at === transaction) this.#byArrival[chain] = transaction.nextByArrival;
		else {
			while (at?.nextByArrival !== transaction) {
				assert(at !== undefined, "what is in one table is in the other");
				at = at.nextByArrival;
			}
			at.nextByArrival = transaction.nextByArrival;
		}
		transaction.nextByArrival = undefined;
	}

	#grow(): void {
		const all = this.values();
		this.#byBranch = createChains(this.#byBranch.length * 2);
		this.#byArrival = createChains(this.#byArrival.length * 2);
		for (const transaction of all) this.#link(transaction);
	}
}

function createChains(count: number): (ShortTransaction | undefined)[] {
	return new Array<ShortTransaction | undefined>(count).fill(undefined);
}

function hashOfBranch(branch: string): number {
	let hash = 0;
	for (let at = Math.max(0, branch.length - HASHED); at < branch.length; at++) hash = mix(hash, branch.charCodeAt(at));
	return hash;
}

function mix(hash: number, octet: number): number {
	return Math.imul(hash ^ octet, 0x5bd1_e995) ^ (hash >>> 15);
}
