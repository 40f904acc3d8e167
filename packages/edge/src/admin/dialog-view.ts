/** Live dialogs as administrators see them: those of our users, and those that go through the relay. */
import type { Dialog } from "@causeway/admin";
import type { Federation } from "../federation/federation.ts";
import { linkName } from "../federation/link.ts";
import type { RelayDialogs, RelayedDialog } from "../proxy/relay-dialogs.ts";
import type { UserAgent } from "../ua/user-agent.ts";

export interface DialogSources {
	readonly agent: UserAgent;
	readonly federation: Pick<Federation, "findLink">;
	readonly relayed: Iterable<RelayedDialog> & Pick<RelayDialogs, "size" | "load">;
	/** Domains behind inside servers, lower case. */
	readonly relayDomains: ReadonlySet<string>;
}

/** How many there are. */
export function countDialogs({ agent, relayed }: DialogSources): number {
	return agent.dialogs.size + relayed.size;
}

/** How many live on a connection. */
export function countOnConnection({ agent, relayed }: DialogSources, connectionId: number): number {
	return agent.dialogs.countOnConnection(connectionId) + relayed.load(connectionId);
}

export function listDialogs(sources: DialogSources): Dialog[] {
	return [...hostedDialogs(sources), ...[...sources.relayed].map((dialog) => toRelayed(dialog, sources))];
}

function hostedDialogs({ agent, federation }: DialogSources): readonly Dialog[] {
	return [...agent.dialogs].map(({ id, connectionId, entry }) => {
		const described = entry.describe();
		return {
			call_id: id.callId,
			local_tag: id.localTag,
			remote_tag: id.remoteTag,
			usage: entry.usage,
			state: described.state,
			role: described.role,
			local: described.local,
			remote: described.remote,
			...peerOf(federation, connectionId),
			connection: String(connectionId),
			created_at: instant(described.createdAt),
		};
	});
}

/** `local` is the side of the inside server; between two inside servers that of whoever began. */
function toRelayed(dialog: RelayedDialog, { federation, relayDomains }: DialogSources): Dialog {
	const { callId, usage, initiator, other, route, connections, startedAt, expiresAt } = dialog;
	const isByLocal = relayDomains.has(initiator.slice(initiator.lastIndexOf("@") + 1));
	const [local, remote] = isByLocal ? [initiator, other] : [other, initiator];
	const remoteConnection = connections[isByLocal ? 1 : 0];
	return {
		call_id: callId,
		...(route === undefined ? {} : { [isByLocal ? "local_tag" : "remote_tag"]: route.initiatorTag }),
		usage,
		state: "confirmed",
		role: "relay",
		local,
		remote,
		...peerOf(federation, remoteConnection),
		connection: String(remoteConnection),
		created_at: instant(startedAt),
		ends_at: instant(expiresAt),
	};
}

function peerOf(federation: DialogSources["federation"], connectionId: number): { readonly peer?: string } {
	const link = federation.findLink(connectionId);
	return link === undefined ? {} : { peer: linkName(link) };
}

function instant(ms: number): string {
	return new Date(ms).toISOString();
}
