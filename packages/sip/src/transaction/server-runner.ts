/** Performs the effects of the two server machines. */
import { createResponse } from "../message/build.ts";
import type { SipRequest, SipResponse } from "../message/message.ts";
import { assertNever, invariant } from "../text/assert.ts";
import type { Connection } from "../transport/connection.ts";
import type { ConnectionTransactions, ServerRunner, TransactionContext } from "./context.ts";
import { inviteServer } from "./invite-server.ts";
import { acknowledges } from "./key.ts";
import type { ServerEffect, ServerMachine, Step } from "./machine.ts";
import { nonInviteServer } from "./non-invite-server.ts";
import type { TimerName } from "./timing.ts";
import { TransactionTimers, type TransactionTimersUser } from "./transaction-timers.ts";
import type { ServerTransaction } from "./transaction-user.ts";

/** Registers a server transaction, whose request came `elapsedMs` ago; the caller tells its user. */
export function startServer(
	context: TransactionContext,
	transactions: ConnectionTransactions,
	connection: Connection,
	request: SipRequest,
	key: string,
	mergeKey: string | undefined,
	elapsedMs = 0,
): ServerRunner {
	const runner =
		request.method === "INVITE"
			? new MachineRunner(context, transactions, connection, request, key, mergeKey, inviteServer)
			: new MachineRunner(context, transactions, connection, request, key, mergeKey, nonInviteServer);
	runner.start(elapsedMs);
	return runner;
}

/** What the user holds. Apart from the runner, so that the runner can outlive the request. */
class Handle implements ServerTransaction {
	readonly request: SipRequest;
	readonly connection: Connection;
	attachment: object | undefined = undefined;
	readonly #runner: ServerRunner;

	constructor(request: SipRequest, connection: Connection, runner: ServerRunner) {
		this.request = request;
		this.connection = connection;
		this.#runner = runner;
	}

	get hasFinal(): boolean {
		return this.#runner.hasFinal;
	}

	get isCancelled(): boolean {
		return this.#runner.isCancelled;
	}

	respond(response: SipResponse): boolean {
		return this.#runner.respond(response);
	}
}

class MachineRunner<State extends string, Event extends string, Timer extends TimerName & Event>
	implements ServerRunner, TransactionTimersUser<Timer>
{
	readonly #context: TransactionContext;
	readonly #transactions: ConnectionTransactions;
	readonly #connection: Connection;
	readonly #key: string;
	readonly #mergeKey: string | undefined;
	readonly #machine: ServerMachine<State, Event, Timer>;
	readonly #timers: TransactionTimers<Timer>;
	#handle: ServerTransaction | undefined;
	#state: State;
	#hasFinal = false;
	#isCancelled = false;
	#isTerminated = false;
	#connectionClosed = false;
	#last: SipResponse | undefined;

	constructor(
		context: TransactionContext,
		transactions: ConnectionTransactions,
		connection: Connection,
		request: SipRequest,
		key: string,
		mergeKey: string | undefined,
		machine: ServerMachine<State, Event, Timer>,
	) {
		this.#context = context;
		this.#transactions = transactions;
		this.#connection = connection;
		this.#key = key;
		this.#mergeKey = mergeKey;
		this.#machine = machine;
		this.#timers = new TransactionTimers(context.wheel, context.timing, this);
		this.#handle = new Handle(request, connection, this);
		this.#state = machine.start(context.timing).state;
	}

	get handle(): ServerTransaction | undefined {
		return this.#handle;
	}

	get hasFinal(): boolean {
		return this.#hasFinal;
	}

	get isCancelled(): boolean {
		return this.#isCancelled;
	}

	get toTag(): string | undefined {
		return this.#last?.to.tag;
	}

	start(elapsedMs: number): void {
		this.#transactions.servers.set(this.#key, this);
		if (this.#mergeKey !== undefined) this.#context.merging.set(this.#mergeKey, this);
		this.#context.counters.activeServerTransactions += 1;
		this.#apply(this.#machine.start(this.#context.timing), undefined, undefined, elapsedMs);
	}

	respond(response: SipResponse): boolean {
		if (this.#connectionClosed) {
			// REQ-59, REQ-60: a response never makes us dial.
			this.#context.counters.droppedResponses += 1;
			return false;
		}
		const event = this.#machine.respondEvent(response.statusCode);
		const handle = this.#hasFinal ? undefined : this.#handle;
		const sent = this.#step(event, response);
		if (handle !== undefined && response.statusCode >= 200) this.#context.user.answered?.(handle, response.statusCode);
		return sent;
	}

	repeat(): void {
		this.#context.counters.repeatedRequests += 1;
		this.#step("request-again");
	}

	acknowledge(ack: SipRequest): boolean {
		const { ackEvent } = this.#machine;
		if (ackEvent === undefined) return false;
		if (this.#hasFinal && this.#last !== undefined && !acknowledges(ack, this.#last)) return false;
		this.#step(ackEvent, undefined, ack);
		return true;
	}

	markCancelled(): void {
		this.#isCancelled = true;
	}

	connectionClosed(): void {
		this.#connectionClosed = true;
		this.#step("connection-closed");
	}

	discard(): void {
		if (!this.#isTerminated) this.#end();
	}

	timerFired(timer: Timer): void {
		this.#step(timer);
	}

	/** True where a response left. */
	#step(
		event: Event | "request-again" | "transport-failed" | "connection-closed",
		response?: SipResponse,
		ack?: SipRequest,
	): boolean {
		if (this.#isTerminated) return false;
		return this.#apply(this.#machine.step(this.#state, event, this.#context.timing), response, ack);
	}

	#apply(
		step: Step<State, ServerEffect<Timer>>,
		response?: SipResponse,
		ack?: SipRequest,
		elapsedMs?: number,
	): boolean {
		if (step.state === "accepted" && this.#state !== step.state) this.#transactions.accepted += 1;
		else if (this.#state === "accepted" && this.#state !== step.state) this.#transactions.accepted -= 1;
		this.#state = step.state;
		if (step.state === "terminated") this.#end();
		let sent = false;
		for (const effect of step.effects) {
			switch (effect.kind) {
				case "start-timer":
				case "stop-timer":
					this.#timers.apply(effect, elapsedMs);
					break;
				case "send":
					sent = this.#send(effect.what, response);
					break;
				case "tell-user":
					this.#tellUser(effect.what, ack);
					break;
				default:
					assertNever(effect);
			}
		}
		return sent;
	}

	#send(what: "response" | "last" | "trying", response: SipResponse | undefined): boolean {
		switch (what) {
			case "response":
				invariant(response !== undefined, "a response is at hand when it is sent");
				if (response.statusCode >= 200) {
					this.#hasFinal = true;
					this.#handle = undefined;
				}
				this.#last = this.#machine.keepsLast(this.#state) ? response : undefined;
				return this.#transmit(response);
			case "last":
				return this.#last !== undefined && this.#transmit(this.#last);
			case "trying": {
				if (this.#handle === undefined) return false;
				const trying = createResponse(this.#handle.request, 100);
				this.#last = trying;
				return this.#transmit(trying);
			}
			default:
				return assertNever(what);
		}
	}

	#transmit(response: SipResponse): boolean {
		if (this.#connection.send(response)) return true;
		this.#context.counters.droppedResponses += 1;
		this.#step("transport-failed");
		return false;
	}

	#tellUser(what: "ack" | "unacknowledged" | "unanswered", ack: SipRequest | undefined): void {
		switch (what) {
			case "ack":
				invariant(ack !== undefined, "an ACK is at hand when the user is told of it");
				this.#context.user.ack(this.#connection, ack);
				return;
			case "unacknowledged":
				this.#context.counters.unacknowledgedResponses += 1;
				return;
			case "unanswered":
				this.#answerForUser();
				return;
			default:
				assertNever(what);
		}
	}

	#answerForUser(): void {
		if (this.#handle === undefined) return;
		const { request } = this.#handle;
		this.#context.counters.unansweredRequests += 1;
		this.#context.log?.error("transaction user did not answer", { method: request.method, callId: request.callId });
		const toTag = this.toTag ?? this.#context.random.token();
		this.respond(createResponse(request, 500, { toTag }));
	}

	#end(): void {
		this.#isTerminated = true;
		this.#handle = undefined;
		this.#timers.stopAll();
		this.#transactions.servers.delete(this.#key);
		if (this.#mergeKey !== undefined) this.#context.merging.delete(this.#mergeKey);
		this.#context.counters.activeServerTransactions -= 1;
	}
}
