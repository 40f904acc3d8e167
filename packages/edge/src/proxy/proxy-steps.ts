/** The checks of the proxy: our own Via and routes in a request, and what may cross the boundary of a relay domain. */
import { chooseMessageLine, event, formatDiagnosticsPublic, HeaderId, headerValues, parseVia } from "@causeway/sip";
import { isLoop } from "../federation/signature/branch-signature.ts";
import { CONTINUE, respond } from "./context.ts";
import { sentBy } from "./own-identity.ts";
import { readOffer } from "./read-offer.ts";
import { checkRoutes } from "./route-check.ts";
import { branchFields, routingKey } from "./signed-branch.ts";
import type { Step } from "./steps.ts";

/** RFC 3261 §16.3 step 4: a request of ours that came back to be sent where it was sent before. */
export const refuseLoop: Step = ({ request }, { proxy }) => {
	if (proxy === undefined) return CONTINUE;
	const values = headerValues(request, HeaderId.via);
	const own = sentBy(proxy.identity);
	for (const [index, value] of values.entries()) {
		if (!value.includes(own)) continue;
		const via = parseVia(value, 0, value.length);
		if (!via.ok || via.value.branch === undefined || `${via.value.host}:${via.value.port ?? 5061}` !== own) continue;
		const fields = branchFields(request, proxy.identity, values.slice(index + 1).join(","));
		if (isLoop(proxy.keys, via.value.branch, routingKey(request), fields)) {
			return respond(482, "loop", "the request came back to where it had been");
		}
	}
	return CONTINUE;
};

/** REQ-62, REQ-63: a request that shows our signature shows a genuine one. */
export const verifyRoute: Step = (context, { proxy }) => {
	if (proxy === undefined) return CONTINUE;
	const outcome = checkRoutes(context.request, proxy);
	context.sortedRoutes =
		outcome.kind === "refused" ? undefined : outcome.kind === "none" ? outcome.routes : outcome.route.routes;
	if (outcome.kind === "verified") context.route = outcome.route;
	return outcome.kind === "refused"
		? respond(outcome.status, outcome.code, outcome.reason, outcome.status === 481 ? staleRoute : undefined)
		: CONTINUE;
};

export const staleRoute = [
	["ms-diagnostics-public", formatDiagnosticsPublic(1004, "The route set of the dialog is no longer valid")],
] as const;

/** REQ-53: a MESSAGE outside a dialog is refused with what we can do instead. */
export const refusePageMode: Step = ({ request, destination, route }) =>
	destination.kind === "relay" && request.method === "MESSAGE" && route === undefined
		? { ...respond(488, "page-mode", "page mode does not cross the boundary"), withCapabilities: true }
		: CONTINUE;

/** REQ-87: presence is the one event package that crosses the boundary. */
export const refuseOtherPackages: Step = ({ request, destination }) => {
	if (destination.kind === "hosted" || (request.method !== "SUBSCRIBE" && request.method !== "NOTIFY")) return CONTINUE;
	const found = event(request);
	if (!found.ok) return respond(400, found.fault.code, found.fault.detail);
	return found.value?.package === "presence"
		? CONTINUE
		: respond(489, "event-package", "only presence crosses the boundary", [["Allow-Events", "presence"]]);
};

/** REQ-54: an offer in which nothing is a message session, MSRP or audio alone for example, ends here. */
export const refuseForeignOffer: Step = ({ request, destination }) => {
	if (destination.kind === "hosted" || request.method !== "INVITE" || request.body.length === 0) return CONTINUE;
	const offer = readOffer(request);
	if (offer !== undefined && offer !== "wrong-type" && chooseMessageLine(offer) !== undefined) return CONTINUE;
	return { ...respond(488, "no-message-line", "nothing in the offer is a message session"), withCapabilities: true };
};
