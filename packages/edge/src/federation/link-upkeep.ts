/**
 * What an open link costs and whether it is worth it, looked at now and then: none is trusted past its certificate, none
 * stays open for nothing, and one that went silent is asked whether it still lives.
 */
import type { Clock, Timer } from "@causeway/sip";
import type { Link } from "./link.ts";

const LOOK_EVERY_MS = 10_000;
/** A peer that shows in a minute no domain it may speak for is no peer (protocol sheet 7.3). */
const UNPROVEN_MS = 60_000;
/** Without traffic and without a dialog (protocol sheet 1.5). */
const IDLE_MS = 15 * 60_000;
/** RFC 5626 §4.4.1: silent links are asked after about two minutes. */
const PING_AFTER_MS = 110_000;
/** RFC 5626 §4.4.1: the answer comes within this time, where it ever came. */
const PONG_WITHIN_MS = 10_000;
/** No dialog lives longer, so nothing needs a replaced link after it. */
const LONGEST_DRAIN_MS = 24 * 3_600_000;

export interface LinkUpkeepOptions {
	readonly clock: Clock;
	readonly links: Iterable<Link>;
	/** Dialogs on a link. */
	readonly load: (link: Link) => number;
	/** Requests of ours on it that have no final answer. */
	readonly outstanding: (link: Link) => number;
	/** Asks the other end for a sign of life; false where nothing can be sent. */
	readonly ping: (link: Link) => boolean;
	/** A link proved nothing in its first minute, and is about to end for it. */
	readonly provedNothing: (link: Link) => void;
	/** Ends a link; `isOrderly` lets what is queued leave. */
	readonly end: (link: Link, reason: string, isOrderly: boolean) => void;
}

interface Watched {
	readonly since: number;
	/** Messages both ways as of the last look. */
	traffic: number;
	quietSince: number;
	drainingSince: number | undefined;
	/** Octets of any kind came last. */
	heardAt: number;
	pingedAt: number | undefined;
	/** It answered a ping once, so it will again. */
	answersPings: boolean;
}

export class LinkUpkeep {
	readonly #options: LinkUpkeepOptions;
	readonly #watched = new Map<Link, Watched>();
	#timer: Timer | undefined;
	#dueAt = 0;

	constructor(options: LinkUpkeepOptions) {
		this.#options = options;
	}

	/** A link is open. */
	opened(link: Link): void {
		const now = this.#options.clock.now();
		this.#watched.set(link, {
			since: now,
			traffic: 0,
			quietSince: now,
			drainingSince: undefined,
			heardAt: now,
			pingedAt: undefined,
			answersPings: false,
		});
		this.#armWithin(Math.min(LOOK_EVERY_MS, this.#untilExpiry(link)));
	}

	/** A link is gone. */
	closed(link: Link): void {
		this.#watched.delete(link);
	}

	/** Something came over a link; `pong` where it is the answer to a ping of ours. */
	heard(link: Link, what: "message" | "ping" | "pong"): void {
		const watched = this.#watched.get(link);
		if (watched === undefined) return;
		watched.heardAt = this.#options.clock.now();
		watched.pingedAt = undefined;
		if (what === "pong") watched.answersPings = true;
	}

	close(): void {
		this.#timer?.stop();
		this.#timer = undefined;
	}

	/** The next look: after the usual time, or when the first certificate ends. */
	#arm(): void {
		let delayMs = LOOK_EVERY_MS;
		let isAny = false;
		for (const link of this.#options.links) {
			isAny = true;
			delayMs = Math.min(delayMs, this.#untilExpiry(link));
		}
		if (isAny) this.#armWithin(delayMs);
	}

	/** REQ-90: to the first millisecond that is past the date, by the calendar, which may have been set meanwhile. */
	#untilExpiry(link: Link): number {
		return Math.max(0, link.identity.validUntil - this.#options.clock.wall() + 1);
	}

	#armWithin(delayMs: number): void {
		const { clock, links } = this.#options;
		const dueAt = clock.now() + delayMs;
		if (this.#timer !== undefined && this.#dueAt <= dueAt) return;
		this.#timer?.stop();
		this.#dueAt = dueAt;
		this.#timer = clock.setTimer(delayMs, () => {
			this.#timer = undefined;
			for (const link of [...links]) if (link.connection.isOpen) this.#look(link);
			this.#arm();
		});
	}

	#look(link: Link): void {
		const { clock, end, ping } = this.#options;
		const watched = this.#watched.get(link);
		if (watched === undefined) return;
		const now = clock.now();
		const traffic = link.requestsIn + link.requestsOut + link.responsesIn;
		if (traffic !== watched.traffic) watched.quietSince = now;
		watched.traffic = traffic;
		if (link.isDraining) watched.drainingSince ??= now;
		const reason = this.#reasonToEnd(link, watched, now);
		if (reason !== undefined) {
			end(link, reason, true);
		} else if (watched.pingedAt !== undefined && watched.answersPings && now - watched.pingedAt >= PONG_WITHIN_MS) {
			end(link, "the peer answered pings and no longer does", false);
		} else if (watched.pingedAt === undefined && now - watched.heardAt >= PING_AFTER_MS && ping(link)) {
			watched.pingedAt = now;
		} else if (watched.pingedAt !== undefined && now - watched.pingedAt >= PING_AFTER_MS && ping(link)) {
			// It never answered one: what matters is that the way through firewalls stays open.
			watched.pingedAt = now;
		}
	}

	#reasonToEnd(link: Link, watched: Watched, now: number): string | undefined {
		// REQ-90: trust in a connection ends with its certificate.
		if (link.identity.validUntil < this.#options.clock.wall()) return "the peer's certificate has expired";
		if (link.network === undefined && now - watched.since >= UNPROVEN_MS) {
			this.#options.provedNothing(link);
			return "the peer proved no domain of its own";
		}
		if (watched.drainingSince !== undefined && now - watched.drainingSince >= LONGEST_DRAIN_MS) {
			return "the connection was replaced a day ago";
		}
		if (this.#options.load(link) > 0 || this.#options.outstanding(link) > 0) return undefined;
		if (link.isDraining) return "the connection was replaced";
		return now - watched.quietSince >= IDLE_MS ? "the connection was idle" : undefined;
	}
}
