/**
 * MESSAGEs in dialogs of our users that are known by their octets: a sender writes most of a request as it wrote the one before, and what
 * was decided of that holds. They are not read as messages and make no transaction. Whatever is not as it was takes the usual way and is
 * judged there: nothing is refused here.
 */
import {
	detach,
	FIELD_STRIDE,
	type Frame,
	findParam,
	HeaderId,
	headerValue,
	isSipUri,
	LAST_SINGLE_ID,
	type MediaType,
	type MessageHead,
	mentionsSips,
	type OctetFrame,
	octetsOfHead,
	type SipRequest,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { BindingVerdict } from "../federation/outcome.ts";
import type { Peer } from "../federation/peers.ts";
import { parseRouteToken } from "../federation/signature/route-token.ts";
import { isTextAt } from "../proxy/octet-text.ts";
import type { KnownPassage } from "../proxy/reception.ts";
import { TOKEN_PARAMETER } from "./local-identity.ts";

/** A MESSAGE that needs no reading but of its body. */
export interface KnownMessage {
	readonly link: Link;
	/** Of its dialog, as strings that hold no message alive. */
	readonly callId: string;
	readonly fromTag: string;
	readonly cseqNumber: number;
	readonly contentType: MediaType | undefined;
	readonly frame: Frame;
	/** The head of a response to it, behind the status line. */
	readonly answerHead: string;
}

/** A dialog's usage that takes such messages. */
export interface KnownMessageUser {
	/** The type of a body that it may take so; undefined where it has to go the usual way. */
	knownType(request: SipRequest): { readonly type: MediaType | undefined } | undefined;
	/** Its text, if all that the usage asks of a message would be granted; undefined where it has to go the usual way. */
	readKnown(message: KnownMessage): string | undefined;
	/** Takes it: it is answered by the usage. */
	takeKnown(message: KnownMessage, text: string): void;
}

export interface KnownMessagesOptions {
	/** `host:port` of our own Vias. */
	readonly ownSentBy: () => string;
	/** Guess-proof start of the hashes: peers choose what is hashed. */
	readonly seed: number;
	readonly keys: { readonly dialogMs: number; now(): number; find(kid: string): unknown };
	readonly bind: (link: Link, domain: string) => BindingVerdict | Promise<BindingVerdict>;
	readonly isHosted: (domain: string) => boolean;
}

/** What the requests of one dialog have in common, as their sender writes them. */
interface KnownDialog {
	readonly link: Link;
	readonly peer: Peer;
	readonly user: KnownMessageUser;
	readonly callId: string;
	readonly fromTag: string;
	readonly fromDomain: string;
	readonly toDomain: string;
	readonly requestUri: string;
	readonly fromText: string;
	readonly toText: string;
	readonly callIdText: string;
	readonly contentTypeText: string;
	readonly contentType: MediaType | undefined;
	/** The top Via up to its branch, and behind it. */
	readonly viaStart: string;
	readonly viaEnd: string;
	readonly kid: string;
	/** Milliseconds since 1970: when our Contact's token was issued. */
	readonly issuedAtMs: number;
	/** From, To and Call-ID of every answer. */
	readonly echoed: string;
}

/** A place for each dialog, which the next one that falls on it takes. About 1 kB a place. */
const PLACES = 8_192;
/** A dialog is remembered with this MESSAGE of it. */
const KEPT_FROM = 3;
/** Tokens hold whole minutes, and the clock may be stepped: near the ends of its life a token is verified as usual. */
const MARGIN_MS = 120_000;
const START = "MESSAGE ";
const VERSION = " SIP/2.0";
const CSEQ_END = " MESSAGE";
const VIA_NAME = "Via: ";
const LARGEST_CSEQ = 0x7fff_ffff;
/** Octets at the end of the Request-URI that are hashed: they are of the token's MAC. */
const HASHED = 24;

/** Where the parts of a request stand; one for all, overwritten by the next. */
const spots = { viaAt: 0, viasEnd: 0, fromAt: 0, toAt: 0, callIdAt: 0, cseqAt: 0, typeAt: 0 };

export class KnownMessages {
	readonly #options: KnownMessagesOptions;
	readonly #places = new Array<KnownDialog | undefined>(PLACES).fill(undefined);
	/** MESSAGEs that fell on a place and were not found there, one behind the other; one of another dialog begins anew. */
	readonly #counts = new Uint8Array(PLACES);
	readonly #hashes = new Int32Array(PLACES);

	constructor(options: KnownMessagesOptions) {
		this.#options = options;
	}

	/** What is to be done with a message; undefined where it goes the usual way. Nothing has happened yet. */
	recognise(link: Link, arrived: OctetFrame): KnownPassage | undefined {
		const { start, headEnd, fields, fieldsLength } = arrived;
		if (!isTextAt(arrived.octets, start, START)) return undefined;
		const place = this.#hashOf(fields, arrived.octets, start) & (PLACES - 1);
		const dialog = this.#places[place];
		if (dialog === undefined || dialog.link !== link) return undefined;
		if (!this.#holds(dialog)) {
			this.#places[place] = undefined;
			return undefined;
		}
		// Offsets in the index count from the head.
		const octets = arrived.octets.subarray(start, headEnd);
		if (!scan(fields, fieldsLength, octets) || !isOfDialog(fields, octets, dialog) || mentionsSips(arrived))
			return undefined;
		if (!isVia(fields, octets, dialog)) return undefined;
		const frame = arrived.decode();
		const vias = frame.head.text.slice(fields[spots.viaAt + 1], spots.viasEnd);
		if (vias.includes(this.#options.ownSentBy())) return undefined;
		const cseqNumber = readCSeq(fields, octets);
		if (cseqNumber === undefined) return undefined;
		const { callId, fromTag, contentType, echoed } = dialog;
		const message: KnownMessage = {
			link,
			callId,
			fromTag,
			cseqNumber,
			contentType,
			frame,
			answerHead: `${vias}${echoed}CSeq: ${cseqNumber} MESSAGE\r\nContent-Length: 0\r\n\r\n`,
		};
		const text = dialog.user.readKnown(message);
		return text === undefined ? undefined : new Passage(dialog.user, message, text);
	}

	/** A MESSAGE in a dialog that passed all checks the usual way. */
	passed(request: SipRequest, link: Link, peer: Peer, user: KnownMessageUser): void {
		const { head, requestUri, from, to, callId, topVia } = request;
		if (peer.kind === "discovered" || peer.throttle !== undefined) return;
		const octets = octetsOfHead(head);
		const { fields } = head;
		if (!head.text.startsWith(START) || !scan(fields, fields.length, octets)) return;
		const known = user.knownType(request);
		if (known === undefined) return;
		const hash = this.#hashOf(fields, octets, 0);
		const place = hash & (PLACES - 1);
		const count = this.#hashes[place] === hash ? (this.#counts[place] as number) + 1 : 1;
		this.#hashes[place] = hash;
		this.#counts[place] = count % KEPT_FROM;
		if (count < KEPT_FROM) return;
		if (!isSipUri(requestUri) || !isSipUri(from.uri) || !isSipUri(to.uri)) return;
		const token = parseRouteToken(findParam(requestUri.params, TOKEN_PARAMETER)?.value ?? "");
		const via = valueAt(head, spots.viaAt);
		const branchAt = topVia.branch === undefined ? -1 : via.indexOf(`branch=${topVia.branch}`);
		if (token === undefined || branchAt < 0 || topVia.branch === undefined) return;
		const valueStart = branchAt + "branch=".length;
		const [fromText, toText, callIdText] = [spots.fromAt, spots.toAt, spots.callIdAt].map((at) =>
			detach(valueAt(head, at)),
		) as [string, string, string];
		this.#places[place] = {
			link,
			peer,
			user,
			callId: detach(callId),
			fromTag: detach(from.tag ?? ""),
			fromDomain: detach(from.uri.host),
			toDomain: detach(to.uri.host),
			requestUri: detach(requestUri.text),
			fromText,
			toText,
			callIdText,
			contentTypeText: detach(headerValue(head, HeaderId.contentType) ?? ""),
			contentType: known.type,
			viaStart: detach(via.slice(0, valueStart)),
			viaEnd: detach(via.slice(valueStart + topVia.branch.length)),
			kid: detach(token.kid),
			issuedAtMs: token.issuedAtMs,
			echoed: `From: ${fromText}\r\nTo: ${toText}\r\nCall-ID: ${callIdText}\r\n`,
		};
	}

	/** Forgets what came over a link. */
	forget(link: Link): void {
		for (let place = 0; place < PLACES; place += 1) {
			if (this.#places[place]?.link === link) this.#places[place] = undefined;
		}
	}

	/** Whether what was decided of a dialog would be decided again. */
	#holds(dialog: KnownDialog): boolean {
		const { bind, isHosted, keys } = this.#options;
		const now = keys.now();
		const { issuedAtMs, link, peer } = dialog;
		if (now <= issuedAtMs - MARGIN_MS || now >= issuedAtMs + keys.dialogMs - MARGIN_MS) return false;
		if (keys.find(dialog.kid) === undefined || !isHosted(dialog.toDomain)) return false;
		const bound = bind(link, dialog.fromDomain);
		return !(bound instanceof Promise) && bound.ok && bound.peer === peer;
	}

	#hashOf(fields: readonly number[], octets: Uint8Array, start: number): number {
		const end = start + (fields[1] as number) - 2 - VERSION.length;
		let hash = this.#options.seed;
		for (let at = Math.max(start + START.length, end - HASHED); at < end; at++) {
			hash = Math.imul(hash ^ (octets[at] as number), 0x5bd1_e995) ^ (hash >>> 15);
		}
		return hash ^ (hash >>> 13);
	}
}

/** A message that was recognised. */
class Passage implements KnownPassage {
	readonly kind = "request";
	readonly #user: KnownMessageUser;
	readonly #message: KnownMessage;
	readonly #text: string;

	constructor(user: KnownMessageUser, message: KnownMessage, text: string) {
		this.#user = user;
		this.#message = message;
		this.#text = text;
	}

	forward(): void {
		this.#user.takeKnown(this.#message, this.#text);
	}
}

/** Finds the parts; false where anything is not as it usually is. */
function scan(fields: readonly number[], length: number, octets: Uint8Array): boolean {
	let seen = 0;
	spots.viaAt = -1;
	spots.typeAt = -1;
	for (let at = 0; at + FIELD_STRIDE < length; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		if (id <= LAST_SINGLE_ID) {
			const bit = 1 << (id - 1);
			if ((seen & bit) !== 0) return false;
			seen |= bit;
			if (id === HeaderId.from) spots.fromAt = at;
			else if (id === HeaderId.to) spots.toAt = at;
			else if (id === HeaderId.callId) spots.callIdAt = at;
			else if (id === HeaderId.cseq) spots.cseqAt = at;
			else if (id === HeaderId.contentType) spots.typeAt = at;
			else if (id === HeaderId.maxForwards && !hasHopsLeft(fields, octets, at)) return false;
		} else if (id === HeaderId.via) {
			// One behind the other, each in the form in which an answer has it: name, value, line end.
			const start = fields[at + 1] as number;
			if (spots.viaAt < 0) spots.viaAt = at;
			else if (start !== spots.viasEnd) return false;
			const end = fields[at + 3] as number;
			if (!isTextAt(octets, start, VIA_NAME) || fields[at + 2] !== start + VIA_NAME.length) return false;
			for (let index = start + VIA_NAME.length; index < end; index++) {
				const code = octets[index];
				if (code === 0x0d || code === 0x2c) return false;
			}
			if (octets[end] !== 0x0d) return false;
			spots.viasEnd = end + 2;
		} else if (REFUSED.has(id)) return false;
	}
	return (seen & NEEDED) === NEEDED && spots.viaAt >= 0;
}

const NEEDED = [HeaderId.from, HeaderId.to, HeaderId.callId, HeaderId.cseq, HeaderId.maxForwards].reduce(
	(bits, id) => bits | (1 << (id - 1)),
	0,
);
const REFUSED: ReadonlySet<number> = new Set([
	HeaderId.route,
	HeaderId.require,
	HeaderId.proxyRequire,
	HeaderId.contentEncoding,
]);

function isOfDialog(fields: readonly number[], octets: Uint8Array, dialog: KnownDialog): boolean {
	const uriEnd = (fields[1] as number) - 2 - VERSION.length;
	return (
		uriEnd - START.length === dialog.requestUri.length &&
		isTextAt(octets, START.length, dialog.requestUri) &&
		isTextAt(octets, uriEnd, VERSION) &&
		isValue(fields, octets, spots.callIdAt, dialog.callIdText) &&
		isValue(fields, octets, spots.fromAt, dialog.fromText) &&
		isValue(fields, octets, spots.toAt, dialog.toText) &&
		(spots.typeAt < 0 ? dialog.contentTypeText === "" : isValue(fields, octets, spots.typeAt, dialog.contentTypeText))
	);
}

/** The same sender and parameters as before; the branch is of ordinary characters (RFC 3261 §8.1.1.7). */
function isVia(fields: readonly number[], octets: Uint8Array, { viaStart, viaEnd }: KnownDialog): boolean {
	const start = fields[spots.viaAt + 2] as number;
	const end = fields[spots.viaAt + 3] as number;
	const branchStart = start + viaStart.length;
	const branchEnd = end - viaEnd.length;
	if (branchEnd - branchStart <= COOKIE.length) return false;
	if (!isTextAt(octets, start, viaStart) || !isTextAt(octets, branchStart, COOKIE)) return false;
	for (let at = branchStart; at < branchEnd; at++) {
		const code = octets[at] as number;
		const isOrdinary =
			(code >= 0x61 && code <= 0x7a) ||
			(code >= 0x41 && code <= 0x5a) ||
			(code >= 0x2d && code <= 0x39 && code !== 0x2f);
		if (!isOrdinary) return false;
	}
	return isTextAt(octets, branchEnd, viaEnd);
}

const COOKIE = "z9hG4bK";

function hasHopsLeft(fields: readonly number[], octets: Uint8Array, at: number): boolean {
	const number = readDigits(octets, fields[at + 2] as number, fields[at + 3] as number);
	return number !== undefined && number >= 1 && number <= 255;
}

function readCSeq(fields: readonly number[], octets: Uint8Array): number | undefined {
	const end = (fields[spots.cseqAt + 3] as number) - CSEQ_END.length;
	const number = readDigits(octets, fields[spots.cseqAt + 2] as number, end);
	return number !== undefined && number <= LARGEST_CSEQ && isTextAt(octets, end, CSEQ_END) ? number : undefined;
}

/** A number as everybody writes it: without zeros in front. */
function readDigits(octets: Uint8Array, start: number, end: number): number | undefined {
	if (end <= start || end - start > 10 || (octets[start] === 0x30 && end - start > 1)) return undefined;
	let number = 0;
	for (let at = start; at < end; at++) {
		const digit = (octets[at] as number) - 0x30;
		if (digit < 0 || digit > 9) return undefined;
		number = number * 10 + digit;
	}
	return number;
}

function valueAt({ text, fields }: MessageHead, at: number): string {
	return text.slice(fields[at + 2], fields[at + 3]);
}

function isValue(fields: readonly number[], octets: Uint8Array, at: number, text: string): boolean {
	const start = fields[at + 2] as number;
	return (fields[at + 3] as number) - start === text.length && isTextAt(octets, start, text);
}
