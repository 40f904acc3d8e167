/** The route set of a dialog: RFC 3261 §12.1, §12.2.1.1. */
import type { NameAddr } from "../header/name-addr.ts";
import { invariant } from "../text/assert.ts";
import { detach } from "../text/octets.ts";
import { findParam, formatParams, listParams } from "../uri/params.ts";
import { parseUriText } from "../uri/parse-uri.ts";
import { isSipUri, type Uri } from "../uri/uri.ts";

/**
 * Route values in the order in which a request carries them: each a URI in angle brackets, byte for byte as the peer
 * wrote it (REQ-65). What stood outside the brackets of a Record-Route value is no part of it (protocol.md 2.6).
 */
export interface RouteSet {
	readonly routes: readonly string[];
	/** The first hop is an element of RFC 2543: its URI lacks `lr`. */
	readonly isStrict: boolean;
}

/** The route set of a dialog that no proxy recorded itself in (RFC 3261 §12.1). */
export const emptyRouteSet: RouteSet = { routes: [], isStrict: false };

/** From Record-Route values in the order of the message: as they stand for the UAS, reversed for the UAC. */
export function createRouteSet(recordRoutes: readonly NameAddr[], role: "uac" | "uas"): RouteSet {
	if (recordRoutes.length === 0) return emptyRouteSet;
	const ordered = role === "uac" ? recordRoutes.toReversed() : recordRoutes;
	const first = ordered[0]?.uri;
	return {
		routes: ordered.map(({ uri }) => detach(`<${uri.text}>`)),
		isStrict: first !== undefined && isSipUri(first) && findParam(first.params, "lr") === undefined,
	};
}

/** Where a request goes and what its Route says. */
export interface RequestRoute {
	readonly requestUri: string;
	/** Values of Route, in order. */
	readonly routes: readonly string[];
}

/** RFC 3261 §12.2.1.1: a strict first hop stands in the Request-URI, and the remote target closes the list. */
export function applyRouteSet(routeSet: RouteSet, remoteTarget: string): RequestRoute {
	const [first, ...others] = routeSet.routes;
	if (first === undefined || !routeSet.isStrict) return { requestUri: remoteTarget, routes: routeSet.routes };
	const uri = parseUriText(first.slice(1, -1));
	invariant(uri.ok, "a route set holds URIs that were read once");
	return { requestUri: requestUriText(uri.value), routes: [...others, `<${remoteTarget}>`] };
}

/** A URI as Request-URI: what RFC 3261 §19.1.1 does not allow there is left out, everything else stays as written. */
export function requestUriText(uri: Uri): string {
	if (!isSipUri(uri)) return uri.text;
	const withoutHeaders = uri.headers === "" ? uri.text : uri.text.slice(0, uri.text.indexOf("?", hostStart(uri.text)));
	if (findParam(uri.params, "method") === undefined) return withoutHeaders;
	const semicolon = withoutHeaders.indexOf(";", hostStart(withoutHeaders));
	const kept = listParams(uri.params).filter(({ name }) => name.toLowerCase() !== "method");
	return withoutHeaders.slice(0, semicolon) + formatParams(kept);
}

/** A user part may hold `;` and `?`, the host behind it may not. */
function hostStart(text: string): number {
	return text.indexOf("@") + 1;
}
