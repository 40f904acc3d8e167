/** One subscription of a partner's user: the notifier's side of RFC 6665 §4.2, in its dialog. */
import {
	applyTargetRefresh,
	type ClientTransactionUser,
	type Clock,
	createDialogRequest,
	createResponse,
	type Dialog,
	event,
	expires,
	formatSubscriptionState,
	grantExpires,
	HeaderId,
	type HeaderInput,
	hasHeader,
	initialNotifierState,
	type Logger,
	matchDialogRequest,
	type NotifierEffect,
	type NotifierEvent,
	type NotifierState,
	type NotifierTimer,
	type ServerTransaction,
	type SipRequest,
	stepNotifier,
	type Timer,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import type { Peer } from "../federation/peers.ts";
import type { Decision } from "../store/watchers.ts";
import type { DialogUsage, UserAgent } from "../ua/user-agent.ts";
import type { Presentities, View } from "./presentities.ts";

export interface NotifierRules {
	readonly minExpiresSeconds: number;
	readonly maxExpiresSeconds: number;
	readonly notifySpacingMs: number;
	readonly hideUnknownUsers: "never" | "discovered" | "always";
}

/** What a subscription needs of its surroundings. */
export interface SubscriptionContext {
	readonly clock: Clock;
	readonly log: Logger;
	readonly agent: UserAgent;
	readonly presentities: Presentities;
	readonly rules: NotifierRules;
}

const DEFAULT_EXPIRES_SECONDS = 3600;

/** One subscription of a partner's user, for listings. */
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

/** Whether the request is about presence; it is answered 489 where not. */
export function isPresence(request: SipRequest): boolean {
	const wanted = event(request);
	return wanted.ok && wanted.value?.package === "presence";
}

export const ALLOW_EVENTS: readonly HeaderInput[] = [["Allow-Events", "presence"]];

/** The seconds granted; undefined where the request was answered 423 or 400. */
export function grantFor(
	transaction: ServerTransaction,
	options: Pick<SubscriptionContext, "agent" | "rules">,
): number | undefined {
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

export interface SubscriptionParts {
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

export class Subscription implements DialogUsage, InboundSubscription, ClientTransactionUser {
	readonly usage = "subscribe";
	readonly presentity: string;
	readonly watcher: string;
	readonly peer: Peer;
	readonly verification: "verified" | "unverified";
	readonly createdAt: number;
	link: Link;
	lastNotifyAt: number | undefined;
	state: NotifierState = initialNotifierState;
	readonly #options: SubscriptionContext;
	readonly #eventValue: string;
	readonly #ended: () => void;
	readonly #timers: Partial<Record<NotifierTimer, Timer>> = {};
	#dialog: Dialog;
	#view: View;
	/** The SUBSCRIBE at hand, while the machine answers it. */
	#asked: ServerTransaction | undefined;

	constructor(options: SubscriptionContext, parts: SubscriptionParts) {
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
		if (hasHeader(request, HeaderId.event) && !isPresence(request)) {
			agent.answer(transaction, 489, { code: "event-package", headers: ALLOW_EVENTS });
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
