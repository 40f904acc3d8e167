/** What the transactions of one layer share. */
import type { Clock, Logger, Random } from "../env.ts";
import type { SipRequest, SipResponse } from "../message/message.ts";
import { ShortLivedMap } from "../text/short-lived-map.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { Timing } from "./timing.ts";
import type { ClientTransaction, ServerTransaction, TransactionCounters, TransactionUser } from "./transaction-user.ts";

export type MutableCounters = { -readonly [Name in keyof TransactionCounters]: TransactionCounters[Name] };

/** What stands in the table of client transactions. */
export interface ClientEntry {
	readonly method: string;
	receive(response: SipResponse): void;
	/** The connection is gone: no response can come any more. */
	transportFailed(): void;
	/** Ends without a word to the user. */
	discard(): void;
}

/** A client transaction as the layer sees it. */
export interface ClientRunner extends ClientEntry, ClientTransaction {}

/** What stands in the table of server transactions. */
export interface ServerEntry {
	/** What the user holds; undefined after the final response, when the request is no longer needed here. */
	readonly handle: ServerTransaction | undefined;
	readonly isCancelled: boolean;
	/** The To tag of the responses sent so far; undefined where none had one. */
	readonly toTag: string | undefined;
	/** The request came again. */
	repeat(): void;
	/** False where the ACK belongs to no response of this transaction. */
	acknowledge(ack: SipRequest): boolean;
	markCancelled(): void;
	connectionClosed(): void;
	/** Ends without a word to anybody. */
	discard(): void;
}

/** A server transaction as the layer sees it. */
export interface ServerRunner extends ServerEntry {
	readonly hasFinal: boolean;
	respond(response: SipResponse): boolean;
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
	readonly merging: ShortLivedMap<ServerEntry>;
}

/** The transactions of one connection: no message of another connection can meet them. */
export interface ConnectionTransactions {
	readonly clients: ShortLivedMap<ClientEntry>;
	readonly servers: ShortLivedMap<ServerEntry>;
	/** Servers that wait for nothing but a late repetition of their INVITE, which got its 2xx (RFC 6026 Timer L). */
	accepted: number;
	/** Clients without a final response: an INVITE that was answered stays in `clients` for another half minute. */
	outstanding: number;
}

export function createConnectionTransactions(random: Random): ConnectionTransactions {
	return { clients: createTable(random), servers: createTable(random), accepted: 0, outstanding: 0 };
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
