/** Our answers to the INVITE and the re-INVITEs of the other side (RFC 3261 §13.3, §14.2). */
import assert from "node:assert/strict";
import {
	chooseMessageLine,
	createAnswer,
	createResponse,
	type Describer,
	formatSdp,
	type HeaderInput,
	type Random,
	RetransmitUntilAck,
	type Sdp,
	type SdpMedia,
	type ServerTransaction,
} from "@causeway/sip";
import type { Peer } from "../federation/peers.ts";
import { ALLOW_VALUE } from "../proxy/steps.ts";
import type { SignedContact } from "../ua/signed-contact.ts";
import type { UserAgent } from "../ua/user-agent.ts";

export interface InviteAnswersOptions {
	readonly random: Random;
	readonly agent: UserAgent;
}

export interface InviteAnswersParts {
	readonly peer: Peer;
	readonly describer: Describer;
	/** Whether the connection of the dialog is open. */
	readonly isConnected: () => boolean;
	/** 64·T1 have passed since a 200, and no ACK has come. */
	readonly unacknowledged: () => void;
}

export class InviteAnswers {
	readonly #options: InviteAnswersOptions;
	readonly #parts: InviteAnswersParts;
	#offered:
		| {
				readonly transaction: ServerTransaction;
				readonly toTag: string;
				readonly offer: Sdp;
				readonly chosen: SdpMedia;
				readonly headers: readonly HeaderInput[];
		  }
		| undefined;
	#reoffered:
		| {
				readonly transaction: ServerTransaction;
				readonly offer: Sdp;
				readonly headers: readonly HeaderInput[];
		  }
		| undefined;
	/** Ours in this dialog; undefined before there is one. */
	#contact: SignedContact | undefined;
	#retransmission: RetransmitUntilAck | undefined;

	constructor(options: InviteAnswersOptions, parts: InviteAnswersParts) {
		this.#options = options;
		this.#parts = parts;
	}

	/** Our Contact in the dialog: the same in every answer. */
	signed(contact: SignedContact): void {
		this.#contact = contact;
	}

	/** The INVITE that waits for its answer, the tag of our To, the line of its offer that we speak, and more headers of a 200. */
	offered(
		transaction: ServerTransaction,
		toTag: string,
		offer: Sdp,
		chosen: SdpMedia,
		headers: readonly HeaderInput[],
	): void {
		this.#offered = { transaction, toTag, offer, chosen, headers };
	}

	reoffered(transaction: ServerTransaction, offer: Sdp, headers: readonly HeaderInput[]): void {
		this.#reoffered = { transaction, offer, headers };
	}

	answerInvite(statusCode: number): void {
		const offered = this.#offered;
		if (offered === undefined) return;
		this.#offered = undefined;
		const { transaction, toTag, offer, chosen, headers } = offered;
		if (statusCode === 200) this.#accept(transaction, offer, chosen, { toTag, recordRoute: true }, headers);
		else this.#options.agent.answer(transaction, statusCode, { code: "declined", toTag });
	}

	answerReinvite(statusCode: number): void {
		const { agent, random } = this.#options;
		const reoffered = this.#reoffered;
		if (reoffered === undefined) return;
		this.#reoffered = undefined;
		const { transaction, offer, headers } = reoffered;
		if (statusCode === 200) {
			this.#accept(transaction, offer, chooseMessageLine(offer), {}, headers);
		} else if (statusCode === 500) {
			agent.answer(transaction, 500, {
				code: "reinvite-overlap",
				headers: [["Retry-After", String(random.below(11))]],
			});
		} else {
			agent.answer(transaction, statusCode, {
				code: "reinvite-refused",
				...(statusCode === 488 ? { withCapabilities: this.#parts.peer } : {}),
			});
		}
	}

	/** The ACK has come, or the session is over. */
	stopSending(): void {
		this.#retransmission?.close();
		this.#retransmission = undefined;
	}

	/** Sends a 200 with our answer, again and again until its ACK comes (RFC 3261 §13.3.1.4). */
	#accept(
		transaction: ServerTransaction,
		offer: Sdp,
		chosen: SdpMedia | undefined,
		parts: { readonly toTag?: string; readonly recordRoute?: boolean },
		headers: readonly HeaderInput[],
	): void {
		const { agent } = this.#options;
		const { describer, isConnected, unacknowledged } = this.#parts;
		const contact = this.#contact;
		assert(contact !== undefined, "an INVITE is answered in a dialog of ours");
		const response = createResponse(transaction.request, 200, {
			...parts,
			headers: [["Contact", contact.value], ["Allow", ALLOW_VALUE], ...headers],
			contentType: "application/sdp",
			body: formatSdp(createAnswer(offer, chosen, contact.uri, describer)),
		});
		transaction.respond(response);
		this.stopSending();
		this.#retransmission = new RetransmitUntilAck(agent.transactions.wheel, agent.transactions.timing, {
			// Whether or not it could be sent again, the time limit ends the wait; a lost connection ends it sooner.
			sendAgain: () => transaction.respond(response) || isConnected(),
			unacknowledged,
		});
		this.#retransmission.start();
	}
}
