/** What the transactions of one layer share. */
import type { Clock, Logger, Random } from "../env.ts";
import type { ClientRunner } from "./client-runner.ts";
import type { ServerRunner } from "./server-runner.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { Timing } from "./timing.ts";
import type { TransactionCounters, TransactionUser } from "./transaction-user.ts";

export type MutableCounters = { -readonly [Name in keyof TransactionCounters]: TransactionCounters[Name] };

export interface TransactionContext {
	readonly clock: Clock;
	readonly random: Random;
	readonly timing: Timing;
	readonly wheel: TimerWheel;
	readonly log: Logger | undefined;
	readonly user: TransactionUser;
	readonly counters: MutableCounters;
	/** Transactions of requests outside dialogs, by {@link mergeKey}. */
	readonly merging: Map<string, ServerRunner>;
}

/** The transactions of one connection: no message of another connection can meet them. */
export interface ConnectionTransactions {
	readonly clients: Map<string, ClientRunner>;
	readonly servers: Map<string, ServerRunner>;
}

export function createConnectionTransactions(): ConnectionTransactions {
	return { clients: new Map(), servers: new Map() };
}

export function createCounters(): MutableCounters {
	return {
		activeClientTransactions: 0,
		activeServerTransactions: 0,
		droppedResponses: 0,
		strayResponses: 0,
		repeatedRequests: 0,
		mergedRequests: 0,
		refusedRequests: 0,
		unansweredRequests: 0,
		unacknowledgedResponses: 0,
		timeouts: 0,
	};
}
