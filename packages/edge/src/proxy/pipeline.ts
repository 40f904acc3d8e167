/** The way of a request from a peer: these checks, in this order (protocol sheet 6.1). The first refusal answers. */
import { CONTINUE, type RequestContext, type Verdict } from "./context.ts";
import {
	bindSenderDomain,
	limitHops,
	refuseForeignMethods,
	refuseProxyRequire,
	refuseRequire,
	refuseSips,
	requireOwnTarget,
	requireSipScheme,
	type Step,
	type StepRules,
} from "./steps.ts";
import { throttleListed, throttleStranger } from "./throttle-steps.ts";

export const pipeline: readonly Step[] = [
	refuseSips,
	requireSipScheme,
	limitHops,
	refuseProxyRequire,
	throttleStranger,
	bindSenderDomain,
	throttleListed,
	requireOwnTarget,
	refuseForeignMethods,
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
