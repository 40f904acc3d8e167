/** What stands between the transaction layer and its users: UAC core, UAS core, proxy core (RFC 3261 §17). */
import type { SipRequest, SipResponse } from "../message/message.ts";
import type { Connection } from "../transport/connection.ts";

/** Why a client transaction ended without a final response; §8.1.3.1 maps them to 408 and 503. */
export type ClientFailure = "timeout" | "transport";

/** A request on its way out. */
export interface ClientTransaction {
	readonly connection: Connection;
	readonly method: string;
	/** The branch of the request's top Via. */
	readonly branch: string;
	/** True once no response can come any more. */
	readonly isTerminated: boolean;
	/**
	 * Cancels an INVITE (§9.1): sends the CANCEL now, or when the first provisional response comes; nothing after a final
	 * response or for another method. The user still gets the final response (487, or the one that crossed the CANCEL), or
	 * `failed("timeout")` 64·T1 after the CANCEL left.
	 */
	cancel(): void;
}

/**
 * The user of one client transaction. It is told any number of provisional responses (100 too), then exactly one final
 * response or one failure; after a 2xx to INVITE every further 2xx is told as well (RFC 6026 §7.2). Nothing is called
 * before `sendRequest` has returned, unless the connection delivers an answer inside `send`.
 */
export interface ClientTransactionUser {
	response(response: SipResponse, transaction: ClientTransaction): void;
	failed(failure: ClientFailure, transaction: ClientTransaction): void;
}

/** A request that arrived and waits for its response. */
export interface ServerTransaction {
	readonly request: SipRequest;
	readonly connection: Connection;
	/** True once a final response was given to `respond`. */
	readonly hasFinal: boolean;
	/** True once a CANCEL for this INVITE has arrived. */
	readonly isCancelled: boolean;
	/** What its user keeps with it; nobody else looks at it. */
	attachment: object | undefined;
	/**
	 * Sends a response on the connection of the request. Returns false, and sends nothing, when that connection is gone (the
	 * response is dropped and counted: REQ-59, REQ-60) or when the transaction has its final response. A 2xx to INVITE may
	 * be given again until 64·T1 after the first one: its repetition is the user's business (§13.3.1.4).
	 */
	respond(response: SipResponse): boolean;
}

/** The user of all server transactions. */
export interface TransactionUser {
	/** A new request other than ACK and CANCEL; it must get a final response, now or later. */
	request(transaction: ServerTransaction): void;
	/** An ACK that belongs to no transaction: that of a 2xx (§13.2.2.4), or one that nobody waits for. Never answered. */
	ack(connection: Connection, request: SipRequest): void;
	/** A CANCEL, already answered with 200, for an INVITE without final response; the user answers that one, as a rule with 487. */
	cancel(transaction: ServerTransaction): void;
	/** A 2xx to INVITE without a transaction: a repetition after its end, or forged. Every other stray response is dropped. */
	strayResponse(connection: Connection, response: SipResponse): void;
	/** The final response to a request has left. For counting; absent where nobody counts. */
	answered?(transaction: ServerTransaction, statusCode: number): void;
}

/** How many transactions there may be; what comes above is answered 503. */
export interface TransactionLimits {
	/** Server transactions that one connection may have, INVITEs with a 2xx apart; requests above get 503 (§21.5.4). */
	readonly serverTransactionsPerConnection: number;
	/** INVITEs of one connection that got their 2xx in the last 32 s (RFC 6026 Timer L). */
	readonly acceptedInvitesPerConnection: number;
}

/** Limits that an edge of some thousand users does not reach. */
export const defaultTransactionLimits: TransactionLimits = Object.freeze({
	serverTransactionsPerConnection: 10_000,
	acceptedInvitesPerConnection: 50_000,
});

/** Live counts; the first two are gauges, the others only grow. */
export interface TransactionCounters {
	readonly activeClientTransactions: number;
	readonly activeServerTransactions: number;
	/** Responses not sent because the connection of their request was gone (REQ-60). */
	readonly droppedResponses: number;
	/** Responses that match no client transaction. */
	readonly strayResponses: number;
	/** Requests that came again and were absorbed. */
	readonly repeatedRequests: number;
	/** Requests answered with 482 because they came twice over different ways (§8.2.2.2). */
	readonly mergedRequests: number;
	/** Requests answered with 503, and ACKs left out, because of {@link TransactionLimits}. */
	readonly refusedRequests: number;
	/** Requests answered with 500 because their user never did. */
	readonly unansweredRequests: number;
	/** Final responses of 300 and above to INVITE whose ACK never came. */
	readonly unacknowledgedResponses: number;
	/** Client transactions that ended without any final response. */
	readonly timeouts: number;
}
