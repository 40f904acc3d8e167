/** One of our users watching one partner's user: a subscription kept alive (RFC 6665 §4.1, protocol sheet 5.6). */
import {
	applyTargetRefresh,
	type ClientTransactionUser,
	type Clock,
	confirmUacDialog,
	contentType,
	createDialogRequest,
	createNotifiedDialog,
	createResponse,
	createUacDialog,
	type Dialog,
	defaultSubscriberTiming,
	detach,
	entityMatches,
	expires,
	HeaderId,
	type HeaderInput,
	hasHeader,
	initialSubscriberState,
	type Logger,
	matchDialogRequest,
	matchMediaType,
	minExpires,
	parsePidf,
	presenceWord,
	type Random,
	retryAfter,
	type ServerTransaction,
	type SipRequest,
	type SipResponse,
	type SubscriberEffect,
	type SubscriberEvent,
	type SubscriberState,
	type SubscriberTimer,
	stepSubscriber,
	subscriptionState,
	type Timer,
	terminateDialog,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { FederationRefusal } from "../federation/outcome.ts";
import type { Peer } from "../federation/peers.ts";
import { statedLevel, type Verification, verificationHeaders } from "../federation/verification.ts";
import { createInitialRequest } from "../ua/initial-request.ts";
import { domainOf, type LocalIdentity, userPart } from "../ua/local-identity.ts";
import { keyOfAddress } from "../ua/signed-contact.ts";
import type { DialogUsage, UserAgent } from "../ua/user-agent.ts";
import { type ContactView, differs, freshView } from "./contact-view.ts";
import { jitteredDialogMs } from "./dialog-age.ts";
import { explainEnd } from "./explain-end.ts";
import { ALLOW_EVENTS, isPresence } from "./subscribe-checks.ts";

export interface RemoteWatchOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly agent: UserAgent;
	readonly identity: () => LocalIdentity;
	/** Seconds that a SUBSCRIBE asks for. */
	readonly expiresSeconds: number;
	/** About this age a dialog is replaced by a new one (REQ-66). */
	readonly longestDialogMs: number;
	/** Over how long the subscriptions of a lost connection with this peer come back (REQ-96). */
	readonly spreadMs: (peer: string) => number;
	/** The dialog has grown old: another watch of the same contact shall take its place. */
	readonly aged: (watch: RemoteWatch) => void;
	/** A watch that was made to take another's place has heard its first NOTIFY, or will not. */
	readonly succeeded: (watch: RemoteWatch, isLive: boolean) => void;
	/** 604: nobody by that address has presence anywhere, whoever asks (REQ-84). */
	readonly absent: (contact: string, forMs: number) => void;
	/** Milliseconds for which a contact is known to be absent. */
	readonly absentForMs: (contact: string) => number;
	readonly markVerification: boolean;
	/** Our user's name and level, as partners are told. */
	readonly sender: (owner: string) => { readonly displayName: string | undefined; readonly verification: Verification };
	readonly changed: (view: ContactView) => void;
	/** A document was read, whether or not it says something new. */
	readonly documented: (view: ContactView) => void;
	/** A NOTIFY of this peer counted. */
	readonly notified: (peer: string) => void;
	/** Named while the peer may send a NOTIFY before its 2xx. */
	readonly awaiting: (callId: string, watch: RemoteWatch | undefined) => void;
}

const ABSENT = { reason: "Their server knows no such user.", blame: "recipient" } as const;
/** Pause before another try to replace a dialog that has grown old. */
const REPLACE_AGAIN_MS = 600_000;

/** REQ-67: from this age on a refused refresh may mean that the peer's signing key has expired. */
const OLD_DIALOG_MS = 12 * 3_600_000;

export class RemoteWatch implements DialogUsage {
	readonly usage = "subscribe";
	readonly owner: string;
	readonly contact: string;
	readonly #address: string;
	readonly #options: RemoteWatchOptions;
	readonly #timers = new Map<SubscriberTimer | "retry" | "age", Timer>();
	#state: SubscriberState = initialSubscriberState;
	#view: ContactView;
	#callId = "";
	#fromTag = "";
	#cseqNumber = 0;
	#createdAt = 0;
	#startedAtMs = 0;
	#link: Link | undefined;
	#peer: Peer | undefined;
	#dialog: Dialog | undefined;
	/** The first SUBSCRIBE, from which the dialog is made. */
	#subscribe: SipRequest | undefined;
	/** Messages at hand while the machine decides about them. */
	#notify: ServerTransaction | undefined;
	#response: SipResponse | undefined;
	#refusal: FederationRefusal | undefined;
	#rememberUntilMs = 0;
	#lastNotifyAt: number | undefined;
	/** What the contact's server said of the contact, in a NOTIFY or in a request of the contact's own to our user. */
	#level: Verification | undefined;
	#expiresAt: number | undefined;
	#closed = false;
	#isDiscarded = false;

	/** Shows nothing yet: another watch still does. */
	#isSuccessor = false;

	/** `address` is the contact as written, `contact` its key. */
	constructor(options: RemoteWatchOptions, owner: string, contact: string, address: string) {
		this.#options = options;
		this.owner = owner;
		this.contact = contact;
		this.#address = address;
		this.#view = freshView(owner, contact);
	}

	/** A watch of the same contact in a dialog of its own; it takes this one's place with its first NOTIFY. */
	createSuccessor(): RemoteWatch {
		const made = new RemoteWatch(this.#options, this.owner, this.contact, this.#address);
		made.#isSuccessor = true;
		made.#view = this.#view;
		made.#level = this.#level;
		return made;
	}

	get view(): ContactView {
		return this.#view;
	}

	get state(): SubscriberState["name"] {
		return this.#state.name;
	}

	get peer(): Peer | undefined {
		return this.#peer;
	}

	/** Whether a NOTIFY made the subscription, and nothing has ended it. */
	get isLive(): boolean {
		return this.#state.name === "pending" || this.#state.name === "active";
	}

	get link(): Link | undefined {
		return this.#link;
	}

	get createdAt(): number {
		return this.#createdAt;
	}

	get lastNotifyAt(): number | undefined {
		return this.#lastNotifyAt;
	}

	get expiresAt(): number | undefined {
		return this.#expiresAt;
	}

	/** Subscribes, unless it does already or the far end's last answer still holds. */
	start(failures = 0): void {
		if (this.#closed || (this.#state.name !== "init" && this.#state.name !== "terminated")) return;
		const { clock, random, expiresSeconds } = this.#options;
		if (clock.now() < this.#rememberUntilMs) return;
		const absentMs = this.#options.absentForMs(this.contact);
		if (absentMs > 0) {
			// Protocol sheet 5.6: answered locally, with 404.
			this.#rememberUntilMs = clock.now() + absentMs;
			this.#show({ ...this.#cleared(), state: "unknown", why: { code: "404", ...ABSENT } });
			return;
		}
		this.#clear("retry");
		this.#state = initialSubscriberState;
		this.#callId = `${random.token()}@${this.#options.identity().fqdn}`;
		this.#fromTag = random.token();
		this.#cseqNumber = 0;
		this.#createdAt = clock.wall();
		this.#startedAtMs = clock.now();
		this.#step({ kind: "subscribe", expiresSeconds, failures });
	}

	/** Whether our own side could not or would not ask. */
	get isRefused(): boolean {
		return this.#state.name === "terminated" && this.#refusal !== undefined;
	}

	/** The policy is another: what it refused before is asked anew. */
	retryRefused(): void {
		if (!this.isRefused) return;
		this.#rememberUntilMs = 0;
		this.start();
	}

	/** The contact was removed, or its owner. */
	stop(): void {
		this.#closed = true;
		this.#clear("retry");
		this.#step({ kind: "unsubscribe" });
	}

	/** The process ends: no more timers, no word to the peer. */
	discard(): void {
		this.#closed = true;
		this.#isDiscarded = true;
		for (const timer of this.#timers.values()) timer.stop();
		this.#timers.clear();
	}

	/** Whether a NOTIFY without a known dialog is for this subscription. */
	isAwaiting(request: SipRequest, link: Link): boolean {
		return request.callId === this.#callId && request.to.tag === this.#fromTag && link === this.#link;
	}

	// DialogUsage.

	request(transaction: ServerTransaction, link: Link): void {
		const { agent } = this.#options;
		const { request } = transaction;
		if (request.method !== "NOTIFY") {
			agent.answer(transaction, 405, { code: "wrong-usage", headers: [["Allow", "NOTIFY"]] });
			return;
		}
		if (hasHeader(request, HeaderId.event) && !isPresence(request)) {
			agent.answer(transaction, 489, { code: "event-package", headers: ALLOW_EVENTS });
			return;
		}
		if (this.#dialog !== undefined && request.from.tag === this.#dialog.id.remoteTag) {
			const match = matchDialogRequest(this.#dialog, request);
			if (match.kind !== "in-order") {
				agent.answer(transaction, 500, { code: "out-of-order" });
				return;
			}
			this.#dialog = applyTargetRefresh(match.dialog, request);
		}
		const said = subscriptionState(request);
		if (!said.ok) {
			agent.answer(transaction, 400, { code: said.fault.code });
			return;
		}
		this.#link = link;
		this.#notify = transaction;
		const word = said.value?.state;
		this.#step({
			kind: "notify",
			fromTag: request.from.tag ?? "",
			subscriptionState: word === "pending" || word === "terminated" || word === "active" ? word : undefined,
			expiresSeconds: said.value?.expires,
			reason: said.value?.reason,
			retryAfterSeconds: said.value?.retryAfter,
		});
		this.#notify = undefined;
	}

	get localContact(): string | undefined {
		return this.#dialog?.localContact;
	}

	acknowledged(): void {}

	repeated(): void {}

	lost(): void {
		this.#step({ kind: "connection-lost" });
	}

	/** The far end is told that nobody watches any more; then the policy is asked again, as after a lost connection. */
	rejected(): void {
		this.#sendInDialog(0);
		this.#step({ kind: "connection-lost" });
	}

	describe() {
		return {
			local: this.owner,
			remote: this.contact,
			role: "uac",
			state: this.#dialog?.state ?? "early",
			createdAt: this.#createdAt,
		} as const;
	}

	#step(what: SubscriberEvent): void {
		if (this.#isDiscarded) return;
		const { clock, random } = this.#options;
		const timing =
			what.kind === "connection-lost" && this.#peer !== undefined
				? { ...defaultSubscriberTiming, connectionLostSpreadMs: this.#options.spreadMs(this.#peer.name) }
				: defaultSubscriberTiming;
		const step = stepSubscriber(this.#state, what, { nowMs: clock.now(), timing, random });
		this.#state = step.state;
		for (const effect of step.effects) this.#perform(effect);
	}

	#perform(effect: SubscriberEffect): void {
		switch (effect.kind) {
			case "send-subscribe":
				if (effect.how === "first" || effect.how === "again") void this.#sendFirst(effect.expiresSeconds);
				else this.#sendInDialog(effect.expiresSeconds);
				break;
			case "start-timer": {
				const { timer, delayMs } = effect;
				const what: SubscriberEvent = {
					kind: timer === "refresh" ? "refresh-due" : timer === "expiry" ? "expired" : "timer-n",
				};
				if (timer === "expiry") this.#expiresAt = this.#options.clock.wall() + delayMs;
				this.#clear(timer);
				this.#timers.set(
					timer,
					this.#options.clock.setTimer(delayMs, () => this.#step(what)),
				);
				break;
			}
			case "stop-timer":
				this.#clear(effect.timer);
				break;
			case "answer-notify":
				if (this.#notify !== undefined) {
					this.#notify.respond(createResponse(this.#notify.request, effect.statusCode));
				}
				break;
			case "use-dialog":
				this.#useDialog(effect.from);
				break;
			case "tell-user":
				this.#tell(effect.subscriptionState);
				break;
			case "end":
				this.#end(effect);
				break;
		}
	}

	/** `tried`: links whose edge answered 503 to this SUBSCRIBE. */
	async #sendFirst(expiresSeconds: number, tried: ReadonlySet<Link> = new Set(), last?: () => void): Promise<void> {
		const { agent, sender } = this.#options;
		const callId = this.#callId;
		const outcome = await agent.linkTo(domainOf(this.#address), this.owner, tried);
		// Stopped, or started anew, while the connection was made.
		if (callId !== this.#callId || this.#state.name === "terminated") return;
		if (this.#closed) {
			// Nothing has left: nothing needs to be taken back.
			this.#step({ kind: "connection-lost" });
			return;
		}
		if (!outcome.ok) {
			// Nowhere else to go: what the last edge said stands.
			if (last !== undefined) {
				last();
				return;
			}
			this.#refusal = outcome.refusal;
			this.#answered(outcome.refusal.status, undefined);
			return;
		}
		this.#refusal = undefined;
		this.#link = outcome.link;
		this.#peer = outcome.peer;
		const { displayName, verification } = sender(this.owner);
		this.#cseqNumber += 1;
		const contact = agent.contacts.create({
			user: userPart(this.owner),
			initiatedBy: "us",
			usage: "subscribe",
			connectionId: outcome.link.connection.id,
			peer: outcome.peer.name,
			callId,
			initiatorTag: this.#fromTag,
			initiator: keyOfAddress(this.owner),
			other: keyOfAddress(this.#address),
		});
		const request = createInitialRequest({
			method: "SUBSCRIBE",
			via: agent.createVia(),
			from: this.owner,
			displayName,
			to: this.#address,
			call: { callId, fromTag: this.#fromTag },
			contact: contact.value,
			cseqNumber: this.#cseqNumber,
			headers: [
				...subscribeHeaders(expiresSeconds),
				...verificationHeaders(verification, this.#options.markVerification),
			],
		});
		this.#subscribe = request;
		this.#options.awaiting(callId, this);
		const next = new Set([...tried, outcome.link]);
		agent.send(
			outcome.link,
			request,
			// Protocol sheet 1.2: the next edge after a 503, with a new branch; what has a dialog stays where it is.
			this.#transactionUser(callId, (answered) => {
				if (this.#dialog === undefined && !this.#closed) void this.#sendFirst(expiresSeconds, next, answered);
				else answered();
			}),
		);
	}

	#sendInDialog(expiresSeconds: number): void {
		const dialog = this.#dialog;
		const link = this.#link;
		if (dialog === undefined || link === undefined || dialog.state !== "confirmed") return;
		const [next, request] = createDialogRequest(dialog, {
			method: "SUBSCRIBE",
			via: this.#options.agent.createVia(),
			headers: subscribeHeaders(expiresSeconds),
		});
		this.#dialog = next;
		this.#options.agent.send(link, request, this.#transactionUser(this.#callId));
	}

	#transactionUser(
		callId: string,
		unavailable: (answered: () => void) => void = (answered) => answered(),
	): ClientTransactionUser {
		const end = (statusCode: number, response: SipResponse | undefined): void => {
			if (callId !== this.#callId) return;
			const answered = (): void => {
				if (callId === this.#callId) this.#answered(statusCode, response);
			};
			if (statusCode === 503) unavailable(answered);
			else answered();
		};
		return {
			response: (response) => {
				if (response.statusCode >= 200) end(response.statusCode, response);
			},
			failed: (failure) => end(failure === "timeout" ? 408 : 503, undefined),
		};
	}

	#answered(statusCode: number, response: SipResponse | undefined): void {
		this.#response = response;
		const granted = response && expires(response);
		const least = response && minExpires(response);
		const wait = response && retryAfter(response);
		this.#step({
			kind: "response",
			statusCode,
			toTag: response?.to.tag ?? "",
			expiresSeconds: granted?.ok === true ? granted.value : undefined,
			minExpiresSeconds: least?.ok === true ? least.value : undefined,
			retryAfterSeconds: wait?.ok === true ? wait.value : undefined,
			isDialogOld: this.#options.clock.now() - this.#startedAtMs > OLD_DIALOG_MS,
		});
		this.#response = undefined;
	}

	#useDialog(from: "notify" | "response"): void {
		const subscribe = this.#subscribe;
		const link = this.#link;
		if (subscribe === undefined || link === undefined) return;
		const made = from === "notify" ? this.#dialogFromNotify(subscribe) : this.#dialogFromResponse(subscribe);
		if (made === undefined) return;
		const before = this.#dialog;
		this.#dialog = made;
		if (before !== undefined) this.#options.agent.dialogs.remove(before.id);
		this.#options.agent.dialogs.add(made.id, link.connection.id, this);
		if (made.state !== "confirmed") return;
		this.#options.awaiting(this.#callId, undefined);
		this.#subscribe = undefined;
	}

	#dialogFromNotify(subscribe: SipRequest): Dialog | undefined {
		const made = this.#notify && createNotifiedDialog(subscribe, this.#notify.request);
		return made?.ok === true ? made.value : undefined;
	}

	#dialogFromResponse(subscribe: SipRequest): Dialog | undefined {
		const response = this.#response;
		if (response === undefined) return undefined;
		const early = this.#dialog;
		const made =
			early?.state === "early" && early.id.remoteTag === response.to.tag
				? confirmUacDialog(early, response)
				: createUacDialog(subscribe, response);
		if (made.ok) return made.value;
		this.#options.log.warn("answer to SUBSCRIBE makes no dialog", {
			contact: this.contact,
			code: made.fault.code,
			reason: made.fault.detail,
		});
		return undefined;
	}

	#tell(state: "pending" | "active" | "terminated"): void {
		const request = this.#notify?.request;
		if (request === undefined || this.#peer === undefined) return;
		this.#lastNotifyAt = this.#options.clock.wall();
		if (state !== "terminated") this.#nowLive();
		this.#options.notified(this.#peer.name);
		if (state === "pending") {
			this.#show({ ...this.#cleared(), state: "pending" });
			return;
		}
		const type = contentType(request);
		const isDocument = type.ok && type.value !== undefined && matchMediaType(type.value, "application", "pidf+xml");
		if (!isDocument || request.body.length === 0) {
			// A NOTIFY without a body keeps the document before it; without any the contact shows nothing.
			if (state === "active" && (this.#view.state === "pending" || this.#view.state === "unknown")) {
				this.#show({ ...this.#cleared(), state: "offline" });
			}
			return;
		}
		const read = parsePidf(request.body, { personState: this.#peer.presenceProfile === "rfc4480" });
		if (!read.ok || !entityMatches(read.value.entity, this.contact)) {
			this.#options.log.warn("presence document ignored", {
				contact: this.contact,
				code: read.ok ? "other-entity" : read.fault.code,
			});
			return;
		}
		const { note, displayName, icon } = read.value;
		this.#level = statedLevel(request, this.#peer) ?? this.#level;
		this.#show({
			...this.#cleared(),
			state: presenceWord(read.value),
			note: note && detach(note),
			// A closed document leaves the name out; the one that was shown before is still right.
			shownName: displayName === undefined ? this.#view.shownName : detach(displayName),
			icon: icon && detach(icon),
			verification: this.#level ?? "unverified",
		});
		this.#options.documented(this.#view);
	}

	/** The first NOTIFY has come: the age of the dialog counts, and a successor takes over. */
	#nowLive(): void {
		const { clock, longestDialogMs, random, succeeded } = this.#options;
		if (!this.#timers.has("age")) {
			const ageMs = jitteredDialogMs(longestDialogMs, random) - (clock.now() - this.#startedAtMs);
			this.#timers.set(
				"age",
				clock.setTimer(Math.max(0, ageMs), () => this.#age()),
			);
		}
		if (!this.#isSuccessor) return;
		this.#isSuccessor = false;
		succeeded(this, true);
	}

	#age(): void {
		this.#timers.set(
			"age",
			this.#options.clock.setTimer(REPLACE_AGAIN_MS, () => this.#age()),
		);
		this.#options.aged(this);
	}

	#cleared(): ContactView {
		return { ...freshView(this.owner, this.contact), changedAt: this.#options.clock.wall(), why: undefined };
	}

	#end(effect: Extract<SubscriberEffect, { kind: "end" }>): void {
		for (const timer of this.#timers.values()) timer.stop();
		this.#timers.clear();
		this.#options.awaiting(this.#callId, undefined);
		if (this.#dialog !== undefined) {
			this.#options.agent.dialogs.remove(this.#dialog.id);
			this.#dialog = terminateDialog(this.#dialog);
			this.#dialog = undefined;
		}
		this.#subscribe = undefined;
		this.#expiresAt = undefined;
		if (this.#closed) return;
		if (this.#isSuccessor) {
			this.#closed = true;
			this.#options.succeeded(this, false);
			return;
		}
		const { retry, failures } = effect;
		if (effect.end.kind === "refused" && effect.end.statusCode === 604 && retry.kind === "remember")
			this.#options.absent(this.contact, retry.forMs);
		const why = explainEnd(effect.end, this.#refusal);
		// What is asked again at once is not unknown yet: the state of a moment ago stands until the answer.
		const isAskedAtOnce = retry.kind === "after" && retry.delayMs === 0 && effect.end.kind !== "connection-lost";
		if (why !== undefined && !isAskedAtOnce) this.#show({ ...this.#cleared(), state: "unknown", why });
		if (retry.kind === "remember") this.#rememberUntilMs = this.#options.clock.now() + retry.forMs;
		if (retry.kind === "after") {
			this.#timers.set(
				"retry",
				this.#options.clock.setTimer(retry.delayMs, () => this.start(failures)),
			);
		}
	}

	/** Protocol sheet 7.6: the contact's server has said something of the contact, in a request of the contact's to our user. */
	levelStated(level: Verification): void {
		this.#level = level;
		if (this.#view.verification === undefined) return;
		const view = { ...this.#view, verification: level };
		if (this.#isSuccessor) this.#view = view;
		else this.#show(view);
	}

	#show(view: ContactView): void {
		const isOther = differs(this.#view, view);
		this.#view = view;
		if (isOther) this.#options.changed(view);
	}

	#clear(timer: SubscriberTimer | "retry"): void {
		this.#timers.get(timer)?.stop();
		this.#timers.delete(timer);
	}
}

function subscribeHeaders(expiresSeconds: number): HeaderInput[] {
	return [
		["Event", "presence"],
		["Accept", "application/pidf+xml"],
		["Expires", String(expiresSeconds)],
	];
}
