/**
 * Client transactions of requests that are there as octets alone (RFC 3261 §17.1.2). The answer that nearly all of them get repeats the
 * request as RFC 3261 §8.2.6.2 says, octet for octet; such an answer is known by comparing it, and is not read either.
 */
import { HeaderId, LAST_SINGLE_ID } from "../header/names.ts";
import { FIELD_STRIDE, type MessageHead, type SipResponse } from "../message/message.ts";
import { mentionsSips } from "../message/sips-check.ts";
import type { WrittenRequest } from "../message/written-request.ts";
import { assertNever, invariant } from "../text/assert.ts";
import type { Connection } from "../transport/connection.ts";
import type { ClientRunner, ConnectionTransactions, TransactionContext } from "./context.ts";
import type { ClientEffect, Step } from "./machine.ts";
import { type Event, nonInviteClient, type State, type Timer } from "./non-invite-client.ts";
import { TransactionTimers, type TransactionTimersUser } from "./transaction-timers.ts";
import type { ClientFailure } from "./transaction-user.ts";

/** The user of a request that was written: it gets one call, with the final response or without. */
export interface WrittenRequestUser {
	/** A 2xx that repeats the request as it must, and was not read. */
	accepted(statusCode: number): void;
	/** Any other response, as {@link ClientTransactionUser}. */
	response(response: SipResponse): void;
	failed(failure: ClientFailure): void;
}

/** An answer that was recognised and not told to the user yet. */
export interface PlainAnswer {
	readonly kind: "response";
	forward(): void;
}

export class WrittenClient implements ClientRunner, PlainAnswer, TransactionTimersUser<Timer> {
	readonly connection: Connection;
	readonly method: string;
	readonly branch: string;
	readonly #context: TransactionContext;
	readonly #transactions: ConnectionTransactions;
	readonly #user: WrittenRequestUser;
	readonly #timers: TransactionTimers<Timer>;
	/** Undefined before it has left. */
	#state: State | undefined;
	#isTerminated = false;
	/** It has its final response, or will never have one. */
	#isSettled = false;
	/** Kept until then. */
	#written: WrittenRequest | undefined;
	/** Status of the answer that needs no reading. */
	#accepted = 0;

	/** Registers the transaction and sends its request. */
	constructor(
		context: TransactionContext,
		transactions: ConnectionTransactions,
		connection: Connection,
		written: WrittenRequest,
		user: WrittenRequestUser,
		delayMs: number,
	) {
		const { method, branch } = written;
		this.connection = connection;
		this.method = method;
		this.branch = branch;
		this.#context = context;
		this.#transactions = transactions;
		this.#user = user;
		this.#timers = new TransactionTimers(context.wheel, context.timing, this);
		this.#written = written;
		invariant(transactions.clients.add(branch, this), "each request of ours has a branch of its own");
		transactions.outstanding += 1;
		context.counters.activeClientTransactions += 1;
		if (delayMs === 0) this.#begin();
		else {
			context.clock.setTimer(delayMs, () => {
				if (!this.#isTerminated) this.#begin();
			});
		}
	}

	get isTerminated(): boolean {
		return this.#isTerminated;
	}

	get kind(): "response" {
		return "response";
	}

	/** Whether a response with our branch is a 2xx that needs no reading; it is at hand for {@link forward} then. */
	takesPlain(head: MessageHead): boolean {
		if (this.#written === undefined || this.#state === undefined) return false;
		const statusCode = statusOfAnswer(head);
		if (statusCode === undefined || !repeats(head, this.#written)) return false;
		this.#accepted = statusCode;
		return true;
	}

	/** Tells the user of the answer at hand. */
	forward(): void {
		this.#settle();
		this.#step("final");
	}

	receive(response: SipResponse): void {
		const { statusCode } = response;
		if (statusCode >= 200) this.#settle();
		this.#step(statusCode >= 200 ? "final" : "provisional", response);
	}

	/** What is no INVITE cannot be cancelled (RFC 3261 §9.1). */
	cancel(): void {}

	transportFailed(): void {
		if (this.#state === undefined) {
			// It has not left yet, and never will.
			this.#end();
			this.#user.failed("transport");
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

	#begin(): void {
		this.#apply(nonInviteClient.start(this.#context.timing));
	}

	#step(event: Event, response?: SipResponse): void {
		invariant(this.#state !== undefined, "a transaction is started before anything happens to it");
		if (this.#isTerminated) return;
		this.#apply(nonInviteClient.step(this.#state, event, this.#context.timing), response);
	}

	#apply(step: Step<State, ClientEffect<Timer>>, response?: SipResponse): void {
		this.#state = step.state;
		if (step.state === "terminated") this.#end();
		for (const effect of step.effects) {
			switch (effect.kind) {
				case "start-timer":
				case "stop-timer":
					this.#timers.apply(effect);
					break;
				case "send":
					if (this.#written !== undefined && !this.connection.send(this.#written)) this.#failSoon();
					break;
				case "tell-user":
					this.#tellUser(effect.what, response);
					break;
				default:
					assertNever(effect);
			}
		}
	}

	#tellUser(what: "response" | ClientFailure, response: SipResponse | undefined): void {
		if (what === "response") {
			if (response === undefined) this.#user.accepted(this.#accepted);
			else this.#user.response(response);
			return;
		}
		if (what === "timeout") this.#context.counters.timeouts += 1;
		this.#user.failed(what);
	}

	/** The user hears of a closed connection after `sendWritten` has returned, never before. */
	#failSoon(): void {
		this.#context.clock.setTimer(0, () => this.transportFailed());
	}

	#settle(): void {
		if (this.#isSettled) return;
		this.#isSettled = true;
		this.#written = undefined;
		this.#transactions.outstanding -= 1;
	}

	#end(): void {
		this.#isTerminated = true;
		this.#settle();
		this.#timers.stopAll();
		this.#transactions.clients.delete(this.branch);
		this.#context.counters.activeClientTransactions -= 1;
	}
}

const BRANCH = ";branch=";
const ACCEPTED = "SIP/2.0 2";
const RECEIVED = ";received=";

/** The branch in the first field of a 2xx, where that is a Via; undefined where a response is to be read. */
export function branchOfAnswer({ text, fields }: MessageHead): string | undefined {
	if (!text.startsWith(ACCEPTED) || fields[0] !== HeaderId.via) return undefined;
	const end = fields[3] as number;
	const start = text.indexOf(BRANCH, fields[2]) + BRANCH.length;
	if (start < BRANCH.length || start >= end) return undefined;
	const semicolon = text.indexOf(";", start);
	return text.slice(start, semicolon < 0 || semicolon > end ? end : semicolon);
}

/** Status code of a 2xx whose status line is as usual; undefined where it is not. */
function statusOfAnswer({ text }: MessageHead): number | undefined {
	const tens = text.charCodeAt(ACCEPTED.length) - 0x30;
	const ones = text.charCodeAt(ACCEPTED.length + 1) - 0x30;
	if (!(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9) || text.charCodeAt(ACCEPTED.length + 2) !== 0x20) {
		return undefined;
	}
	return 200 + tens * 10 + ones;
}

const bitOf = (id: number): number => 1 << (id - 1);
const REPEATED = bitOf(HeaderId.from) | bitOf(HeaderId.to) | bitOf(HeaderId.callId) | bitOf(HeaderId.cseq);

/** Whether the one Via is ours, and From, To, Call-ID and CSeq stand one behind the other as they left. */
function repeats(head: MessageHead, { head: sent, via, echo }: WrittenRequest): boolean {
	const { text, fields } = head;
	let seen = 0;
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		if (id > LAST_SINGLE_ID) {
			if (id !== HeaderId.via) continue;
			if (at !== 0 || !isOurVia(text.slice(fields[2], fields[3]), via)) return false;
			continue;
		}
		const bit = bitOf(id);
		if ((seen & bit) !== 0) return false;
		seen |= bit;
		if (id !== HeaderId.from) continue;
		const start = fields[at + 1] as number;
		const { text: own } = sent;
		if (text.slice(start, start + echo.end - echo.start) !== own.slice(echo.start, echo.end)) return false;
	}
	return (seen & REPEATED) === REPEATED && !mentionsSips(head);
}

/** As it left, or with the address that the other end saw (RFC 3261 §18.2.1). */
function isOurVia(value: string, via: string): boolean {
	if (!value.startsWith(via)) return false;
	if (value.length === via.length) return true;
	if (!value.startsWith(RECEIVED, via.length)) return false;
	for (let at = via.length + RECEIVED.length; at < value.length; at++) {
		const code = value.charCodeAt(at);
		const isDigit = code >= 0x30 && code <= 0x39;
		if (!isDigit && code !== 0x2e) return false;
	}
	return value.length > via.length + RECEIVED.length;
}
