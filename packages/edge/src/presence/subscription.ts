/** One subscription of a partner's user: the notifier's side of RFC 6665 §4.2, in its dialog. */
import {
	applyTargetRefresh,
	type ClientTransactionUser,
	type Clock,
	createDialogRequest,
	createResponse,
	type Dialog,
	formatSubscriptionState,
	HeaderId,
	type HeaderInput,
	hasHeader,
	initialNotifierState,
	type Logger,
	matchDialogRequest,
	type NotifierEffect,
	type NotifierEvent,
	type NotifierReason,
	type NotifierState,
	type ServerTransaction,
	type SipResponse,
	stepNotifier,
	type TimerWheel,
	type WheelEntry,
	type WheelUser,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import type { Decision } from "../store/watchers.ts";
import type { HideUnknownUsers } from "../ua/hidden-users.ts";
import type { DialogUsage, UserAgent } from "../ua/user-agent.ts";
import type { FanOut, FanOutItem } from "./fan-out.ts";
import type { Presentities, View } from "./presentities.ts";
import { ALLOW_EVENTS, grantFor, isPresence } from "./subscribe-checks.ts";

export interface NotifierRules {
	readonly minExpiresSeconds: number;
	readonly maxExpiresSeconds: number;
	readonly notifySpacingMs: number;
	readonly hideUnknownUsers: HideUnknownUsers;
	/** A dialog is ended as deactivated about this age, so that its watcher makes another before the 24 hours are over (REQ-66). */
	readonly longestDialogMs: number;
}

/** What a subscription needs of its surroundings; one value for all of them. */
export interface SubscriptionContext {
	readonly clock: Clock;
	readonly log: Logger;
	readonly agent: UserAgent;
	readonly presentities: Presentities;
	readonly rules: NotifierRules;
	/** Coarse timers of all subscriptions. */
	readonly wheel: TimerWheel;
	readonly fanOut: FanOut;
	/** A NOTIFY left. */
	readonly notified: (subscription: Subscription) => void;
	/** The subscription is over; `isLost` where only its connection is. */
	readonly ended: (subscription: Subscription, isLost: boolean) => void;
}

/** One subscription of a partner's user, for listings. */
export interface InboundSubscription {
	readonly presentity: string;
	readonly watcher: string;
	readonly verification: "verified" | "unverified";
	readonly peer: Peer;
	readonly link: Link;
	readonly state: NotifierState;
	readonly createdAt: number;
	readonly expiresAt: number | undefined;
	readonly lastNotifyAt: number | undefined;
}

export interface SubscriptionParts {
	readonly presentity: string;
	readonly watcher: string;
	readonly peer: Peer;
	readonly link: Link;
	readonly verification: "verified" | "unverified";
	readonly dialog: Dialog;
	readonly eventValue: string;
	readonly view: View;
	/** How old the dialog may grow. */
	readonly dialogMs: number;
	/** The state in which its SUBSCRIBE finds it, where it was kept; refreshes find it as it is. */
	readonly revivedAs?: "pending" | "active";
}

/** Stands for the closed document, which says the same every time, and of which there is one for each address asked for. */
const CLOSED = new Uint8Array(0);

/**
 * There may be a hundred thousand of these: no timer, no closure and no document of its own. It is its own entry of the
 * timer wheel, set to whatever is due first, and its own user of the NOTIFY's transaction.
 */
export class Subscription
	implements DialogUsage, InboundSubscription, ClientTransactionUser, WheelEntry, WheelUser, FanOutItem
{
	readonly usage = "subscribe";
	readonly presentity: string;
	readonly watcher: string;
	readonly peer: Peer;
	readonly verification: "verified" | "unverified";
	readonly createdAt: number;
	link: Link;
	lastNotifyAt: number | undefined;
	state: NotifierState = initialNotifierState;
	readonly #context: SubscriptionContext;
	readonly #eventValue: string;
	#dialog: Dialog;
	#view: View;
	/** What the last NOTIFY told of an active subscription; undefined where the next one tells something else in any case. */
	#told: Uint8Array | undefined;
	/** Whole milliseconds on the clock; 0 where nothing is due. */
	#expiryMs = 0;
	#spacingMs = 0;
	#dialogEndMs: number;
	readonly #revivedAs: "pending" | "active";
	#isQueued = false;
	#isSpacingOver = false;
	#isAuthorised = false;
	/** Why it shall end, once its turn comes. */
	#ending: NotifierReason | undefined;

	// WheelEntry; the wheel alone writes these.
	next: WheelEntry | undefined = undefined;
	previous: WheelEntry | undefined = undefined;
	tick = 0;

	constructor(context: SubscriptionContext, parts: SubscriptionParts) {
		this.#context = context;
		this.presentity = parts.presentity;
		this.watcher = parts.watcher;
		this.peer = parts.peer;
		this.link = parts.link;
		this.verification = parts.verification;
		this.#dialog = parts.dialog;
		this.#eventValue = parts.eventValue;
		this.#view = parts.view;
		this.#revivedAs = parts.revivedAs ?? "active";
		this.createdAt = context.clock.wall();
		this.#dialogEndMs = Math.floor(context.clock.now() + parts.dialogMs);
	}

	get dialog(): Dialog {
		return this.#dialog;
	}

	get user(): WheelUser {
		return this;
	}

	get lane(): string {
		return this.peer.name;
	}

	get expiresAt(): number | undefined {
		const { clock } = this.#context;
		return this.#expiryMs === 0 ? undefined : clock.wall() + this.#expiryMs - clock.now();
	}

	begin(transaction: ServerTransaction, expiresSeconds: number, state: "pending" | "active"): void {
		this.#step({ kind: "subscribe", expiresSeconds, state }, transaction);
	}

	/** The user's state is another: told when the lane and the spacing allow, and then as it is at that time. */
	tellChange(): void {
		if (this.#view === "full") this.#enqueue();
	}

	decide(decision: Decision | "pending", isHidden: boolean): void {
		if (decision === "deny" && !isHidden) {
			this.terminate("rejected");
			return;
		}
		this.#view = decision === "allow" ? "full" : "closed";
		if (decision !== "pending") this.#isAuthorised = true;
		this.#enqueue();
	}

	/** Ends it with a last NOTIFY, when its turn comes. */
	terminate(reason: Extract<NotifierReason, "rejected" | "noresource" | "timeout" | "deactivated">): void {
		this.#ending ??= reason;
		this.#enqueue();
	}

	/** The turn of this subscription has come. */
	release(): void {
		this.#isQueued = false;
		if (this.#ending !== undefined) {
			this.#step({ kind: "terminate", reason: this.#ending });
			return;
		}
		if (this.#isAuthorised) {
			this.#isAuthorised = false;
			if (this.state.name === "pending") this.#step({ kind: "authorise" });
		}
		const isOld = this.#told !== undefined && this.#isToldAlready(this.#told);
		if (isOld) this.#step({ kind: "state-restored" });
		if (this.#isSpacingOver) {
			this.#isSpacingOver = false;
			this.#step({ kind: "spacing-over" });
		} else if (!isOld) this.#step({ kind: "state-changed" });
	}

	// WheelUser.

	expired(): void {
		const nowMs = this.#context.clock.now();
		if (this.#expiryMs !== 0 && this.#expiryMs <= nowMs) {
			this.#expiryMs = 0;
			this.#step({ kind: "expired" });
		}
		if (this.#dialogEndMs !== 0 && this.#dialogEndMs <= nowMs) {
			this.#dialogEndMs = 0;
			this.terminate("deactivated");
		}
		if (this.#spacingMs !== 0 && this.#spacingMs <= nowMs) {
			this.#spacingMs = 0;
			this.#isSpacingOver = true;
			this.#enqueue();
		}
		this.#arm();
	}

	// DialogUsage.

	request(transaction: ServerTransaction, link: Link): void {
		const { agent, rules } = this.#context;
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
		if (hasHeader(request, HeaderId.event) && !isPresence(request)) {
			agent.answer(transaction, 489, { code: "event-package", headers: ALLOW_EVENTS });
			return;
		}
		const seconds = grantFor(transaction, agent, rules);
		if (seconds === undefined) return;
		this.#dialog = applyTargetRefresh(match.dialog, request);
		this.#step({ kind: "subscribe", expiresSeconds: seconds, state: this.#revivedAs }, transaction);
	}

	get localContact(): string {
		return this.#dialog.localContact;
	}

	acknowledged(): void {}

	repeated(): void {}

	lost(): void {
		this.#step({ kind: "connection-lost" });
	}

	rejected(): void {
		this.terminate("rejected");
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

	response(response: SipResponse): void {
		if (response.statusCode < 200) return;
		this.#answered(response.statusCode, hasHeader(response, HeaderId.retryAfter));
	}

	failed(failure: "timeout" | "transport"): void {
		this.#answered(failure === "timeout" ? 408 : 503, false);
	}

	#answered(statusCode: number, hasRetryAfter: boolean): void {
		this.#step({ kind: "notify-answered", statusCode, hasRetryAfter });
		this.#context.fanOut.answered(this.lane);
	}

	#enqueue(): void {
		if (this.#isQueued || this.state.name === "terminated") return;
		this.#isQueued = true;
		this.#context.fanOut.add(this);
	}

	#isToldAlready(told: Uint8Array): boolean {
		if (this.#view === "closed") return told === CLOSED;
		const now = this.#context.presentities.document(this.presentity, this.#view, this.peer.presenceProfile);
		return told === now || Buffer.compare(told, now) === 0;
	}

	#step(what: NotifierEvent, asked?: ServerTransaction): void {
		const { clock, rules } = this.#context;
		const step = stepNotifier(this.state, what, { nowMs: clock.now(), notifySpacingMs: rules.notifySpacingMs });
		this.state = step.state;
		for (const effect of step.effects) this.#perform(effect, asked);
	}

	#perform(effect: NotifierEffect, asked: ServerTransaction | undefined): void {
		switch (effect.kind) {
			case "answer-subscribe":
				if (asked !== undefined) this.#answer(effect, asked);
				break;
			case "send-notify":
				this.#notify(effect);
				break;
			case "start-timer": {
				const dueMs = Math.ceil(this.#context.clock.now() + effect.delayMs);
				if (effect.timer === "expiry") this.#expiryMs = dueMs;
				else this.#spacingMs = dueMs;
				this.#arm();
				break;
			}
			case "end":
				this.#end(effect.end.kind === "connection-lost");
				if (effect.end.kind === "refused") {
					this.#context.log.info("subscription ended: NOTIFY refused", {
						presentity: this.presentity,
						status: effect.end.statusCode,
						callId: this.#dialog.id.callId,
					});
				}
				break;
		}
	}

	/** Sets the one timer to what is due first. */
	#arm(): void {
		if (this.state.name === "terminated") return;
		let dueMs = Number.POSITIVE_INFINITY;
		for (const ms of [this.#expiryMs, this.#spacingMs, this.#dialogEndMs]) if (ms !== 0 && ms < dueMs) dueMs = ms;
		if (dueMs !== Number.POSITIVE_INFINITY) this.#context.wheel.start(this, dueMs - this.#context.clock.now());
	}

	#end(isLost: boolean): void {
		this.#expiryMs = 0;
		this.#spacingMs = 0;
		this.#dialogEndMs = 0;
		this.#context.wheel.stop(this);
		this.#context.agent.dialogs.remove(this.#dialog.id);
		this.#context.ended(this, isLost);
	}

	#answer(effect: Extract<NotifierEffect, { kind: "answer-subscribe" }>, transaction: ServerTransaction): void {
		const { agent } = this.#context;
		if (effect.statusCode === 481) {
			agent.answer(transaction, 481, { code: "no-dialog" });
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
		const { agent, clock, fanOut, notified, presentities } = this.#context;
		const isFinal = effect.subscriptionState === "terminated";
		const state = isFinal
			? formatSubscriptionState({ state: "terminated", reason: effect.reason, retryAfter: effect.retryAfterSeconds })
			: formatSubscriptionState({ state: effect.subscriptionState, expires: effect.expiresSeconds });
		const headers: HeaderInput[] = [
			["Event", this.#eventValue],
			["Subscription-State", state],
		];
		// REQ-92, and nothing about a user before the decision: a pending subscription sees the closed document.
		const view: View = effect.subscriptionState === "pending" ? "closed" : this.#view;
		const hasBody = !isFinal || effect.hasBody;
		const body = hasBody ? presentities.document(this.presentity, view, this.peer.presenceProfile) : undefined;
		if (body !== undefined) headers.push(["Content-Type", "application/pidf+xml"]);
		this.#told = effect.subscriptionState !== "active" ? undefined : view === "closed" ? CLOSED : body;
		const [dialog, request] = createDialogRequest(this.#dialog, {
			method: "NOTIFY",
			via: agent.createVia(),
			headers,
			...(body === undefined ? {} : { body }),
		});
		this.#dialog = dialog;
		this.lastNotifyAt = clock.wall();
		fanOut.sent(this.lane);
		notified(this);
		agent.send(this.link, request, this);
	}
}
