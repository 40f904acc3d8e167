/**
 * The user agent of hosted users: takes requests that passed the pipeline to the dialog or service they belong to, and
 * sends theirs. It holds the dialogs; presence and IM are usages of dialogs (RFC 5057).
 */
import assert from "node:assert/strict";
import {
	type ClientTransaction,
	type ClientTransactionUser,
	type Clock,
	type CloseCause,
	type Connection,
	createResponse,
	type DialogId,
	DialogTable,
	type DialogTableItem,
	findSips,
	type HeaderInput,
	type Logger,
	type OctetFrame,
	parseMessage,
	type Random,
	reasonPhrase,
	requestDialogId,
	type ServerTransaction,
	type SipRequest,
	type SipResponse,
	type TransactionLayer,
	type WrittenRequest,
	type WrittenRequestUser,
} from "@causeway/sip";
import type { Federation, LinkOutcome } from "../federation/federation.ts";
import { type Link, linkName } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import type { ThrottleRules } from "../federation/throttle/throttles.ts";
import type { RequestContext } from "../proxy/context.ts";
import type { AnswerParts, HostedUser, KnownPassage, Reception } from "../proxy/reception.ts";
import { ALLOW_VALUE } from "../proxy/steps.ts";
import { StoreFailed } from "../store/store-failed.ts";
import type { Outside } from "../store/users.ts";
import { AnswerDelay } from "./answer-delay.ts";
import { capabilityBody } from "./capabilities.ts";
import { type KnownMessage, KnownMessages, type KnownMessageUser } from "./known-messages.ts";
import { type LocalIdentity, viaValue } from "./local-identity.ts";
import { refuseOutside } from "./outside-permission.ts";
import { refusalHeaders, refusalReason } from "./refusals.ts";
import { type ContactKeys, type ContactVerdict, SignedContacts } from "./signed-contact.ts";

const noBody = new Uint8Array(0);

/** What lives in a dialog: a message session or a subscription. */
export interface DialogUsage {
	readonly usage: "invite" | "subscribe";
	/** Value of our Contact in the dialog, with its route token; undefined before there is a dialog. */
	readonly localContact: string | undefined;
	/** A request in the dialog, other than ACK. It must be answered. */
	request(transaction: ServerTransaction, link: Link): void;
	/** The ACK to our 2xx. */
	acknowledged(request: SipRequest): void;
	/** A 2xx to our INVITE that came again. */
	repeated(response: SipResponse): void;
	/** The dialog's connection is gone, and the dialog with it (REQ-49). */
	lost(cause: CloseCause): void;
	/** The policy no longer lets the two sides talk (protocol sheet 7.2): NOTIFY with `terminated;reason=rejected`, BYE. */
	rejected(): void;
	/** Takes MESSAGEs that need no reading; undefined where none may come. */
	readonly knownMessages?: KnownMessageUser;
	/** For listings. */
	describe(): DialogDescription;
}

export interface DialogDescription {
	readonly local: string;
	readonly remote: string;
	readonly role: "uac" | "uas";
	readonly state: "early" | "confirmed" | "terminated";
	readonly createdAt: number;
}

/** Where requests outside dialogs go. */
export interface UserAgentServices {
	invite(context: RequestContext): void;
	subscribe(context: RequestContext): void;
	/** A verified request in a dialog that is not here: adds the dialog where it was kept for this peer (`affinity = "rebind"`). */
	revive(context: RequestContext, id: DialogId): void;
	/** A NOTIFY that overtook the 2xx to our SUBSCRIBE; false where nobody waits for it. */
	earlyNotify(transaction: ServerTransaction, link: Link): boolean;
}

export interface UserAgentOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly identity: () => LocalIdentity;
	readonly reception: Reception;
	readonly federation: () => Pick<Federation, "findLink" | "linkTo">;
	/** Whether a peer may not learn which of our users exist: its first requests wait a random moment (REQ-91). */
	readonly hidesUsersFrom: (peer: Peer) => boolean;
	/** Whom outside one of our users may talk with. */
	readonly outsideOf: (user: string) => Outside;
	/** Ceilings of peers; undefined where there are none. */
	readonly throttles?: (ThrottleRules & { answered(link: Link, statusCode: number): void }) | undefined;
	/** Milliseconds that our next request on this link waits; undefined where none does. */
	readonly paceMs?: ((link: Link) => number) | undefined;
	/** What signs our Contacts and verifies what comes back. */
	readonly keys: ContactKeys;
	/** Counts a request whose route token was refused, an ACK among them. */
	readonly tokenRefused: (code: Extract<ContactVerdict, { ok: false }>["code"]) => void;
	/** Counts a request that was answered: method, status, and why it was refused. */
	readonly counted: (method: string, status: number, code: string) => void;
}

export class UserAgent implements HostedUser {
	readonly transactions: TransactionLayer;
	readonly dialogs = new DialogTable<DialogUsage>();
	/** Our Contacts, by which what comes in a dialog is known. */
	readonly contacts: SignedContacts;
	readonly #options: UserAgentOptions;
	readonly #delay: AnswerDelay;
	readonly #known: KnownMessages;
	#services: UserAgentServices | undefined;
	#isDraining = false;

	constructor(options: UserAgentOptions) {
		this.#options = options;
		this.#delay = new AnswerDelay(options.clock, options.random);
		this.contacts = new SignedContacts(options.keys, options.identity, options.random);
		this.transactions = options.reception.transactions;
		const { bind, hostedDomains } = options.reception.rules;
		this.#known = new KnownMessages({
			ownSentBy: () => `${options.identity().fqdn}:${options.identity().port}`,
			seed: options.random.below(0x4000_0000),
			keys: options.keys,
			bind,
			isHosted: (domain) => hostedDomains.has(domain),
		});
	}

	/** Names the services; before that every request outside a dialog is answered 503. */
	start(services: UserAgentServices): void {
		this.#services = services;
	}

	/** Refuses new dialogs from here on. */
	drain(): void {
		this.#isDraining = true;
	}

	// HostedUser.

	recognise(link: Link, frame: OctetFrame): KnownPassage | undefined {
		return this.#known.recognise(link, frame);
	}

	closed(link: Link, cause: CloseCause): void {
		this.#known.forget(link);
		for (const { entry } of this.dialogs.removeConnection(link.connection.id)) entry.lost(cause);
	}

	load(link: Link): number {
		return this.dialogs.countOnConnection(link.connection.id);
	}

	// Sending.

	/** Via for a new request of ours. */
	createVia(): string {
		return this.viaOf(this.transactions.createBranch());
	}

	/** The same with a branch that was made for it. */
	viaOf(branch: string): string {
		return viaValue(this.#options.identity(), branch);
	}

	/** A link for what `user` wants to open with somebody of this domain; not where the tried ones lead. */
	linkTo(domain: string, user: string, tried: ReadonlySet<Link> = new Set()): Promise<LinkOutcome> {
		const { federation, outsideOf } = this.#options;
		return federation().linkTo(domain, (peer) => refuseOutside(user, outsideOf(user), peer), tried);
	}

	send(link: Link, request: SipRequest, user: ClientTransactionUser): ClientTransaction {
		link.requestsOut += 1;
		return this.transactions.sendRequest(link.connection, request, user, this.#options.paceMs?.(link));
	}

	/** The same for a request that was written in its dialog, under a Via of {@link viaOf}. */
	sendWritten(link: Link, request: WrittenRequest, user: WrittenRequestUser): ClientTransaction {
		link.requestsOut += 1;
		return this.transactions.sendWritten(link.connection, request, user, this.#options.paceMs?.(link));
	}

	/** Answers a request: `toTag` is made where the request starts no dialog and has no tag yet. */
	answer(transaction: ServerTransaction, status: number, parts: AnswerParts = {}): void {
		const { request } = transaction;
		const { code = "answered" } = parts;
		this.#options.counted(request.method, status, code);
		if (status >= 400) this.#logRefusal(transaction, status, code, parts.reason ?? refusalReason(code));
		const body =
			parts.withCapabilities && capabilityBody(this.#options.identity(), this.#options.random, parts.withCapabilities);
		transaction.respond(
			createResponse(request, status, {
				...(request.to.tag === undefined ? { toTag: parts.toTag ?? this.#options.random.token() } : {}),
				headers: [...(parts.headers ?? []), ...refusalHeaders(code, status)],
				...(body === undefined ? {} : { contentType: "application/sdp", body }),
			}),
		);
	}

	/** The same for a MESSAGE that was not read, and is taken. */
	acceptKnown({ link, answerHead }: KnownMessage, status: 200 | 202, code: string): void {
		this.#options.counted("MESSAGE", status, code);
		const text = `SIP/2.0 ${status} ${reasonPhrase(status)}\r\n${answerHead}`;
		link.connection.send({ head: { text }, body: noBody });
	}

	/** The same where it could not be taken: it is read now. */
	refuseKnown({ link, frame }: KnownMessage, status: number, code: string, headers: readonly HeaderInput[]): void {
		const outcome = parseMessage(frame);
		assert(outcome.ok && outcome.message.kind === "request", "what was known reads as a request");
		this.#options.counted("MESSAGE", status, code);
		const response = createResponse(outcome.message, status, {
			headers: [...headers, ...refusalHeaders(code, status)],
		});
		link.connection.send(response);
	}

	#logRefusal({ connection, request }: ServerTransaction, status: number, code: string, reason?: string): void {
		const link = this.#options.federation().findLink(connection.id);
		this.#options.log.info("request refused", {
			method: request.method,
			peer: link && linkName(link),
			status,
			code,
			reason,
			callId: request.callId,
		});
	}

	accept(context: RequestContext): void {
		if (context.request.to.tag === undefined) this.#outsideDialog(context);
		else this.#insideDialog(context);
	}

	answered(transaction: ServerTransaction, statusCode: number): void {
		const { throttles } = this.#options;
		if (throttles === undefined || transaction.request.to.tag !== undefined) return;
		const link = this.#options.federation().findLink(transaction.connection.id);
		if (link !== undefined) throttles.answered(link, statusCode);
	}

	ack(connection: Connection, request: SipRequest): void {
		const id = requestDialogId(request);
		const item = id && this.dialogs.find(id);
		// REQ-48, REQ-52: an ACK cannot be refused, so what would be is not there.
		if (item?.connectionId !== connection.id || findSips(request) !== undefined) return;
		const network = this.#options.federation().findLink(connection.id)?.network;
		const verdict = this.contacts.verify(request, network ?? "", item.entry.localContact);
		if (verdict.ok) item.entry.acknowledged(request);
		else this.#options.tokenRefused(verdict.code);
	}

	cancel(transaction: ServerTransaction): void {
		if (!transaction.hasFinal) this.answer(transaction, 487, { code: "cancelled" });
	}

	strayResponse(connection: Connection, response: SipResponse): void {
		const id: DialogId = {
			callId: response.callId,
			localTag: response.from.tag ?? "",
			remoteTag: response.to.tag ?? "",
		};
		const item = this.dialogs.find(id);
		if (item?.connectionId === connection.id) item.entry.repeated(response);
	}

	#insideDialog(context: RequestContext): void {
		const { transaction, request, link } = context;
		const id = requestDialogId(request);
		let item = id && this.dialogs.find(id);
		const verdict = this.contacts.verify(request, context.peer?.name ?? "", item?.entry.localContact);
		if (!verdict.ok) {
			this.#refuseToken(context, verdict, item);
			return;
		}
		if (item === undefined && id !== undefined && !this.#isDraining) {
			this.#services?.revive(context, id);
			item = this.dialogs.find(id);
		}
		if (item === undefined) {
			if (request.method === "NOTIFY" && this.#services?.earlyNotify(transaction, link) === true) return;
			this.answer(transaction, 481, { code: "no-dialog" });
			return;
		}
		if (item.connectionId !== link.connection.id) {
			const own = this.#options.federation().findLink(item.connectionId);
			const mayMove = context.peer?.affinity === "rebind" && (own === undefined || own.network === link.network);
			if (!mayMove) {
				// Connection affinity (REQ-48): a dialog's messages stay on its connection.
				this.answer(transaction, 481, { code: "other-connection" });
				return;
			}
			this.dialogs.pin(item.id, link.connection.id);
		}
		const { knownMessages } = item.entry;
		if (knownMessages !== undefined && context.peer !== undefined) {
			this.#known.passed(request, link, context.peer, knownMessages);
		}
		item.entry.request(transaction, link);
	}

	/** REQ-62, REQ-63: what cannot be verified is refused; a dialog of ours that is too old ends here too. */
	#refuseToken(
		{ transaction, request, link }: RequestContext,
		verdict: Extract<ContactVerdict, { ok: false }>,
		item: DialogTableItem<DialogUsage> | undefined,
	): void {
		const { log, tokenRefused } = this.#options;
		const { status, code, detail, isOver } = verdict;
		tokenRefused(code);
		const isForged = status === 403;
		log[isForged ? "warn" : "info"](isForged ? "forged route token refused" : "route token refused", {
			method: request.method,
			peer: linkName(link),
			code,
			reason: detail,
			callId: request.callId,
		});
		this.answer(transaction, status, { code });
		if (!isOver || item?.connectionId !== link.connection.id) return;
		this.dialogs.remove(item.id);
		item.entry.lost({ by: "us", reason: "the dialog is too old" });
	}

	#beginDialog(context: RequestContext, services: UserAgentServices): void {
		const { transaction, link } = context;
		if (this.dialogs.countOnConnection(link.connection.id) >= MOST_DIALOGS_PER_CONNECTION) {
			this.answer(transaction, 503, { code: "too-many-dialogs", headers: [["Retry-After", "60"]] });
			return;
		}
		if (context.peer === undefined || !this.#options.hidesUsersFrom(context.peer)) {
			this.#serve(context, services);
			return;
		}
		const isKept = this.#delay.after(context.peer.name, () => {
			// Meanwhile it may have been cancelled, the connection lost, or this edge told to stop.
			if (transaction.hasFinal || !link.connection.isOpen) return;
			if (this.#isDraining) this.answer(transaction, 503, { code: "draining", headers: [["Retry-After", "30"]] });
			else this.#serve(context, services);
		});
		if (!isKept) this.answer(transaction, 503, { code: "too-many-waiting", headers: [["Retry-After", "10"]] });
	}

	#serve(context: RequestContext, services: UserAgentServices): void {
		const { transaction, request } = context;
		try {
			if (request.method === "INVITE") services.invite(context);
			else services.subscribe(context);
		} catch (error) {
			if (!(error instanceof StoreFailed)) throw error;
			// The disk's fault is nobody's bug: this request fails, and the others go on.
			this.#options.log.error("request not served: the store does not read", { reason: error.message });
			if (!transaction.hasFinal) {
				this.answer(transaction, 503, { code: "store-failed", headers: [["Retry-After", "60"]] });
			}
		}
	}

	#outsideDialog(context: RequestContext): void {
		const { transaction, request } = context;
		const services = this.#services;
		if (services === undefined || (this.#isDraining && request.method !== "OPTIONS")) {
			this.answer(transaction, 503, { code: "draining", headers: [["Retry-After", "30"]] });
			return;
		}
		switch (request.method) {
			case "INVITE":
			case "SUBSCRIBE":
				this.#beginDialog(context, services);
				break;
			case "OPTIONS":
				this.answer(transaction, 200, {
					code: "options",
					// RFC 3261 §20.17: whoever asks learns whether the two clocks agree.
					headers: [...capabilityHeaders, ["Date", new Date(this.#options.clock.wall()).toUTCString()]],
					withCapabilities: context.peer,
				});
				break;
			case "MESSAGE":
				// REQ-53: page mode is refused with what we can do instead, and never delivered.
				this.answer(transaction, 488, {
					code: "page-mode",
					headers: [
						["Warning", `399 ${this.#options.identity().fqdn} "Messages need a session: INVITE with m=message"`],
					],
					withCapabilities: context.peer,
				});
				break;
			default:
				this.answer(transaction, 481, { code: "no-dialog" });
		}
	}
}

/** Dialogs that one connection may have: far more than a partner needs, and less than hurts the others. */
export const MOST_DIALOGS_PER_CONNECTION = 100_000;

const capabilityHeaders: readonly HeaderInput[] = [
	["Allow", ALLOW_VALUE],
	["Accept", "application/sdp"],
	["Allow-Events", "presence"],
];
