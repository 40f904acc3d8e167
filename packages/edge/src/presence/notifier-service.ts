/** Partners' users watching ours: SUBSCRIBE in, NOTIFY out (RFC 3856, RFC 6665 §4.2). */
import {
	aorKey,
	type Clock,
	type DialogId,
	detach,
	HeaderId,
	headerValue,
	type Logger,
	octetsToText,
	PackedDialog,
	type Random,
	RouteSetCache,
	type Timer,
	TimerWheel,
} from "@causeway/sip";
import type { Peer } from "../federation/peers.ts";
import { statedLevel, type Verification, verificationOf } from "../federation/verification.ts";
import type { RequestContext } from "../proxy/context.ts";
import type { Store } from "../store/store.ts";
import type { Authorization, Decision } from "../store/watchers.ts";
import type { DialogKeeper } from "../ua/dialog-keeper.ts";
import { hidesUsers } from "../ua/hidden-users.ts";
import { mayTalkWith } from "../ua/outside-permission.ts";
import { keyOfUri } from "../ua/signed-contact.ts";
import type { UserAgent } from "../ua/user-agent.ts";
import { jitteredDialogMs } from "./dialog-age.ts";
import { FanOut } from "./fan-out.ts";
import { PeerNotifications } from "./peer-notifications.ts";
import { PollGuard } from "./poll-guard.ts";
import type { Presentities } from "./presentities.ts";
import { ALLOW_EVENTS, grantFor, isPresence, takesPidf } from "./subscribe-checks.ts";
import {
	type InboundSubscription,
	type NotifierRules,
	Subscription,
	type SubscriptionContext,
} from "./subscription.ts";
import { SubscriptionTable } from "./subscription-table.ts";
import { listWatchers, type WatcherInfo } from "./winfo.ts";

export interface NotifierServiceOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly agent: UserAgent;
	readonly store: Store;
	/** Keeps subscriptions of peers whose connection may change. */
	readonly keeper: DialogKeeper;
	readonly presentities: Presentities;
	readonly rules: NotifierRules;
	/** A watcher asks for a decision that the user has not made yet. */
	readonly requested: (authorization: Authorization, verification: Verification) => void;
	/** A watcher's server has said clearly of the watcher what it is. */
	readonly stated: (presentity: string, watcher: string, level: Verification) => void;
}

const RETRY_AFTER_SECONDS = "300";
/** Requests without a decision are forgotten after this time, unless their watcher is still subscribed. */
export const REQUEST_LIFETIME_MS = 30 * 86_400_000;
const SWEEP_INTERVAL_MS = 3_600_000;
/** Expiry and spacing need no finer time; a turn of the wheel is 17 minutes. */
const WHEEL = { tickMs: 250, slots: 4_096 };

/** What is kept of a subscription beside its dialog. */
interface KeptSubscription {
	readonly presentity: string;
	readonly watcher: string;
	readonly eventValue: string;
}

export class NotifierService {
	readonly #options: NotifierServiceOptions;
	readonly #context: SubscriptionContext;
	readonly #subscriptions = new SubscriptionTable<Subscription>();
	readonly #wheel: TimerWheel;
	readonly #fanOut: FanOut;
	readonly #polls: PollGuard;
	readonly #routeSets = new RouteSetCache();
	readonly #notifications = new PeerNotifications();
	#sweep: Timer | undefined;

	constructor(options: NotifierServiceOptions) {
		const { clock, log, agent, presentities, rules } = options;
		this.#options = options;
		this.#wheel = new TimerWheel(clock, WHEEL);
		this.#fanOut = new FanOut(clock);
		this.#polls = new PollGuard(clock);
		this.#context = {
			clock,
			log,
			agent,
			presentities,
			rules,
			wheel: this.#wheel,
			fanOut: this.#fanOut,
			notified: (subscription) => this.#notifications.note(subscription.peer.name, clock.wall()),
			ended: (subscription, isLost) => {
				this.#subscriptions.remove(subscription);
				if (!isLost) options.keeper.drop(subscription.peer, subscription.dialog);
			},
		};
	}

	/** Begins to forget requests that are too old. */
	start(): void {
		this.#forgetOldRequests();
		this.#sweep = this.#options.clock.setTimer(SWEEP_INTERVAL_MS, () => this.start());
	}

	close(): void {
		this.#sweep?.stop();
		this.#wheel.close();
	}

	get size(): number {
		return this.#subscriptions.size;
	}

	/** NOTIFYs that wait for their turn. */
	get waiting(): number {
		return this.#fanOut.waiting;
	}

	list(): Iterable<InboundSubscription> {
		return this.#subscriptions;
	}

	/** When the last NOTIFY left for a peer; milliseconds since 1970. */
	lastNotifyTo(peer: string): number | undefined {
		return this.#notifications.last(peer);
	}

	/** Subscriptions of this peer's users. */
	countOfPeer(peer: string): number {
		return this.#subscriptions.countOfPeer(peer);
	}

	/** A SUBSCRIBE outside a dialog. */
	subscribe(context: RequestContext): void {
		const { agent, store, random, rules } = this.#options;
		const { transaction, request, peer, from, to, link } = context;
		if (peer === undefined || from === undefined || to === undefined) {
			agent.answer(transaction, 404, { code: "no-presentity" });
			return;
		}
		if (!isPresence(request)) {
			agent.answer(transaction, 489, { code: "event-package", headers: ALLOW_EVENTS });
			return;
		}
		if (!takesPidf(request)) {
			agent.answer(transaction, 406, { code: "accept", headers: [["Accept", "application/pidf+xml"]] });
			return;
		}
		const seconds = grantFor(transaction, agent, rules);
		if (seconds === undefined) return;
		const asked = aorKey(to);
		const user = store.users.get(asked);
		// The text that the store has is there once for all who watch.
		const presentity = user?.aor ?? detach(asked);
		const watcher = detach(aorKey(from));
		if (this.#isRefusedPoll(context, seconds, presentity, watcher)) return;
		const isHidden = this.#hides(peer);
		const isKnown = user !== undefined && !user.suspended && mayTalkWith(user.outside, peer);
		if (!isKnown && !isHidden) {
			agent.answer(transaction, 404, { code: "unknown-user" });
			return;
		}
		// REQ-91: a suspended user shows as little as an unknown one.
		const standing = isKnown ? store.watchers.standing(presentity, watcher) : undefined;
		if (standing?.decision === "deny" && !isHidden) {
			agent.answer(transaction, 403, { code: "denied" });
			return;
		}
		if (this.#isRefusedByCap(context, presentity, watcher, peer)) return;
		const toTag = random.token();
		const contact = agent.contacts.create({
			user: to.user,
			initiatedBy: "peer",
			usage: "subscribe",
			connectionId: link.connection.id,
			peer: peer.name,
			callId: request.callId,
			initiatorTag: request.from.tag ?? "",
			initiator: keyOfUri(request.from.uri),
			other: keyOfUri(request.to.uri),
		});
		const dialog = PackedDialog.accept(request, toTag, contact.value, this.#routeSets);
		if (!dialog.ok) {
			agent.answer(transaction, dialog.fault.status, { code: dialog.fault.code });
			return;
		}
		const stated = statedLevel(request, peer);
		if (stated !== undefined) this.#options.stated(presentity, watcher, stated);
		const verification = stated ?? "unverified";
		const subscription = new Subscription(this.#context, {
			presentity,
			watcher,
			peer,
			link,
			verification,
			dialog: dialog.value,
			eventValue: eventValueOf(request),
			view: standing?.decision === "allow" ? "full" : "closed",
			dialogMs: jitteredDialogMs(rules.longestDialogMs, random),
		});
		agent.dialogs.addSlot(subscription);
		this.#subscriptions.add(subscription);
		const isUndecided = standing === undefined || standing.decision === "pending";
		const state = isUndecided && !isHidden ? "pending" : "active";
		subscription.begin(transaction, seconds, state);
		if (seconds > 0) this.#keep(subscription, subscription.createdAt, eventValueOf(request));
		// REQ-91: an open request is not written again, so that asking for an undecided user is no more work than for any other.
		const isAsked = standing?.decision === "pending" && standing.requestedAt !== undefined;
		if (isKnown && isUndecided && !isAsked && seconds > 0)
			this.#ask(presentity, octetsToText(`${from.user}@${from.host}`), verification);
	}

	/** A refresh of a subscription that was kept and is not here: it goes on over the connection of the request. */
	revive({ request, peer, link }: RequestContext, id: DialogId): void {
		const { agent, clock, keeper, random, rules, store } = this.#options;
		const kept = peer && keeper.find<KeptSubscription>(peer, "subscribe", id);
		if (peer === undefined || kept === undefined || request.method !== "SUBSCRIBE") return;
		const { presentity, watcher, eventValue } = kept.details;
		const isHidden = this.#hides(peer);
		const user = store.users.get(presentity);
		const isKnown = user !== undefined && !user.suspended;
		const standing = isKnown ? store.watchers.standing(presentity, watcher) : undefined;
		// Decided while it was not here: its watcher subscribes anew and is told then.
		if ((!isKnown || standing?.decision === "deny") && !isHidden) return;
		if (this.#subscriptions.capReached(presentity, watcher, peer.name) !== undefined) return;
		const isUndecided = standing === undefined || standing.decision === "pending";
		const age = clock.wall() - kept.createdAt;
		const dialog = PackedDialog.of(kept.dialog);
		const subscription = new Subscription(this.#context, {
			presentity,
			watcher,
			peer,
			link,
			verification: verificationOf(request, peer),
			dialog,
			eventValue,
			view: standing?.decision === "allow" ? "full" : "closed",
			dialogMs: Math.max(0, jitteredDialogMs(rules.longestDialogMs, random) - age),
			revivedAs: isUndecided && !isHidden ? "pending" : "active",
		});
		agent.dialogs.addSlot(subscription);
		this.#subscriptions.add(subscription);
		this.#keep(subscription, kept.createdAt, eventValue);
	}

	#keep({ peer, dialog, presentity, watcher }: Subscription, createdAt: number, eventValue: string): void {
		const { keeper } = this.#options;
		if (!keeper.keeps(peer)) return;
		const details: KeptSubscription = { presentity, watcher, eventValue };
		keeper.keep(peer, "subscribe", dialog.unpack(), createdAt, details);
	}

	/** The user published something else. */
	changed(presentity: string): void {
		for (const subscription of this.#subscriptions.ofPresentity(presentity)) subscription.tellChange();
	}

	/** The user decided about a watcher (keys). */
	decided(presentity: string, watcher: string, decision: Decision | "pending"): void {
		for (const subscription of this.#subscriptions.ofPair(presentity, watcher)) {
			subscription.decide(decision, this.#hides(subscription.peer));
		}
	}

	/** The user made or took back a rule for many: whoever watches is looked at anew. */
	rulesChanged(presentity: string): void {
		const { watchers } = this.#options.store;
		for (const subscription of [...this.#subscriptions.ofPresentity(presentity)]) {
			const decision = watchers.standing(presentity, subscription.watcher)?.decision;
			if (decision === undefined) this.forgotten(presentity, subscription.watcher);
			else subscription.decide(decision, this.#hides(subscription.peer));
		}
	}

	/** The user took a decision back: whoever still watches sees nothing any more, and asks again. */
	forgotten(presentity: string, watcher: string): void {
		const [first, ...others] = this.#subscriptions.ofPair(presentity, watcher);
		if (first === undefined) return;
		for (const subscription of [first, ...others]) subscription.decide("pending", this.#hides(subscription.peer));
		this.#ask(presentity, watcher, first.verification);
	}

	/** The user is gone or suspended. */
	removed(presentity: string): void {
		for (const subscription of [...this.#subscriptions.ofPresentity(presentity)]) {
			subscription.terminate(this.#hides(subscription.peer) ? "timeout" : "noresource");
		}
	}

	/** The edge stops: watchers are told to subscribe anew, which they can once it is back; as many as the time allows. */
	deactivateAll(): void {
		for (const subscription of [...this.#subscriptions]) {
			if (!this.#options.keeper.keeps(subscription.peer)) subscription.terminate("deactivated");
		}
	}

	/** Level of a watcher as its subscription stated it; undefined where it has none. */
	verificationOf(presentity: string, watcher: string): Verification | undefined {
		return this.#subscriptions.ofPair(presentity, watcher)[0]?.verification;
	}

	/** Whether a watcher has a subscription now. */
	isWatched(presentity: string, watcher: string): boolean {
		return this.#subscriptions.ofPair(presentity, watcher).length > 0;
	}

	/** Who watches one of our users, for that user's eyes (RFC 3857). */
	watchersOf(presentity: string): readonly WatcherInfo[] {
		const { watchers } = this.#options.store;
		const live = [...this.#subscriptions.ofPresentity(presentity)].flatMap((one) =>
			one.state.name === "pending" || one.state.name === "active"
				? [
						{
							watcher: one.watcher,
							state: one.state.name,
							verification: one.verification,
							createdAt: one.createdAt,
						},
					]
				: [],
		);
		return listWatchers(
			live,
			watchers.list(presentity, "pending"),
			(watcher) => watchers.standing(presentity, watcher)?.decision,
		);
	}

	#isRefusedPoll(context: RequestContext, seconds: number, presentity: string, watcher: string): boolean {
		if (seconds > 0) return false;
		const waitMs = this.#polls.fetch(presentity, watcher);
		if (waitMs === 0) return false;
		this.#options.agent.answer(context.transaction, 403, {
			code: "polled-too-often",
			headers: [["Retry-After", String(Math.ceil(waitMs / 1000))]],
		});
		return true;
	}

	#isRefusedByCap({ transaction }: RequestContext, presentity: string, watcher: string, peer: Peer): boolean {
		const cap = this.#subscriptions.capReached(presentity, watcher, peer.name);
		if (cap === undefined) return false;
		const tooMany = { code: "too-many-subscriptions" };
		const { agent } = this.#options;
		if (cap === "perPair") agent.answer(transaction, 403, tooMany);
		else agent.answer(transaction, 503, { ...tooMany, headers: [["Retry-After", RETRY_AFTER_SECONDS]] });
		return true;
	}

	#hides(peer: Peer): boolean {
		return hidesUsers(this.#options.rules.hideUnknownUsers, peer);
	}

	#ask(presentity: string, watcherAddress: string, verification: "verified" | "unverified"): void {
		const { store, log, requested } = this.#options;
		store.watchers.request(presentity, watcherAddress).then(
			(result) => {
				if (result.kind === "new") requested(result.authorization, verification);
			},
			(error: unknown) => log.error("watch request not stored", { reason: String(error) }),
		);
	}

	#forgetOldRequests(): void {
		const { clock, log, store } = this.#options;
		for (const { presentity, watcher } of store.watchers.requestedBefore(clock.wall() - REQUEST_LIFETIME_MS)) {
			// RFC 3857 §4.7.1: `waiting` gives up; a request whose subscription stands goes on.
			if (this.isWatched(presentity, watcher)) continue;
			store.watchers
				.forget(presentity, watcher, "pending")
				.catch((error: unknown) => log.error("old watch request not removed", { reason: String(error) }));
		}
	}
}

/** The Event of every NOTIFY; one text for all that say no more than the package. */
function eventValueOf(request: RequestContext["request"]): string {
	const value = headerValue(request, HeaderId.event) ?? "presence";
	return value === "presence" ? "presence" : detach(value);
}
