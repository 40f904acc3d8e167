/** One message session: an INVITE dialog in which MESSAGEs flow (REQ-24 to REQ-33). The rules are the machine's; this performs them. */
import {
	applyTargetRefresh,
	type ClientTransaction,
	type ClientTransactionUser,
	type Clock,
	type CloseCause,
	chooseMessageLine,
	confirmUasDialog,
	createAck,
	createAnswer,
	createDialogRequest,
	createOffer,
	createResponse,
	createUacDialog,
	createUasDialog,
	type Describer,
	type Dialog,
	formatSdp,
	type HeaderInput,
	type ImProfile,
	type InviteEffect,
	type InviteEnd,
	type InviteEvent,
	type InviteState,
	initialInviteState,
	judgeReoffer,
	type Logger,
	matchDialogRequest,
	parseSdp,
	type Random,
	RetransmitUntilAck,
	readAnswer,
	type Sdp,
	type SdpMedia,
	type ServerTransaction,
	type SipRequest,
	type SipResponse,
	stepInvite,
	type Timer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import { createOriginId } from "../ua/capabilities.ts";
import { createInitialRequest } from "../ua/initial-request.ts";
import { contactUri, contactValue, type LocalIdentity, userPart } from "../ua/local-identity.ts";
import type { DialogUsage, UserAgent } from "../ua/user-agent.ts";
import { type Verification, verificationHeaders } from "../ua/verification.ts";
import { ACCEPTED_TYPES } from "./bodies.ts";

export interface SessionOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly agent: UserAgent;
	readonly identity: () => LocalIdentity;
	readonly markVerification: boolean;
}

/** Who uses a session. */
export interface SessionUser {
	/** MESSAGE may flow. */
	established(session: Session): void;
	/** A MESSAGE or INFO came; it must be answered. */
	arrived(session: Session, transaction: ServerTransaction): void;
	/** Told once; what waits for an answer in the session is told by itself. */
	ended(session: Session, end: InviteEnd): void;
}

export interface SessionParts {
	/** Our user and the other side, `user@domain`; the other side as written. */
	readonly local: string;
	readonly remote: string;
	readonly displayName: string | undefined;
	readonly verification: Verification;
	readonly link: Link;
	readonly peer: Peer;
	readonly user: SessionUser;
}

/** Protocol sheet 3.5: a human may take his time, our user not. */
const ANSWER_TIME_MS = 60_000;

export class Session implements DialogUsage {
	readonly usage = "invite";
	readonly local: string;
	readonly remote: string;
	readonly peer: Peer;
	readonly createdAt: number;
	/** On the clock of `now`. */
	readonly startedAtMs: number;
	/** Form of typing the other side has used; undefined before it did. */
	typingForm: "keyboard" | "iscomposing" | undefined;
	/** Media types the other side takes, lower case. */
	acceptTypes: readonly string[] = ["text/plain"];
	lastActivityMs: number;
	readonly #options: SessionOptions;
	readonly #parts: SessionParts;
	readonly #describer: Describer;
	#link: Link;
	#state: InviteState = initialInviteState;
	#dialog: Dialog | undefined;
	#invite: SipRequest | undefined;
	#inviteTransaction: ClientTransaction | undefined;
	#offered: { readonly transaction: ServerTransaction; readonly offer: Sdp; readonly chosen: SdpMedia } | undefined;
	#reoffered: { readonly transaction: ServerTransaction; readonly offer: Sdp } | undefined;
	#success: SipResponse | undefined;
	#byeAtHand: ServerTransaction | undefined;
	#retransmission: RetransmitUntilAck | undefined;
	#answerTimer: Timer | undefined;
	#refusal: SipResponse | undefined;
	#toTag = "";

	constructor(options: SessionOptions, parts: SessionParts) {
		this.#options = options;
		this.#parts = parts;
		this.#link = parts.link;
		this.local = parts.local;
		this.remote = parts.remote;
		this.peer = parts.peer;
		this.createdAt = options.clock.wall();
		this.startedAtMs = options.clock.now();
		this.lastActivityMs = this.startedAtMs;
		this.#describer = {
			originId: createOriginId(options.random),
			originVersion: 1,
			host: options.identity().fqdn,
			acceptTypes: ACCEPTED_TYPES,
		};
	}

	get isEstablished(): boolean {
		return this.#state.name === "confirmed" && this.#state.closing === undefined && this.#link.connection.isOpen;
	}

	get isOver(): boolean {
		return this.#state.name === "terminated" || this.#state.name === "terminating";
	}

	get callId(): string | undefined {
		return this.#dialog?.id.callId ?? this.#invite?.callId;
	}

	/** The final response that refused our INVITE, where there was one. */
	get refusal(): SipResponse | undefined {
		return this.#refusal;
	}

	/** Calls. */
	call(profile: ImProfile): void {
		const { agent, identity, random, markVerification } = this.#options;
		const own = identity();
		const { local, remote, displayName, verification } = this.#parts;
		const offer = createOffer(profile, contactUri(own, userPart(local)), this.#describer);
		this.#invite = createInitialRequest(own, {
			method: "INVITE",
			via: agent.createVia(),
			from: local,
			displayName,
			to: remote,
			call: { callId: `${random.token()}@${own.fqdn}`, fromTag: random.token() },
			cseqNumber: 1,
			headers: [
				["Allow", "INVITE, ACK, BYE, CANCEL, MESSAGE, SUBSCRIBE, NOTIFY, OPTIONS, INFO"],
				...verificationHeaders(verification, markVerification),
				["Content-Type", "application/sdp"],
			],
			body: formatSdp(offer),
		});
		this.#step({ kind: "invite" });
	}

	/** Takes an INVITE whose offer has a line that we speak. False where it could not become a dialog; it is answered then. */
	accept(transaction: ServerTransaction, offer: Sdp, chosen: SdpMedia): boolean {
		const { agent, identity, random } = this.#options;
		const own = identity();
		this.#toTag = random.token();
		const made = createUasDialog(transaction.request, this.#toTag, contactValue(own, userPart(this.local)));
		if (!made.ok) {
			agent.answer(transaction, made.fault.status, { code: made.fault.code });
			return false;
		}
		this.#offered = { transaction, offer, chosen };
		this.#dialog = confirmUasDialog(made.value);
		const { line: _line, ...media } = chosen;
		this.acceptTypes = attributeTypes(media.attributes) ?? this.acceptTypes;
		agent.dialogs.add(made.value.id, this.#link.connection.id, this);
		this.#step({ kind: "offered" });
		this.#step({ kind: "accept" });
		return true;
	}

	hangUp(): void {
		this.#step({ kind: "hang-up" });
	}

	/** A request of ours in the dialog was answered so that the dialog is of no use (408, 480, 481). */
	requestFailed(statusCode: number): void {
		this.#step({ kind: "request-failed", statusCode });
	}

	/** Sends a request in the dialog; only while it is established. */
	send(
		method: "MESSAGE" | "INFO",
		contentType: string,
		body: Uint8Array,
		user: ClientTransactionUser,
		headers: readonly HeaderInput[] = [],
	): void {
		const dialog = this.#dialog;
		if (dialog === undefined || !this.isEstablished)
			throw new Error("assertion: a message is sent in an established session");
		const [next, request] = createDialogRequest(dialog, {
			method,
			via: this.#options.agent.createVia(),
			headers: [
				...(method === "MESSAGE" ? verificationHeaders(this.#parts.verification, this.#options.markVerification) : []),
				...headers,
				["Content-Type", contentType],
			],
			body,
		});
		this.#dialog = next;
		this.lastActivityMs = this.#options.clock.now();
		this.#options.agent.send(this.#link, request, user);
	}

	// DialogUsage.

	request(transaction: ServerTransaction, link: Link): void {
		const { agent } = this.#options;
		const { request } = transaction;
		const dialog = this.#dialog;
		if (dialog === undefined) {
			agent.answer(transaction, 481, { code: "no-dialog" });
			return;
		}
		const match = matchDialogRequest(dialog, request);
		if (match.kind === "out-of-order") {
			agent.answer(transaction, 500, { code: "out-of-order" });
			return;
		}
		this.#link = link;
		if (match.kind === "in-order") this.#dialog = applyTargetRefresh(match.dialog, request);
		switch (request.method) {
			case "MESSAGE":
			case "INFO":
				this.lastActivityMs = this.#options.clock.now();
				this.#parts.user.arrived(this, transaction);
				break;
			case "BYE":
				this.#byeAtHand = transaction;
				this.#step({ kind: "bye" });
				this.#byeAtHand = undefined;
				break;
			case "INVITE":
				this.#reinvited(transaction);
				break;
			case "OPTIONS":
				agent.answer(transaction, 200, { code: "options", withCapabilities: this.peer });
				break;
			default:
				agent.answer(transaction, 405, {
					code: "wrong-usage",
					headers: [["Allow", "INVITE, ACK, BYE, CANCEL, MESSAGE, OPTIONS, INFO"]],
				});
		}
	}

	acknowledged(): void {
		this.#step({ kind: "ack" });
	}

	repeated(response: SipResponse): void {
		if (this.#invite === undefined) return;
		this.#success = response;
		this.#step({ kind: "success", toTag: response.to.tag ?? "", isReinvite: false });
	}

	lost(_cause: CloseCause): void {
		this.#step({ kind: "connection-lost" });
	}

	describe() {
		return {
			local: this.local,
			remote: this.remote,
			role: this.#invite === undefined ? "uas" : "uac",
			state: this.#dialog?.state ?? "early",
			createdAt: this.createdAt,
		} as const;
	}

	#reinvited(transaction: ServerTransaction): void {
		const offer = parseSdp(transaction.request.body);
		if (!offer.ok) {
			this.#options.agent.answer(transaction, 488, { code: offer.fault.code, withCapabilities: this.peer });
			return;
		}
		this.#reoffered = { transaction, offer: offer.value };
		this.#step({ kind: "reoffered", offer: judgeReoffer(offer.value) });
	}

	#step(what: InviteEvent): void {
		const step = stepInvite(this.#state, what);
		this.#state = step.state;
		for (const effect of step.effects) this.#perform(effect);
	}

	#perform(effect: InviteEffect): void {
		const { agent, clock } = this.#options;
		switch (effect.kind) {
			case "send-invite":
				if (this.#invite !== undefined)
					this.#inviteTransaction = agent.send(this.#link, this.#invite, this.#inviteUser());
				break;
			case "send-ack":
				this.#acknowledge(effect.toTag);
				break;
			case "send-cancel":
				this.#inviteTransaction?.cancel();
				break;
			case "send-bye":
				this.#sendBye(effect.remoteTag, effect.isStray);
				break;
			case "answer-invite":
				this.#answerInvite(effect.statusCode);
				break;
			case "stop-sending-200":
				this.#retransmission?.acknowledged();
				break;
			case "answer-reinvite":
				this.#answerReinvite(effect.statusCode);
				break;
			case "answer-bye":
				if (this.#byeAtHand !== undefined) agent.answer(this.#byeAtHand, effect.statusCode, { code: "bye" });
				break;
			case "start-answer-timer":
				this.#answerTimer = clock.setTimer(ANSWER_TIME_MS, () => this.#step({ kind: "no-answer" }));
				break;
			case "stop-answer-timer":
				this.#answerTimer?.stop();
				break;
			case "established":
				this.#parts.user.established(this);
				break;
			case "ended":
				this.#answerTimer?.stop();
				this.#retransmission?.close();
				this.#parts.user.ended(this, effect.end);
				break;
			case "forget":
				this.#retransmission?.close();
				if (this.#dialog !== undefined) agent.dialogs.remove(this.#dialog.id);
				break;
			case "send-reinvite":
			case "reinvite-glare":
			case "reinvite-refused":
				// We send no re-INVITE: a session is renewed by a new dialog (protocol sheet 3.5).
				break;
		}
	}

	#inviteUser(): ClientTransactionUser {
		return {
			response: (response) => {
				if (response.statusCode < 200) {
					if (response.statusCode > 100) this.#step({ kind: "provisional" });
				} else if (response.statusCode < 300) {
					this.#success = response;
					this.#step({ kind: "success", toTag: response.to.tag ?? "", isReinvite: false });
				} else {
					this.#refusal = response;
					this.#step({ kind: "failure", statusCode: response.statusCode, isReinvite: false });
				}
			},
			failed: (failure) =>
				this.#step({ kind: "failure", statusCode: failure === "timeout" ? 408 : 503, isReinvite: false }),
		};
	}

	#acknowledge(toTag: string): void {
		const { agent, log } = this.#options;
		const response = this.#success;
		const invite = this.#invite;
		if (response === undefined || invite === undefined) return;
		let dialog = this.#dialog?.id.remoteTag === toTag ? this.#dialog : undefined;
		if (dialog === undefined) {
			const made = createUacDialog(invite, response);
			if (!made.ok) {
				log.warn("answer to INVITE makes no dialog", {
					remote: this.remote,
					code: made.fault.code,
					reason: made.fault.detail,
				});
				return;
			}
			dialog = made.value;
			if (this.#dialog === undefined) {
				this.#dialog = dialog;
				agent.dialogs.add(dialog.id, this.#link.connection.id, this);
				const answer = parseSdp(response.body);
				const reading = answer.ok ? readAnswer(answer.value) : undefined;
				if (reading?.kind === "accepted") this.acceptTypes = reading.acceptTypes ?? this.acceptTypes;
				// Without a message line the session is of no use; it ends as soon as it may.
				else this.#options.clock.setTimer(0, () => this.hangUp());
			}
		}
		agent.transactions.sendAck(
			this.#link.connection,
			createAck(dialog, { cseqNumber: invite.cseq.number, via: agent.createVia() }),
		);
	}

	#sendBye(remoteTag: string | undefined, isStray: boolean): void {
		const { agent } = this.#options;
		let dialog = this.#dialog;
		if (dialog !== undefined && remoteTag !== undefined && dialog.id.remoteTag !== remoteTag) {
			const made = this.#invite && this.#success && createUacDialog(this.#invite, this.#success);
			dialog = made?.ok === true ? made.value : undefined;
		}
		if (dialog === undefined || dialog.state !== "confirmed") return;
		const [next, request] = createDialogRequest(dialog, { method: "BYE", via: agent.createVia() });
		if (next.id === this.#dialog?.id) this.#dialog = next;
		const answered = (): void => {
			if (!isStray) this.#step({ kind: "bye-answered" });
		};
		agent.send(this.#link, request, {
			response: (response) => {
				if (response.statusCode >= 200) answered();
			},
			failed: answered,
		});
	}

	#answerInvite(statusCode: number): void {
		const { agent } = this.#options;
		const offered = this.#offered;
		if (offered === undefined) return;
		this.#offered = undefined;
		const { transaction, offer, chosen } = offered;
		if (statusCode !== 200) {
			agent.answer(transaction, statusCode, { code: "declined", toTag: this.#toTag });
			return;
		}
		this.#accepted(transaction, offer, chosen, { toTag: this.#toTag, recordRoute: true });
	}

	#answerReinvite(statusCode: number): void {
		const { agent, random } = this.#options;
		const reoffered = this.#reoffered;
		if (reoffered === undefined) return;
		this.#reoffered = undefined;
		const { transaction, offer } = reoffered;
		if (statusCode === 200) {
			this.#accepted(transaction, offer, chooseMessageLine(offer), {});
		} else if (statusCode === 500) {
			agent.answer(transaction, 500, {
				code: "reinvite-overlap",
				headers: [["Retry-After", String(random.below(11))]],
			});
		} else {
			agent.answer(transaction, statusCode, {
				code: "reinvite-refused",
				...(statusCode === 488 ? { withCapabilities: this.peer } : {}),
			});
		}
	}

	/** Sends a 200 with our answer, again and again until its ACK comes (RFC 3261 §13.3.1.4). */
	#accepted(
		transaction: ServerTransaction,
		offer: Sdp,
		chosen: SdpMedia | undefined,
		parts: { readonly toTag?: string; readonly recordRoute?: boolean },
	): void {
		const { agent, identity } = this.#options;
		const own = identity();
		const user = userPart(this.local);
		const answer = createAnswer(offer, chosen, contactUri(own, user), this.#describer);
		const response = createResponse(transaction.request, 200, {
			...parts,
			headers: [
				["Contact", contactValue(own, user)],
				["Allow", "INVITE, ACK, BYE, CANCEL, MESSAGE, SUBSCRIBE, NOTIFY, OPTIONS, INFO"],
			],
			contentType: "application/sdp",
			body: formatSdp(answer),
		});
		transaction.respond(response);
		this.#retransmission?.close();
		this.#retransmission = new RetransmitUntilAck(agent.transactions.wheel, agent.transactions.timing, {
			sendAgain: () => transaction.respond(response),
			unacknowledged: () => this.#step({ kind: "ack-timeout" }),
		});
		this.#retransmission.start();
	}
}

function attributeTypes(attributes: SdpMedia["attributes"]): readonly string[] | undefined {
	const found = attributes.find(({ name }) => name.toLowerCase() === "accept-types");
	return found?.value
		?.toLowerCase()
		.split(" ")
		.filter((type) => type !== "");
}
