/**
 * The branch of our Vias (protocol sheet 4.5): `z9hG4bK` and `1.kid.rnd.mac`. The transaction table finds transactions by the
 * whole branch; the MAC tells what never was a branch of ours, and a request of ours that came back (RFC 3261 §16.3 step 4).
 */
import { detach } from "@causeway/sip";
import { isBase36 } from "./base36.ts";
import { MAC_LENGTH } from "./mac-key.ts";
import type { KeyLookup, TokenKey } from "./route-token.ts";

const LABEL = "fed-via/1";
const PREFIX = "z9hG4bK1.";
const LONGEST_KID = 4;
/** The random part: 13 characters of 32, 65 bits. */
export const RANDOM_LENGTH = 13;
/** The routing key: 8 of 36 characters at most, padded. */
const ROUTING_LENGTH = 8;
const RND_LENGTH = RANDOM_LENGTH + ROUTING_LENGTH;

/** What a branch is bound to: the same in the request, in its responses, and in the request that comes back. Octets as latin1. */
export interface BranchFields {
	/** `host:port` as our Via has it. */
	readonly sentBy: string;
	readonly callId: string;
	readonly cseqNumber: number;
	/** The method of CSeq. ACK and CANCEL count as INVITE, because they carry its branch. */
	readonly cseqMethod: string;
	/** `user@domain` of From. Case does not matter. */
	readonly fromAor: string;
	/** Empty where From has none. */
	readonly fromTag: string;
	/** The Via values below ours, joined with commas and without white space around them; empty where ours is the only one. */
	readonly viaBelow: string;
}

export type BranchVerdict =
	/** Ours, and of this message. */
	| "genuine"
	/** It does not look like ours. */
	| "foreign"
	/** It may have been ours; its key is gone. */
	| "key-unknown"
	/** It looks like ours and was made by someone else, or for another message. */
	| "forged";

/**
 * A new branch. `random` is unguessable, `0-9a-z`, at least {@link RANDOM_LENGTH} characters (`Random.token`); `routing` is all that
 * decided where the request goes: a request that comes back with the same is a loop, with another a spiral.
 */
export function formatBranch(key: TokenKey, random: string, routing: string, fields: BranchFields): string {
	const rnd = random.slice(0, RANDOM_LENGTH) + routingHash(routing);
	return `${PREFIX}${key.kid}.${rnd}.${key.mac.sign(signedFields(key.kid, rnd, fields))}`;
}

/** What does not change from one request of a side of a dialog to the next, ready to be signed. */
export interface BranchBase {
	readonly routing: string;
	readonly sentBy: string;
	readonly callId: string;
	readonly fromAor: string;
	readonly fromTag: string;
}

/** As {@link formatBranch} takes them; what differs from request to request is left out. */
export function createBranchBase(
	routing: string,
	fields: Omit<BranchFields, "cseqNumber" | "cseqMethod" | "viaBelow">,
): BranchBase {
	const { sentBy, callId, fromAor, fromTag } = fields;
	return {
		routing: routingHash(routing),
		sentBy: sentBy.toLowerCase(),
		callId: detach(callId),
		fromAor: detach(fromAor.toLowerCase()),
		fromTag: detach(fromTag),
	};
}

/** The same as {@link formatBranch} makes. `method`: as in {@link BranchFields.cseqMethod}. */
export function formatBranchOf(
	key: TokenKey,
	random: string,
	base: BranchBase,
	cseqNumber: number,
	method: string,
	viaBelow: string,
): string {
	const rnd = random.slice(0, RANDOM_LENGTH) + base.routing;
	const { sentBy, callId, fromAor, fromTag } = base;
	const cseq = signedCSeq(cseqNumber, method);
	const mac = key.mac.sign([LABEL, key.kid, rnd, sentBy, callId, cseq, fromAor, fromTag, viaBelow]);
	return `${PREFIX}${key.kid}.${rnd}.${mac}`;
}

/** Whether a branch is ours and belongs to a message with these fields. */
export function verifyBranch(keys: Pick<KeyLookup, "find">, branch: string, fields: BranchFields): BranchVerdict {
	const parts = readBranch(branch);
	if (parts === undefined) return "foreign";
	const key = keys.find(parts.kid);
	if (key === undefined) return "key-unknown";
	return key.mac.verifies(signedFields(parts.kid, parts.rnd, fields), parts.mac) ? "genuine" : "forged";
}

/** Whether a request that holds `branch`, in a Via of ours, was routed by the same `routing` when we sent it on: a loop (482). */
export function isLoop(keys: Pick<KeyLookup, "find">, branch: string, routing: string, fields: BranchFields): boolean {
	const parts = readBranch(branch);
	return parts?.rnd.slice(RANDOM_LENGTH) === routingHash(routing) && verifyBranch(keys, branch, fields) === "genuine";
}

function signedFields(kid: string, rnd: string, fields: BranchFields): readonly string[] {
	const { sentBy, callId, cseqNumber, cseqMethod, fromAor, fromTag, viaBelow } = fields;
	return [
		LABEL,
		kid,
		rnd,
		sentBy.toLowerCase(),
		callId,
		signedCSeq(cseqNumber, cseqMethod),
		fromAor.toLowerCase(),
		fromTag,
		viaBelow,
	];
}

function signedCSeq(number: number, method: string): string {
	return `${number} ${method === "ACK" || method === "CANCEL" ? "INVITE" : method}`;
}

function readBranch(branch: string): { readonly kid: string; readonly rnd: string; readonly mac: string } | undefined {
	if (!branch.startsWith(PREFIX)) return undefined;
	const kidEnd = branch.indexOf(".", PREFIX.length);
	const rndEnd = kidEnd + 1 + RND_LENGTH;
	if (branch.length !== rndEnd + 1 + MAC_LENGTH || branch.charCodeAt(rndEnd) !== 0x2e) return undefined;
	if (!isBase36(branch, PREFIX.length, kidEnd, LONGEST_KID) || !isBase36(branch, kidEnd + 1, rndEnd, RND_LENGTH)) {
		return undefined;
	}
	return {
		kid: branch.slice(PREFIX.length, kidEnd),
		rnd: branch.slice(kidEnd + 1, rndEnd),
		mac: branch.slice(rndEnd + 1),
	};
}

/** 41 bits of the text, in base 36. No secret: it stands under the MAC, and whoever meets it by chance harms himself. */
function routingHash(text: string): string {
	let high = 0x811c_9dc5;
	let low = 0x1234_5678;
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		high = Math.imul(high ^ code, 0x0100_0193);
		low = Math.imul(low ^ code, 0x85eb_ca6b) ^ (high >>> 15);
	}
	return ((high & 0x1ff) * 0x1_0000_0000 + (low >>> 0)).toString(36).padStart(ROUTING_LENGTH, "0");
}
