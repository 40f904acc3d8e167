/** What one of our users writes to one partner's user: messages in their order, one at a time, each to its end (REQ-28, promise 1). */
import {
	type ClientTransactionUser,
	type Clock,
	formatIsComposing,
	formatKeyboardActivity,
	type ImProfile,
	type InviteEnd,
	type Logger,
	type SipResponse,
	type Timer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Message, MessageFinish } from "../store/messages.ts";
import type { Store } from "../store/store.ts";
import { explainFailure, outcomeOf } from "./message-outcome.ts";
import type { Session } from "./session.ts";
import { Composer, REFRESH_SECONDS } from "./typing.ts";

export interface ConversationOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly store: Store;
	/** Finds the way to the other side, another one than was tried: a session that has yet to call, or why there is none. */
	readonly prepare: (conversation: Conversation, tried: ReadonlySet<Link>) => Promise<Session | MessageFinish>;
	/** The form of message line to offer. */
	readonly profileOf: (session: Session) => ImProfile;
	/** Our offer was refused: true where another form of it is to be tried at once. */
	readonly offersOtherForm: (session: Session) => boolean;
	/** How long a message may wait for its turn (`[im] queue_hours`). */
	readonly queueMs: number;
	/** A message went on to another fate, which is on disk. */
	readonly fate: (message: Message, fate: "sending" | MessageFinish) => void;
	/** Nothing is left of the conversation. */
	readonly idle: (conversation: Conversation) => void;
}

/** REQ-67: from this age of the dialog on a 403 may mean that the peer's signing key has expired. */
const OLD_DIALOG_MS = 12 * 3_600_000;
/** After this the store is asked again for what it could not write. */
const STORE_PAUSE_MS = 5_000;

/** The answer after which the next edge is tried. */
const UNAVAILABLE = 503;

/** Links whose edge answered our call with 503, and how the last one failed. */
interface Unavailable {
	readonly links: Set<Link>;
	failure: MessageFinish;
}

const none: ReadonlySet<Link> = new Set();

/** Nobody waits for these answers; what they say of the session counts (protocol sheet 3.6, RFC 3994 §3.6). */
function typingUser(session: Session): ClientTransactionUser {
	return {
		response({ statusCode }) {
			if (statusCode === 408 || statusCode === 480 || statusCode === 481) session.requestFailed(statusCode);
			else if (statusCode >= 300) session.refusesTyping = true;
		},
		failed: () => {},
	};
}

export class Conversation {
	/** Keys. */
	readonly owner: string;
	readonly peer: string;
	/** The other side as our user wrote it. */
	readonly address: string;
	readonly #options: ConversationOptions;
	readonly #queue: Message[] = [];
	/** Mostly one: a set would take more room than it. */
	#sessions: readonly Session[] = [];
	/** Where messages go, or will go when it is established. */
	#current: Session | undefined;
	#isPreparing = false;
	/** Ours, while its INVITE is under way. */
	#calling: Session | undefined;
	#outstanding: Message | undefined;
	/** Writes that the store refused and is asked for again. */
	#unwritten: Set<Timer> | undefined;
	#isStopped = false;
	/** Links whose edge answered our call with 503, and how the last one failed. */
	#unavailable: Unavailable | undefined;
	/** Messages that had their one second try. */
	#tried: Set<string> | undefined;
	/** Sessions that a newer one of the other side's replaced, and in which a message still waits for its answer. */
	#replaced: Set<Session> | undefined;
	/** Once our user has written. */
	#composer: Composer | undefined;

	constructor(options: ConversationOptions, owner: string, peer: string, address: string) {
		this.#options = options;
		this.owner = owner;
		this.peer = peer;
		this.address = address;
	}

	get waiting(): number {
		return this.#queue.length + (this.#outstanding === undefined ? 0 : 1) + (this.#unwritten?.size ?? 0);
	}

	get sessions(): readonly Session[] {
		return this.#sessions;
	}

	/** Nothing is left to do. */
	get isIdle(): boolean {
		return this.waiting === 0 && this.#sessions.length === 0 && !this.#isPreparing;
	}

	/** A message that is on disk as `queued`. */
	submit(message: Message): void {
		this.#queue.push(message);
		this.#pump();
	}

	/** The other side called: its session is used from now on, unless ours is under way (glare: ours wins). */
	joined(session: Session): void {
		if (session.isOver) {
			this.#rest();
			return;
		}
		this.#add(session);
		if (this.#isPreparing || this.#calling !== undefined) return;
		const before = this.#current;
		this.#current = session;
		if (before === undefined || before === session || before.isOver) return;
		// What is queued goes on in the new session. What has left waits for its answer in the old one: nothing is sent twice.
		if (this.#outstanding === undefined) before.hangUp();
		else {
			this.#replaced ??= new Set();
			this.#replaced.add(before);
		}
	}

	established(session: Session): void {
		this.#unavailable = undefined;
		this.#add(session);
		if (session === this.#calling) this.#calling = undefined;
		if (this.#current === undefined || this.#current.isOver) this.#current = session;
		this.#pump();
	}

	/** A session is over; `end` says why, where what waited for it has to be told. */
	ended(session: Session, end: InviteEnd): void {
		this.#remove(session);
		this.#replaced?.delete(session);
		const wasCalling = session === this.#calling;
		if (wasCalling) this.#calling = undefined;
		if (session === this.#current) {
			const others = this.#sessions;
			// One whose ACK is still to come will do: it is established soon, or ends.
			this.#current = others.find(({ isEstablished }) => isEstablished) ?? others.find(({ isOver }) => !isOver);
			if (wasCalling && this.#current === undefined && !this.#isStopped) this.#notAnswered(session, end);
		}
		this.#pump();
		this.#rest();
	}

	/** Nobody took our call: it goes to the next edge after a 503 (protocol sheet 1.2), in another form, or is given up. */
	#notAnswered(session: Session, end: InviteEnd): void {
		const failure = explainFailure(end, session.refusal);
		if (end.kind === "refused" && end.statusCode === UNAVAILABLE) {
			this.#unavailable ??= { links: new Set(), failure };
			this.#unavailable.links.add(session.link);
			this.#unavailable.failure = failure;
		} else if (!this.#options.offersOtherForm(session)) {
			void this.#failAll(failure);
		}
	}

	/** Our user writes, or stopped. */
	typing(active: boolean): void {
		if (this.#current?.isEstablished !== true) return;
		this.#composer ??= new Composer(this.#options.clock, (isActive) => this.#tellTyping(isActive));
		this.#composer.writes(active);
	}

	/** Told only inside an open session, in a form that the other side understands. */
	#tellTyping(active: boolean): void {
		const session = this.#current;
		if (session === undefined || !session.isEstablished || session.refusesTyping) return;
		const user = typingUser(session);
		if (session.typingForm === "keyboard") {
			session.send("INFO", "application/xml", formatKeyboardActivity(active ? "active" : "idle"), user);
		} else if (session.typingForm === "iscomposing" || session.acceptTypes.includes("application/im-iscomposing+xml")) {
			const body = formatIsComposing({
				state: active ? "active" : "idle",
				contentType: "text/plain",
				...(active ? { refreshSeconds: REFRESH_SECONDS } : {}),
			});
			session.send("MESSAGE", "application/im-iscomposing+xml", body, user);
		}
	}

	/** Our user is done with the other side: its sessions end, and nothing more is taken in them. */
	close(): void {
		this.#composer?.close();
		for (const session of this.#sessions) session.shut();
	}

	/** The server stops: the sessions end, and what waits stays on disk for the next start. */
	stop(): void {
		this.#isStopped = true;
		this.#composer?.close();
		for (const timer of this.#unwritten ?? []) timer.stop();
		this.#unwritten = undefined;
		for (const session of this.#sessions) session.leave();
	}

	/** Ends what has waited too long for its turn. */
	expire(): void {
		const oldest = this.#options.clock.wall() - this.#options.queueMs;
		for (let message = this.#queue[0]; message !== undefined && message.createdAt < oldest; message = this.#queue[0]) {
			this.#queue.shift();
			void this.#finish(message, {
				fate: "failed",
				code: 408,
				reason: "The message waited for its turn longer than messages are kept.",
				blame: "peer",
			});
		}
	}

	#add(session: Session): void {
		if (!this.#sessions.includes(session)) this.#sessions = [...this.#sessions, session];
	}

	#remove(session: Session): void {
		this.#sessions = this.#sessions.filter((other) => other !== session);
	}

	#pump(): void {
		this.expire();
		const message = this.#queue[0];
		if (message === undefined || this.#isStopped || this.#outstanding !== undefined) return;
		const session = this.#current;
		if (session?.isEstablished !== true) {
			if (!this.#isPreparing && (session === undefined || session.isOver)) this.#prepare();
			return;
		}
		this.#queue.shift();
		this.#outstanding = message;
		void this.#send(session, message);
	}

	#prepare(): void {
		this.#isPreparing = true;
		this.#options.prepare(this, this.#unavailable?.links ?? none).then(
			(prepared) => this.#prepared(prepared),
			(error: unknown) => this.#prepared(this.#notOpened(error)),
		);
	}

	#prepared(prepared: Session | MessageFinish): void {
		this.#isPreparing = false;
		// Meanwhile the other side may have called, the queue may be empty, and the server may be stopping.
		const isTaken = this.#current !== undefined && !this.#current.isOver;
		if (isTaken || this.#isStopped || this.#queue.length === 0) {
			this.#pump();
			this.#rest();
		} else if ("fate" in prepared) {
			void this.#failAll(this.#unavailable?.failure ?? prepared);
		} else {
			// Known before it calls: a call may end before it returns.
			this.#current = prepared;
			this.#calling = prepared;
			this.#add(prepared);
			try {
				prepared.call(this.#options.profileOf(prepared));
			} catch (error) {
				// What a person wrote as an address makes no request: that is no reason to stop for everybody.
				this.#current = undefined;
				this.#calling = undefined;
				this.#remove(prepared);
				void this.#failAll(this.#notOpened(error));
			}
		}
	}

	#notOpened(error: unknown): MessageFinish {
		this.#options.log.error("session not opened", { reason: String(error) });
		return { fate: "failed", code: 500, reason: "This server could not open a session.", blame: "us" };
	}

	async #send(session: Session, message: Message): Promise<void> {
		const { store, log, fate } = this.#options;
		try {
			// On disk before the first octet leaves: after a crash the message is `unknown`, never sent twice.
			const marked = await store.messages.markSending(message.id);
			if (!marked.done) {
				this.#settled(message);
				return;
			}
		} catch (error) {
			log.error("message waits: the store does not write", { reason: String(error) });
			this.#outstanding = undefined;
			this.#queue.unshift(message);
			this.#later(() => this.#pump());
			return;
		}
		fate(message, "sending");
		this.#composer?.sent();
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
		if (isGone && this.#tried?.has(message.id) !== true) {
			// The one automatic second try: the peer no longer knows the dialog, so the message was not delivered.
			this.#tried ??= new Set();
			this.#tried.add(message.id);
			void this.#requeue(message);
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
			this.#later(() => void this.#requeue(message));
			return;
		}
		this.#settled(message);
	}

	async #finish(message: Message, finish: MessageFinish): Promise<void> {
		this.#tried?.delete(message.id);
		try {
			const finished = await this.#options.store.messages.finish(message.id, finish);
			if (finished.done) this.#options.fate(message, finish);
		} catch (error) {
			// Where the store never writes again the next start makes `unknown` of what stays `sending`.
			this.#options.log.error("fate not stored", { reason: String(error) });
			this.#later(() => void this.#finish(message, finish));
		}
		this.#settled(message);
	}

	/** Runs again what the store refused; a server that stops leaves it to the next start. */
	#later(run: () => void): void {
		if (this.#isStopped) return;
		const timer = this.#options.clock.setTimer(STORE_PAUSE_MS, () => {
			this.#unwritten?.delete(timer);
			run();
		});
		this.#unwritten ??= new Set();
		this.#unwritten.add(timer);
	}

	#settled(message: Message): void {
		if (this.#outstanding?.id === message.id) {
			this.#outstanding = undefined;
			for (const session of [...(this.#replaced ?? [])]) session.hangUp();
		}
		this.#pump();
		this.#rest();
	}

	async #failAll(finish: MessageFinish): Promise<void> {
		this.#unavailable = undefined;
		await Promise.all(this.#queue.splice(0).map((message) => this.#finish(message, finish)));
		this.#rest();
	}

	#rest(): void {
		if (this.#sessions.length === 0) this.#composer?.close();
		if (this.isIdle) this.#options.idle(this);
	}
}
