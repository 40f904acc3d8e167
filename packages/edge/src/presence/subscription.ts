/** One subscription of a partner's user: the notifier's side of RFC 6665 §4.2, in its dialog. */
import {
	type Clock,
	createResponse,
	type DialogId,
	type DialogTableSlot,
	formatSubscriptionState,
	HeaderId,
	type HeaderInput,
	hasHeader,
	initialNotifierState,
	type Logger,
	type NotifierEffect,
	type NotifierEvent,
	type NotifierReason,
	type NotifierState,
	type PackedDialog,
	type ServerTransaction,
	type SipResponse,
	stepNotifier,
	type TimerWheel,
	type WheelEntry,
	type WheelUser,
	type WrittenRequestUser,
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
	readonly dialog: PackedDialog;
	readonly eventValue: string;
	readonly view: View;
	/** How old the dialog may grow. */
	readonly dialogMs: number;
	/** The state in which its SUBSCRIBE finds it, where it was kept; refreshes find it as it is. */
	readonly revivedAs?: "pending" | "active";
}

/** Stands for the closed document, which says the same every time, and of which there is one for each address asked for. */
const CLOSED = new Uint8Array(0);

/** Yes or no, in one number. */
const QUEUED = 1;
const SPACING_OVER = 2;
const AUTHORISED = 4;
const PENDING = 8;
const REVIVED_PENDING = 16;
const FULL_VIEW = 32;
const VERIFIED = 64;

/**
 * Times are kept as whole tenths of a second on the clock, which the engine holds without an object for seven years; 0 for none. Rounded up:
 * nothing happens too early.
 */
const TENTH_MS = 100;

/**
 * There may be a hundred thousand of these: no timer, no closure, no document and, while nothing is under way, no state of its own. It is its
 * own entry of the timer wheel, set to whatever is due first, its own slot of the table of dialogs, and its own user of the NOTIFY's transaction.
 */
export class Subscription
	implements
		DialogUsage,
		DialogTableSlot<DialogUsage>,
		InboundSubscription,
		WrittenRequestUser,
		WheelEntry,
		WheelUser,
		FanOutItem
{
	readonly presentity: string;
	readonly watcher: string;
	readonly peer: Peer;
	readonly dialog: PackedDialog;
	link: Link;
	readonly #context: SubscriptionContext;
	readonly #eventValue: string;
	/** Undefined while nothing is under way: then it is what {@link quiet} says. */
	#state: NotifierState | undefined = initialNotifierState;
	#flags: number;
	/** What the last NOTIFY told of an active subscription; undefined where the next one tells something else in any case. */
	#told: Uint8Array | undefined;
	#expiry = 0;
	#notified = 0;
	#spacing = 0;
	#dialogEnd: number;
	/** Whole seconds since 1970. */
	readonly #createdSeconds: number;
	/** Why it shall end, once its turn comes. */
	#ending: NotifierReason | undefined = undefined;

	// WheelEntry; the wheel alone writes these.
	next: WheelEntry | undefined = undefined;
	previous: WheelEntry | undefined = undefined;
	tick = 0;

	// DialogTableSlot; the table alone writes these.
	connectionId: number;
	nextOfTag: DialogTableSlot<DialogUsage> | undefined = undefined;
	previousOnConnection: DialogTableSlot<DialogUsage> | undefined = undefined;
	nextOnConnection: DialogTableSlot<DialogUsage> | undefined = undefined;

	constructor(context: SubscriptionContext, parts: SubscriptionParts) {
		this.#context = context;
		this.presentity = parts.presentity;
		this.watcher = parts.watcher;
		this.peer = parts.peer;
		this.link = parts.link;
		this.connectionId = parts.link.connection.id;
		this.dialog = parts.dialog;
		this.#eventValue = parts.eventValue;
		this.#flags =
			(parts.verification === "verified" ? VERIFIED : 0) +
			(parts.view === "full" ? FULL_VIEW : 0) +
			(parts.revivedAs === "pending" ? REVIVED_PENDING : 0);
		this.#createdSeconds = Math.floor(context.clock.wall() / 1000) | 0;
		this.#dialogEnd = this.#tenths(parts.dialogMs);
	}

	get usage(): "subscribe" {
		return "subscribe";
	}

	get user(): WheelUser {
		return this;
	}

	get id(): DialogId {
		return this.dialog;
	}

	get entry(): DialogUsage {
		return this;
	}

	get verification(): "verified" | "unverified" {
		return this.#is(VERIFIED) ? "verified" : "unverified";
	}

	get lane(): string {
		return this.peer.name;
	}

	get state(): NotifierState {
		return this.#state ?? this.#quiet();
	}

	/** To the second. */
	get createdAt(): number {
		return this.#createdSeconds * 1000;
	}

	get expiresAt(): number | undefined {
		return this.#wall(this.#expiry);
	}

	/** To the tenth of a second. */
	get lastNotifyAt(): number | undefined {
		return this.#wall(this.#notified);
	}

	get #view(): View {
		return this.#is(FULL_VIEW) ? "full" : "closed";
	}

	#is(flag: number): boolean {
		return (this.#flags & flag) !== 0;
	}

	#mark(flag: number, isSet: boolean): void {
		this.#flags = isSet ? this.#flags | flag : this.#flags & ~flag;
	}

	/** The state of a subscription whose last NOTIFY is answered and told everything. */
	#quiet(): NotifierState {
		return {
			name: this.#is(PENDING) ? "pending" : "active",
			expiresAtMs: this.#expiry * TENTH_MS,
			notifiedAtMs: Math.min(this.#notified * TENTH_MS, this.#context.clock.now()),
			inFlight: false,
			owed: "nothing",
			isSpacingTimerOn: false,
		};
	}

	/** So many milliseconds from now. */
	#tenths(delayMs: number): number {
		return Math.ceil((this.#context.clock.now() + delayMs) / TENTH_MS) | 0;
	}

	/** Milliseconds since 1970 of a time on the clock. */
	#wall(tenths: number): number | undefined {
		const { clock } = this.#context;
		return tenths === 0 ? undefined : Math.floor(clock.wall() + tenths * TENTH_MS - clock.now());
	}

	begin(transaction: ServerTransaction, expiresSeconds: number, state: "pending" | "active"): void {
		this.#step({ kind: "subscribe", expiresSeconds, state }, transaction);
	}

	/** The user's state is another: told when the lane and the spacing allow, and then as it is at that time. */
	tellChange(): void {
		if (this.#is(FULL_VIEW)) this.#enqueue();
	}

	decide(decision: Decision | "pending", isHidden: boolean): void {
		if (decision === "deny" && !isHidden) {
			this.terminate("rejected");
			return;
		}
		this.#mark(FULL_VIEW, decision === "allow");
		if (decision !== "pending") this.#mark(AUTHORISED, true);
		this.#enqueue();
	}

	/** Ends it with a last NOTIFY, when its turn comes. */
	terminate(reason: Extract<NotifierReason, "rejected" | "noresource" | "timeout" | "deactivated">): void {
		this.#ending ??= reason;
		this.#enqueue();
	}

	/** The turn of this subscription has come. */
	release(): void {
		this.#mark(QUEUED, false);
		if (this.#ending !== undefined) {
			this.#step({ kind: "terminate", reason: this.#ending });
			return;
		}
		if (this.#is(AUTHORISED)) {
			this.#mark(AUTHORISED, false);
			if (this.state.name === "pending") this.#step({ kind: "authorise" });
		}
		const isOld = this.#told !== undefined && this.#isToldAlready(this.#told);
		if (isOld) this.#step({ kind: "state-restored" });
		if (this.#is(SPACING_OVER)) {
			this.#mark(SPACING_OVER, false);
			this.#step({ kind: "spacing-over" });
		} else if (!isOld) this.#step({ kind: "state-changed" });
	}

	// WheelUser.

	expired(): void {
		const now = Math.floor(this.#context.clock.now() / TENTH_MS);
		if (this.#expiry !== 0 && this.#expiry <= now) {
			this.#expiry = 0;
			this.#step({ kind: "expired" });
		}
		if (this.#dialogEnd !== 0 && this.#dialogEnd <= now) {
			this.#dialogEnd = 0;
			this.terminate("deactivated");
		}
		if (this.#spacing !== 0 && this.#spacing <= now) {
			this.#spacing = 0;
			this.#mark(SPACING_OVER, true);
			this.#enqueue();
		}
		this.#arm();
	}

	// DialogUsage.

	request(transaction: ServerTransaction, link: Link): void {
		const { agent, rules } = this.#context;
		this.link = link;
		const { request } = transaction;
		if (!this.dialog.take(request)) {
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
		this.dialog.refreshTarget(request);
		const state = this.#is(REVIVED_PENDING) ? "pending" : "active";
		this.#step({ kind: "subscribe", expiresSeconds: seconds, state }, transaction);
	}

	get localContact(): string {
		return this.dialog.localContact;
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

	accepted(statusCode: number): void {
		this.#answered(statusCode, false);
	}

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
		if (this.#is(QUEUED) || this.#state?.name === "terminated") return;
		this.#mark(QUEUED, true);
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
		this.#remember(step.state);
		for (const effect of step.effects) this.#perform(effect, asked);
	}

	#remember(state: NotifierState): void {
		const isLive = state.name === "pending" || state.name === "active";
		if (isLive) {
			this.#mark(PENDING, state.name === "pending");
			this.#expiry = Math.ceil(state.expiresAtMs / TENTH_MS) | 0;
		}
		const isQuiet = isLive && !state.inFlight && state.owed === "nothing" && !state.isSpacingTimerOn;
		this.#state = isQuiet ? undefined : state;
	}

	#perform(effect: NotifierEffect, asked: ServerTransaction | undefined): void {
		switch (effect.kind) {
			case "answer-subscribe":
				if (asked !== undefined) this.#answer(effect, asked);
				break;
			case "send-notify":
				this.#notify(effect);
				break;
			case "start-timer":
				// The time of expiry is known with the state.
				if (effect.timer === "spacing") this.#spacing = this.#tenths(effect.delayMs);
				this.#arm();
				break;
			case "end":
				this.#end(effect.end.kind === "connection-lost");
				if (effect.end.kind === "refused") {
					this.#context.log.info("subscription ended: NOTIFY refused", {
						presentity: this.presentity,
						status: effect.end.statusCode,
						callId: this.dialog.callId,
					});
				}
				break;
		}
	}

	/** Sets the one timer to what is due first. */
	#arm(): void {
		if (this.#state?.name === "terminated") return;
		const { clock, wheel } = this.#context;
		let due = this.#expiry;
		if (this.#spacing !== 0 && (due === 0 || this.#spacing < due)) due = this.#spacing;
		if (this.#dialogEnd !== 0 && (due === 0 || this.#dialogEnd < due)) due = this.#dialogEnd;
		if (due !== 0) wheel.start(this, due * TENTH_MS - clock.now());
	}

	#end(isLost: boolean): void {
		this.#expiry = 0;
		this.#spacing = 0;
		this.#dialogEnd = 0;
		this.#context.wheel.stop(this);
		this.#context.agent.dialogs.remove(this.dialog);
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
			["Contact", this.dialog.localContact],
			["Expires", String(effect.expiresSeconds)],
			["Allow-Events", "presence"],
		];
		const tag = request.to.tag === undefined ? { toTag: this.dialog.localTag, recordRoute: true } : {};
		transaction.respond(createResponse(request, 200, { ...tag, headers }));
	}

	#notify(effect: Extract<NotifierEffect, { kind: "send-notify" }>): void {
		const { agent, fanOut, notified, presentities } = this.#context;
		const isFinal = effect.subscriptionState === "terminated";
		const state = isFinal
			? formatSubscriptionState({ state: "terminated", reason: effect.reason, retryAfter: effect.retryAfterSeconds })
			: `${effect.subscriptionState};expires=${effect.expiresSeconds}`;
		// REQ-92, and nothing about a user before the decision: a pending subscription sees the closed document.
		const view: View = effect.subscriptionState === "pending" ? "closed" : this.#view;
		const hasBody = !isFinal || effect.hasBody;
		const body = hasBody ? presentities.document(this.presentity, view, this.peer.presenceProfile) : undefined;
		this.#told = effect.subscriptionState !== "active" ? undefined : view === "closed" ? CLOSED : body;
		const branch = agent.transactions.createBranch();
		const type = body === undefined ? "" : "Content-Type: application/pidf+xml\r\n";
		const request = this.dialog.write({
			method: "NOTIFY",
			via: agent.viaOf(branch),
			branch,
			fields: `Event: ${this.#eventValue}\r\nSubscription-State: ${state}\r\n${type}`,
			body,
		});
		this.#notified = this.#tenths(0);
		fanOut.sent(this.lane);
		notified(this);
		agent.sendWritten(this.link, request, this);
	}
}
