/** Performs the effects of the two client machines. */
import type { SipRequest, SipResponse } from "../message/message.ts";
import { assertNever, invariant } from "../text/assert.ts";
import { detach } from "../text/octets.ts";
import type { Connection } from "../transport/connection.ts";
import type { ClientRunner, ConnectionTransactions, TransactionContext } from "./context.ts";
import { createCancel, createFailureAck } from "./hop-requests.ts";
import { inviteClient } from "./invite-client.ts";
import { clientTransactionKey, ownBranch } from "./key.ts";
import type { ClientEffect, ClientMachine, Step } from "./machine.ts";
import { nonInviteClient } from "./non-invite-client.ts";
import type { TimerName } from "./timing.ts";
import { TransactionTimers, type TransactionTimersUser } from "./transaction-timers.ts";
import type { ClientFailure, ClientTransactionUser } from "./transaction-user.ts";

/** Nobody waits for the answer to a CANCEL: what counts is the final response of its INVITE (RFC 3261 §9.1). */
const cancelUser: ClientTransactionUser = { response: () => undefined, failed: () => undefined };

/** Registers a client transaction and sends its request. */
export function startClient(
	context: TransactionContext,
	transactions: ConnectionTransactions,
	connection: Connection,
	request: SipRequest,
	user: ClientTransactionUser,
	delayMs = 0,
): ClientRunner {
	const runner = createRunner(context, transactions, connection, request, user);
	runner.start(delayMs);
	return runner;
}

/** Registers the client transaction of a request that was sent `elapsedMs` ago. */
export function adoptClient(
	context: TransactionContext,
	transactions: ConnectionTransactions,
	connection: Connection,
	request: SipRequest,
	user: ClientTransactionUser,
	elapsedMs: number,
): ClientRunner {
	const runner = createRunner(context, transactions, connection, request, user);
	runner.adopt(elapsedMs);
	return runner;
}

function createRunner(
	context: TransactionContext,
	transactions: ConnectionTransactions,
	connection: Connection,
	request: SipRequest,
	user: ClientTransactionUser,
) {
	return request.method === "INVITE"
		? new MachineRunner(context, transactions, connection, request, user, inviteClient)
		: new MachineRunner(context, transactions, connection, request, user, nonInviteClient);
}

class MachineRunner<State extends string, Event extends string, Timer extends TimerName & Event>
	implements ClientRunner, TransactionTimersUser<Timer>
{
	readonly connection: Connection;
	readonly method: string;
	readonly branch: string;
	readonly #context: TransactionContext;
	readonly #transactions: ConnectionTransactions;
	readonly #key: string;
	readonly #user: ClientTransactionUser;
	readonly #machine: ClientMachine<State, Event, Timer>;
	readonly #timers: TransactionTimers<Timer>;
	#state: State | undefined;
	#isTerminated = false;
	/** It has its final response, or will never have one. */
	#isSettled = false;
	#cancelWanted = false;
	/** Kept until the final response. */
	#request: SipRequest | undefined;
	/** Kept while a final response may come again. */
	#ack: SipRequest | undefined;

	constructor(
		context: TransactionContext,
		transactions: ConnectionTransactions,
		connection: Connection,
		request: SipRequest,
		user: ClientTransactionUser,
		machine: ClientMachine<State, Event, Timer>,
	) {
		const key = clientTransactionKey(request);
		invariant(key !== undefined && !transactions.clients.has(key), "each request of ours has a branch of its own");
		this.#context = context;
		this.#transactions = transactions;
		this.connection = connection;
		this.method = request.method;
		// An INVITE's transaction outlives its request by half a minute and must not hold the text of it.
		this.branch = machine.cancelEvent === undefined ? ownBranch(request) : detach(ownBranch(request));
		this.#key = machine.cancelEvent === undefined ? key : this.branch;
		this.#user = user;
		this.#machine = machine;
		this.#timers = new TransactionTimers(context.wheel, context.timing, this);
		this.#request = request;
	}

	get isTerminated(): boolean {
		return this.#isTerminated;
	}

	/** Its timers count from the moment at which the request leaves. */
	start(delayMs: number): void {
		this.#register();
		if (delayMs === 0) this.#begin();
		else {
			this.#context.clock.setTimer(delayMs, () => {
				if (!this.#isTerminated) this.#begin();
			});
		}
	}

	adopt(elapsedMs: number): void {
		this.#register();
		this.#apply(this.#machine.start(this.#context.timing), undefined, elapsedMs);
	}

	#register(): void {
		this.#transactions.clients.set(this.#key, this);
		this.#transactions.outstanding += 1;
		this.#context.counters.activeClientTransactions += 1;
	}

	#begin(): void {
		this.#apply(this.#machine.start(this.#context.timing));
	}

	receive(response: SipResponse): void {
		if (response.statusCode >= 200) this.#settle();
		this.#step(this.#machine.responseEvent(response.statusCode), response);
		if (response.statusCode >= 200) this.#request = undefined;
		// §9.1: the CANCEL waits for the first provisional response.
		else if (this.#cancelWanted) this.cancel();
	}

	cancel(): void {
		const { cancelEvent } = this.#machine;
		if (cancelEvent === undefined) return;
		this.#cancelWanted = true;
		if (this.#state !== undefined) this.#step(cancelEvent);
	}

	transportFailed(): void {
		if (this.#state === undefined) {
			// It has not left yet, and never will.
			this.#end();
			this.#user.failed("transport", this);
			return;
		}
		this.#step("transport-failed");
	}

	timerFired(timer: Timer): void {
		this.#step(timer);
	}

	discard(): void {
		if (!this.#isTerminated) this.#end();
	}

	#step(event: Event | "transport-failed", response?: SipResponse): void {
		invariant(this.#state !== undefined, "a transaction is started before anything happens to it");
		if (this.#isTerminated) return;
		this.#apply(this.#machine.step(this.#state, event, this.#context.timing), response);
	}

	/** `sentMs`: how long ago the request left, where somebody else sent it. */
	#apply(step: Step<State, ClientEffect<Timer>>, response?: SipResponse, sentMs?: number): void {
		this.#state = step.state;
		if (step.state === "terminated") this.#end();
		for (const effect of step.effects) {
			switch (effect.kind) {
				case "start-timer":
				case "stop-timer":
					this.#timers.apply(effect, sentMs);
					break;
				case "send":
					if (sentMs === undefined) this.#send(effect.what, response);
					break;
				case "tell-user":
					this.#tellUser(effect.what, response);
					break;
				default:
					assertNever(effect);
			}
		}
	}

	#send(what: "request" | "ack" | "cancel", response: SipResponse | undefined): void {
		switch (what) {
			case "request":
				if (this.#request !== undefined && !this.connection.send(this.#request)) this.#failSoon();
				return;
			case "ack": {
				if (this.#ack === undefined && this.#request !== undefined && response !== undefined) {
					this.#ack = createFailureAck(this.#request, response);
				}
				if (this.#ack !== undefined && !this.connection.send(this.#ack)) this.#failSoon();
				return;
			}
			case "cancel":
				if (this.#request !== undefined) {
					const cancel = createCancel(this.#request);
					startClient(this.#context, this.#transactions, this.connection, cancel, cancelUser);
				}
				return;
			default:
				assertNever(what);
		}
	}

	#tellUser(what: "response" | ClientFailure, response: SipResponse | undefined): void {
		if (what === "response") {
			invariant(response !== undefined, "a response is at hand when the user is told of it");
			this.#user.response(response, this);
			return;
		}
		if (what === "timeout") this.#context.counters.timeouts += 1;
		this.#user.failed(what, this);
	}

	/** The user hears of a closed connection after `sendRequest` has given it its transaction, never before. */
	#failSoon(): void {
		this.#context.clock.setTimer(0, () => this.transportFailed());
	}

	#settle(): void {
		if (this.#isSettled) return;
		this.#isSettled = true;
		this.#transactions.outstanding -= 1;
	}

	#end(): void {
		this.#isTerminated = true;
		this.#settle();
		this.#timers.stopAll();
		this.#transactions.clients.delete(this.#key);
		this.#context.counters.activeClientTransactions -= 1;
	}
}
