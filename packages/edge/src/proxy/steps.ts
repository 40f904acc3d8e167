/** The checks that every request from a peer passes, one function each; `pipeline.ts` holds their order. */
import {
	findSips,
	formatDiagnosticsPublic,
	formatTokenList,
	HeaderId,
	isSipUri,
	parseAor,
	tokens,
	type Uri,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { BindingVerdict } from "../federation/outcome.ts";
import type { PeerDirectory } from "../federation/peers.ts";
import type { ThrottleRules } from "../federation/throttle/throttles.ts";
import { CONTINUE, type RequestContext, respond, type Verdict } from "./context.ts";
import type { RouteRules } from "./route-check.ts";

/** What the checks need to know. */
export interface StepRules {
	/** Domains whose users live here, lower case. */
	readonly hostedDomains: ReadonlySet<string>;
	/** Our own name, lower case. */
	readonly fqdn: string;
	/** Whether the link may speak for the domain. */
	readonly bind: (link: Link, domain: string) => BindingVerdict | Promise<BindingVerdict>;
	/** Ceilings; undefined where there are none. */
	readonly throttles?: ThrottleRules | undefined;
	/** What the proxy needs; undefined where no domain is relayed. */
	readonly proxy: ProxyRules | undefined;
}

export interface ProxyRules extends RouteRules {
	/** Domains whose users live here, lower case. */
	readonly hostedDomains: ReadonlySet<string>;
	readonly policy: () => Pick<PeerDirectory, "find">;
}

export type Step = (context: RequestContext, rules: StepRules) => Verdict | Promise<Verdict>;

/** Methods that cross the boundary (protocol sheet 2.7), as `Allow` names them. */
export const ALLOWED_METHODS = [
	"INVITE",
	"ACK",
	"BYE",
	"CANCEL",
	"MESSAGE",
	"SUBSCRIBE",
	"NOTIFY",
	"OPTIONS",
	"INFO",
] as const;
export const ALLOW_VALUE = formatTokenList(ALLOWED_METHODS);
const allowed: ReadonlySet<string> = new Set(ALLOWED_METHODS);

/** REQ-52: a `sips:` URI in any header makes the request malformed. */
export const refuseSips: Step = ({ request }) => {
	const fault = findSips(request);
	return fault === undefined ? CONTINUE : respond(fault.status, fault.code, fault.detail);
};

/** Only `sip:` is served here. */
export const requireSipScheme: Step = ({ request }) =>
	isSipUri(request.requestUri)
		? CONTINUE
		: respond(416, "bad-scheme", `${request.requestUri.scheme}: is not served here`);

export const limitHops: Step = ({ request }) =>
	request.maxForwards === 0 && request.method !== "OPTIONS"
		? respond(483, "too-many-hops", "Max-Forwards is used up")
		: CONTINUE;

/** We understand no extension that a proxy would have to (MS-SIP clients drop `ms-benotify` when told). */
export const refuseProxyRequire: Step = ({ request }) => {
	const required = tokens(request, HeaderId.proxyRequire);
	if (!required.ok) return respond(400, required.fault.code, required.fault.detail);
	if (required.value.length === 0) return CONTINUE;
	return respond(420, "proxy-require", "an extension is required of proxies", [
		["Unsupported", formatTokenList(required.value)],
	]);
};

/** The longest `user@domain` that the store keeps; a longer one is nobody here, and is looked up nowhere. */
const LONGEST_AOR = 512;

export function isTooLong(user: string, host: string): boolean {
	return user.length + 1 + host.length > LONGEST_AOR;
}

/** REQ-68: the From domain belongs to the peer at the other end. */
export const bindSenderDomain: Step = (context, rules) => {
	const { request, link } = context;
	if (
		request.method === "OPTIONS" &&
		isSipUri(request.from.uri) &&
		link.identity.names.includes(request.from.uri.host)
	) {
		return CONTINUE;
	}
	const from = parseAor(request.from.uri);
	if (!from.ok) return respond(400, from.fault.code, `From: ${from.fault.detail}`);
	if (isTooLong(from.value.user, from.value.host))
		return respond(400, "address-too-long", "From: an address is no longer than 512 octets");
	context.from = from.value;
	const bound = rules.bind(link, from.value.host);
	return bound instanceof Promise
		? bound.then((verdict) => applyBinding(context, verdict))
		: applyBinding(context, bound);
};

function applyBinding(context: RequestContext, verdict: BindingVerdict): Verdict {
	if (!verdict.ok) return respond(verdict.status, verdict.code, verdict.reason);
	context.peer = verdict.peer;
	return CONTINUE;
}

/** REQ-69, REQ-82: who takes the request. What is not for a domain of ours, nor from one, is never forwarded and never looked up. */
export const chooseDestination: Step = (context, rules) => {
	const { request, route } = context;
	const { requestUri, to } = request;
	if (route !== undefined) return relayTo(context, rules, domainOf(to.uri));
	const host = isSipUri(requestUri) ? requestUri.host : "";
	const isEdgeItself = isSipUri(to.uri) && to.uri.host === rules.fqdn && request.method === "OPTIONS";
	if (isEdgeItself && host === rules.fqdn) return CONTINUE;
	const target = parseAor(to.uri);
	const domain = host === rules.fqdn ? domainOf(to.uri) : host;
	const isOwn = rules.hostedDomains.has(domain) || rules.proxy?.relayDomains.has(domain) === true;
	if (!isOwn && context.peer?.kind !== "inside") {
		// A request in a dialog of ours that lost our route names the far end's own address.
		const isRelayed = request.to.tag !== undefined && rules.proxy?.relayDomains.has(domainOf(to.uri)) === true;
		return isRelayed ? routeGone : respond(404, "foreign-target", `${host} is not served here`, notServed);
	}
	if (!target.ok) return respond(400, target.fault.code, `To: ${target.fault.detail}`);
	const isHosted = rules.hostedDomains.has(domain);
	if (isHosted ? !rules.hostedDomains.has(target.value.host) : target.value.host !== domain) {
		return respond(404, "foreign-target", `${target.value.host} is not served here`, notServed);
	}
	// REQ-69: the Request-URI says whom a request is for, and To where it names the edge.
	const named = isSipUri(requestUri) && host !== rules.fqdn ? requestUri.user : undefined;
	context.to = named === undefined ? target.value : { user: named, host };
	if ([context.to, target.value].some(({ user, host: domain }) => isTooLong(user, domain))) {
		return respond(404, "unknown-user", "no address here is as long");
	}
	// Product contract 2: what we can do is for us to say, and tells nothing of a user.
	const isForUs = isHosted || (request.method === "OPTIONS" && isOwn && request.to.tag === undefined);
	return isForUs ? CONTINUE : relayTo(context, rules, domain);
};

function relayTo(context: RequestContext, { proxy }: StepRules, domain: string): Verdict {
	const { request, route, sortedRoutes, peer } = context;
	if (proxy === undefined) return respond(404, "foreign-target", `${domain} is not served here`, notServed);
	if (route === undefined && request.to.tag !== undefined) return routeGone;
	const found = proxy.policy().find(domain);
	if (found.kind === "blocked") return respond(403, "blocked-domain", `${domain} is blocked here`);
	if (found.kind === "not-listed") return respond(404, "not-listed", `${domain} is no partner of ours`, notServed);
	// What a partner's Route names behind us would be a way into the inside network.
	const isAimed = route === undefined && peer?.kind !== "inside" && (sortedRoutes?.rest.length ?? 0) > 0;
	if (isAimed) return respond(403, "foreign-route", "a Route that is not ours");
	if (request.maxForwards === 0) return respond(483, "too-many-hops", "Max-Forwards is used up");
	context.destination = { kind: "relay", domain, peer: found.peer };
	return CONTINUE;
}

function domainOf(uri: Uri): string {
	return isSipUri(uri) ? uri.host : "";
}

const routeGone = respond(481, "no-route", "a request in a dialog shows no route of ours", [
	["ms-diagnostics-public", formatDiagnosticsPublic(1004, "The route set of the dialog is no longer valid")],
]);

const notServed = [
	["ms-diagnostics-public", formatDiagnosticsPublic(1005, "No route to the destination domain")],
] as const;

export const refuseForeignMethods: Step = ({ request }) =>
	allowed.has(request.method)
		? CONTINUE
		: respond(405, "method-not-allowed", `${request.method} does not cross the boundary`, [
				["Allow", ALLOW_VALUE],
				["ms-diagnostics-public", formatDiagnosticsPublic(1027, "This request type cannot cross federation")],
			]);

/** As the user agent of our users we understand no extension that may be required. */
export const refuseRequire: Step = ({ request, destination }) => {
	// RFC 3261 §16.3: what is required of the far end is for the far end to understand.
	if (destination.kind === "relay") return CONTINUE;
	const required = tokens(request, HeaderId.require);
	if (!required.ok) return respond(400, required.fault.code, required.fault.detail);
	if (required.value.length === 0) return CONTINUE;
	return respond(420, "require", "an extension is required", [["Unsupported", formatTokenList(required.value)]]);
};
