/** One message session: an INVITE dialog in which MESSAGEs flow (REQ-24 to REQ-33). The rules are the machine's; this performs them. */
import {
	acceptTypes,
	applyTargetRefresh,
	type ClientTransaction,
	type ClientTransactionUser,
	type Clock,
	type CloseCause,
	canSendInSession,
	confirmUasDialog,
	createAck,
	createDialogRequest,
	createOffer,
	createUacDialog,
	createUasDialog,
	createWheelEntry,
	type Describer,
	type Dialog,
	detach,
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
	type MediaType,
	matchDialogRequest,
	parseSdp,
	type Random,
	readAnswer,
	refusal,
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
import { type Verification, verificationHeaders } from "../federation/verification.ts";
import { LONGEST_OFFER_BYTES } from "../proxy/read-offer.ts";
import { ALLOW_VALUE } from "../proxy/steps.ts";
import { createOriginId } from "../ua/capabilities.ts";
import type { DialogKeeper, RevivedDialog } from "../ua/dialog-keeper.ts";
import { createInitialRequest } from "../ua/initial-request.ts";
import type { KnownMessage, KnownMessageUser } from "../ua/known-messages.ts";
import { type LocalIdentity, userPart } from "../ua/local-identity.ts";
import { type DialogStart, keyOfAddress, keyOfUri, type SignedContact } from "../ua/signed-contact.ts";
import type { DialogUsage, UserAgent } from "../ua/user-agent.ts";
import { ACCEPTED_TYPES, plainType } from "./bodies.ts";
import { InviteAnswers } from "./invite-answers.ts";
import { readSessionExpiry, type SessionExpiry } from "./session-expiry.ts";

export interface SessionOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly agent: UserAgent;
	readonly identity: () => LocalIdentity;
	readonly markVerification: boolean;
	/** Keeps sessions with peers whose connection may change. */
	readonly keeper: DialogKeeper;
	/** How long the other side may ring (`[im] answer_seconds`). */
	readonly answerMs: number;
}

/** Who uses a session. */
export interface SessionUser {
	/** MESSAGE may flow. */
	established(session: Session): void;
	/** A MESSAGE or INFO came; it must be answered. */
	arrived(session: Session, transaction: ServerTransaction): void;
	/** The text of a MESSAGE that would be taken like the ones before it; undefined where it has to be looked at. */
	readKnown(session: Session, message: KnownMessage): string | undefined;
	/** Such a MESSAGE came; it must be answered. */
	takeKnown(session: Session, message: KnownMessage, text: string): void;
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

/** What is kept of a session beside its dialog. */
export interface KeptSession {
	readonly isCaller: boolean;
	readonly acceptTypes: readonly string[];
	/** `user@domain` of our user and of the other side, as written. */
	readonly local: string;
	readonly remote: string;
}

/** CSeq of our INVITE. */
const INVITE_NUMBER = 1;

export class Session implements DialogUsage, KnownMessageUser {
	readonly usage = "invite";
	readonly local: string;
	readonly remote: string;
	readonly peer: Peer;
	createdAt: number;
	/** On the clock of `now`. */
	startedAtMs: number;
	/** Form of typing the other side has used; undefined before it did. */
	typingForm: "keyboard" | "iscomposing" | undefined;
	/** The other side answered that it takes no typing notes. */
	refusesTyping = false;
	/** Media types the other side takes, lower case. */
	acceptTypes: readonly string[] = ["text/plain"];
	lastActivityMs: number;
	/** Our user is done with the other side: what still arrives is refused. */
	isShut = false;
	/** The level of a caller whom our user has not let in: what it writes is held. */
	heldLevel: Verification | undefined;
	/** The form of message line that we offered; undefined where we were called. */
	offered: ImProfile | undefined;
	readonly #options: SessionOptions;
	readonly #parts: SessionParts;
	/** Names our descriptions in this session. */
	readonly #originId: number;
	/** While an answer is made, or waits for its ACK. */
	#answers: InviteAnswers | undefined;
	#link: Link;
	#state: InviteState = initialInviteState;
	#dialog: Dialog | undefined;
	#isCaller = false;
	/** Ours, as long as an answer to it may make a dialog. */
	#invite: SipRequest | undefined;
	/** On the wheel of the transactions: a timer of its own would outlive the edge and keep its process. */
	#inviteRelease: ReturnType<typeof createWheelEntry> | undefined;
	#inviteTransaction: ClientTransaction | undefined;
	/** The dialog of the 2xx at hand. */
	#answered: Dialog | undefined;
	#byeAtHand: ServerTransaction | undefined;
	#answerTimer: Timer | undefined;
	/** Ends a session that its caller promised to refresh, and does not (RFC 4028). */
	#expiryTimer: Timer | undefined;
	#refusal: SipResponse | undefined;
	/** Their 200 took no line of ours. */
	#isDeclined = false;

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
		this.#originId = createOriginId(options.random);
	}

	/** Where it lives, or would have. */
	get link(): Link {
		return this.#link;
	}

	get isEstablished(): boolean {
		return canSendInSession(this.#state) && this.#dialog !== undefined && this.#link.connection.isOpen;
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
		const { local, remote, displayName, verification } = this.#parts;
		const call = { callId: `${random.token()}@${identity().fqdn}`, fromTag: random.token() };
		const contact = this.#sign({
			initiatedBy: "us",
			callId: call.callId,
			initiatorTag: call.fromTag,
			initiator: keyOfAddress(local),
			other: keyOfAddress(remote),
		});
		const offer = createOffer(profile, contact.uri, this.#describer());
		this.#isCaller = true;
		this.offered = profile;
		this.#invite = createInitialRequest({
			method: "INVITE",
			via: agent.createVia(),
			from: local,
			displayName,
			to: remote,
			call,
			contact: contact.value,
			cseqNumber: INVITE_NUMBER,
			headers: [
				["Allow", ALLOW_VALUE],
				...verificationHeaders(verification, markVerification),
				["Content-Type", "application/sdp"],
			],
			body: formatSdp(offer),
		});
		this.#step({ kind: "invite" });
	}

	/** Takes an INVITE whose offer has a line that we speak. False where it could not become a dialog; it is answered then. */
	accept(transaction: ServerTransaction, offer: Sdp, chosen: SdpMedia): boolean {
		const { agent, random } = this.#options;
		const toTag = random.token();
		const { callId, from, to } = transaction.request;
		const expiry = readSessionExpiry(transaction.request);
		if (expiry.kind === "too-short") {
			agent.answer(transaction, 422, { code: "session-too-short", headers: expiry.headers });
			return false;
		}
		const contact = this.#sign({
			initiatedBy: "peer",
			callId,
			initiatorTag: from.tag ?? "",
			initiator: keyOfUri(from.uri),
			other: keyOfUri(to.uri),
		});
		const made = createUasDialog(transaction.request, toTag, contact.value);
		if (!made.ok) {
			agent.answer(transaction, made.fault.status, { code: made.fault.code });
			return false;
		}
		const answers = this.#answering();
		answers.signed(contact);
		answers.offered(transaction, toTag, offer, chosen, this.#refreshed(expiry));
		this.#dialog = confirmUasDialog(made.value);
		this.#takeTypes(acceptTypes(offer, chosen));
		agent.dialogs.add(made.value.id, this.#link.connection.id, this);
		this.#step({ kind: "offered" });
		this.#step({ kind: "accept" });
		return true;
	}

	/** Goes on where it was kept, over another connection. */
	revive({ dialog, createdAt, details }: RevivedDialog<KeptSession>): void {
		this.createdAt = createdAt;
		this.startedAtMs -= this.#options.clock.wall() - createdAt;
		this.acceptTypes = details.acceptTypes;
		this.#isCaller = details.isCaller;
		this.#dialog = dialog;
		const remoteTag = details.isCaller ? dialog.id.remoteTag : undefined;
		this.#state = { name: "confirmed", remoteTag, reinvite: "none", closing: undefined };
		this.#options.agent.dialogs.add(dialog.id, this.#link.connection.id, this);
		this.#keep();
		this.#parts.user.established(this);
	}

	/** The edge stops: a session that goes on after the next start is left without a word, every other one hung up. */
	leave(): void {
		if (this.isEstablished && this.#options.keeper.keeps(this.peer)) this.#step({ kind: "connection-lost" });
		else this.hangUp();
	}

	#keep(): void {
		const details: KeptSession = {
			isCaller: this.#isCaller,
			acceptTypes: this.acceptTypes,
			local: this.local,
			remote: this.remote,
		};
		if (this.#dialog !== undefined)
			this.#options.keeper.keep(this.peer, "invite", this.#dialog, this.createdAt, details);
	}

	hangUp(): void {
		this.#step({ kind: "hang-up" });
	}

	/** Hangs up for good: a MESSAGE that crosses our BYE is refused too. */
	shut(): void {
		this.isShut = true;
		this.hangUp();
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

	/** Our Contact of this dialog-to-be. */
	#sign(start: Pick<DialogStart, "initiatedBy" | "callId" | "initiatorTag" | "initiator" | "other">): SignedContact {
		return this.#options.agent.contacts.create({
			...start,
			user: userPart(this.local),
			usage: "invite",
			connectionId: this.#link.connection.id,
			peer: this.peer.name,
		});
	}

	#describer(): Describer {
		const host = this.#options.identity().fqdn;
		return { originId: this.#originId, originVersion: 1, host, acceptTypes: ACCEPTED_TYPES };
	}

	/** What answers INVITEs. Thousands of open sessions have none to answer: it is made when one comes. */
	#answering(): InviteAnswers {
		if (this.#answers !== undefined) return this.#answers;
		this.#answers = new InviteAnswers(this.#options, {
			peer: this.peer,
			describer: this.#describer(),
			isConnected: () => this.#link.connection.isOpen,
			unacknowledged: () => this.#step({ kind: "ack-timeout" }),
		});
		const value = this.#dialog?.localContact;
		if (value !== undefined) this.#answers.signed({ uri: value.slice(1, -1), value });
		return this.#answers;
	}

	// DialogUsage.

	get localContact(): string | undefined {
		return this.#dialog?.localContact;
	}

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

	get knownMessages(): KnownMessageUser {
		return this;
	}

	// KnownMessageUser.

	knownType(request: SipRequest): { readonly type: MediaType | undefined } | undefined {
		return plainType(request);
	}

	readKnown(message: KnownMessage): string | undefined {
		const last = this.#dialog?.remoteCSeq;
		if (last === undefined || message.cseqNumber <= last || message.link !== this.#link) return undefined;
		if (!this.isEstablished || this.isShut || this.heldLevel !== undefined) return undefined;
		return this.#parts.user.readKnown(this, message);
	}

	takeKnown(message: KnownMessage, text: string): void {
		const dialog = this.#dialog;
		if (dialog === undefined) throw new Error("assertion: a session that takes a message has a dialog");
		this.#dialog = { ...dialog, remoteCSeq: message.cseqNumber };
		this.lastActivityMs = this.#options.clock.now();
		this.#parts.user.takeKnown(this, message, text);
	}

	acknowledged(): void {
		this.#step({ kind: "ack" });
	}

	repeated(response: SipResponse): void {
		this.#succeeded(response);
	}

	rejected(): void {
		this.shut();
	}

	lost(_cause: CloseCause): void {
		this.#step({ kind: "connection-lost" });
	}

	describe() {
		return {
			local: this.local,
			remote: this.remote,
			role: this.#isCaller ? "uac" : "uas",
			state: this.#dialog?.state ?? "early",
			createdAt: this.createdAt,
		} as const;
	}

	#reinvited(transaction: ServerTransaction): void {
		const offer = readReoffer(transaction.request.body);
		if (!offer.ok) {
			this.#options.agent.answer(transaction, 488, { code: offer.fault.code, withCapabilities: this.peer });
			return;
		}
		const expiry = readSessionExpiry(transaction.request);
		if (expiry.kind === "too-short") {
			this.#options.agent.answer(transaction, 422, { code: "session-too-short", headers: expiry.headers });
			return;
		}
		this.#answering().reoffered(transaction, offer.value, this.#refreshed(expiry));
		this.#step({ kind: "reoffered", offer: judgeReoffer(offer.value) });
	}

	/** Begins the time until the next refresh anew; a refresh that asks for none ends it. What goes into the 200. */
	#refreshed(expiry: SessionExpiry): readonly HeaderInput[] {
		this.#expiryTimer?.stop();
		this.#expiryTimer = undefined;
		if (expiry.kind !== "refreshed") return [];
		this.#expiryTimer = this.#options.clock.setTimer(expiry.endMs, () => this.hangUp());
		return expiry.headers;
	}

	#step(what: InviteEvent): void {
		const step = stepInvite(this.#state, what);
		this.#state = step.state;
		for (const effect of step.effects) this.#perform(effect);
	}

	#perform(effect: InviteEffect): void {
		const { agent, answerMs, clock } = this.#options;
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
				this.#answering().answerInvite(effect.statusCode);
				break;
			case "stop-sending-200":
				this.#answers?.stopSending();
				this.#answers = undefined;
				break;
			case "answer-reinvite":
				this.#answering().answerReinvite(effect.statusCode);
				break;
			case "answer-bye":
				if (this.#byeAtHand !== undefined) agent.answer(this.#byeAtHand, effect.statusCode, { code: "bye" });
				break;
			case "start-answer-timer":
				this.#answerTimer = clock.setTimer(answerMs, () => this.#step({ kind: "no-answer" }));
				break;
			case "stop-answer-timer":
				this.#answerTimer?.stop();
				break;
			case "established":
				// The connection may have ended while the ACK was being written.
				if (!this.isEstablished) break;
				this.#keep();
				this.#parts.user.established(this);
				break;
			case "ended":
				this.#answerTimer?.stop();
				this.#expiryTimer?.stop();
				if (effect.end.kind !== "connection-lost" && this.#dialog !== undefined)
					this.#options.keeper.drop(this.peer, this.#dialog.id);
				this.#parts.user.ended(this, this.#isDeclined ? { kind: "refused", statusCode: 488 } : effect.end);
				break;
			case "forget":
				this.#answers?.stopSending();
				this.#answers = undefined;
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
				// Nothing is left to cancel, and the transaction holds more than it shows.
				if (response.statusCode >= 200) this.#inviteTransaction = undefined;
				if (response.statusCode < 200) {
					// A 100 too: it ends the transaction's own wait (Timer B), and nothing else may ever come.
					this.#step({ kind: "provisional" });
				} else if (response.statusCode < 300) {
					this.#succeeded(response);
				} else {
					this.#refusal = response;
					this.#step({ kind: "failure", statusCode: response.statusCode, isReinvite: false });
				}
			},
			failed: (failure) =>
				this.#step({ kind: "failure", statusCode: failure === "timeout" ? 408 : 503, isReinvite: false }),
		};
	}

	/** A 2xx to our INVITE: the first, one that came again, or that of another branch. */
	#succeeded(response: SipResponse): void {
		if (!this.#isCaller) return;
		const toTag = response.to.tag ?? "";
		if (this.#dialog?.id.remoteTag !== toTag) {
			const invite = this.#invite;
			if (invite === undefined) return;
			const made = createUacDialog(invite, response);
			if (!made.ok) {
				// Nothing could be sent in such a dialog, its ACK neither.
				const { code, detail } = made.fault;
				this.#options.log.warn("answer to INVITE makes no dialog", { remote: this.remote, code, reason: detail });
				this.#step({ kind: "failure", statusCode: 502, isReinvite: false });
				return;
			}
			this.#answered = made.value;
			if (this.#dialog === undefined) {
				this.#readAnswer(response);
				this.#releaseInvite();
			}
		}
		this.#step({ kind: "success", toTag, isReinvite: false });
		this.#answered = undefined;
	}

	/** Answers of other branches come while the transaction waits for them (RFC 6026 §7.2: Timer M); the dialog needs no INVITE. */
	#releaseInvite(): void {
		const { transactions } = this.#options.agent;
		this.#inviteRelease ??= createWheelEntry({
			expired: () => {
				this.#invite = undefined;
			},
		});
		transactions.wheel.start(this.#inviteRelease, 64 * transactions.timing.t1Ms);
	}

	/** Without a message line the session is of no use: it is given up before it is acknowledged, and ends with BYE. */
	#readAnswer(response: SipResponse): void {
		const answer = parseSdp(response.body);
		const reading = answer.ok ? readAnswer(answer.value) : undefined;
		if (reading?.kind === "accepted") {
			this.#takeTypes(reading.acceptTypes);
		} else {
			this.#isDeclined = true;
			this.#step({ kind: "hang-up" });
		}
	}

	#takeTypes(types: readonly string[] | undefined): void {
		if (types !== undefined) this.acceptTypes = types.map(detach);
	}

	/** The dialog of that tag: ours, or that of the 2xx at hand. */
	#dialogOf(remoteTag: string | undefined): Dialog | undefined {
		if (remoteTag === undefined || this.#dialog?.id.remoteTag === remoteTag) return this.#dialog;
		return this.#answered?.id.remoteTag === remoteTag ? this.#answered : undefined;
	}

	#acknowledge(toTag: string): void {
		const { agent } = this.#options;
		const dialog = this.#dialogOf(toTag);
		if (dialog === undefined) return;
		// The dialog of a 2xx that comes after the end is ended at once, and is nobody's.
		if (this.#dialog === undefined && this.#state.name !== "terminated") {
			this.#dialog = dialog;
			agent.dialogs.add(dialog.id, this.#link.connection.id, this);
		}
		agent.transactions.sendAck(
			this.#link.connection,
			createAck(dialog, { cseqNumber: INVITE_NUMBER, via: agent.createVia() }),
		);
	}

	#sendBye(remoteTag: string | undefined, isStray: boolean): void {
		const { agent } = this.#options;
		const dialog = this.#dialogOf(remoteTag);
		if (dialog === undefined) return;
		const [next, request] = createDialogRequest(dialog, { method: "BYE", via: agent.createVia() });
		if (dialog === this.#dialog) this.#dialog = next;
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
}

/** A later offer, within the bound of every offer: our answer repeats its lines. */
function readReoffer(body: Uint8Array): ReturnType<typeof parseSdp> {
	return body.length > LONGEST_OFFER_BYTES
		? refusal("offer-too-large", "RFC 3264 §6", 0, "the offer is longer than an answer to it may be", 488)
		: parseSdp(body);
}
