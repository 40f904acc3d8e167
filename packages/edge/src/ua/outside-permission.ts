/** Whether one of our users may talk with a peer's users: two switches, federated partners and public IM networks (protocol sheet 7.2). */
import { type FederationRefusal, refusal } from "../federation/outcome.ts";
import type { Peer } from "../federation/peers.ts";
import type { Outside } from "../store/users.ts";

export function mayTalkWith(outside: Outside, { isPublic }: Pick<Peer, "isPublic">): boolean {
	return outside === "all" || outside === (isPublic ? "public" : "partners");
}

/** What the user's own side is told: 403 with 1001 or 1002; undefined where the user may. */
export function refuseOutside(
	user: string,
	outside: Outside,
	peer: Pick<Peer, "isPublic" | "name">,
): FederationRefusal | undefined {
	if (mayTalkWith(outside, peer)) return undefined;
	return peer.isPublic
		? refusal(403, 1001, "not-for-public", `${user} is not enabled for public IM networks such as ${peer.name}`, "us")
		: refusal(
				403,
				1002,
				"not-for-partners",
				`${user} is not enabled for federated partners such as ${peer.name}`,
				"us",
			);
}
