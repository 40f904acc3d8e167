/**
 * Icons of contacts' networks: fetched in the background, once for each URL and day, kept here, and shown under an address
 * of our own, so that no browser ever contacts the foreign host (which would tell it who looks at whom).
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Clock, Logger } from "@causeway/sip";
import type { IconResult } from "./icon-fetch.ts";

export interface ContactIconsOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly fetch: (url: string) => Promise<IconResult>;
	/** The icon behind this URL is there, or is another, or is there no more. */
	readonly changed: (url: string) => void;
	readonly limits?: Partial<ContactIconLimits>;
}

export interface ContactIconLimits {
	/** URLs remembered, with or without an icon; the one not wanted longest goes first. */
	readonly urls: number;
	readonly fetchesAtOnce: number;
	readonly fetchesWaiting: number;
	/** Different URLs of one domain a day: an address of its own for each user would tell the domain who is watched. */
	readonly urlsPerDomain: number;
}

const DEFAULT_LIMITS: ContactIconLimits = { urls: 1_000, fetchesAtOnce: 4, fetchesWaiting: 200, urlsPerDomain: 8 };
const DAY_MS = 86_400_000;
/** After a failure that says nothing about the icon itself. */
const RETRY_MS = 3_600_000;
const PATH = "/api/v1/icons/";

interface Known {
	readonly id: string;
	octets: Uint8Array | undefined;
	/** Not fetched again before this time of the clock. */
	freshUntil: number;
	isUnderWay: boolean;
}

export class ContactIcons {
	readonly #options: ContactIconsOptions;
	readonly #limits: ContactIconLimits;
	/** Makes ids that name nothing to who has not been shown them. */
	readonly #secret = randomBytes(32);
	readonly #byUrl = new Map<string, Known>();
	readonly #byId = new Map<string, Known>();
	readonly #waiting: string[] = [];
	readonly #urlsOf = new Map<string, Set<string>>();
	#dayBegan: number;
	#underWay = 0;
	#isClosed = false;

	constructor(options: ContactIconsOptions) {
		this.#options = options;
		this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
		this.#dayBegan = options.clock.now();
	}

	/** A document of a user of `domain` names this URL; it is fetched where that was not done lately. */
	want(url: string, domain: string): void {
		const known = this.#byUrl.get(url);
		const nowMs = this.#options.clock.now();
		if (known !== undefined) {
			this.#byUrl.delete(url);
			this.#byUrl.set(url, known);
			if (known.isUnderWay || nowMs < known.freshUntil) return;
		}
		if (this.#isClosed || !this.#hasBudget(url, domain, nowMs)) return;
		if (this.#waiting.length >= this.#limits.fetchesWaiting) return;
		const entry = known ?? this.#add(url);
		entry.isUnderWay = true;
		this.#waiting.push(url);
		this.#next();
	}

	/** Path of the icon on our own server; undefined where it is not there or not fit to be shown. */
	pathOf(url: string): string | undefined {
		const known = this.#byUrl.get(url);
		return known?.octets === undefined ? undefined : `${PATH}${known.id}`;
	}

	/** The PNG behind an id of {@link pathOf}. */
	find(id: string): Uint8Array | undefined {
		return this.#byId.get(id)?.octets;
	}

	close(): void {
		this.#isClosed = true;
		this.#waiting.length = 0;
	}

	#add(url: string): Known {
		const id = createHmac("sha256", this.#secret).update(url).digest("hex").slice(0, 32);
		const made: Known = { id, octets: undefined, freshUntil: 0, isUnderWay: false };
		this.#byUrl.set(url, made);
		this.#byId.set(id, made);
		for (const [oldest, known] of this.#byUrl) {
			if (this.#byUrl.size <= this.#limits.urls) break;
			if (known.isUnderWay) continue;
			this.#byUrl.delete(oldest);
			this.#byId.delete(known.id);
		}
		return made;
	}

	#hasBudget(url: string, domain: string, nowMs: number): boolean {
		if (nowMs - this.#dayBegan >= DAY_MS) {
			this.#dayBegan = nowMs;
			this.#urlsOf.clear();
		}
		const urls = this.#urlsOf.get(domain) ?? new Set<string>();
		if (urls.has(url)) return true;
		if (urls.size >= this.#limits.urlsPerDomain) return false;
		urls.add(url);
		this.#urlsOf.set(domain, urls);
		return true;
	}

	#next(): void {
		while (this.#underWay < this.#limits.fetchesAtOnce) {
			const url = this.#waiting.shift();
			if (url === undefined) return;
			this.#underWay += 1;
			void this.#options.fetch(url).then((result) => {
				this.#underWay -= 1;
				if (this.#isClosed) return;
				this.#take(url, result);
				this.#next();
			});
		}
	}

	#take(url: string, result: IconResult): void {
		const { clock, log, changed } = this.#options;
		const known = this.#byUrl.get(url);
		if (known === undefined) return;
		known.isUnderWay = false;
		const before = known.octets;
		known.freshUntil = clock.now() + (result.ok || result.isVerdict ? DAY_MS : RETRY_MS);
		if (result.ok) known.octets = result.icon.octets;
		else {
			log.warn("icon of a contact not shown", { url, code: result.code, reason: result.reason });
			// What was checked before stays where the server could not be asked again.
			if (result.isVerdict) known.octets = undefined;
		}
		const isSame =
			before === known.octets ||
			(before !== undefined && known.octets !== undefined && Buffer.compare(before, known.octets) === 0);
		if (!isSame) changed(url);
	}
}
