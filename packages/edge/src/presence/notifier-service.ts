/** Partners' users watching ours: SUBSCRIBE in, NOTIFY out (RFC 3856, RFC 6665 §4.2). */
import {
	accept,
	aorKey,
	confirmUasDialog,
	createUasDialog,
	detach,
	HeaderId,
	headerValue,
	matchMediaType,
	octetsToText,
	type Random,
} from "@causeway/sip";
import type { Peer } from "../federation/peers.ts";
import type { RequestContext } from "../proxy/context.ts";
import type { Store } from "../store/store.ts";
import type { Authorization, Decision } from "../store/watchers.ts";
import { contactValue, domainOf, type LocalIdentity } from "../ua/local-identity.ts";
import { verificationOf } from "../ua/verification.ts";
import {
	ALLOW_EVENTS,
	grantFor,
	type InboundSubscription,
	isPresence,
	Subscription,
	type SubscriptionContext,
} from "./subscription.ts";
import { SubscriptionTable } from "./subscription-table.ts";

export interface NotifierServiceOptions extends SubscriptionContext {
	readonly random: Random;
	readonly identity: () => LocalIdentity;
	readonly store: Store;
	/** A watcher asks for a decision that the user has not made yet. */
	readonly requested: (authorization: Authorization, verification: "verified" | "unverified") => void;
}

const RETRY_AFTER_SECONDS = "300";

export class NotifierService {
	readonly #options: NotifierServiceOptions;
	readonly #subscriptions = new SubscriptionTable<Subscription>();

	constructor(options: NotifierServiceOptions) {
		this.#options = options;
	}

	get size(): number {
		return this.#subscriptions.size;
	}

	list(): Iterable<InboundSubscription> {
		return this.#subscriptions;
	}

	/** A SUBSCRIBE outside a dialog. */
	subscribe(context: RequestContext): void {
		const { agent, store, random } = this.#options;
		const { transaction, request, peer, from, to, link } = context;
		if (peer === undefined || from === undefined || to === undefined) {
			agent.answer(transaction, 404, { code: "no-presentity" });
			return;
		}
		if (!isPresence(request)) {
			agent.answer(transaction, 489, { code: "event-package", headers: ALLOW_EVENTS });
			return;
		}
		const ranges = accept(request);
		if (
			!ranges.ok ||
			(ranges.value !== undefined && !ranges.value.some((range) => matchMediaType(range, "application", "pidf+xml")))
		) {
			agent.answer(transaction, 406, { code: "accept", headers: [["Accept", "application/pidf+xml"]] });
			return;
		}
		const seconds = grantFor(transaction, this.#options);
		if (seconds === undefined) return;
		const presentity = detach(aorKey(to));
		const watcher = detach(aorKey(from));
		const isHidden = this.#hides(peer);
		const user = store.users.get(presentity);
		const isKnown = user !== undefined && !user.suspended;
		if (!isKnown && !isHidden) {
			agent.answer(transaction, 404, { code: "unknown-user" });
			return;
		}
		// REQ-91: a suspended user shows as little as an unknown one.
		const standing = isKnown ? store.watchers.get(presentity, watcher) : undefined;
		if (standing?.decision === "deny" && !isHidden) {
			agent.answer(transaction, 403, { code: "denied" });
			return;
		}
		const cap = this.#subscriptions.capReached(presentity, watcher, peer.name);
		if (cap !== undefined) {
			const tooMany = { code: "too-many-subscriptions" };
			if (cap === "perPair") agent.answer(transaction, 403, tooMany);
			else agent.answer(transaction, 503, { ...tooMany, headers: [["Retry-After", RETRY_AFTER_SECONDS]] });
			return;
		}
		const toTag = random.token();
		const contact = contactValue(this.#options.identity(), to.user);
		const dialog = createUasDialog(request, toTag, contact);
		if (!dialog.ok) {
			agent.answer(transaction, dialog.fault.status, { code: dialog.fault.code });
			return;
		}
		const verification = verificationOf(request, peer);
		const subscription = new Subscription(this.#options, {
			presentity,
			watcher,
			peer,
			link,
			verification,
			dialog: confirmUasDialog(dialog.value),
			eventValue: detach(headerValue(request, HeaderId.event) ?? "presence"),
			view: standing?.decision === "allow" ? "full" : "closed",
			ended: () => this.#subscriptions.remove(subscription),
		});
		agent.dialogs.add(dialog.value.id, link.connection.id, subscription);
		this.#subscriptions.add(subscription);
		const isUndecided = standing === undefined || standing.decision === "pending";
		const state = isUndecided && !isHidden ? "pending" : "active";
		subscription.begin(transaction, seconds, state);
		if (isKnown && isUndecided && seconds > 0)
			this.#ask(presentity, octetsToText(`${from.user}@${from.host}`), verification);
	}

	/** The user published something else. */
	changed(presentity: string): void {
		for (const subscription of this.#subscriptions.ofPresentity(presentity)) subscription.tellChange();
	}

	/** The user decided about a watcher (keys). */
	decided(presentity: string, watcher: string, decision: Decision): void {
		for (const subscription of this.#subscriptions.ofPair(presentity, watcher)) {
			subscription.decide(decision, this.#hides(subscription.peer));
		}
	}

	/** The user took a decision back: whoever still watches asks again. */
	forgotten(presentity: string, watcher: string): void {
		const [first] = this.#subscriptions.ofPair(presentity, watcher);
		if (first !== undefined) this.#ask(presentity, watcher, first.verification);
	}

	/** Domains that may no longer see us (protocol sheet 7.2): their subscriptions end as rejected. */
	reject(isRefused: (domain: string) => boolean): void {
		for (const subscription of [...this.#subscriptions]) {
			if (isRefused(domainOf(subscription.watcher))) subscription.terminate("rejected");
		}
	}

	/** The user is gone or suspended. */
	removed(presentity: string): void {
		for (const subscription of [...this.#subscriptions.ofPresentity(presentity)]) {
			subscription.terminate(this.#hides(subscription.peer) ? "timeout" : "noresource");
		}
	}

	/** The edge stops: watchers are told to subscribe anew, which they can once it is back. */
	deactivateAll(): void {
		for (const subscription of [...this.#subscriptions]) subscription.terminate("deactivated");
	}

	/** Level of a watcher as its subscription stated it; unverified where it has none. */
	verificationOf(presentity: string, watcher: string): "verified" | "unverified" {
		return this.#subscriptions.ofPair(presentity, watcher)[0]?.verification ?? "unverified";
	}

	#hides(peer: Peer): boolean {
		const { hideUnknownUsers } = this.#options.rules;
		return hideUnknownUsers === "always" || (hideUnknownUsers === "discovered" && peer.kind === "discovered");
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
}
