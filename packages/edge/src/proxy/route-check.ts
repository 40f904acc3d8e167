/**
 * Our own routes in a request: found, verified, and turned into the one thing that may be believed of them, the connection of the
 * dialog on the other side (RFC 3261 §16.4, protocol sheet 4.4). Where a request goes is never taken from what its sender wrote.
 */
import { findParam, isSipUri, parseAor, type SipRequest, type SipUri } from "@causeway/sip";
import {
	FLAG_USER_AGENT,
	type KeyLookup,
	parseRouteToken,
	type RouteClaims,
	type TokenConnection,
	type TokenVerdict,
	verifyRouteToken,
} from "../federation/signature/route-token.ts";
import { namesUs, type OwnIdentity, tokenOf, tokenUri } from "./own-identity.ts";
import { type RouteValue, readRoutes } from "./route-values.ts";

/** The routes of a request, sorted: ours on top, and what is left for those behind us. */
export interface SortedRoutes {
	/** Values of ours on top, the first for the side on which the request came; two where it came through both of our routes. */
	readonly ours: readonly SipUri[];
	/** Their places in the head. A strict router moved the first one to the Request-URI: it has none. */
	readonly places: readonly RouteValue[];
	readonly rest: readonly RouteValue[];
	/** §16.4: the last Route value is the true Request-URI, because a strict router put ours in its place. */
	readonly requestUri: RouteValue | undefined;
}

export interface VerifiedRoute {
	readonly routes: SortedRoutes;
	readonly arrival: TokenConnection;
	readonly departure: TokenConnection;
	readonly kid: string;
	/** The dialog ends then. Milliseconds since 1970. */
	readonly expiresAtMs: number;
}

export type RouteOutcome =
	| { readonly kind: "verified"; readonly route: VerifiedRoute }
	/** No token of the proxy in it. */
	| { readonly kind: "none"; readonly routes: SortedRoutes }
	| { readonly kind: "refused"; readonly status: number; readonly code: string; readonly reason: string };

export interface RouteRules {
	readonly identity: OwnIdentity;
	readonly keys: KeyLookup & { now(): number };
	readonly relayDomains: ReadonlySet<string>;
	/** Name of the peer network of a domain; empty where policy knows none. */
	readonly networkOf: (domain: string) => string;
}

export function checkRoutes(request: SipRequest, rules: RouteRules): RouteOutcome {
	const sorted = sortRoutes(request, rules.identity);
	if (sorted === undefined) return refused(400, "bad-route", "Route cannot be read");
	const [first, second] = sorted.ours;
	const token = first === undefined ? undefined : ownToken(first);
	if (token === undefined) return { kind: "none", routes: sorted };
	const claims = readClaims(request, rules);
	if (claims === undefined) return refused(403, "token-forged", "From and To are no addresses a dialog of ours has");
	const { now, keys } = { now: rules.keys.now(), keys: rules.keys };
	const arrival = verifyRouteToken(keys, token, claims.arrival, now);
	if (!arrival.ok) return refusedBy(arrival);
	const secondToken = second === undefined ? undefined : ownToken(second);
	if (secondToken === undefined) {
		return refused(403, "token-missing", "one of our two routes is not in the request");
	}
	const departure = verifyRouteToken(keys, secondToken, claims.departure, now);
	if (!departure.ok) return refusedBy(departure);
	return {
		kind: "verified",
		route: {
			routes: sorted,
			arrival: arrival.token.connection,
			departure: departure.token.connection,
			kid: arrival.token.kid,
			expiresAtMs: arrival.token.issuedAtMs + keys.dialogMs,
		},
	};
}

function refusedBy(verdict: Extract<TokenVerdict, { ok: false }>): RouteOutcome {
	return refused(verdict.status, verdict.code, verdict.detail);
}

function refused(status: number, code: string, reason: string): RouteOutcome {
	return { kind: "refused", status, code, reason };
}

/** The token of a route of the proxy. Contacts of our users carry one too, and are no routes. */
function ownToken(uri: SipUri): string | undefined {
	const token = tokenOf(uri);
	if (token === undefined) return undefined;
	const read = parseRouteToken(token);
	return read !== undefined && (read.flags & FLAG_USER_AGENT) !== 0 ? undefined : token;
}

/** Undefined where Route cannot be read. */
function sortRoutes(request: SipRequest, identity: OwnIdentity): SortedRoutes | undefined {
	const read = readRoutes(request);
	// Any of them may have to stand in a request line, where no other scheme and no headers may be.
	if (!read.ok || !read.value.every(({ address: { uri } }) => isSipUri(uri) && uri.headers === "")) return undefined;
	let values = read.value;
	const ours: SipUri[] = [];
	const places: RouteValue[] = [];
	let requestUri: RouteValue | undefined;
	const { requestUri: target } = request;
	if (namesUs(identity, target) && findParam(target.params, "lr") !== undefined && ownToken(target) !== undefined) {
		requestUri = values.at(-1);
		// Nothing is left that could be the true target: it is for us, whatever it is.
		if (requestUri === undefined) return { ours, places, rest: [], requestUri };
		values = values.slice(0, -1);
		ours.push(target);
	}
	let taken = 0;
	for (const value of values) {
		const { uri } = value.address;
		if (ours.length === 2 || !namesUs(identity, uri)) break;
		ours.push(uri);
		places.push(value);
		taken += 1;
	}
	return { ours, places, rest: values.slice(taken), requestUri };
}

/** What the request says of itself for its two tokens; undefined where From or To is no address of record. */
function readClaims(
	request: SipRequest,
	{ identity, relayDomains, networkOf }: RouteRules,
): { readonly arrival: RouteClaims; readonly departure: RouteClaims } | undefined {
	const from = parseAor(request.from.uri);
	const to = parseAor(request.to.uri);
	if (!from.ok || !to.ok) return undefined;
	const isFromPeer = isPeerSide(from.value.host, to.value.host, relayDomains);
	const common = {
		uri: tokenUri(identity),
		sender: isFromPeer ? "peer" : "us",
		callId: request.callId,
		fromTag: request.from.tag ?? "",
		toTag: request.to.tag ?? "",
		fromAor: `${from.value.user}@${from.value.host}`,
		toAor: `${to.value.user}@${to.value.host}`,
	} as const;
	const external = { leg: "external", peer: networkOf(isFromPeer ? from.value.host : to.value.host) } as const;
	const internal = { leg: "internal", peer: "" } as const;
	return isFromPeer
		? { arrival: { ...common, ...external }, departure: { ...common, ...internal } }
		: { arrival: { ...common, ...internal }, departure: { ...common, ...external } };
}

/** Whether `own` is the side that tokens call external. Between two relay domains the later name in the alphabet is. */
export function isPeerSide(own: string, other: string, relayDomains: ReadonlySet<string>): boolean {
	return !relayDomains.has(own) || (relayDomains.has(other) && own > other);
}
