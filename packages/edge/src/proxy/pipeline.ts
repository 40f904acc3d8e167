/**
 * The way of a request from a partner or an inside server: these checks, in this order (protocol sheet 6.1). The first refusal answers;
 * what passes goes to the user agent of our users or to the proxy, as `chooseDestination` said.
 */
import { CONTINUE, type RequestContext, type Verdict } from "./context.ts";
import { refuseForeignOffer, refuseLoop, refuseOtherPackages, refusePageMode, verifyRoute } from "./proxy-steps.ts";
import {
	bindSenderDomain,
	chooseDestination,
	limitHops,
	refuseForeignMethods,
	refuseProxyRequire,
	refuseRequire,
	refuseSips,
	requireSipScheme,
	type Step,
	type StepRules,
} from "./steps.ts";
import { throttleListed, throttleStranger } from "./throttle-steps.ts";

export const pipeline: readonly Step[] = [
	refuseSips,
	requireSipScheme,
	limitHops,
	refuseLoop,
	refuseProxyRequire,
	throttleStranger,
	verifyRoute,
	bindSenderDomain,
	throttleListed,
	chooseDestination,
	refuseForeignMethods,
	// The proxy alone.
	refusePageMode,
	refuseOtherPackages,
	refuseForeignOffer,
	// The user agent alone.
	refuseRequire,
];

/** Runs the checks; a promise only where one of them has to wait (the DNS). */
export function runPipeline(context: RequestContext, rules: StepRules, from = 0): Verdict | Promise<Verdict> {
	for (let index = from; index < pipeline.length; index += 1) {
		const step = pipeline[index];
		const verdict = step === undefined ? CONTINUE : step(context, rules);
		if (verdict instanceof Promise) {
			return verdict.then((decided) =>
				decided.kind === "continue" ? runPipeline(context, rules, index + 1) : decided,
			);
		}
		if (verdict.kind === "respond") return verdict;
	}
	return CONTINUE;
}
