/** Partners' users watching ours: SUBSCRIBE in, NOTIFY out (RFC 3856, RFC 6665 §4.2). */
import {
	accept,
	aorKey,
	applyTargetRefresh,
	type ClientTransactionUser,
	type Clock,
	confirmUasDialog,
	createDialogRequest,
	createResponse,
	createUasDialog,
	type Dialog,
	event,
	expires,
	formatSubscriptionState,
	grantExpires,
	HeaderId,
	type HeaderInput,
	hasHeader,
	headerValue,
	initialNotifierState,
	type Logger,
	matchDialogRequest,
	matchMediaType,
	type NotifierEffect,
	type NotifierEvent,
	type NotifierState,
	type NotifierTimer,
	octetsToText,
	type Random,
	type ServerTransaction,
	stepNotifier,
	type Timer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import type { RequestContext } from "../proxy/context.ts";
import type { Store } from "../store/store.ts";
import type { Authorization, Decision } from "../store/watchers.ts";
import { contactValue, type LocalIdentity } from "../ua/local-identity.ts";
import type { DialogUsage, UserAgent } from "../ua/user-agent.ts";
import { verificationOf } from "../ua/verification.ts";
import type { Presentities, View } from "./presentities.ts";

export interface NotifierRules {
	readonly minExpiresSeconds: number;
	readonly maxExpiresSeconds: number;
	readonly notifySpacingMs: number;
	readonly hideUnknownUsers: "never" | "discovered" | "always";
}

export interface NotifierServiceOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly agent: UserAgent;
	readonly identity: () => LocalIdentity;
	readonly store: Store;
	readonly presentities: Presentities;
	readonly rules: NotifierRules;
	/** A watcher asks for a decision that the user has not made yet. */
	readonly requested: (authorization: Authorization, verification: "verified" | "unverified") => void;
}

const DEFAULT_EXPIRES_SECONDS = 3600;
/** Subscriptions one watcher may hold with one presentity: more are devices no more (security rules: cap per watcher). */
const MOST_PER_PAIR = 16;

/** One subscription of a partner's user. */
export interface InboundSubscription {
	readonly presentity: string;
	readonly watcher: string;
	readonly verification: "verified" | "unverified";
	readonly peer: Peer;
	readonly link: Link;
	readonly state: NotifierState;
	readonly createdAt: number;
	readonly lastNotifyAt: number | undefined;
}

export class NotifierService {
	readonly #options: NotifierServiceOptions;
	readonly #byPresentity = new Map<string, Set<Subscription>>();
	#size = 0;

	constructor(options: NotifierServiceOptions) {
		this.#options = options;
	}

	get size(): number {
		return this.#size;
	}

	*list(): Iterable<InboundSubscription> {
		for (const subscriptions of this.#byPresentity.values()) yield* subscriptions;
	}

	/** A SUBSCRIBE outside a dialog. */
	subscribe(context: RequestContext): void {
		const { agent, store, random } = this.#options;
		const { transaction, request, peer, from, to, link } = context;
		if (peer === undefined || from === undefined || to === undefined) {
			agent.answer(transaction, 404, { code: "no-presentity" });
			return;
		}
		const wanted = event(request);
		if (!wanted.ok || wanted.value?.package !== "presence") {
			agent.answer(transaction, 489, { code: "event-package", headers: [["Allow-Events", "presence"]] });
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
		const seconds = this.#grant(transaction);
		if (seconds === undefined) return;
		const presentity = aorKey(to);
		const watcher = aorKey(from);
		const isHidden = this.#hides(peer);
		const user = store.users.get(presentity);
		if ((user === undefined || user.suspended) && !isHidden) {
			agent.answer(transaction, 404, { code: "unknown-user" });
			return;
		}
		const standing = user === undefined ? undefined : store.watchers.get(presentity, watcher);
		if (standing?.decision === "deny" && !isHidden) {
			agent.answer(transaction, 403, { code: "denied" });
			return;
		}
		const owned = this.#byPresentity.get(presentity);
		let ofPair = 0;
		for (const subscription of owned ?? []) if (subscription.watcher === watcher) ofPair += 1;
		if (ofPair >= MOST_PER_PAIR) {
			agent.answer(transaction, 403, { code: "too-many-subscriptions" });
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
			eventValue: headerValue(request, HeaderId.event) ?? "presence",
			view: standing?.decision === "allow" ? "full" : "closed",
			ended: () => this.#remove(presentity, subscription),
		});
		agent.dialogs.add(dialog.value.id, link.connection.id, subscription);
		const subscriptions = owned ?? new Set<Subscription>();
		subscriptions.add(subscription);
		this.#byPresentity.set(presentity, subscriptions);
		this.#size += 1;
		const isUndecided = standing === undefined || standing.decision === "pending";
		const state = isUndecided && !isHidden ? "pending" : "active";
		subscription.begin(transaction, seconds, state);
		if (user !== undefined && isUndecided && seconds > 0)
			this.#ask(presentity, octetsToText(`${from.user}@${from.host}`), verification);
	}

	/** The user published something else. */
	changed(presentity: string): void {
		for (const subscription of this.#byPresentity.get(presentity) ?? []) subscription.tellChange();
	}

	/** The user decided about a watcher (keys). */
	decided(presentity: string, watcher: string, decision: Decision): void {
		for (const subscription of [...(this.#byPresentity.get(presentity) ?? [])]) {
			if (subscription.watcher === watcher) subscription.decide(decision, this.#hides(subscription.peer));
		}
	}

	/** The user is gone or suspended. */
	removed(presentity: string): void {
		for (const subscription of [...(this.#byPresentity.get(presentity) ?? [])]) {
			subscription.terminate(this.#hides(subscription.peer) ? "timeout" : "noresource");
		}
		this.#options.presentities.forget(presentity);
	}

	/** The edge stops: watchers are told to subscribe anew, which they can once it is back. */
	deactivateAll(): void {
		for (const subscriptions of [...this.#byPresentity.values()]) {
			for (const subscription of [...subscriptions]) subscription.terminate("deactivated");
		}
	}

	/** Level of a watcher as its subscription stated it; unverified where it has none. */
	verificationOf(presentity: string, watcher: string): "verified" | "unverified" {
		for (const subscription of this.#byPresentity.get(presentity) ?? []) {
			if (subscription.watcher === watcher) return subscription.verification;
		}
		return "unverified";
	}

	#hides(peer: Peer): boolean {
		const { hideUnknownUsers } = this.#options.rules;
		return hideUnknownUsers === "always" || (hideUnknownUsers === "discovered" && peer.kind === "discovered");
	}

	/** The seconds granted; undefined where the request was answered 423 or 400. */
	#grant(transaction: ServerTransaction): number | undefined {
		return grantFor(transaction, this.#options);
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

	#remove(presentity: string, subscription: Subscription): void {
		const subscriptions = this.#byPresentity.get(presentity);
		if (subscriptions?.delete(subscription) !== true) return;
		this.#size -= 1;
		if (subscriptions.size === 0) this.#byPresentity.delete(presentity);
	}
}

function grantFor(transaction: ServerTransaction, options: NotifierServiceOptions): number | undefined {
	const { agent, rules } = options;
	const requested = expires(transaction.request);
	if (!requested.ok) {
		agent.answer(transaction, 400, { code: requested.fault.code });
		return undefined;
	}
	const grant = grantExpires(requested.value, {
		minSeconds: rules.minExpiresSeconds,
		maxSeconds: rules.maxExpiresSeconds,
		defaultSeconds: DEFAULT_EXPIRES_SECONDS,
	});
	if (grant.kind === "granted") return grant.expiresSeconds;
	agent.answer(transaction, 423, {
		code: "expires-too-brief",
		headers: [["Min-Expires", String(grant.minExpiresSeconds)]],
	});
	return undefined;
}

interface SubscriptionParts {
	readonly presentity: string;
	readonly watcher: string;
	readonly peer: Peer;
	readonly link: Link;
	readonly verification: "verified" | "unverified";
	readonly dialog: Dialog;
	readonly eventValue: string;
	readonly view: View;
	readonly ended: () => void;
}

class Subscription implements DialogUsage, InboundSubscription, ClientTransactionUser {
	readonly usage = "subscribe";
	readonly presentity: string;
	readonly watcher: string;
	readonly peer: Peer;
	readonly verification: "verified" | "unverified";
	readonly createdAt: number;
	link: Link;
	lastNotifyAt: number | undefined;
	state: NotifierState = initialNotifierState;
	readonly #options: NotifierServiceOptions;
	readonly #eventValue: string;
	readonly #ended: () => void;
	readonly #timers: Partial<Record<NotifierTimer, Timer>> = {};
	#dialog: Dialog;
	#view: View;
	/** The SUBSCRIBE at hand, while the machine answers it. */
	#asked: ServerTransaction | undefined;

	constructor(options: NotifierServiceOptions, parts: SubscriptionParts) {
		this.#options = options;
		this.presentity = parts.presentity;
		this.watcher = parts.watcher;
		this.peer = parts.peer;
		this.link = parts.link;
		this.verification = parts.verification;
		this.#dialog = parts.dialog;
		this.#eventValue = parts.eventValue;
		this.#view = parts.view;
		this.#ended = parts.ended;
		this.createdAt = options.clock.wall();
	}

	begin(transaction: ServerTransaction, expiresSeconds: number, state: "pending" | "active"): void {
		this.#asked = transaction;
		this.#step({ kind: "subscribe", expiresSeconds, state });
		this.#asked = undefined;
	}

	tellChange(): void {
		if (this.#view === "full") this.#step({ kind: "state-changed" });
	}

	decide(decision: Decision, isHidden: boolean): void {
		const isPending = this.state.name === "pending";
		if (decision === "deny" && !isHidden) {
			this.terminate("rejected");
			return;
		}
		const view: View = decision === "allow" ? "full" : "closed";
		const isOther = view !== this.#view;
		this.#view = view;
		if (isPending) this.#step({ kind: "authorise" });
		else if (isOther) this.#step({ kind: "state-changed" });
	}

	terminate(reason: "rejected" | "noresource" | "timeout" | "deactivated"): void {
		this.#step({ kind: "terminate", reason });
	}

	request(transaction: ServerTransaction, link: Link): void {
		const { agent } = this.#options;
		this.link = link;
		const { request } = transaction;
		const match = matchDialogRequest(this.#dialog, request);
		if (match.kind !== "in-order") {
			agent.answer(transaction, 500, { code: "out-of-order" });
			return;
		}
		if (request.method !== "SUBSCRIBE") {
			agent.answer(transaction, 405, { code: "wrong-usage", headers: [["Allow", "SUBSCRIBE, NOTIFY"]] });
			return;
		}
		const seconds = grantFor(transaction, this.#options);
		if (seconds === undefined) return;
		this.#dialog = applyTargetRefresh(match.dialog, request);
		this.#asked = transaction;
		this.#step({ kind: "subscribe", expiresSeconds: seconds, state: "active" });
		this.#asked = undefined;
	}

	acknowledged(): void {}

	repeated(): void {}

	lost(): void {
		this.#step({ kind: "connection-lost" });
	}

	describe() {
		return {
			local: this.presentity,
			remote: this.watcher,
			role: "uas",
			state: "confirmed",
			createdAt: this.createdAt,
		} as const;
	}

	// The answer to our NOTIFY.

	response(response: { readonly statusCode: number } & Parameters<ClientTransactionUser["response"]>[0]): void {
		if (response.statusCode < 200) return;
		this.#step({
			kind: "notify-answered",
			statusCode: response.statusCode,
			hasRetryAfter: hasHeader(response, HeaderId.retryAfter),
		});
	}

	failed(failure: "timeout" | "transport"): void {
		this.#step({ kind: "notify-answered", statusCode: failure === "timeout" ? 408 : 503, hasRetryAfter: false });
	}

	#step(what: NotifierEvent): void {
		const { clock, rules } = this.#options;
		const step = stepNotifier(this.state, what, { nowMs: clock.now(), notifySpacingMs: rules.notifySpacingMs });
		this.state = step.state;
		for (const effect of step.effects) this.#perform(effect);
	}

	#perform(effect: NotifierEffect): void {
		switch (effect.kind) {
			case "answer-subscribe":
				this.#answer(effect);
				break;
			case "send-notify":
				this.#notify(effect);
				break;
			case "start-timer": {
				const { timer, delayMs } = effect;
				this.#timers[timer]?.stop();
				const what: NotifierEvent = { kind: timer === "expiry" ? "expired" : "spacing-over" };
				this.#timers[timer] = this.#options.clock.setTimer(delayMs, () => this.#step(what));
				break;
			}
			case "end": {
				for (const timer of Object.values(this.#timers)) timer.stop();
				this.#options.agent.dialogs.remove(this.#dialog.id);
				this.#ended();
				if (effect.end.kind === "refused") {
					this.#options.log.info("subscription ended: NOTIFY refused", {
						presentity: this.presentity,
						status: effect.end.statusCode,
						callId: this.#dialog.id.callId,
					});
				}
				break;
			}
		}
	}

	#answer(effect: Extract<NotifierEffect, { kind: "answer-subscribe" }>): void {
		const transaction = this.#asked;
		if (transaction === undefined) return;
		if (effect.statusCode === 481) {
			this.#options.agent.answer(transaction, 481, { code: "no-dialog" });
			return;
		}
		const { request } = transaction;
		const headers: HeaderInput[] = [
			["Contact", this.#dialog.localContact],
			["Expires", String(effect.expiresSeconds)],
			["Allow-Events", "presence"],
		];
		const tag = request.to.tag === undefined ? { toTag: this.#dialog.id.localTag, recordRoute: true } : {};
		transaction.respond(createResponse(request, 200, { ...tag, headers }));
	}

	#notify(effect: Extract<NotifierEffect, { kind: "send-notify" }>): void {
		const { agent, clock, presentities } = this.#options;
		const isFinal = effect.subscriptionState === "terminated";
		const hasBody = !isFinal || effect.hasBody;
		const state = isFinal
			? formatSubscriptionState({ state: "terminated", reason: effect.reason, retryAfter: effect.retryAfterSeconds })
			: formatSubscriptionState({ state: effect.subscriptionState, expires: effect.expiresSeconds });
		const headers: HeaderInput[] = [
			["Event", this.#eventValue],
			["Subscription-State", state],
		];
		// REQ-92, and nothing about a user before the decision: a pending subscription sees the closed document.
		const view: View = effect.subscriptionState === "pending" ? "closed" : this.#view;
		const body = hasBody ? presentities.document(this.presentity, view, this.peer.presenceProfile) : undefined;
		if (body !== undefined) headers.push(["Content-Type", "application/pidf+xml"]);
		const [dialog, request] = createDialogRequest(this.#dialog, {
			method: "NOTIFY",
			via: agent.createVia(),
			headers,
			...(body === undefined ? {} : { body }),
		});
		this.#dialog = dialog;
		this.lastNotifyAt = clock.wall();
		agent.send(this.link, request, this);
	}
}
