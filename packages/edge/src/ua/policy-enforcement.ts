/** Carries a policy out on what is live: dialogs that it does not allow end, links that nothing holds any more are closed. */
import type { DialogTable, Logger } from "@causeway/sip";
import type { Federation } from "../federation/federation.ts";
import type { Link } from "../federation/link.ts";
import type { Peer, PeerDirectory } from "../federation/peers.ts";
import { findCut, type PolicyView } from "../federation/policy-cut.ts";
import { domainOf } from "./local-identity.ts";
import type { DialogUsage } from "./user-agent.ts";

export interface PolicyEnforcementOptions {
	/** The policy that stands. */
	readonly view: () => PolicyView;
	readonly federation: Pick<Federation, "links" | "policyChanged">;
	readonly dialogs: DialogTable<DialogUsage>;
	/** Whether one of our users may talk with this peer's. */
	readonly permits: (user: string, peer: Peer) => boolean;
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
		const networks = new Map([...federation.links].map(({ connection, network }) => [connection.id, network]));
		const refused = atStake.filter(
			(one) =>
				!cut.includes(one) && !this.#isPermitted(one.usage, one.domain, networks.get(one.connectionId), view.directory),
		);
		return { usages: [...cut, ...refused].map(({ usage }) => usage), links };
	}

	#isPermitted(usage: DialogUsage, domain: string, network: string | undefined, directory: PeerDirectory): boolean {
		const found = directory.find(domain);
		const isListed = found.kind === "peer" && found.peer.kind !== "discovered";
		const open = isListed ? undefined : directory.open.find(({ name }) => name === network);
		const peer = open ?? (found.kind === "peer" ? found.peer : undefined);
		return peer === undefined || this.#options.permits(usage.describe().local.toLowerCase(), peer);
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
