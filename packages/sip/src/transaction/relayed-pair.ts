/**
 * Both transactions of a request that a proxy sent on, in one record (RFC 3261 §16, RFC 6026). On a reliable transport nearly every
 * request gets a 2xx soon and nothing else happens to it: for that much the record is enough. Whatever else happens parts it into the two
 * machines, which go on as if they had been there from the start.
 */
import type { SipRequest, SipResponse } from "../message/message.ts";
import { invariant } from "../text/assert.ts";
import type { Connection } from "../transport/connection.ts";
import { adoptClient } from "./client-runner.ts";
import type { ClientEntry, ConnectionTransactions, ServerEntry, ServerRunner, TransactionContext } from "./context.ts";
import { startServer } from "./server-runner.ts";
import type { WheelEntry, WheelUser } from "./timer-wheel.ts";
import type { ClientTransaction, ClientTransactionUser, ServerTransaction } from "./transaction-user.ts";

/** What a proxy keeps of a request until its 2xx. */
export interface RelayedPairUser {
	/** The request as it came, and as it left; read when something happens to it that is no 2xx. */
	received(): SipRequest;
	sent(): SipRequest;
	/** The request has two transactions of its own from here on. */
	parted(server: ServerTransaction): PartedUser;
	/** A 2xx to an INVITE that had one before: a repetition, or that of another branch of a fork behind (RFC 6026 §7.2). */
	acceptedAgain(response: SipResponse): void;
}

/** The user of the client transaction of a pair that was parted. */
export interface PartedUser extends ClientTransactionUser {
	/** Called before anything else. */
	sent(client: ClientTransaction): void;
}

/** Where the two sides of a pair are found. */
export interface PairPlace {
	readonly arrival: Connection;
	readonly arrived: ConnectionTransactions;
	readonly key: string;
	readonly mergeKey: string;
	readonly departure: Connection;
	readonly departed: ConnectionTransactions;
	/** The branch of the request as it left. */
	readonly branch: string;
}

/** A request is parted so long before its time is over, so that the machine's timer ends it at the moment it would have. */
const BEFORE_SILENCE_MS = 1_000;
const BEFORE_TRYING_MS = 20;

/**
 * A request of a proxy until its 2xx, and an INVITE for half a minute more: server and client transaction in one (RFC 3261 §16, RFC 6026
 * §7). Made by the transaction layer.
 */
export class RelayedPair implements ServerEntry, ClientEntry, WheelEntry, WheelUser {
	readonly method: string;
	readonly user = this;
	next: WheelEntry | undefined = undefined;
	previous: WheelEntry | undefined = undefined;
	tick = 0;
	/** A pair has no user of its own: it is parted for whoever wants one. */
	readonly handle = undefined;
	readonly toTag = undefined;
	readonly isCancelled = false;
	readonly #context: TransactionContext;
	readonly #place: PairPlace;
	/** Whose request it is. */
	readonly passing: RelayedPairUser;
	readonly #startedAt: number;
	#state: "waiting" | "accepted" | "over" = "waiting";

	constructor(context: TransactionContext, place: PairPlace, method: string, user: RelayedPairUser) {
		invariant(context.timing.reliable, "a pair sends nothing again");
		this.method = method;
		this.#context = context;
		// An INVITE outlives its request by half a minute: the keys were joined, and hold no text that their parts were cut from.
		this.#place = place;
		this.passing = user;
		this.#startedAt = context.clock.now();
	}

	/** Nothing but the request has passed yet. */
	get isWaiting(): boolean {
		return this.#state === "waiting";
	}

	/** Called when the request leaves. */
	start(): void {
		const { arrived, departed, key, mergeKey, branch } = this.#place;
		const { counters, merging, wheel, timing } = this.#context;
		arrived.servers.set(key, this);
		merging.set(mergeKey, this);
		departed.clients.set(branch, this);
		departed.outstanding += 1;
		counters.activeServerTransactions += 1;
		counters.activeClientTransactions += 1;
		const { delayMs } = timing;
		const isInvite = this.method === "INVITE";
		wheel.start(this, isInvite ? delayMs["timer-trying"] - BEFORE_TRYING_MS : delayMs["timer-f"] - BEFORE_SILENCE_MS);
	}

	/** A 2xx is sent on: the first one. */
	accept(): void {
		invariant(this.#state === "waiting", "a pair is accepted once");
		if (this.method !== "INVITE") {
			this.#end();
			return;
		}
		this.#state = "accepted";
		const { arrived, departed } = this.#place;
		departed.outstanding -= 1;
		arrived.accepted += 1;
		// RFC 6026 §7.1, §7.2: Timer L absorbs the INVITE that comes again, Timer M lets further 2xx through; both take as long.
		this.#context.wheel.start(this, this.#context.timing.delayMs["timer-l"]);
	}

	/** Makes the two transactions, and the record ends. */
	part(): { readonly server: ServerRunner; readonly client: ClientEntry } {
		invariant(this.#state === "waiting", "what is accepted is not parted");
		this.#end();
		const { arrival, arrived, key, mergeKey, departure, departed } = this.#place;
		const context = this.#context;
		const elapsedMs = context.clock.now() - this.#startedAt;
		const server = startServer(context, arrived, arrival, this.passing.received(), key, mergeKey, elapsedMs);
		invariant(server.handle !== undefined, "a request without an answer has its user");
		const user = this.passing.parted(server.handle);
		const client = adoptClient(context, departed, departure, this.passing.sent(), user, elapsedMs);
		user.sent(client);
		return { server, client };
	}

	/** The request could not leave, or its connection is lost. */
	transportFailed(): void {
		if (this.isWaiting) this.part().client.transportFailed();
	}

	// ServerEntry.

	repeat(): void {
		// RFC 3261 §17.2.1, §17.2.2: nothing was answered yet that could be repeated; RFC 6026 §7.1: a 2xx is not repeated here.
		this.#context.counters.repeatedRequests += 1;
	}

	acknowledge(): boolean {
		// §17.2.3: before a final response nobody has anything to acknowledge. The ACK of a 2xx goes on.
		return this.isWaiting && this.method === "INVITE";
	}

	markCancelled(): void {}

	connectionClosed(): void {
		if (this.isWaiting) this.part().server.connectionClosed();
	}

	// ClientEntry.

	receive(response: SipResponse): void {
		if (this.isWaiting) this.part().client.receive(response);
		else if (this.#state === "accepted" && response.statusCode >= 200 && response.statusCode < 300) {
			this.passing.acceptedAgain(response);
		}
	}

	// Both.

	discard(): void {
		if (this.#state !== "over") this.#end();
	}

	// WheelUser.

	expired(): void {
		if (this.isWaiting) this.part();
		else this.#end();
	}

	#end(): void {
		const { arrived, departed, key, mergeKey, branch } = this.#place;
		const { counters, merging, wheel } = this.#context;
		if (this.#state === "waiting") departed.outstanding -= 1;
		else arrived.accepted -= 1;
		this.#state = "over";
		wheel.stop(this);
		arrived.servers.delete(key);
		merging.delete(mergeKey);
		departed.clients.delete(branch);
		counters.activeServerTransactions -= 1;
		counters.activeClientTransactions -= 1;
	}
}
