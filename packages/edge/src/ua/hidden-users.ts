/** From whom we hide which of our users exist: `[federation] hide_unknown_users` (protocol sheet 7.5). */
import type { Peer } from "../federation/peers.ts";

export type HideUnknownUsers = "never" | "discovered" | "always";

export function hidesUsers(rule: HideUnknownUsers, peer: Pick<Peer, "kind">): boolean {
	return rule === "always" || (rule === "discovered" && peer.kind === "discovered");
}
