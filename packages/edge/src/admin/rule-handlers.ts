/** What users decide about who may watch them and write to them, and who does watch. */
import type { Rule } from "@causeway/admin";
import type { NotifierService } from "../presence/notifier-service.ts";
import type { WatcherService } from "../presence/watcher-service.ts";
import type { Store } from "../store/store.ts";
import type { Authorization } from "../store/watchers.ts";
import { type ApiHandlers, ApiProblem } from "./handlers.ts";

export type RuleHandlers = Pick<ApiHandlers, "listRules" | "putRule" | "deleteRule" | "listWatchers">;

export interface RuleHandlerOptions {
	readonly store: Pick<Store, "watchers">;
	readonly notifier: Pick<NotifierService, "rulesChanged" | "watchersOf">;
	readonly watcher: Pick<WatcherService, "localChanged">;
}

export function createRuleHandlers({ store, notifier, watcher }: RuleHandlerOptions): RuleHandlers {
	const changed = (owner: string): void => {
		notifier.rulesChanged(owner);
		watcher.localChanged(owner);
	};
	return {
		listRules: ({ caller }) => ({
			status: 200,
			body: { rules: store.watchers.list(caller.aor).filter(isRule).map(toRule) },
		}),
		async putRule({ caller, params, body }) {
			const decision = body.decision === "ask" ? "pending" : body.decision;
			const result = await store.watchers.decide(caller.aor, params.who, decision);
			if (result.kind === "too-many") throw new ApiProblem("queue-full", "Too many decisions are recorded already.");
			if (result.kind === "no-presentity") throw new ApiProblem("unknown-user");
			changed(caller.aor);
			return { status: 200, body: toRule(result.authorization) };
		},
		async deleteRule({ caller, params }) {
			const found = store.watchers.get(caller.aor, params.who);
			if (found === undefined || !isRule(found)) {
				throw new ApiProblem("unknown-rule", `There is no rule about ${params.who}.`);
			}
			await store.watchers.forget(caller.aor, params.who);
			changed(caller.aor);
			return { status: 204 };
		},
		listWatchers: ({ caller }) => ({
			status: 200,
			body: {
				watchers: notifier.watchersOf(caller.aor).map(({ watcher: aor, status, verification, since }) => ({
					aor,
					state: status,
					verification,
					since: new Date(since).toISOString(),
				})),
			},
		}),
	};
}

/** An open request is none: nobody decided anything. */
function isRule({ decision, decidedAt }: Authorization): boolean {
	return decision !== "pending" || decidedAt !== undefined;
}

function toRule({ watcher, decision, decidedAt }: Authorization): Rule {
	return {
		who: watcher,
		decision: decision === "pending" ? "ask" : decision,
		...(decidedAt === undefined ? {} : { decided_at: new Date(decidedAt).toISOString() }),
	};
}
