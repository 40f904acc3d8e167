/**
 * The token in our Record-Route and Contact URIs (parameter `fs`; protocol sheet 4.4): says when the dialog began, in which
 * direction, over which connection, and proves that it was we who said so, of this dialog and this peer (REQ-61, REQ-62).
 *
 * `fs = "1." kid "." iat "." flags "." node "-" serial "." mac`
 */
import { formatBase36, isBase36, MOST_DIGITS, parseBase36 } from "./base36.ts";
import { MAC_LENGTH, type MacKey } from "./mac-key.ts";

/** The URI stands on the side of the peer; without it, on the side of the inside server. */
export const FLAG_EXTERNAL = 1;
/** The peer sent the request that made the dialog. */
export const FLAG_FROM_PEER = 2;
/** The dialog is a subscription. */
export const FLAG_PRESENCE = 4;
/** The URI is our Contact: we are the user agent. */
export const FLAG_USER_AGENT = 8;

const MINUTE_MS = 60_000;
/** 2020-01-01T00:00Z. */
const EPOCH_MS = 1_577_836_800_000;
/** Clocks may differ by so much, and the time of a token is in whole minutes. */
export const SKEW_MS = 120_000;

const LONGEST_KID = 4;
const LONGEST_TIME = 7;
const LONGEST_FLAGS = 2;
const LONGEST_NODE = 8;
/** No token of ours is longer. */
export const LONGEST_TOKEN = 64;

/** A key that signs: its id and its MAC. */
export interface TokenKey {
	readonly kid: string;
	readonly mac: MacKey;
}

/** Where keys are found. */
export interface KeyLookup {
	/** The key of this id, while it may verify; undefined where it is unknown or destroyed. */
	find(kid: string): TokenKey | undefined;
	/** Longest life of a dialog in milliseconds: 24 hours or less. */
	readonly dialogMs: number;
}

/** The connection of the dialog on this side. */
export interface TokenConnection {
	/** Names this run of this edge: connections are counted anew after a start. 1 to 8 of `0-9a-z`. */
	readonly node: string;
	/** `Connection.id`. */
	readonly serial: number;
}

/** What a token says. */
export interface RouteToken {
	readonly kid: string;
	/** When the request that made the dialog passed: milliseconds since 1970, in whole minutes. */
	readonly issuedAtMs: number;
	/** `FLAG_…`, added up. */
	readonly flags: number;
	readonly connection: TokenConnection;
}

/** Our URI that carries the token. Case does not matter. */
export interface TokenUri {
	readonly host: string;
	readonly port: number;
	/** `tls`. */
	readonly transport: string;
}

/** What a new token says and is bound to: the request that makes the dialog. Texts are octets in latin1 characters. */
export interface RouteTokenFields {
	readonly issuedAtMs: number;
	readonly flags: number;
	readonly connection: TokenConnection;
	readonly uri: TokenUri;
	readonly callId: string;
	/** From tag of the request that makes the dialog; empty where it has none. */
	readonly initiatorTag: string;
	/** `user@domain` of the one who makes the dialog, and of the other. Case does not matter. */
	readonly initiatorAor: string;
	readonly otherAor: string;
	/** Name of the peer network at the other end (`Peer.name`); empty on the side of the inside server. */
	readonly peer: string;
}

/** A request that came with a token. */
export interface RouteClaims {
	/** Our URI as it came back. */
	readonly uri: TokenUri;
	/** The side on which the URI stands: that on which the request came for the first of our routes, the other for the second. */
	readonly leg: "external" | "internal";
	/** Who sent the request. */
	readonly sender: "peer" | "us";
	readonly callId: string;
	readonly fromTag: string;
	readonly toTag: string;
	readonly fromAor: string;
	readonly toAor: string;
	/** Name of the peer network whose connection this side has; empty for `leg: "internal"`. */
	readonly peer: string;
}

/** Stable, for logs and metrics. */
export type TokenFault =
	| "token-unreadable"
	| "token-key-unknown"
	| "token-expired"
	| "token-direction"
	| "token-forged";

export type TokenVerdict =
	| { readonly ok: true; readonly token: RouteToken }
	| {
			readonly ok: false;
			/** 481: the dialog is over; 403: the token was not made for this request. */
			readonly status: 481 | 403;
			readonly code: TokenFault;
			readonly detail: string;
			/** True where the token is ours and of this dialog, and only too old: a BYE with it ends what there is of the dialog. */
			readonly isGenuine: boolean;
	  };

/** The value of `fs` for a dialog that begins. */
export function formatRouteToken(key: TokenKey, fields: RouteTokenFields): string {
	const { kid } = key;
	const issued = formatBase36(Math.floor((fields.issuedAtMs - EPOCH_MS) / MINUTE_MS));
	const flags = formatBase36(fields.flags);
	const connection = `${fields.connection.node}-${formatBase36(fields.connection.serial)}`;
	const { uri, callId, initiatorTag, initiatorAor, otherAor, peer } = fields;
	const mac = key.mac.sign([
		"fed-route/1",
		kid,
		issued,
		flags,
		connection,
		...bound(uri, callId, initiatorTag, initiatorAor, otherAor, peer),
	]);
	return `1.${kid}.${issued}.${flags}.${connection}.${mac}`;
}

/** A token by its parts, each as written; undefined where the text is none. */
interface TokenText extends RouteToken {
	readonly issuedText: string;
	readonly flagsText: string;
	readonly connectionText: string;
	readonly mac: string;
}

/** What a token says, whoever made it; undefined where the text is none. Nothing in it is to be believed before it is verified. */
export function parseRouteToken(text: string): RouteToken | undefined {
	const read = readToken(text);
	if (read === undefined) return undefined;
	const { kid, issuedAtMs, flags, connection } = read;
	return { kid, issuedAtMs, flags, connection };
}

/** Checks a token against the request it came with, in the order of protocol sheet 4.4. `nowMs` is milliseconds since 1970. */
export function verifyRouteToken(keys: KeyLookup, text: string, claims: RouteClaims, nowMs: number): TokenVerdict {
	const token = readToken(text);
	if (token === undefined) return refused(481, "token-unreadable", "the token in our URI cannot be read");
	const key = keys.find(token.kid);
	if (key === undefined) return refused(481, "token-key-unknown", `no key ${token.kid} is known, or not any more`);
	const isTimely = token.issuedAtMs <= nowMs + SKEW_MS && nowMs <= token.issuedAtMs + keys.dialogMs + SKEW_MS;
	const isLeg = (token.flags & FLAG_EXTERNAL) === (claims.leg === "external" ? FLAG_EXTERNAL : 0);
	// Who began the dialog stands in the flags, who sends now in the claims: together they say whose tag is whose.
	const byInitiator = (token.flags & FLAG_FROM_PEER) === (claims.sender === "peer" ? FLAG_FROM_PEER : 0);
	const { uri, callId, fromTag, toTag, fromAor, toAor, peer } = claims;
	const isGenuine =
		key.mac.verifies(
			[
				"fed-route/1",
				token.kid,
				token.issuedText,
				token.flagsText,
				token.connectionText,
				...(byInitiator
					? bound(uri, callId, fromTag, fromAor, toAor, peer)
					: bound(uri, callId, toTag, toAor, fromAor, peer)),
			],
			token.mac,
		) && isLeg;
	if (!isTimely) return refused(481, "token-expired", "the dialog of the token is too old, or not begun", isGenuine);
	if (!isLeg) return refused(403, "token-direction", "the token belongs to the other side of the dialog");
	if (!isGenuine) return refused(403, "token-forged", "the token was not made for this dialog, direction and peer");
	const { kid, issuedAtMs, flags, connection } = token;
	return { ok: true, token: { kid, issuedAtMs, flags, connection } };
}

function refused(status: 481 | 403, code: TokenFault, detail: string, isGenuine = false): TokenVerdict {
	return { ok: false, status, code, detail, isGenuine };
}

/** The fields behind the token's own, in the order of protocol sheet 4.4. */
function bound(uri: TokenUri, callId: string, tag: string, initiator: string, other: string, peer: string): string[] {
	return [
		uri.host.toLowerCase(),
		String(uri.port),
		uri.transport.toLowerCase(),
		callId,
		tag,
		initiator.toLowerCase(),
		other.toLowerCase(),
		peer.toLowerCase(),
	];
}

function readToken(text: string): TokenText | undefined {
	if (text.length > LONGEST_TOKEN || !text.startsWith("1.")) return undefined;
	const kidEnd = text.indexOf(".", 2);
	const timeEnd = text.indexOf(".", kidEnd + 1);
	const flagsEnd = text.indexOf(".", timeEnd + 1);
	const nodeEnd = text.indexOf("-", flagsEnd + 1);
	const serialEnd = text.indexOf(".", nodeEnd + 1);
	if (kidEnd < 0 || timeEnd < kidEnd || flagsEnd < timeEnd || nodeEnd < flagsEnd || serialEnd < nodeEnd)
		return undefined;
	const minutes = parseBase36(text, kidEnd + 1, timeEnd, LONGEST_TIME);
	const flags = parseBase36(text, timeEnd + 1, flagsEnd, LONGEST_FLAGS);
	const serial = parseBase36(text, nodeEnd + 1, serialEnd, MOST_DIGITS);
	if (minutes === undefined || flags === undefined || serial === undefined) return undefined;
	if (!isBase36(text, 2, kidEnd, LONGEST_KID) || !isBase36(text, flagsEnd + 1, nodeEnd, LONGEST_NODE)) return undefined;
	// Whatever the 22 characters are: what is no MAC of ours is a forgery, not a fault of grammar.
	if (text.length - serialEnd - 1 !== MAC_LENGTH) return undefined;
	return {
		kid: text.slice(2, kidEnd),
		issuedAtMs: EPOCH_MS + minutes * MINUTE_MS,
		flags,
		connection: { node: text.slice(flagsEnd + 1, nodeEnd), serial },
		issuedText: text.slice(kidEnd + 1, timeEnd),
		flagsText: text.slice(timeEnd + 1, flagsEnd),
		connectionText: text.slice(flagsEnd + 1, serialEnd),
		mac: text.slice(serialEnd + 1),
	};
}
