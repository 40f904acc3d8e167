/** What one of our users writes to one partner's user: messages in their order, one at a time, each to its end (REQ-28, promise 1). */
import {
	type Clock,
	formatIsComposing,
	formatKeyboardActivity,
	type InviteEnd,
	type Logger,
	type SipResponse,
} from "@causeway/sip";
import type { Message, MessageFinish } from "../store/messages.ts";
import type { Store } from "../store/store.ts";
import { explainFailure, outcomeOf } from "./message-outcome.ts";
import type { Session } from "./session.ts";

export interface ConversationOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly store: Store;
	/** Opens a session; the conversation is told by {@link Conversation.established} or {@link Conversation.ended}. */
	readonly call: (conversation: Conversation) => Promise<Session | MessageFinish>;
	/** A message went on to another fate, which is on disk. */
	readonly fate: (message: Message, fate: "sending" | MessageFinish) => void;
	/** Nothing is left of the conversation. */
	readonly idle: (conversation: Conversation) => void;
}

/** REQ-67: from this age of the dialog on a 403 may mean that the peer's signing key has expired. */
const OLD_DIALOG_MS = 12 * 3_600_000;
const NO_BODY_USER = { response: () => {}, failed: () => {} } as const;

export class Conversation {
	/** Keys. */
	readonly owner: string;
	readonly peer: string;
	/** The other side as our user wrote it. */
	readonly address: string;
	readonly #options: ConversationOptions;
	readonly #queue: Message[] = [];
	readonly #sessions = new Set<Session>();
	#current: Session | undefined;
	#isCalling = false;
	#outstanding: Message | undefined;
	/** Messages that had their one second try. */
	readonly #tried = new Set<string>();

	constructor(options: ConversationOptions, owner: string, peer: string, address: string) {
		this.#options = options;
		this.owner = owner;
		this.peer = peer;
		this.address = address;
	}

	get waiting(): number {
		return this.#queue.length + (this.#outstanding === undefined ? 0 : 1);
	}

	get sessions(): Iterable<Session> {
		return this.#sessions;
	}

	/** A message that is on disk as `queued`. */
	submit(message: Message): void {
		this.#queue.push(message);
		this.#pump();
	}

	/** The other side called: its session is used from now on, unless ours is under way (glare: ours wins). */
	joined(session: Session): void {
		this.#sessions.add(session);
		const before = this.#current;
		if (this.#isCalling) return;
		this.#current = session;
		if (before !== undefined && before !== session && this.#outstanding === undefined) before.hangUp();
	}

	established(session: Session): void {
		this.#sessions.add(session);
		if (session === this.#current || this.#current === undefined || this.#current.isOver) {
			this.#current = session;
			this.#isCalling = false;
		}
		this.#pump();
	}

	/** A session is over; `finish` is the fate of what waited for it, where it never came about. */
	ended(session: Session, end: InviteEnd): void {
		this.#sessions.delete(session);
		if (session !== this.#current) {
			this.#rest();
			return;
		}
		this.#current = undefined;
		const wasCalling = this.#isCalling;
		this.#isCalling = false;
		const other = [...this.#sessions].find((candidate) => candidate.isEstablished);
		if (other !== undefined) this.#current = other;
		else if (wasCalling) void this.#failAll(explainFailure(end, session.refusal));
		this.#pump();
		this.#rest();
	}

	/** Our user writes, or stopped; told only inside an open session, in a form the other side understands. */
	typing(active: boolean): void {
		const session = this.#current;
		if (session === undefined || !session.isEstablished) return;
		if (session.typingForm === "keyboard") {
			session.send("INFO", "application/xml", formatKeyboardActivity(active ? "active" : "idle"), NO_BODY_USER);
		} else if (session.typingForm === "iscomposing" || session.acceptTypes.includes("application/im-iscomposing+xml")) {
			const body = formatIsComposing({ state: active ? "active" : "idle", contentType: "text/plain" });
			session.send("MESSAGE", "application/im-iscomposing+xml", body, NO_BODY_USER);
		}
	}

	/** Ends the sessions without touching what waits: it goes on when the next message or start comes. */
	close(): void {
		for (const session of [...this.#sessions]) session.hangUp();
	}

	#pump(): void {
		const message = this.#queue[0];
		if (message === undefined || this.#outstanding !== undefined || this.#isCalling) return;
		const session = this.#current;
		if (session?.isEstablished !== true) {
			if (session === undefined || session.isOver) this.#call();
			return;
		}
		this.#queue.shift();
		this.#outstanding = message;
		void this.#send(session, message);
	}

	#call(): void {
		this.#isCalling = true;
		this.#current = undefined;
		this.#options.call(this).then(
			(called) => {
				if ("fate" in called) {
					this.#isCalling = false;
					void this.#failAll(called);
				} else if (!called.isOver) {
					this.#current ??= called;
					this.#sessions.add(called);
				}
			},
			(error: unknown) => {
				this.#isCalling = false;
				this.#options.log.error("session not opened", { reason: String(error) });
				void this.#failAll({ fate: "failed", code: 500, reason: "This server could not open a session.", blame: "us" });
			},
		);
	}

	async #send(session: Session, message: Message): Promise<void> {
		const { store, log, fate } = this.#options;
		try {
			// On disk before the first octet leaves: after a crash the message is `unknown`, never sent twice.
			const marked = await store.messages.markSending(message.id);
			if (!marked.done) {
				this.#settled();
				return;
			}
		} catch (error) {
			log.error("message waits: the store does not write", { reason: String(error) });
			this.#outstanding = undefined;
			this.#queue.unshift(message);
			this.#options.clock.setTimer(5_000, () => this.#pump());
			return;
		}
		fate(message, "sending");
		if (!session.isEstablished) {
			// Ended while the disk was busy: certainly not sent.
			await this.#requeue(message);
			return;
		}
		session.send("MESSAGE", `${message.contentType}; charset=UTF-8`, new TextEncoder().encode(message.body), {
			response: (response) => {
				if (response.statusCode >= 200) this.#answered(session, message, response);
			},
			failed: (failure) => {
				const reason =
					failure === "timeout"
						? "The message left, and no answer came in time."
						: "The message left, and the connection was lost before an answer came.";
				void this.#finish(message, {
					fate: "unknown",
					code: failure === "timeout" ? 408 : 503,
					reason,
					blame: failure === "timeout" ? "peer" : "network",
				});
				if (failure === "timeout") session.requestFailed(408);
			},
		});
	}

	#answered(session: Session, message: Message, response: SipResponse): void {
		const { statusCode } = response;
		const isOld = this.#options.clock.now() - session.startedAtMs > OLD_DIALOG_MS;
		const isGone = statusCode === 481 || (statusCode === 403 && isOld);
		if (isGone && !this.#tried.has(message.id)) {
			// The one automatic second try: the peer no longer knows the dialog, so the message was not delivered.
			this.#tried.add(message.id);
			void this.#requeue(message).then(() => this.#pump());
			session.requestFailed(481);
			return;
		}
		void this.#finish(message, outcomeOf(response));
		if (statusCode === 408 || statusCode === 480 || statusCode === 481) session.requestFailed(statusCode);
	}

	async #requeue(message: Message): Promise<void> {
		try {
			const requeued = await this.#options.store.messages.requeue(message.id);
			if (requeued.done) this.#queue.unshift(message);
		} catch (error) {
			this.#options.log.error("message not queued again", { reason: String(error) });
		}
		this.#settled();
	}

	async #finish(message: Message, finish: MessageFinish): Promise<void> {
		try {
			const finished = await this.#options.store.messages.finish(message.id, finish);
			if (finished.done) this.#options.fate(message, finish);
		} catch (error) {
			// The row stays `sending`; the next start makes it `unknown`, which is true.
			this.#options.log.error("fate not stored", { reason: String(error) });
		}
		this.#tried.delete(message.id);
		if (this.#outstanding?.id === message.id) this.#settled();
	}

	#settled(): void {
		this.#outstanding = undefined;
		this.#pump();
		this.#rest();
	}

	async #failAll(finish: MessageFinish): Promise<void> {
		const failed = this.#queue.splice(0);
		await Promise.all(failed.map((message) => this.#finish(message, finish)));
		this.#rest();
	}

	#rest(): void {
		if (this.waiting === 0 && this.#sessions.size === 0 && !this.#isCalling) this.#options.idle(this);
	}
}
