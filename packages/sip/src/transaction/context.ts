/** What the transactions of one layer share. */
import type { Clock, Logger, Random } from "../env.ts";
import type { SipRequest, SipResponse } from "../message/message.ts";
import { ShortLivedMap } from "../text/short-lived-map.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { Timing } from "./timing.ts";
import type { ClientTransaction, ServerTransaction, TransactionCounters, TransactionUser } from "./transaction-user.ts";

export type MutableCounters = { -readonly [Name in keyof TransactionCounters]: TransactionCounters[Name] };

/** A client transaction as the layer sees it. */
export interface ClientRunner extends ClientTransaction {
	receive(response: SipResponse): void;
	/** The connection is gone: no response can come any more. */
	transportFailed(): void;
	/** Ends without a word to the user. */
	discard(): void;
}

/** A server transaction as the layer sees it. */
export interface ServerRunner {
	/** What the user holds; undefined after the final response, when the request is no longer needed here. */
	readonly handle: ServerTransaction | undefined;
	readonly hasFinal: boolean;
	readonly isCancelled: boolean;
	/** The To tag of the responses sent so far; undefined where none had one. */
	readonly toTag: string | undefined;
	respond(response: SipResponse): boolean;
	/** The request came again. */
	repeat(): void;
	/** False where the ACK belongs to no response of this transaction. */
	acknowledge(ack: SipRequest): boolean;
	markCancelled(): void;
	connectionClosed(): void;
	/** Ends without a word to anybody. */
	discard(): void;
}

export interface TransactionContext {
	readonly clock: Clock;
	readonly random: Random;
	readonly timing: Timing;
	readonly wheel: TimerWheel;
	readonly log: Logger | undefined;
	readonly user: TransactionUser;
	readonly counters: MutableCounters;
	/** Transactions of requests outside dialogs, by {@link mergeKey}. */
	readonly merging: ShortLivedMap<ServerRunner>;
}

/** The transactions of one connection: no message of another connection can meet them. */
export interface ConnectionTransactions {
	readonly clients: ShortLivedMap<ClientRunner>;
	readonly servers: ShortLivedMap<ServerRunner>;
	/** Clients without a final response: an INVITE that was answered stays in `clients` for another half minute. */
	outstanding: number;
}

export function createConnectionTransactions(random: Random): ConnectionTransactions {
	return { clients: createTable(random), servers: createTable(random), outstanding: 0 };
}

export function createTable<Value>(random: Random): ShortLivedMap<Value> {
	return new ShortLivedMap<Value>(random.below(0x4000_0000));
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
