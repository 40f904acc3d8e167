/** Contacts of hosted users and what is known of each: partners' users by subscription, our own directly. */
import type { ServerTransaction, Timer } from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Verification } from "../federation/verification.ts";
import type { Store } from "../store/store.ts";
import type { Authorization } from "../store/watchers.ts";
import { domainOf } from "../ua/local-identity.ts";
import { AbsentContacts } from "./absent-contacts.ts";
import type { ContactIcons } from "./contact-icons.ts";
import { type ContactView, differs, freshView } from "./contact-view.ts";
import { PeerNotifications } from "./peer-notifications.ts";
import type { Presentities } from "./presentities.ts";
import { RemoteWatch, type RemoteWatchOptions } from "./remote-watch.ts";

/** What watches ask of the service itself. */
type OwnAnswers = "awaiting" | "notified" | "documented" | "spreadMs" | "aged" | "succeeded" | "absent" | "absentForMs";

export interface WatcherServiceOptions extends Omit<RemoteWatchOptions, OwnAnswers> {
	readonly store: Store;
	readonly presentities: Presentities;
	readonly ownDomains: ReadonlySet<string>;
	readonly icons: Pick<ContactIcons, "want" | "pathOf">;
	/** What a contact's server said of the contact, where the contact watches our user. */
	readonly levelOf: (owner: string, contact: string) => Verification | undefined;
	/** One of our users asks another for a decision. */
	readonly requested: (authorization: Authorization, verification: Verification) => void;
}

const PAGE = 1_000;
/** Subscriptions are not all made at once after a start (REQ-96); so many in one go, then a pause. */
const START_BATCH = 20;
const START_PAUSE_MS = 1_000;

/** Protocol sheet 1.6 and 7.4. */
const SHORTEST_SPREAD_MS = 30_000;
const LONGEST_SPREAD_MS = 3_600_000;

interface LocalWatch {
	view: ContactView;
}

export class WatcherService {
	readonly #options: WatcherServiceOptions;
	readonly #remote = new Map<string, RemoteWatch>();
	/** Watches of our own users, by contact, then owner. */
	readonly #local = new Map<string, Map<string, LocalWatch>>();
	readonly #awaiting = new Map<string, RemoteWatch>();
	readonly #watchOptions: RemoteWatchOptions;
	readonly #notifications = new PeerNotifications();
	readonly #absent: AbsentContacts;
	/** Watches that will take the place of one whose dialog has grown old. */
	readonly #successors = new Map<string, RemoteWatch>();
	#spread: { readonly peer: string; readonly atMs: number; readonly ms: number } | undefined;
	/** Contacts from the store whose turn to be watched comes; the last one first. */
	#due: { readonly owner: string; readonly contact: string }[] = [];
	#dueTimer: Timer | undefined;
	#isClosed = false;

	constructor(options: WatcherServiceOptions) {
		this.#options = options;
		this.#absent = new AbsentContacts(options.clock);
		this.#watchOptions = {
			...options,
			changed: (view) => options.changed(this.#withOwnIcon(view)),
			documented: (view) => {
				if (view.icon !== undefined) options.icons.want(view.icon, domainOf(view.contact));
			},
			spreadMs: (peer) => this.#spreadMs(peer),
			aged: (watch) => this.#replace(watch),
			succeeded: (watch, isLive) => this.#succeeded(watch, isLive),
			absent: (contact, forMs) => this.#absent.add(contact, forMs),
			absentForMs: (contact) => this.#absent.leftMs(contact),
			notified: (peer) => this.#notifications.note(peer, options.clock.wall()),
			awaiting: (callId, watch) => {
				if (watch === undefined) this.#awaiting.delete(callId);
				else this.#awaiting.set(callId, watch);
			},
		};
	}

	/** Watches every contact in the store: our own users at once, partners' users so many in a second. */
	load(): void {
		let after: { readonly owner: string; readonly contact: string } | undefined;
		for (;;) {
			const page = this.#options.store.contacts.all({ limit: PAGE, ...(after === undefined ? {} : { after }) });
			for (const { owner, contact } of page) {
				if (this.#options.ownDomains.has(domainOf(contact))) this.#watchLocal(owner, contact);
				else this.#due.push({ owner, contact });
			}
			after = page.at(-1);
			if (after === undefined || page.length < PAGE) break;
		}
		this.#due.reverse();
		this.#watchDue();
	}

	/** Watches the contacts of a user who was suspended until now. */
	watchAll(owner: string): void {
		for (const { contact, address } of this.#options.store.contacts.list(owner)) this.watch(owner, contact, address);
	}

	/** Domains that the policy refused may be partners now: they are asked as after a start, so many in a second. */
	policyChanged(): void {
		for (const { owner, contact, isRefused } of this.#remote.values())
			if (isRefused) this.#due.push({ owner, contact });
		if (this.#dueTimer === undefined) this.#watchDue();
	}

	/** When the last NOTIFY came from a peer; milliseconds since 1970. */
	lastNotifyFrom(peer: string): number | undefined {
		return this.#notifications.last(peer);
	}

	/** Our users' subscriptions with this peer that stand now. */
	countOfPeer(peer: string): number {
		let count = 0;
		for (const watch of this.#remote.values()) if (watch.isLive && watch.peer?.name === peer) count += 1;
		return count;
	}

	get remoteWatches(): Iterable<RemoteWatch> {
		return this.#remote.values();
	}

	/** Begins to watch, or asks again where the last answer was a refusal. */
	watch(owner: string, contact: string, address: string): void {
		if (this.#isClosed) return;
		if (this.#options.ownDomains.has(domainOf(contact))) {
			this.#watchLocal(owner, contact);
			return;
		}
		const key = `${owner} ${contact}`;
		const known = this.#remote.get(key);
		if (known !== undefined) {
			known.start();
			return;
		}
		const made = new RemoteWatch(this.#watchOptions, owner, contact, address);
		this.#remote.set(key, made);
		const level = this.#options.levelOf(owner, contact);
		if (level !== undefined) made.levelStated(level);
		made.start();
	}

	unwatch(owner: string, contact: string): void {
		const key = `${owner} ${contact}`;
		this.#remote.get(key)?.stop();
		this.#remote.delete(key);
		this.#successors.get(key)?.stop();
		this.#successors.delete(key);
		const watches = this.#local.get(contact);
		watches?.delete(owner);
		if (watches?.size === 0) this.#local.delete(contact);
	}

	/** Every contact of a user that is removed or suspended. What the user had on disk may be gone by now. */
	unwatchAll(owner: string): void {
		for (const watch of [...this.#remote.values()]) if (watch.owner === owner) this.unwatch(owner, watch.contact);
		for (const [contact, watches] of [...this.#local]) if (watches.has(owner)) this.unwatch(owner, contact);
	}

	/** A contact has called or subscribed, and its server said this of the contact. */
	levelStated(owner: string, contact: string, level: Verification): void {
		const key = `${owner} ${contact}`;
		this.#remote.get(key)?.levelStated(level);
		this.#successors.get(key)?.levelStated(level);
	}

	/** As users are shown it: the icon, where there is one, at a path of ours. */
	view(owner: string, contact: string): ContactView {
		return this.#withOwnIcon(
			this.#remote.get(`${owner} ${contact}`)?.view ??
				this.#local.get(contact)?.get(owner)?.view ??
				freshView(owner, contact),
		);
	}

	/** The icon behind this URL is another, or is not fit to be shown any more. */
	iconChanged(url: string): void {
		for (const { view } of this.#remote.values()) {
			if (view.icon === url) this.#options.changed(this.#withOwnIcon(view));
		}
	}

	/** A NOTIFY outside every known dialog: the first one may overtake the 2xx. */
	earlyNotify(transaction: ServerTransaction, link: Link): boolean {
		const watch = this.#awaiting.get(transaction.request.callId);
		if (watch === undefined || !watch.isAwaiting(transaction.request, link)) return false;
		watch.request(transaction, link);
		return true;
	}

	/** One of our users published, was decided about, made or removed: its watchers among our own users look again. */
	localChanged(presentity: string): void {
		for (const owner of [...(this.#local.get(presentity)?.keys() ?? [])]) this.#watchLocal(owner, presentity);
	}

	/** Watches nobody new from here on. */
	drain(): void {
		this.#isClosed = true;
		this.#dueTimer?.stop();
		this.#due = [];
	}

	close(): void {
		this.drain();
		for (const watch of this.#remote.values()) watch.discard();
		for (const watch of this.#successors.values()) watch.discard();
	}

	/** As many come back in a second as after a start, and none later than an hour. */
	#spreadMs(peer: string): number {
		const nowMs = this.#options.clock.now();
		// All watches of a lost connection ask in one turn.
		if (this.#spread?.peer !== peer || this.#spread.atMs !== nowMs) {
			let count = 0;
			for (const watch of this.#remote.values()) if (watch.peer?.name === peer) count += 1;
			const ms = Math.min(LONGEST_SPREAD_MS, Math.max(SHORTEST_SPREAD_MS, (count / START_BATCH) * START_PAUSE_MS));
			this.#spread = { peer, atMs: nowMs, ms: Math.floor(ms) };
		}
		return this.#spread.ms;
	}

	/** Protocol sheet 4.7: a new dialog first, and the old one ends when the new one has spoken. */
	#replace(watch: RemoteWatch): void {
		const key = `${watch.owner} ${watch.contact}`;
		if (this.#isClosed || this.#successors.has(key) || this.#remote.get(key) !== watch) return;
		const made = watch.createSuccessor();
		this.#successors.set(key, made);
		made.start();
	}

	#succeeded(watch: RemoteWatch, isLive: boolean): void {
		const key = `${watch.owner} ${watch.contact}`;
		if (this.#successors.get(key) !== watch) return;
		this.#successors.delete(key);
		if (!isLive) return;
		this.#remote.get(key)?.stop();
		this.#remote.set(key, watch);
	}

	#withOwnIcon(view: ContactView): ContactView {
		return view.icon === undefined ? view : { ...view, icon: this.#options.icons.pathOf(view.icon) };
	}

	#watchDue(): void {
		this.#dueTimer = undefined;
		const { clock, store } = this.#options;
		for (let left = START_BATCH; left > 0; left -= 1) {
			const next = this.#due.pop();
			if (next === undefined) return;
			// Removed, or watched already, since the start.
			const stored = store.contacts.get(next.owner, next.contact);
			if (stored === undefined) continue;
			const known = this.#remote.get(`${next.owner} ${next.contact}`);
			if (known !== undefined) {
				known.retryRefused();
				continue;
			}
			if (store.users.get(next.owner)?.suspended === false) this.watch(next.owner, next.contact, stored.address);
		}
		if (this.#due.length > 0) this.#dueTimer = clock.setTimer(START_PAUSE_MS, () => this.#watchDue());
	}

	#watchLocal(owner: string, contact: string): void {
		const { store, log } = this.#options;
		const watches = this.#local.get(contact) ?? new Map<string, LocalWatch>();
		this.#local.set(contact, watches);
		const watch = watches.get(owner) ?? { view: freshView(owner, contact) };
		watches.set(owner, watch);
		const user = store.users.get(contact);
		const standing = store.watchers.standing(contact, owner);
		if (user === undefined || user.suspended) {
			this.#show(watch, {
				...freshView(owner, contact),
				why: { code: "404", reason: "There is no such user here.", blame: "recipient" },
			});
			return;
		}
		if (standing === undefined) {
			const { verification } = this.#options.sender(owner);
			store.watchers.request(contact, owner).then(
				(result) => {
					if (result.kind === "new") this.#options.requested(result.authorization, verification);
				},
				(error: unknown) => log.error("watch request not stored", { reason: String(error) }),
			);
		}
		this.#show(watch, this.#localView(owner, contact, user.displayName, standing?.decision ?? "pending"));
	}

	#localView(
		owner: string,
		contact: string,
		displayName: string | undefined,
		decision: Authorization["decision"],
	): ContactView {
		const plain: ContactView = { ...freshView(owner, contact), changedAt: this.#options.clock.wall(), why: undefined };
		switch (decision) {
			case "pending":
				return { ...plain, state: "pending" };
			case "deny":
				return { ...plain, state: "unknown", why: { code: "rejected", reason: "They refused.", blame: "recipient" } };
			case "block":
				return { ...plain, state: "offline" };
			case "allow": {
				const { state, note } = this.#options.presentities.get(contact);
				return {
					...plain,
					state,
					note,
					shownName: displayName,
					verification: this.#options.sender(contact).verification,
				};
			}
		}
	}

	#show(watch: LocalWatch, view: ContactView): void {
		const isOther = differs(watch.view, view);
		watch.view = view;
		if (isOther) this.#options.changed(view);
	}
}
