/**
 * The transaction layer: RFC 3261 §17 for all connections of an edge. It matches what arrives to transactions, runs the
 * four machines, and hands the rest to its user. Requests and responses of one transaction travel on one connection; a
 * transaction of one connection is never met by a message of another.
 */
import type { Clock, Logger, Random } from "../env.ts";
import type { Via } from "../header/via.ts";
import { createResponse } from "../message/build.ts";
import type { SipMessage, SipRequest, SipResponse } from "../message/message.ts";
import type { OctetFrame } from "../message/octet-frame.ts";
import type { WrittenRequest } from "../message/written-request.ts";
import { invariant } from "../text/assert.ts";
import type { Connection } from "../transport/connection.ts";
import { startClient } from "./client-runner.ts";
import {
	type ConnectionTransactions,
	createConnectionTransactions,
	createCounters,
	createTable,
	type ServerEntry,
	type ServerRunner,
	type TransactionContext,
} from "./context.ts";
import {
	ackKey,
	branchKey,
	cancelledTransactionKey,
	clientTransactionKey,
	hasOwnBranch,
	isOwnBranch,
	MAGIC_COOKIE,
	mergeKey,
	mergeKeyOf,
	ownBranch,
	serverTransactionKey,
} from "./key.ts";
import { RelayedPair, type RelayedPairUser } from "./relayed-pair.ts";
import { startServer } from "./server-runner.ts";
import { TimerWheel } from "./timer-wheel.ts";
import { defaultTiming, type Timing } from "./timing.ts";
import {
	type ClientTransaction,
	type ClientTransactionUser,
	defaultTransactionLimits,
	type ServerTransaction,
	type TransactionCounters,
	type TransactionLimits,
	type TransactionUser,
} from "./transaction-user.ts";
import { branchOfAnswer, type PlainAnswer, WrittenClient, type WrittenRequestUser } from "./written-client.ts";

/** Ports, user and limits of a transaction layer. */
export interface TransactionLayerOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly user: TransactionUser;
	/** Default {@link defaultTiming}: reliable transport. */
	readonly timing?: Timing;
	readonly log?: Logger;
	/** Default {@link defaultTransactionLimits}. */
	readonly limits?: TransactionLimits;
}

/** The parts of a first request by which its transactions are found. */
export interface PairRequest {
	readonly method: "INVITE" | "SUBSCRIBE";
	readonly topVia: Via;
	readonly fromTag: string;
	readonly callId: string;
	readonly cseqNumber: number;
	/** As written. */
	readonly requestUri: string;
}

/** A request that may be sent on as a pair. */
export interface PreparedPair {
	readonly method: "INVITE" | "SUBSCRIBE";
	readonly arrival: Connection;
	readonly key: string;
	readonly mergeKey: string;
}

/** Seconds after which a peer above its limit may try again. */
const RETRY_AFTER_SECONDS = "10";

/**
 * All transactions of one element (RFC 3261 §17, RFC 6026): matches what arrives, makes what is new, and performs
 * what the four machines want.
 */
export class TransactionLayer {
	readonly #context: TransactionContext;
	readonly #limits: TransactionLimits;
	readonly #connections = new Map<number, ConnectionTransactions>();

	constructor(options: TransactionLayerOptions) {
		const { clock, random, user, timing = defaultTiming, log, limits = defaultTransactionLimits } = options;
		this.#limits = limits;
		this.#context = {
			clock,
			random,
			timing,
			log,
			user,
			wheel: new TimerWheel(clock),
			counters: createCounters(),
			merging: createTable(random),
		};
	}

	/** Live: read again, it shows the present counts. */
	get counters(): TransactionCounters {
		return this.#context.counters;
	}

	get timing(): Timing {
		return this.#context.timing;
	}

	/** The wheel of all transactions, for coarse timers of their users. */
	get wheel(): TimerWheel {
		return this.#context.wheel;
	}

	/** Requests that were sent on this connection and have no final answer yet. */
	outstanding(connection: Connection): number {
		return this.#connections.get(connection.id)?.outstanding ?? 0;
	}

	/** Requests that came over this connection and have no final answer yet. */
	unanswered(connection: Connection): ServerTransaction[] {
		const servers = this.#connections.get(connection.id)?.servers.values() ?? [];
		return servers.flatMap((server) => whole(server)?.handle ?? []);
	}

	/** Whether an INVITE with this Via on top is being answered on this connection: an ACK with the same one belongs to it (§17.2.3). */
	servesInvite(connection: Connection, topVia: Via): boolean {
		return this.#connections.get(connection.id)?.servers.has(ackKey(topVia)) === true;
	}

	/** A branch that nobody can guess, with the cookie of RFC 3261 §8.1.1.7. */
	createBranch(): string {
		return MAGIC_COOKIE + this.#context.random.token();
	}

	/** Takes a whole message that arrived; never called after {@link connectionClosed} for its connection. */
	receive(connection: Connection, message: SipMessage): void {
		if (message.kind === "response") {
			this.#receiveResponse(connection, message);
		} else if (message.method === "ACK") {
			this.#receiveAck(connection, message);
		} else {
			this.#receiveRequest(connection, message);
		}
	}

	/**
	 * Sends a request in a new client transaction. Our Via stands on top of it, with a branch that no other request has. ACK
	 * and CANCEL are not sent this way. On a connection that is closed the user is told `failed("transport")` soon after.
	 * With a delay the request leaves, and its time begins, so many milliseconds later.
	 */
	sendRequest(
		connection: Connection,
		request: SipRequest,
		user: ClientTransactionUser,
		delayMs = 0,
	): ClientTransaction {
		invariant(
			request.method !== "ACK" && request.method !== "CANCEL",
			"ACK and CANCEL are no transactions of their user",
		);
		ownBranch(request);
		// A connection that is gone would never give its transactions back.
		const transactions = this.#transactionsOf(connection) ?? createConnectionTransactions(this.#context.random);
		return startClient(this.#context, transactions, connection, request, user, delayMs);
	}

	/** The same for a request that nobody read, of a method that cannot be cancelled. */
	sendWritten(
		connection: Connection,
		written: WrittenRequest,
		user: WrittenRequestUser,
		delayMs = 0,
	): ClientTransaction {
		const { method, branch } = written;
		invariant(method !== "INVITE" && method !== "ACK" && method !== "CANCEL", "an INVITE is sent as it was read");
		invariant(isOwnBranch(branch), "our requests carry a Via with a branch of ours on top");
		const transactions = this.#transactionsOf(connection) ?? createConnectionTransactions(this.#context.random);
		return new WrittenClient(this.#context, transactions, connection, written, user, delayMs);
	}

	/** The answer to a request of {@link sendWritten} that needs no reading, and has not been told yet; undefined for all else. */
	recognise(connection: Connection, frame: OctetFrame): PlainAnswer | undefined {
		const branch = branchOfAnswer(frame);
		if (branch === undefined) return undefined;
		const client = this.#connections.get(connection.id)?.clients.get(branch);
		return client instanceof WrittenClient && client.takesPlain(frame) ? client : undefined;
	}

	/** Sends the ACK of a 2xx, which belongs to no transaction (§13.2.2.4). False where the connection is closed. */
	sendAck(connection: Connection, ack: SipRequest): boolean {
		invariant(ack.method === "ACK", "nothing but an ACK is sent without a transaction");
		ownBranch(ack);
		return connection.send(ack);
	}

	/**
	 * What a proxy needs to send a first request on as a {@link RelayedPair}; undefined where the request is known, merged, one too many
	 * for its connection, or written as RFC 2543 had it: then {@link receive} has something to say about it.
	 */
	preparePair(arrival: Connection, request: PairRequest): PreparedPair | undefined {
		const { method, topVia, fromTag, callId, cseqNumber, requestUri } = request;
		const arrived = this.#transactionsOf(arrival);
		if (arrived === undefined || !hasOwnBranch(topVia) || this.#isFull(arrived)) return undefined;
		const key = branchKey(method, topVia);
		if (arrived.servers.has(key)) return undefined;
		const merge = mergeKeyOf(fromTag, callId, cseqNumber, method, requestUri);
		if (this.#context.merging.has(merge)) return undefined;
		return { method, arrival, key, mergeKey: merge };
	}

	/** Registers a prepared pair whose request leaves now on this connection, which is open, with this branch. */
	startPair(prepared: PreparedPair, departure: Connection, branch: string, user: RelayedPairUser): RelayedPair {
		const { method, arrival, key, mergeKey: merge } = prepared;
		const random = this.#context.random;
		const arrived = this.#transactionsOf(arrival) ?? createConnectionTransactions(random);
		const departed = this.#transactionsOf(departure) ?? createConnectionTransactions(random);
		const place = { arrival, arrived, key, mergeKey: merge, departure, departed, branch };
		const pair = new RelayedPair(this.#context, place, method, user);
		pair.start();
		return pair;
	}

	/** The pair that waits for a response with this branch on this connection. */
	findPair(connection: Connection, branch: string): RelayedPair | undefined {
		const client = this.#connections.get(connection.id)?.clients.get(branch);
		return client instanceof RelayedPair && client.isWaiting ? client : undefined;
	}

	/** Ends the transactions of a connection: the users of requests we sent are told, those of requests we received find out. */
	connectionClosed(connection: Connection): void {
		const transactions = this.#connections.get(connection.id);
		if (transactions === undefined) return;
		this.#connections.delete(connection.id);
		for (const server of transactions.servers.values()) server.connectionClosed();
		for (const client of transactions.clients.values()) client.transportFailed();
	}

	/** Ends everything without a word, and stops every timer. */
	close(): void {
		for (const { clients, servers } of this.#connections.values()) {
			for (const client of clients.values()) client.discard();
			for (const server of servers.values()) server.discard();
		}
		this.#connections.clear();
		this.#context.wheel.close();
	}

	#receiveResponse(connection: Connection, response: SipResponse): void {
		const key = clientTransactionKey(response);
		const client = key === undefined ? undefined : this.#connections.get(connection.id)?.clients.get(key);
		// RFC 3261 §17.1.3: the methods must agree too.
		if (client !== undefined && client.method === response.cseq.method) {
			client.receive(response);
			return;
		}
		this.#context.counters.strayResponses += 1;
		const isAccepted = response.statusCode >= 200 && response.statusCode < 300;
		if (isAccepted && response.cseq.method === "INVITE") this.#context.user.strayResponse(connection, response);
	}

	#receiveAck(connection: Connection, ack: SipRequest): void {
		const server = this.#connections.get(connection.id)?.servers.get(serverTransactionKey(ack));
		if (server?.acknowledge(ack) !== true) this.#context.user.ack(connection, ack);
	}

	#receiveRequest(connection: Connection, request: SipRequest): void {
		const transactions = this.#transactionsOf(connection);
		if (transactions === undefined) return;
		const key = serverTransactionKey(request);
		const known = transactions.servers.get(key);
		if (known !== undefined) {
			known.repeat();
			return;
		}
		if (this.#isFull(transactions)) {
			this.#refuse(connection, request);
			return;
		}
		if (request.method === "CANCEL") {
			this.#receiveCancel(connection, transactions, request, key);
			return;
		}
		const merge = mergeKey(request);
		const merged = merge !== undefined && this.#context.merging.has(merge);
		const server = startServer(this.#context, transactions, connection, request, key, merged ? undefined : merge);
		if (merged) {
			// RFC 3261 §8.2.2.2: the same request over two ways is one request too many.
			this.#context.counters.mergedRequests += 1;
			this.#respond(server, request, 482);
			return;
		}
		if (server.handle !== undefined) this.#context.user.request(server.handle);
	}

	/** RFC 3261 §9.2: CANCEL is answered here, hop by hop, and the INVITE is for its user. */
	#receiveCancel(connection: Connection, transactions: ConnectionTransactions, cancel: SipRequest, key: string): void {
		const invite = whole(transactions.servers.get(cancelledTransactionKey(cancel)));
		const server = startServer(this.#context, transactions, connection, cancel, key, undefined);
		this.#respond(server, cancel, invite === undefined ? 481 : 200, invite?.toTag);
		if (invite?.handle === undefined || invite.isCancelled) return;
		invite.markCancelled();
		this.#context.user.cancel(invite.handle);
	}

	#respond(server: ServerRunner, request: SipRequest, statusCode: number, toTag?: string): void {
		server.respond(createResponse(request, statusCode, { toTag: toTag ?? this.#context.random.token() }));
	}

	/** Without a transaction, which is what there are too many of. */
	#refuse(connection: Connection, request: SipRequest): void {
		const { counters, random } = this.#context;
		counters.refusedRequests += 1;
		const headers: readonly (readonly [string, string])[] = [["Retry-After", RETRY_AFTER_SECONDS]];
		if (!connection.send(createResponse(request, 503, { toTag: random.token(), headers })))
			counters.droppedResponses += 1;
	}

	/** What was answered with a 2xx costs little, and has a limit of its own. */
	#isFull({ servers, accepted }: ConnectionTransactions): boolean {
		const { serverTransactionsPerConnection, acceptedInvitesPerConnection } = this.#limits;
		return servers.size - accepted >= serverTransactionsPerConnection || accepted >= acceptedInvitesPerConnection;
	}

	#transactionsOf(connection: Connection): ConnectionTransactions | undefined {
		let transactions = this.#connections.get(connection.id);
		if (transactions === undefined && connection.isOpen) {
			transactions = createConnectionTransactions(this.#context.random);
			this.#connections.set(connection.id, transactions);
		}
		return transactions;
	}
}

/** A server transaction that may be asked for its user. */
function whole(server: ServerEntry | undefined): ServerEntry | undefined {
	return server instanceof RelayedPair && server.isWaiting ? server.part().server : server;
}
