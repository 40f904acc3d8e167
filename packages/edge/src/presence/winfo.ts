/** Who watches a user, in the states of RFC 3857 §4.7.1. Shown to the user alone; `presence.winfo` never crosses the boundary. */
import type { Authorization } from "../store/watchers.ts";

/**
 * `init` and `terminated` are the ends of the machine and are never listed; `waiting` is a request whose subscription ended
 * before the user decided.
 */
export type WatcherStatus = "init" | "pending" | "active" | "waiting" | "terminated";

/** A subscription that stands now. */
export interface LiveWatcher {
	readonly watcher: string;
	readonly state: "pending" | "active";
	readonly verification: "verified" | "unverified";
	/** Milliseconds since 1970. */
	readonly createdAt: number;
}

export interface WatcherInfo {
	readonly watcher: string;
	readonly status: Extract<WatcherStatus, "pending" | "active" | "waiting">;
	readonly verification: "verified" | "unverified";
	/** Of the oldest subscription that stands, or of the request; milliseconds since 1970. */
	readonly since: number;
}

/** How one watcher stands: by its subscription, if it has one, and the user's decision. */
export function watcherStatus(
	live: "pending" | "active" | undefined,
	decision: Authorization["decision"] | undefined,
): WatcherStatus {
	const isUndecided = decision === undefined || decision === "pending";
	if (live === undefined) return decision === "pending" ? "waiting" : decision === undefined ? "init" : "terminated";
	// A subscription of somebody blocked, or where users are hidden, stands as active and is shown nothing.
	return isUndecided ? "pending" : decision === "deny" ? "terminated" : "active";
}

/** One entry for each watcher, by address. `requests` are those that wait for a decision. */
export function listWatchers(
	live: Iterable<LiveWatcher>,
	requests: readonly Authorization[],
	decisionOf: (watcher: string) => Authorization["decision"] | undefined,
): readonly WatcherInfo[] {
	const found = new Map<string, WatcherInfo>();
	for (const { watcher, state, verification, createdAt } of live) {
		const before = found.get(watcher);
		const status = watcherStatus(state, decisionOf(watcher));
		if (status === "init" || status === "terminated") continue;
		const since = before === undefined ? createdAt : Math.min(before.since, createdAt);
		found.set(watcher, { watcher, status, verification, since });
	}
	for (const { watcher, requestedAt } of requests) {
		if (found.has(watcher)) continue;
		found.set(watcher, { watcher, status: "waiting", verification: "unverified", since: requestedAt ?? 0 });
	}
	return [...found.values()].sort((left, right) => (left.watcher < right.watcher ? -1 : 1));
}
