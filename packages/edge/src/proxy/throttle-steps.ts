/** Ceilings on the way of a request (REQ-81): 503 for a new dialog that is one too many, back-pressure for the rest. */
import { aorKey, isSipUri, parseAor } from "@causeway/sip";
import type { ThrottleDecision } from "../federation/throttle/peer-throttle.ts";
import type { CountedRequest } from "../federation/throttle/throttles.ts";
import { CONTINUE, type RequestContext, respond, type Verdict } from "./context.ts";
import type { Step } from "./steps.ts";

/** Before anything is looked up for it: what comes in the name of a domain that nobody lists. */
export const throttleStranger: Step = (context, { throttles }) => {
	const { uri } = context.request.from;
	if (throttles === undefined || !isSipUri(uri)) return CONTINUE;
	return apply(context, throttles.stranger(context.link, uri.host, count(context)));
};

/** Listed peers have ceilings where their entry sets them. */
export const throttleListed: Step = (context, { throttles }) => {
	if (throttles === undefined || context.peer?.throttle === undefined) return CONTINUE;
	return apply(context, throttles.listed(context.link, context.peer, count(context)));
};

function count({ request }: RequestContext): CountedRequest {
	const opensDialog = request.to.tag === undefined;
	const target = opensDialog ? parseAor(request.to.uri) : undefined;
	return { opensDialog, target: target?.ok === true ? aorKey(target.value) : undefined };
}

function apply(context: RequestContext, decision: ThrottleDecision): Verdict {
	switch (decision.kind) {
		case "pass":
			return CONTINUE;
		case "wait":
			context.link.connection.delayReading(decision.ms);
			return CONTINUE;
		case "too-fast":
			return respond(503, "throttled", "the peer sends more than it may; list it, or raise [throttle]", [
				["Retry-After", String(decision.retryAfterSeconds)],
			]);
		case "too-many-users":
			return respond(
				403,
				"too-many-users",
				"the peer has addressed as many of our users as it may; list it to let it on",
			);
	}
}
