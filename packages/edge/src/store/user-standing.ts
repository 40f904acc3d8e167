import type { Users } from "./users.ts";

/** What an address of ours is: a user, one that is suspended, nobody, or one whom another server keeps. */
export type UserStanding = "user" | "suspended" | "unknown" | "not-hosted";

export function userStanding(aor: string, hostedDomains: ReadonlySet<string>, users: Pick<Users, "get">): UserStanding {
	if (!hostedDomains.has(aor.slice(aor.lastIndexOf("@") + 1))) return "not-hosted";
	const user = users.get(aor);
	if (user === undefined) return "unknown";
	return user.suspended ? "suspended" : "user";
}
