import type { FastifyInstance, HTTPMethods } from "fastify";
import { ApiProblem } from "./handlers.ts";

const knownMethods: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/**
 * Watches which routes are registered; `close` then lets every other method of their paths answer 405 with `Allow`
 * (RFC 9110 §15.5.6), where the framework alone would say that there is nothing.
 */
export function refuseOtherMethods(app: FastifyInstance): { readonly close: () => void } {
	const offered = new Map<string, Set<HTTPMethods>>();
	let open = true;
	app.addHook("onRoute", (route) => {
		if (!open) return;
		const methods = offered.get(route.url) ?? new Set<HTTPMethods>();
		for (const method of [route.method].flat()) methods.add(method);
		offered.set(route.url, methods);
	});
	return {
		close: () => {
			open = false;
			for (const [url, methods] of offered) refuse(app, url, methods);
		},
	};
}

function refuse(app: FastifyInstance, url: string, offered: ReadonlySet<HTTPMethods>): void {
	const allow = [...offered].sort().join(", ");
	const others = knownMethods.filter((method) => !offered.has(method));
	const answer = (): never => {
		throw new ApiProblem("method-not-allowed", `this address takes ${allow}`);
	};
	app.route({
		method: others,
		url,
		exposeHeadRoute: false,
		// Before the body is looked at: its media type is not what is wrong.
		onRequest: async (_request, reply) => {
			reply.header("allow", allow);
			answer();
		},
		handler: answer,
	});
}
