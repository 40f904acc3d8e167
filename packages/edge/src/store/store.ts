import { resolve } from "node:path";
import type { Clock, Logger, Random } from "@causeway/sip";
import { type Audit, createAudit } from "./audit.ts";
import type { WriterPort } from "./batch.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { type Contacts, createContacts } from "./contacts.ts";
import { createIdentifiers } from "./identifier.ts";
import { createKeptDialogs, type KeptDialogs } from "./kept-dialogs.ts";
import { createLivePolicy, type LivePolicy } from "./live-policy.ts";
import { createLocalWriter } from "./local-writer.ts";
import { createMessageRequests, type MessageRequests } from "./message-requests.ts";
import { createMessages, type Messages, type ReceiveNow } from "./messages.ts";
import { openDatabase, openReader } from "./open-database.ts";
import { OPERATIONS } from "./operations.ts";
import { createPasswords, type ScryptCost } from "./passwords.ts";
import { createPublishedPresences, type PublishedPresences } from "./published-presence.ts";
import { ReadCache } from "./read-cache.ts";
import { createUserSettings, type UserSettings } from "./settings.ts";
import { startThreadWriter } from "./thread-writer.ts";
import { createTokens, type Tokens } from "./tokens.ts";
import { createUsers, type User, type Users } from "./users.ts";
import { createWatchers, type Standings, type Watchers } from "./watchers.ts";
import { type StoreStatistics, WriteQueue } from "./write-queue.ts";
import type { Writes } from "./writing.ts";

export interface StoreOptions {
	readonly clock: Pick<Clock, "wall">;
	readonly random: Random;
	readonly log: Logger;
	/** Cost of password hashes; `DEFAULT_SCRYPT_COST` unless given. */
	readonly scryptCost?: ScryptCost;
	/** Messages that may wait for one recipient; 1,000 unless given. */
	readonly queueLimit?: number;
	/** Writes that may wait for the disk before more are refused (`overloaded`); 50,000 unless given. */
	readonly writeLimit?: number;
	/** How long the writer waits for another program that holds the file; 5 s unless given. */
	readonly busyTimeoutMs?: number;
}

/** Path of a store that lives in this process's memory, on the calling thread, with the same SQL: for tests. */
export const IN_MEMORY = ":memory:";

const QUEUE_LIMIT = 1_000;
const WRITE_LIMIT = 50_000;
/** Users, and decisions about watchers, that are kept in memory as they were read. */
const USERS_KEPT = 10_000;
const STANDINGS_KEPT = 50_000;
/** Writes after which a user or a decision may read otherwise. */
const CHANGING_PEOPLE: ReadonlySet<string> = new Set([
	...["addUser", "updateUser", "setUserSuspended", "removeUser"],
	...["requestAuthorization", "decideAuthorization", "removeAuthorization"],
]);

/**
 * The edge's memory: users, presence, contacts, decisions, messages, tokens, audit and live policy in one SQLite file.
 *
 * Writes return promises that settle after their transaction is synced to disk, and reject with `StoreFailed` where it
 * was not; the event loop never waits for the disk to write. Reads are synchronous look-ups and short pages, see every
 * write that has settled, and throw `StoreFailed` where the file cannot be read.
 */
export class Store {
	readonly users: Users;
	readonly presence: PublishedPresences;
	readonly contacts: Contacts;
	readonly watchers: Watchers;
	readonly messages: Messages;
	readonly messageRequests: MessageRequests;
	readonly settings: UserSettings;
	readonly tokens: Tokens;
	readonly audit: Audit;
	readonly policy: LivePolicy;
	readonly keptDialogs: KeptDialogs;
	readonly #reader: Connection;
	readonly #writer: WriterPort;
	readonly #queue: WriteQueue;
	#closing: Promise<void> | undefined;

	/** Use {@link Store.open}. */
	private constructor(reader: Connection, writer: WriterPort, options: StoreOptions) {
		const { clock, random, log } = options;
		this.#reader = reader;
		this.#writer = writer;
		this.#queue = new WriteQueue(writer, options.writeLimit ?? WRITE_LIMIT, (failure) => {
			if (failure === undefined) log.info("store writes again");
			else log.error("store cannot write", { code: failure.code, detail: failure.detail });
		});
		const latest = reader.get("SELECT id FROM messages ORDER BY id DESC LIMIT 1");
		const nextId = createIdentifiers(clock, random, latest && text(latest, "id"));
		const users = new ReadCache<{ readonly user: User | undefined }>(USERS_KEPT);
		const standings = new ReadCache<Standings>(STANDINGS_KEPT, (found) => (found === "too-many" ? 1 : 1 + found.size));
		const writes = createWrites(this.#queue, () => {
			users.clear();
			standings.clear();
		});
		const queueLimit = options.queueLimit ?? QUEUE_LIMIT;
		this.users = createUsers(reader, writes, clock, createPasswords(options.scryptCost), users);
		this.presence = createPublishedPresences(reader, writes, clock);
		this.contacts = createContacts(reader, writes, clock);
		this.watchers = createWatchers(reader, writes, clock, standings);
		const receiving = Object.keys(OPERATIONS).indexOf("receiveMessage");
		const receive: ReceiveNow = (settlement, ...input) => this.#queue.send(receiving, input, settlement);
		this.messages = createMessages(reader, writes, receive, { clock, nextId, queueLimit });
		this.messageRequests = createMessageRequests(reader, writes);
		this.settings = createUserSettings(reader, writes);
		this.tokens = createTokens(reader, writes, { clock, random, nextId, log });
		this.audit = createAudit(reader, writes, clock);
		this.policy = createLivePolicy(reader, writes, clock);
		this.keptDialogs = createKeptDialogs(reader, writes, clock);
	}

	/**
	 * Opens the store at this path, making or migrating it. Messages that were `sending` when the program last ended are
	 * `unknown` from here on; those `queued` are handed out by `messages.queued`. Rejects with `StoreFailed`: `in-use`,
	 * `newer-store`, `not-a-store`, or a failure of the disk.
	 */
	static async open(path: string, options: StoreOptions): Promise<Store> {
		const inMemory = path === IN_MEMORY;
		const file = inMemory ? path : resolve(path);
		const timeout = options.busyTimeoutMs === undefined ? {} : { busyTimeoutMs: options.busyTimeoutMs };
		const opening = { path: file, now: options.clock.wall(), ...timeout };
		const local = inMemory ? openDatabase(opening) : undefined;
		const writer = local === undefined ? await startThreadWriter(opening) : createLocalWriter(local);
		const reader = local?.database ?? openReader(file);
		try {
			const store = new Store(reader, writer, options);
			const { versionFound, interrupted } = writer.opened;
			options.log.info("store open", { versionFound, interrupted });
			return store;
		} catch (error) {
			reader.close();
			await writer.close();
			throw error;
		}
	}

	statistics(): StoreStatistics {
		return this.#queue.statistics();
	}

	/** Fulfils when every write so far has settled. */
	flush(): Promise<void> {
		return this.#queue.flush();
	}

	/** Refuses new writes, ends those that wait, brings the log into the file and joins the writer's thread. */
	close(): Promise<void> {
		this.#closing ??= this.#queue.close().then(() => {
			this.#reader.close();
			return this.#writer.close();
		});
		return this.#closing;
	}
}

/**
 * Every operation as a function that queues it; what crosses to the writer is its place in the table. `changing` is called
 * before the promise of a write about people settles, so that who waited for it reads anew.
 */
function createWrites(queue: WriteQueue, changing: () => void): Writes<typeof OPERATIONS> {
	const names = Object.keys(OPERATIONS);
	const entries = names.map((name, place) => {
		const write = (...input: unknown[]): Promise<unknown> => queue.write(place, input);
		return [
			name,
			CHANGING_PEOPLE.has(name) ? (...input: unknown[]) => write(...input).finally(changing) : write,
		] as const;
	});
	// The table of functions has the shape of OPERATIONS because it is made from its keys.
	return Object.fromEntries(entries) as unknown as Writes<typeof OPERATIONS>;
}
