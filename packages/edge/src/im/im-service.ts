/** Instant messages of hosted users, both ways: sessions, delivery, fates, typing. */
import {
	type Aor,
	aorKey,
	chooseMessageLine,
	type DialogId,
	detach,
	formatWarning,
	type InviteEnd,
	lowerAscii,
	type ServerTransaction,
	type Timer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import { statedLevel, type Verification } from "../federation/verification.ts";
import type { RequestContext } from "../proxy/context.ts";
import { readOffer } from "../proxy/read-offer.ts";
import type { MessageRequest } from "../store/message-requests.ts";
import { HELD_MESSAGES, type Message, type MessageFinish, type Receiver } from "../store/messages.ts";
import type { PresenceState } from "../store/published-presence.ts";
import type { Store } from "../store/store.ts";
import type { StoreFailed } from "../store/store-failed.ts";
import type { KnownMessage } from "../ua/known-messages.ts";
import { domainOf } from "../ua/local-identity.ts";
import { mayTalkWith } from "../ua/outside-permission.ts";
import { type Admission, type AdmissionRules, admitSender } from "./admit-sender.ts";
import { readArrived, readPlain } from "./bodies.ts";
import type { ContentCheck } from "./content-rules.ts";
import { Conversation, type ConversationOptions } from "./conversation.ts";
import { LocalDelivery } from "./local-delivery.ts";
import { isMultiparty } from "./multiparty.ts";
import { ProfileMemory } from "./profile-memory.ts";
import { type KeptSession, Session, type SessionOptions, type SessionUser } from "./session.ts";
import { TypingWatch } from "./typing.ts";

export interface ImEvents {
	/** A message is on disk: one that came in, or one that a program of the user's submitted. */
	message(message: Message): void;
	fate(message: Message, fate: "sending" | MessageFinish): void;
	typing(owner: string, other: string, typing: boolean): void;
	/** The caller's server has said clearly of the caller what it is. */
	stated(owner: string, other: string, level: Verification): void;
	/** Somebody whom the user has not let in has written for the first time. */
	requested(request: MessageRequest): void;
}

export interface ImServiceOptions extends SessionOptions {
	readonly store: Store;
	readonly ownDomains: ReadonlySet<string>;
	/** `[im] offline`. */
	readonly offline: "store" | "refuse";
	/** `[im] unverified`. */
	readonly unverified: AdmissionRules["unverified"];
	readonly contentCheck: ContentCheck;
	readonly hideUnknownUsers: "never" | "discovered" | "always";
	/** `[im] busy`. */
	readonly busy: "deliver" | "refuse";
	readonly idleMs: number;
	/** Longest life of a dialog: 24 hours or less. */
	readonly dialogMs: number;
	/** How long a message may wait for its turn. */
	readonly queueMs: number;
	readonly publishedState: (owner: string) => PresenceState;
	readonly sender: (owner: string) => { readonly displayName: string | undefined; readonly verification: Verification };
	readonly events: ImEvents;
}

const PAGE = 500;
/** REQ-66: a session is left after so much of a dialog's longest life; the spread keeps many from being renewed at once. */
const LONGEST_SESSION = 23 / 24;
const LONGEST_SESSION_SPREAD_MS = 15 * 60_000;
/** From here on a session is left even while messages wait, which go on in the next one. */
const OLDEST_SESSION = 23.5 / 24;
const CHECK_EVERY_MS = 30_000;
/** Protocol sheet 7.5: 20 to 120 ms. */
const LEAST_HIDING_MS = 20;
const HIDING_SPREAD_MS = 101;

export class ImService implements SessionUser {
	readonly #options: ImServiceOptions;
	readonly #conversations = new Map<string, Conversation>();
	readonly #local: LocalDelivery;
	readonly #profiles: ProfileMemory;
	readonly #typing: TypingWatch;
	/** The same for all, of whom there may be many. */
	readonly #conversationOptions: ConversationOptions;
	/** The same for all messages that are not read. */
	readonly #receipts: ReceiptUser = {
		stored: (known, message, isNew) => {
			const { agent, publishedState } = this.#options;
			agent.acceptKnown(known, publishedState(message.owner) === "offline" ? 202 : 200, "received");
			if (isNew) this.#arrivedFor(message);
		},
		failed: (known, reason) => {
			const { agent, log } = this.#options;
			log.error("message not stored", { callId: known.callId, reason: String(reason) });
			agent.refuseKnown(known, 500, "store-failed", [["Retry-After", "60"]]);
		},
	};
	#idleTimer: Timer | undefined;
	#isStopped = false;

	constructor(options: ImServiceOptions) {
		this.#options = options;
		const { busy, clock, events, log, offline, publishedState, queueMs, store } = options;
		this.#profiles = new ProfileMemory(clock);
		this.#typing = new TypingWatch(clock, (owner, other, typing) => events.typing(owner, other, typing));
		this.#conversationOptions = {
			clock,
			log,
			store,
			prepare: (conversation, tried) => this.#prepare(conversation, tried),
			profileOf: (session) => this.#profiles.profileOf(session.peer),
			offersOtherForm: ({ offered, peer: callee, refusal }) =>
				offered !== undefined && refusal !== undefined && this.#profiles.refused(callee, offered, refusal),
			queueMs,
			fate: (message, fate) => events.fate(message, fate),
			idle: (conversation) => this.#rest(conversation),
		};
		this.#local = new LocalDelivery({
			clock,
			log,
			store,
			offline,
			busy,
			publishedState,
			received: (message) => this.#arrivedFor(message),
			fate: (message, fate) => events.fate(message, fate),
		});
	}

	/** Messages whose fate is not final. */
	get waiting(): number {
		let count = this.#local.waiting;
		for (const conversation of this.#conversations.values()) count += conversation.waiting;
		return count;
	}

	/** Takes up what was queued before the last stop, and begins to watch for idle sessions. */
	load(): void {
		for (let after = ""; ; ) {
			const page = this.#options.store.messages.queued(after, PAGE);
			for (const message of page) this.deliver(message);
			const last = page.at(-1);
			if (last === undefined || page.length < PAGE) break;
			after = last.id;
		}
		this.#watchIdle();
	}

	/** Ends every session. What waits, and what comes from here on, stays on disk for the next start. */
	close(): void {
		this.#isStopped = true;
		this.#idleTimer?.stop();
		this.#local.stop();
		this.#typing.close();
		for (const conversation of [...this.#conversations.values()]) conversation.stop();
	}

	/** Takes a message that is on disk as `queued` on its way. */
	deliver(message: Message): void {
		if (this.#isStopped) return;
		if (this.#options.ownDomains.has(domainOf(message.peer))) this.#local.deliver(message);
		else this.#conversation(message.owner, message.peer, message.peerAddress).submit(message);
	}

	/** Our user writes to somebody, or stopped. Keys. */
	typing(owner: string, other: string, active: boolean): void {
		if (this.#options.ownDomains.has(domainOf(other))) {
			if (this.#options.store.watchers.standing(other, owner)?.decision !== "block")
				this.#typing.heard(other, owner, active);
			return;
		}
		this.#conversations.get(`${owner} ${other}`)?.typing(active);
	}

	/** Ends the sessions of a user that is removed or suspended. */
	removed(owner: string): void {
		for (const conversation of this.#conversations.values()) if (conversation.owner === owner) conversation.close();
	}

	/**
	 * Our user lets somebody in, by a word about a request, as a contact, or by writing there: what was held becomes ordinary.
	 * False where nothing was. Rejects with `StoreFailed`.
	 */
	async letIn(owner: string, other: string): Promise<boolean> {
		const { events, store } = this.#options;
		for (const session of this.#conversations.get(`${owner} ${other}`)?.sessions ?? []) session.heldLevel = undefined;
		if (store.messageRequests.get(owner, other) === undefined) return false;
		if (!(await store.messageRequests.accept(owner, other))) return false;
		for (const message of store.messages.list(owner, { with: other, after: "", limit: HELD_MESSAGES })) {
			events.message(message);
		}
		return true;
	}

	/** Our user ends the conversation with somebody: its sessions get a BYE. */
	hangUp(owner: string, other: string): void {
		this.#conversations.get(`${owner} ${other}`)?.close();
	}

	/** An INVITE outside a dialog: the decision list of protocol sheet 3.5. */
	invite(context: RequestContext): void {
		const { agent, store, hideUnknownUsers } = this.#options;
		const { transaction, peer, from, to, link } = context;
		if (peer === undefined || from === undefined || to === undefined) {
			agent.answer(transaction, 404, { code: "unknown-user" });
			return;
		}
		if (isMultiparty(transaction.request)) {
			this.#refuseOffer(transaction, peer, "multiparty");
			return;
		}
		const offer = readOffer(transaction.request);
		if (offer === "wrong-type") {
			agent.answer(transaction, 415, { code: "content-type", headers: [["Accept", "application/sdp"]] });
			return;
		}
		const chosen = offer && chooseMessageLine(offer);
		if (offer === undefined || chosen === undefined) {
			this.#refuseOffer(transaction, peer, offer === undefined ? "no-offer" : "no-message-media");
			return;
		}
		const owner = detach(aorKey(to));
		const user = store.users.get(owner);
		const isHidden = hideUnknownUsers === "always" || (hideUnknownUsers === "discovered" && peer.kind === "discovered");
		if (user === undefined || user.suspended || !mayTalkWith(user.outside, peer)) {
			this.#refuseCall(transaction, isHidden ? 480 : 404, "unknown-user", isHidden);
			return;
		}
		const other = detach(aorKey(from));
		const stated = statedLevel(transaction.request, peer);
		if (stated !== undefined) this.#options.events.stated(owner, other, stated);
		const level = stated ?? "unverified";
		const admission = this.#admit(owner, other, level, isHidden);
		if (admission.kind === "refuse") {
			this.#refuseCall(transaction, admission.status, admission.code, isHidden);
			return;
		}
		const absent = this.#absence(owner);
		if (absent !== undefined) {
			this.#refuseCall(transaction, absent.status, absent.code, isHidden);
			return;
		}
		const session = new Session(this.#options, {
			local: user.address,
			remote: addressOf(from, other),
			displayName: user.displayName,
			verification: user.verification,
			link,
			peer,
			user: this,
		});
		if (admission.kind === "hold") session.heldLevel = level;
		const conversation = this.#conversation(owner, other, session.remote);
		if (session.accept(transaction, offer, chosen)) conversation.joined(session);
		else this.#rest(conversation);
	}

	/** A request in a session that was kept and is not here: the session goes on over the connection of the request. */
	revive({ peer, link }: RequestContext, id: DialogId): void {
		const { keeper, store } = this.#options;
		const kept = peer && keeper.find<KeptSession>(peer, "invite", id);
		if (peer === undefined || kept === undefined) return;
		const { local, remote } = kept.details;
		const owner = lowerAscii(local);
		const user = store.users.get(owner);
		if (user === undefined || user.suspended) return;
		// Decided while the session was not here.
		if (store.watchers.standing(owner, lowerAscii(remote))?.decision === "block") return;
		const session = new Session(this.#options, {
			local: user.address,
			remote,
			displayName: user.displayName,
			verification: user.verification,
			link,
			peer,
			user: this,
		});
		this.#conversation(owner, lowerAscii(remote), remote);
		session.revive(kept);
	}

	// SessionUser.

	established(session: Session): void {
		this.#of(session)?.established(session);
	}

	arrived(session: Session, transaction: ServerTransaction): void {
		const { agent } = this.#options;
		const owner = session.local.toLowerCase();
		const other = session.remote.toLowerCase();
		if (session.isShut) {
			agent.answer(transaction, 480, { code: "session-shut" });
			return;
		}
		const arrived = readArrived(transaction.request);
		switch (arrived.kind) {
			case "text": {
				const absent = this.#absence(owner);
				const refusal = this.#options.contentCheck("in", domainOf(other), arrived.text);
				if (refusal !== undefined) {
					const host = this.#options.identity().fqdn;
					const warning = formatWarning({ code: 309, agent: host, text: refusal });
					agent.answer(transaction, 606, { code: "content-rule", headers: [["Warning", warning]] });
				} else if (absent !== undefined) agent.answer(transaction, absent.status, { code: absent.code });
				else void this.#receive(session, transaction, owner, arrived.text);
				break;
			}
			case "typing":
				session.typingForm = arrived.form;
				agent.answer(transaction, 200, { code: "typing" });
				if (session.heldLevel === undefined) {
					this.#typing.heard(owner, other, arrived.typing, arrived.refreshSeconds);
				}
				break;
			case "nothing":
				agent.answer(transaction, 200, { code: "nothing-to-deliver" });
				break;
			case "refused":
				agent.answer(transaction, arrived.status, {
					code: arrived.code,
					...(arrived.accept === undefined ? {} : { headers: [["Accept", arrived.accept]] }),
				});
				break;
		}
	}

	readKnown(session: Session, { contentType, frame }: KnownMessage): string | undefined {
		const text = readPlain(contentType, frame.body);
		if (text === undefined || this.#absence(session.local.toLowerCase()) !== undefined) return undefined;
		const refusal = this.#options.contentCheck("in", domainOf(session.remote.toLowerCase()), text);
		return refusal === undefined ? text : undefined;
	}

	/** As {@link ImService.#receive}, without a promise. */
	takeKnown(session: Session, message: KnownMessage, text: string): void {
		this.#options.store.messages.receiveOrdinary(
			{
				owner: session.local.toLowerCase(),
				from: session.remote,
				contentType: "text/plain",
				body: text,
				callId: message.callId,
				fromTag: message.fromTag,
				sequence: message.cseqNumber,
			},
			new KnownReceipt(message, this.#receipts),
		);
	}

	ended(session: Session, end: InviteEnd): void {
		this.#typing.ended(session.local.toLowerCase(), session.remote.toLowerCase());
		this.#of(session)?.ended(session, end);
	}

	/** The 200 says that the message is on disk (promise 1). */
	async #receive(session: Session, transaction: ServerTransaction, owner: string, body: string): Promise<void> {
		const { agent, log, publishedState, store } = this.#options;
		const { request } = transaction;
		try {
			const result = await store.messages.receive({
				owner,
				from: session.remote,
				contentType: "text/plain",
				body,
				callId: request.callId,
				fromTag: request.from.tag ?? "",
				sequence: request.cseq.number,
				...(session.heldLevel === undefined ? {} : { held: session.heldLevel }),
			});
			switch (result.kind) {
				case "held-full":
					agent.answer(transaction, 480, { code: "requests-full" });
					break;
				case "held":
					agent.answer(transaction, 202, { code: "held" });
					if (result.isFirst) this.#requested(owner, result.message.peer);
					break;
				case "stored":
				case "duplicate":
					agent.answer(transaction, publishedState(owner) === "offline" ? 202 : 200, { code: "received" });
					if (result.kind === "stored") this.#arrivedFor(result.message);
					break;
			}
		} catch (error) {
			log.error("message not stored", { callId: request.callId, reason: String(error) });
			agent.answer(transaction, 500, { code: "store-failed", headers: [["Retry-After", "60"]] });
		}
	}

	#requested(owner: string, other: string): void {
		const request = this.#options.store.messageRequests.get(owner, other);
		if (request !== undefined) this.#options.events.requested(request);
	}

	/** What our user wants with somebody who calls (protocol sheet 3.5, row 10). */
	#admit(owner: string, other: string, level: Verification, isHidden: boolean): Admission {
		const { store, unverified } = this.#options;
		return admitSender(
			{
				level,
				decision: store.watchers.standing(owner, other)?.decision,
				isContact: () => store.contacts.get(owner, other) !== undefined,
				isKnown: () => store.messageRequests.isKnown(owner, other),
			},
			{ unverified, settings: store.settings.get(owner), isHidden },
		);
	}

	/** A message is on disk for its recipient: whoever wrote it has stopped writing (RFC 3994 §3.3). */
	#arrivedFor(message: Message): void {
		this.#typing.ended(message.owner, message.peer);
		this.#options.events.message(message);
	}

	/** Why our user takes no messages now (protocol sheet 3.5, rows 9 and 11). */
	#absence(owner: string): { readonly status: 480 | 486; readonly code: string } | undefined {
		const { busy, offline, publishedState } = this.#options;
		const state = publishedState(owner);
		if (state === "offline" && offline === "refuse") return { status: 480, code: "offline" };
		return state === "busy" && busy === "refuse" ? { status: 486, code: "busy" } : undefined;
	}

	/** Protocol sheet 7.5: where users are hidden, the time of an answer tells nothing either. */
	#refuseCall(transaction: ServerTransaction, status: number, code: string, isHidden: boolean): void {
		const { agent, clock, random } = this.#options;
		if (!isHidden) {
			agent.answer(transaction, status, { code });
			return;
		}
		const delayMs = LEAST_HIDING_MS + random.below(HIDING_SPREAD_MS);
		clock.setTimer(delayMs, () => {
			if (!transaction.hasFinal) agent.answer(transaction, 480, { code });
		});
	}

	/** REQ-33: what is offered is nothing of ours, and this is what would be. */
	#refuseOffer(transaction: ServerTransaction, peer: Peer, code: string): void {
		this.#options.agent.answer(transaction, 488, {
			code,
			headers: [["Warning", `304 ${this.#options.identity().fqdn} "Media type not available"`]],
			withCapabilities: peer,
		});
	}

	#conversation(owner: string, peer: string, address: string): Conversation {
		const key = `${owner} ${peer}`;
		const known = this.#conversations.get(key);
		if (known !== undefined) return known;
		const made = new Conversation(this.#conversationOptions, owner, peer, address);
		this.#conversations.set(detach(key), made);
		return made;
	}

	async #prepare(conversation: Conversation, tried: ReadonlySet<Link>): Promise<Session | MessageFinish> {
		const { agent, store } = this.#options;
		const outcome = await agent.linkTo(domainOf(conversation.peer), conversation.owner, tried);
		if (!outcome.ok) {
			const { status, reason, blame } = outcome.refusal;
			return { fate: "failed", code: status, reason, blame };
		}
		const user = store.users.get(conversation.owner);
		if (user === undefined) return { fate: "failed", code: 404, reason: "The sender no longer exists.", blame: "us" };
		if (user.suspended) return { fate: "failed", code: 403, reason: "The sender is suspended.", blame: "us" };
		return new Session(this.#options, {
			local: user.address,
			remote: conversation.address,
			displayName: user.displayName,
			verification: user.verification,
			link: outcome.link,
			peer: outcome.peer,
			user: this,
		});
	}

	#of(session: Session): Conversation | undefined {
		return this.#conversations.get(`${session.local.toLowerCase()} ${session.remote.toLowerCase()}`);
	}

	#rest(conversation: Conversation): void {
		const key = `${conversation.owner} ${conversation.peer}`;
		if (conversation.isIdle && this.#conversations.get(key) === conversation) this.#conversations.delete(key);
	}

	#watchIdle(): void {
		const { clock, dialogMs, idleMs, random } = this.#options;
		this.#idleTimer = clock.setTimer(CHECK_EVERY_MS, () => {
			const now = clock.now();
			const longest = dialogMs * LONGEST_SESSION - random.below(LONGEST_SESSION_SPREAD_MS);
			for (const conversation of [...this.#conversations.values()]) {
				conversation.expire();
				const oldest = conversation.waiting > 0 ? dialogMs * OLDEST_SESSION : longest;
				for (const session of [...conversation.sessions]) {
					const isIdle = conversation.waiting === 0 && now - session.lastActivityMs >= idleMs;
					if (isIdle || now - session.startedAtMs >= oldest) session.hangUp();
				}
			}
			this.#watchIdle();
		});
	}
}

/** Answers a MESSAGE that was not read, once its text is on disk. */
class KnownReceipt implements Receiver {
	readonly #known: KnownMessage;
	readonly #user: ReceiptUser;

	constructor(known: KnownMessage, user: ReceiptUser) {
		this.#known = known;
		this.#user = user;
	}

	stored(message: Message, isNew: boolean): void {
		this.#user.stored(this.#known, message, isNew);
	}

	failed(reason: StoreFailed): void {
		this.#user.failed(this.#known, reason);
	}
}

interface ReceiptUser {
	stored(known: KnownMessage, message: Message, isNew: boolean): void;
	failed(known: KnownMessage, reason: StoreFailed): void;
}

/** The address as the peer wrote it, where that reads back as its key; escapes of plain letters do not. It is kept, and holds no message alive. */
function addressOf(aor: Aor, key: string): string {
	const written = `${aor.user}@${aor.host}`;
	return detach(lowerAscii(written) === key ? written : key);
}
