/**
 * Client transactions of requests that are there as octets alone (RFC 3261 §17.1.2). The answer that nearly all of them get repeats the
 * request as RFC 3261 §8.2.6.2 says, octet for octet; such an answer is known by comparing it, and is not read either.
 */
import { HeaderId, LAST_SINGLE_ID } from "../header/names.ts";
import { FIELD_STRIDE, type SipResponse } from "../message/message.ts";
import type { OctetFrame } from "../message/octet-frame.ts";
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
	takesPlain(frame: OctetFrame): boolean {
		if (this.#written === undefined || this.#state === undefined) return false;
		const statusCode = statusOfAnswer(frame);
		if (statusCode === undefined || !repeats(frame, this.#written)) return false;
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
export function branchOfAnswer({ octets, start, fields }: OctetFrame): string | undefined {
	if (!standsAt(octets, start, ACCEPTED, 0, ACCEPTED.length) || fields[0] !== HeaderId.via) return undefined;
	const via = Buffer.prototype.latin1Slice.call(octets, start + (fields[2] as number), start + (fields[3] as number));
	const from = via.indexOf(BRANCH) + BRANCH.length;
	if (from < BRANCH.length || from === via.length) return undefined;
	const semicolon = via.indexOf(";", from);
	return via.slice(from, semicolon < 0 ? via.length : semicolon);
}

/** Status code of a 2xx whose status line is as usual; undefined where it is not. */
function statusOfAnswer({ octets, start }: OctetFrame): number | undefined {
	const at = start + ACCEPTED.length;
	const tens = (octets[at] as number) - 0x30;
	const ones = (octets[at + 1] as number) - 0x30;
	const isStatus = tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 && octets[at + 2] === 0x20;
	return isStatus ? 200 + tens * 10 + ones : undefined;
}

const bitOf = (id: number): number => 1 << (id - 1);
const REPEATED = bitOf(HeaderId.from) | bitOf(HeaderId.to) | bitOf(HeaderId.callId) | bitOf(HeaderId.cseq);

/** Whether the one Via is ours, and From, To, Call-ID and CSeq stand one behind the other as they left. */
function repeats(frame: OctetFrame, { head: sent, via, echo }: WrittenRequest): boolean {
	const { octets, start, headEnd, fields, fieldsLength } = frame;
	let seen = 0;
	for (let at = 0; at + FIELD_STRIDE < fieldsLength; at += FIELD_STRIDE) {
		const id = fields[at] as number;
		if (id === HeaderId.other) continue;
		if (id > LAST_SINGLE_ID) {
			if (id !== HeaderId.via) continue;
			if (at !== 0 || !isOurVia(octets, start + (fields[2] as number), start + (fields[3] as number), via))
				return false;
			continue;
		}
		const bit = bitOf(id);
		if ((seen & bit) !== 0) return false;
		seen |= bit;
		if (id !== HeaderId.from) continue;
		const from = start + (fields[at + 1] as number);
		if (headEnd - from < echo.end - echo.start) return false;
		if (!standsAt(octets, from, sent.text, echo.start, echo.end)) return false;
	}
	return (seen & REPEATED) === REPEATED && !mentionsSips(frame);
}

/** As it left, or with the address that the other end saw (RFC 3261 §18.2.1). */
function isOurVia(octets: Uint8Array, start: number, end: number, via: string): boolean {
	const behind = start + via.length;
	if (behind > end || !standsAt(octets, start, via, 0, via.length)) return false;
	if (behind === end) return true;
	const address = behind + RECEIVED.length;
	if (address >= end || !standsAt(octets, behind, RECEIVED, 0, RECEIVED.length)) return false;
	for (let at = address; at < end; at++) {
		const code = octets[at] as number;
		const isDigit = code >= 0x30 && code <= 0x39;
		if (!isDigit && code !== 0x2e) return false;
	}
	return true;
}

/** Whether the characters of `text` from `from` to `end` stand at `at`. */
function standsAt(octets: Uint8Array, at: number, text: string, from: number, end: number): boolean {
	for (let index = from; index < end; index++) {
		if (octets[at + index - from] !== text.charCodeAt(index)) return false;
	}
	return true;
}
