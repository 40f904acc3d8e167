/** Our own network icons: what each hosted domain's configured URL holds is checked in the background (REQ-14 to REQ-18). */
import type { Clock, Logger, Timer } from "@causeway/sip";
import type { IconResult } from "./icon-fetch.ts";

export interface OwnIconsOptions {
	readonly clock: Clock;
	readonly log: Logger;
	/** URL by domain. */
	readonly icons: ReadonlyMap<string, string>;
	readonly fetch: (url: string) => Promise<IconResult>;
	/** What documents of this domain show from now on; undefined for none. */
	readonly show: (domain: string, url: string | undefined) => void;
}

/** What is known of one domain's icon. */
export interface OwnIcon {
	readonly domain: string;
	readonly url: string;
	/** `unchecked`: it could not be fetched yet and is shown unseen. `refused`: partners would not show it, so documents leave it out. */
	readonly state: "unchecked" | "good" | "refused";
	readonly reason: string | undefined;
	/** Milliseconds since 1970. */
	readonly checkedAt: number | undefined;
}

const GOOD_FOR_MS = 86_400_000;
const RETRY_MS = 3_600_000;

export class OwnIcons {
	readonly #options: OwnIconsOptions;
	readonly #known = new Map<string, OwnIcon>();
	readonly #timers = new Map<string, Timer>();
	#isClosed = false;

	constructor(options: OwnIconsOptions) {
		this.#options = options;
		for (const [domain, url] of options.icons) {
			this.#known.set(domain, { domain, url, state: "unchecked", reason: undefined, checkedAt: undefined });
		}
	}

	get list(): Iterable<OwnIcon> {
		return this.#known.values();
	}

	find(domain: string): OwnIcon | undefined {
		return this.#known.get(domain);
	}

	/** Looks at each icon now, and at good ones once a day, at others every hour. */
	start(): void {
		for (const { domain, url } of this.#known.values()) void this.#check(domain, url);
	}

	close(): void {
		this.#isClosed = true;
		for (const timer of this.#timers.values()) timer.stop();
	}

	async #check(domain: string, url: string): Promise<void> {
		const { clock, fetch } = this.#options;
		const result = await fetch(url);
		if (this.#isClosed) return;
		this.#judged(domain, url, result);
		this.#timers.set(
			domain,
			clock.setTimer(result.ok ? GOOD_FOR_MS : RETRY_MS, () => void this.#check(domain, url)),
		);
	}

	#judged(domain: string, url: string, result: IconResult): void {
		const { clock, log, show } = this.#options;
		const before = this.#known.get(domain)?.state ?? "unchecked";
		// Not to be reached from here says nothing about what partners find.
		const state = result.ok ? "good" : result.isVerdict ? "refused" : before;
		const reason = result.ok ? undefined : result.reason;
		this.#known.set(domain, { domain, url, state, reason, checkedAt: clock.wall() });
		if (!result.ok) {
			log.warn(state === "refused" ? "our icon is not shown: partners would refuse it" : "our icon was not checked", {
				domain,
				url,
				code: result.code,
				reason: result.reason,
				remedy: "domain.icon: serve a PNG of at most 8 KB, 16 × 16 pixels and 32 bits per pixel there, as image/png",
			});
		}
		if (state !== before) show(domain, state === "refused" ? undefined : url);
	}
}
