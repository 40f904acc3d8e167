/** Carries a policy out on what is live: dialogs that it does not allow end, links that nothing holds any more are closed. */
import type { DialogTable, Logger } from "@causeway/sip";
import type { Federation } from "../federation/federation.ts";
import type { Link } from "../federation/link.ts";
import { findCut, type PolicyView } from "../federation/policy-cut.ts";
import { domainOf } from "./local-identity.ts";
import type { DialogUsage } from "./user-agent.ts";

export interface PolicyEnforcementOptions {
	/** The policy that stands. */
	readonly view: () => PolicyView;
	readonly federation: Pick<Federation, "links" | "policyChanged">;
	readonly dialogs: DialogTable<DialogUsage>;
	readonly log: Logger;
}

/** What a policy would end. */
export interface LiveCut {
	readonly usages: readonly DialogUsage[];
	readonly links: readonly Link[];
}

export class PolicyEnforcement {
	readonly #options: PolicyEnforcementOptions;

	constructor(options: PolicyEnforcementOptions) {
		this.#options = options;
	}

	/** What this policy would end of what is live now. */
	preview(view: PolicyView): LiveCut {
		const { federation, dialogs } = this.#options;
		const atStake = [...dialogs].map(({ connectionId, entry }) => ({
			usage: entry,
			connectionId,
			domain: domainOf(entry.describe().remote),
		}));
		const { dialogs: cut, links } = findCut(atStake, federation.links, view);
		return { usages: cut.map(({ usage }) => usage), links };
	}

	/** Ends what the policy that stands does not allow; goodbyes leave before their link is closed. */
	enforce(): void {
		const { view, federation, log } = this.#options;
		const { usages, links } = this.preview(view());
		for (const usage of usages) usage.rejected();
		federation.policyChanged();
		if (usages.length > 0 || links.length > 0) {
			log.warn("policy ended live traffic", { dialogs: usages.length, connections: links.length });
		}
	}
}
