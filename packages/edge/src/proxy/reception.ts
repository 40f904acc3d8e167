/**
 * Takes what arrives on every link, runs the pipeline, and hands a request that passed to whoever it is for: the user agent of
 * hosted users, or the proxy. It owns the transactions of both.
 */
import {
	type Clock,
	type CloseCause,
	type Connection,
	type HeaderInput,
	type Logger,
	type OctetFrame,
	type PlainAnswer,
	type Random,
	type ServerTransaction,
	type SipMessage,
	type SipRequest,
	type SipResponse,
	TransactionLayer,
	type TransactionUser,
} from "@causeway/sip";
import type { FederationUser } from "../federation/federation.ts";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import { createContext, type RequestContext, type Verdict } from "./context.ts";
import type { OpeningPassage } from "./opening-way.ts";
import { runPipeline } from "./pipeline.ts";
import type { ShortPassage } from "./short-way.ts";
import type { StepRules } from "./steps.ts";

export interface AnswerParts {
	readonly code?: string;
	/** For the log, where the code alone does not say it. */
	readonly reason?: string;
	readonly headers?: readonly HeaderInput[];
	readonly toTag?: string;
	/** With the description of what we can do, in the form this peer wants. */
	readonly withCapabilities?: Peer | undefined;
}

/** A message for a hosted user that need not be read. */
export interface KnownPassage {
	readonly kind: "request";
	forward(): void;
}

/** The user agent of hosted users, as the reception sees it. */
export interface HostedUser {
	/** What becomes of a message that need not be read; undefined where it goes the usual way. */
	recognise?(link: Link, frame: OctetFrame): KnownPassage | undefined;
	/** A request that passed every check. */
	accept(context: RequestContext): void;
	/** Answers a request that did not. */
	answer(transaction: ServerTransaction, status: number, parts: AnswerParts): void;
	ack(connection: Connection, request: SipRequest): void;
	/** A CANCEL for an INVITE without final answer. */
	cancel(transaction: ServerTransaction): void;
	strayResponse(connection: Connection, response: SipResponse): void;
	/** The final response to a request has left. */
	answered(transaction: ServerTransaction, statusCode: number): void;
	closed(link: Link, cause: CloseCause): void;
	/** Dialogs on a link. */
	load(link: Link): number;
}

/** The proxy, as the reception sees it. */
export interface RelayUser {
	/** What the proxy does with a message that it need not read; undefined where it goes the usual way. */
	recognise(link: Link, frame: OctetFrame): ShortPassage | OpeningPassage | undefined;
	/** Requests that it sent on a link past the transactions, and that have no final answer yet. */
	outstanding(link: Link): number;
	/** True where the message belongs to a relayed dialog or transaction that is known, and was taken care of. */
	received(link: Link, message: SipMessage): boolean;
	forward(context: RequestContext): void;
	/** False where the ACK is not for the proxy. */
	ack(link: Link, request: SipRequest): boolean;
	/** False where the INVITE is not one of the proxy's. */
	cancel(transaction: ServerTransaction): boolean;
	closed(link: Link): void;
	load(link: Link): number;
}

export interface ReceptionOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly rules: StepRules;
	readonly findLink: (connectionId: number) => Link | undefined;
}

export class Reception implements TransactionUser, FederationUser {
	readonly transactions: TransactionLayer;
	readonly #options: ReceptionOptions;
	#hosted: HostedUser | undefined;
	#relay: RelayUser | undefined;

	constructor(options: ReceptionOptions) {
		this.#options = options;
		const { clock, random, log } = options;
		this.transactions = new TransactionLayer({ clock, random, log, user: this });
	}

	/** Names those who take requests; before that none is taken. */
	serve(hosted: HostedUser, relay?: RelayUser): void {
		this.#hosted = hosted;
		this.#relay = relay;
	}

	get rules(): StepRules {
		return this.#options.rules;
	}

	close(): void {
		this.transactions.close();
	}

	// Toward the federation transport.

	recognise(link: Link, frame: OctetFrame): ShortPassage | OpeningPassage | PlainAnswer | KnownPassage | undefined {
		return (
			this.#hosted?.recognise?.(link, frame) ??
			this.#relay?.recognise(link, frame) ??
			this.transactions.recognise(link.connection, frame)
		);
	}

	received(link: Link, message: SipMessage): void {
		if (this.#relay?.received(link, message) === true) return;
		this.transactions.receive(link.connection, message);
	}

	closed(link: Link, cause: CloseCause): void {
		this.#relay?.closed(link);
		this.transactions.connectionClosed(link.connection);
		this.#hosted?.closed(link, cause);
	}

	load(link: Link): number {
		return (this.#hosted?.load(link) ?? 0) + (this.#relay?.load(link) ?? 0);
	}

	outstanding(link: Link): number {
		return this.transactions.outstanding(link.connection) + (this.#relay?.outstanding(link) ?? 0);
	}

	// TransactionUser.

	request(transaction: ServerTransaction): void {
		const link = this.#options.findLink(transaction.connection.id);
		if (link === undefined) return;
		const context = createContext(transaction, link);
		const verdict = runPipeline(context, this.#options.rules);
		if (verdict instanceof Promise) {
			verdict.then(
				(decided) => {
					// Meanwhile the INVITE may have been cancelled, or the connection lost: what begins now would never end.
					if (!transaction.hasFinal && link.connection.isOpen) this.#decided(context, decided);
				},
				(error: unknown) => {
					this.#options.log.error("request not decided", { method: context.request.method, reason: String(error) });
					this.#hosted?.answer(transaction, 500, { code: "internal" });
				},
			);
		} else {
			this.#decided(context, verdict);
		}
	}

	ack(connection: Connection, request: SipRequest): void {
		const link = this.#options.findLink(connection.id);
		if (link !== undefined && this.#relay?.ack(link, request) === true) return;
		this.#hosted?.ack(connection, request);
	}

	cancel(transaction: ServerTransaction): void {
		if (this.#relay?.cancel(transaction) !== true) this.#hosted?.cancel(transaction);
	}

	strayResponse(connection: Connection, response: SipResponse): void {
		this.#hosted?.strayResponse(connection, response);
	}

	answered(transaction: ServerTransaction, statusCode: number): void {
		this.#hosted?.answered(transaction, statusCode);
	}

	#decided(context: RequestContext, verdict: Verdict): void {
		const { transaction, peer, destination } = context;
		if (verdict.kind === "continue") {
			if (destination.kind === "relay") this.#relay?.forward(context);
			else this.#hosted?.accept(context);
			return;
		}
		const { status, code, reason, headers, withCapabilities } = verdict;
		this.#hosted?.answer(transaction, status, {
			code,
			reason,
			...(headers === undefined ? {} : { headers }),
			...(withCapabilities === true ? { withCapabilities: peer } : {}),
		});
	}
}
