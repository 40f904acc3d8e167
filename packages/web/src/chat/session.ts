import type { Client, Decision, Message, PresenceState, UserEvent } from "@causeway/admin";
import { explainError, isTokenEnded } from "../api.ts";
import type { ChatEnv } from "./env.ts";
import { EventFeed } from "./event-feed.ts";
import { ReadMarks } from "./read-marks.ts";
import { type ChatState, createChatState, type OutboxEntry } from "./state/chat-state.ts";
import { loadOutbox, storeOutbox } from "./state/outbox.ts";
import { type Action, reduceChat } from "./state/reduce.ts";
import { Submitter } from "./submitter.ts";
import { TypingTeller } from "./typing-teller.ts";

const pageLength = 50;
/** Conversations whose unread messages are counted at the start; of others only the last message is looked at. */
const countedConversations = 30;
const loadRetryMs = 5_000;
/** RFC 3994 §3.3: without news for so long, the other side no longer writes. */
const typingLifeMs = 120_000;

/** A user's chat while logged in: holds the state, talks to the server, and tells whoever shows it of each change. */
export class ChatSession {
	readonly #client: Client;
	readonly #env: ChatEnv;
	readonly #ended: (reason: string) => void;
	readonly #feed: EventFeed;
	readonly #submitter: Submitter;
	readonly #typing: TypingTeller;
	readonly #marks: ReadMarks;
	readonly #listeners = new Set<() => void>();
	readonly #typingTimers = new Map<string, () => void>();
	#state: ChatState;
	/** Events that came while the lists were read: they are applied behind them. */
	#held: UserEvent[] | undefined;
	#stopReload: (() => void) | undefined;
	#loadRun = 0;
	#noticeCount = 0;
	#isClosed = false;

	/** `ended` is called once, where the server no longer takes the token. */
	constructor(client: Client, me: string, env: ChatEnv, ended: (reason: string) => void) {
		this.#client = client;
		this.#env = env;
		this.#ended = ended;
		this.#marks = new ReadMarks(env.browserShelf, me);
		this.#state = createChatState(me, loadOutbox(env.tabShelf, me));
		this.#feed = new EventFeed(client, env.clock, env.random, {
			link: (link) => {
				this.#dispatch({ kind: "link", link });
				if (link.kind === "live") this.#submitter.tryNow();
			},
			fresh: () => void this.#load(true),
			event: (event) => this.#take(event),
			probe: () => this.#probe(),
		});
		this.#submitter = new Submitter({
			client,
			clock: env.clock,
			outbox: () => this.#state.outbox,
			dispatch: (action) => this.#dispatch(action),
			tokenEnded: () => this.#end(),
		});
		this.#typing = new TypingTeller(env.clock, (to, typing) => {
			// Nobody is told where it fails: it is gone in a moment anyway.
			this.#client.call("putTyping", { body: { to, typing } }).catch(() => {});
		});
	}

	get state(): ChatState {
		return this.#state;
	}

	subscribe(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	start(): void {
		this.#feed.start();
		this.#submitter.pump();
	}

	close(): void {
		this.#isClosed = true;
		this.#typing.stop();
		this.#feed.close();
		this.#submitter.close();
		this.#stopReload?.();
		for (const stop of this.#typingTimers.values()) stop();
	}

	/** Comes back at once where the connection is lost. */
	reconnect(): void {
		this.#feed.tryNow();
		this.#submitter.tryNow();
		if (typeof this.#state.loading === "object") void this.#load(false);
	}

	/** The browser says that the network changed: the connection may be dead without knowing. */
	networkChanged(): void {
		this.#feed.renew();
		this.#submitter.tryNow();
	}

	/** Whether somebody looks at the page. Who comes back sees what other programs of the same user did. */
	setWatched(isWatched: boolean): void {
		if (isWatched === this.#state.isWatched) return;
		this.#dispatch({ kind: "watched", isWatched });
		if (!isWatched) return;
		this.#feed.tryNow();
		if (this.#state.loading === "ready") void this.#load(false);
	}

	/** Shows a conversation, or none. */
	select(aor: string | undefined): void {
		if (aor !== this.#state.selected) this.#typing.stop();
		this.#dispatch({ kind: "select", aor });
		const known = aor === undefined ? undefined : this.#state.conversations.get(aor);
		if (aor !== undefined && (known === undefined || known.reading === "not-read" || known.reading === "failed")) {
			void this.#readLatest(aor);
		}
	}

	/** Reads the page before the ones that are loaded. */
	async readEarlier(aor: string): Promise<void> {
		const known = this.#state.conversations.get(aor);
		if (known?.reading === "failed" && known.messages.length === 0) return this.#readLatest(aor);
		const before = known?.previous;
		if (known === undefined || before === undefined || known.reading === "reading") return;
		this.#dispatch({ kind: "reading", with: aor });
		try {
			const page = await this.#client.call("listMessages", { query: { with: aor, before, limit: pageLength } });
			this.#dispatch({ kind: "earlier-page", with: aor, page });
		} catch (error) {
			this.#failed(error, { kind: "reading-failed", with: aor, reason: explainError(error) });
		}
	}

	/** Puts a message into the outbox; what becomes of it is in the state. */
	send(to: string, text: string): void {
		this.#typing.sent();
		const entry: OutboxEntry = {
			key: this.#env.randomKey(),
			to,
			text,
			at: this.#env.clock.now(),
			state: { kind: "waiting" },
			seenAs: undefined,
		};
		this.#dispatch({ kind: "queue", entry });
		this.#submitter.pump();
	}

	/** Hands a refused message in again. */
	retry(key: string): void {
		this.#dispatch({ kind: "outbox-state", key, state: { kind: "waiting" } });
		this.#submitter.pump();
	}

	/** Takes a refused message out of the outbox. */
	discard(key: string): void {
		this.#dispatch({ kind: "outbox-removed", key });
		this.#submitter.pump();
	}

	/** What stands in the field for the next message changed. */
	writing(to: string, text: string): void {
		this.#typing.changed(to, text);
	}

	setPresence(state: PresenceState, note: string): Promise<boolean> {
		return this.#do(async () => {
			const body = { state, ...(note === "" ? {} : { note }) };
			this.#dispatch({ kind: "presence", presence: await this.#client.call("putPresence", { body }) });
		});
	}

	/** Adds or renames a contact. */
	putContact(aor: string, name: string): Promise<boolean> {
		return this.#do(async () => {
			const before = this.#state.contacts.get(aor);
			const body = name === "" ? {} : { name };
			const contact = await this.#client.call("putContact", { params: { aor }, body });
			const now = this.#state.contacts.get(aor);
			// An event that came meanwhile knows more of the presence than the answer, which was made before it.
			const isOlder = now !== undefined && now !== before;
			const named = contact.name === undefined ? {} : { name: contact.name };
			this.#dispatch({ kind: "contact", contact: isOlder ? { ...now, ...named } : contact });
		});
	}

	removeContact(aor: string): Promise<boolean> {
		return this.#do(async () => {
			await this.#client.call("deleteContact", { params: { aor } });
			this.#dispatch({ kind: "contact-removed", aor });
		});
	}

	decide(aor: string, decision: Decision): Promise<boolean> {
		return this.#do(async () => {
			await this.#client.call("decideRequest", { params: { aor }, body: { decision } });
			this.#dispatch({ kind: "request-decided", aor });
			if (decision === "block") await this.#readBlocks();
		});
	}

	/** Messages of somebody who is not let in, oldest first; undefined, and a notice, where they cannot be read. */
	async readHeld(aor: string): Promise<readonly Message[] | undefined> {
		let messages: readonly Message[] | undefined;
		await this.#do(async () => {
			const query = { with: aor, folder: "requests", limit: pageLength } as const;
			({ messages } = await this.#client.call("listMessages", { query }));
		});
		return messages;
	}

	/** Lets the messages of somebody in, deletes them, or blocks the sender. */
	decideHeld(aor: string, decision: "accept" | "decline" | "block"): Promise<boolean> {
		return this.#do(async () => {
			await this.#client.call("decideMessageRequest", { params: { aor }, body: { decision } });
			this.#dispatch({ kind: "held-decided", aor });
			if (decision === "accept") await this.#readLatest(aor);
			if (decision === "block") await this.#readBlocks();
		});
	}

	block(aor: string): Promise<boolean> {
		return this.#do(async () => {
			this.#dispatch({ kind: "blocked", block: await this.#client.call("putBlock", { params: { aor } }) });
		});
	}

	unblock(aor: string): Promise<boolean> {
		return this.#do(async () => {
			await this.#client.call("deleteBlock", { params: { aor } });
			this.#dispatch({ kind: "unblocked", aor });
		});
	}

	/** Ends the open conversation; the other side is told. */
	endConversation(aor: string): Promise<boolean> {
		return this.#do(() => this.#client.call("endConversation", { params: { aor } }));
	}

	/** Shows oneself as offline, then ends the token. It ends here in any case. */
	async logOut(): Promise<void> {
		this.close();
		const note = this.#state.presence?.note;
		try {
			await this.#client.call("putPresence", { body: { state: "offline", ...(note === undefined ? {} : { note }) } });
			await this.#client.call("logout");
		} catch {
			// The token ends by its age.
		}
	}

	dismiss(number: number): void {
		this.#dispatch({ kind: "notice-read", number });
	}

	/** Does what a person asked for; false, and a notice, where it failed. */
	async #do(act: () => Promise<unknown>): Promise<boolean> {
		try {
			await act();
			return true;
		} catch (error) {
			this.#noticeCount += 1;
			this.#failed(error, { kind: "notice", number: this.#noticeCount, text: explainError(error) });
			return false;
		}
	}

	#failed(error: unknown, action: Action): void {
		if (isTokenEnded(error)) this.#end();
		else this.#dispatch(action);
	}

	async #readBlocks(): Promise<void> {
		const { blocks } = await this.#client.call("listBlocks");
		for (const block of blocks) this.#dispatch({ kind: "blocked", block });
	}

	async #load(forget: boolean): Promise<void> {
		this.#loadRun += 1;
		const run = this.#loadRun;
		this.#stopReload?.();
		this.#held ??= [];
		if (forget || this.#state.loading !== "ready") this.#dispatch({ kind: "loading", forget });
		try {
			const [presence, { contacts }, { requests }, held, { blocks }, { conversations }] = await Promise.all([
				this.#client.call("getPresence"),
				this.#client.call("listContacts"),
				this.#client.call("listRequests"),
				this.#client.call("listMessageRequests"),
				this.#client.call("listBlocks"),
				this.#client.call("listConversations"),
			]);
			if (run !== this.#loadRun || this.#isClosed) return;
			this.#dispatch({
				kind: "loaded",
				lists: { presence, contacts, requests, held: held.requests, blocks, conversations },
			});
			this.#release();
			if (forget) this.#readUnread();
		} catch (error) {
			if (run !== this.#loadRun || this.#isClosed) return;
			this.#release();
			this.#failed(error, { kind: "load-failed", reason: explainError(error) });
			this.#stopReload = this.#env.clock.setTimer(loadRetryMs, () => void this.#load(forget));
		}
	}

	#release(): void {
		const held = this.#held ?? [];
		this.#held = undefined;
		for (const event of held) this.#take(event);
	}

	/** The shown conversation, and those whose last message came in and was not looked at. */
	#readUnread(): void {
		const { conversations, selected } = this.#state;
		if (selected !== undefined) void this.#readLatest(selected);
		const unread = [...conversations.values()].filter(
			({ with: withAor, last }) =>
				withAor !== selected && last?.direction === "in" && last.id > (this.#marks.get(withAor) ?? ""),
		);
		for (const { with: withAor } of unread.slice(0, countedConversations)) void this.#readLatest(withAor);
	}

	async #readLatest(aor: string): Promise<void> {
		const readUpTo = this.#marks.get(aor);
		this.#dispatch({ kind: "reading", with: aor });
		try {
			const page = await this.#client.call("listMessages", { query: { with: aor, latest: true, limit: pageLength } });
			this.#dispatch({ kind: "latest-page", with: aor, page, readUpTo });
		} catch (error) {
			this.#failed(error, { kind: "reading-failed", with: aor, reason: explainError(error) });
		}
	}

	#take(event: UserEvent): void {
		if (this.#held !== undefined) {
			this.#held.push(event);
			return;
		}
		this.#dispatch({ kind: "event", event });
		if (event.kind === "typing") this.#limitTyping(event.with, event.typing);
	}

	#limitTyping(withAor: string, isTyping: boolean): void {
		this.#typingTimers.get(withAor)?.();
		this.#typingTimers.delete(withAor);
		if (!isTyping) return;
		const expired = (): void => this.#dispatch({ kind: "typing-expired", with: withAor });
		this.#typingTimers.set(withAor, this.#env.clock.setTimer(typingLifeMs, expired));
	}

	/** The token may be why no connection comes about. */
	async #probe(): Promise<void> {
		try {
			await this.#client.call("getPresence");
		} catch (error) {
			if (isTokenEnded(error)) this.#end();
		}
	}

	#end(): void {
		if (this.#isClosed) return;
		this.close();
		this.#ended("Your session has ended: it expired, or the password was changed. Log in again.");
	}

	#dispatch(action: Action): void {
		if (this.#isClosed) return;
		const before = this.#state;
		this.#state = reduceChat(before, action);
		if (this.#state === before) return;
		if (this.#state.outbox !== before.outbox) storeOutbox(this.#env.tabShelf, this.#state.me, this.#state.outbox);
		this.#markRead();
		for (const listener of [...this.#listeners]) listener();
	}

	#markRead(): void {
		const { selected, isWatched, conversations } = this.#state;
		const shown = selected === undefined ? undefined : conversations.get(selected);
		// Not before it was read: until then nobody has seen what was unread.
		if (isWatched && shown?.last !== undefined && shown.reading === "read") this.#marks.set(shown.with, shown.last.id);
	}
}
