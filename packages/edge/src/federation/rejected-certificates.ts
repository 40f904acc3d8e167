/** Certificates of discovered peers that showed nothing they may speak for: kept out for a while (protocol sheet 7.3). */
import type { Clock } from "@causeway/sip";
import type { CertificateFault } from "./certificate/verdict.ts";
import type { Link } from "./link.ts";

const KEPT_OUT_MS = 15 * 60_000;
/** Requests after which a connection that had none that passed is over. */
const FIRST_REQUESTS = 10;
/** Protocol sheet 1.3: 500, and a fifth goes when there is no room. */
const MOST_CERTIFICATES = 500;
const PURGED_AT_ONCE = MOST_CERTIFICATES / 5;

export class RejectedCertificates {
	readonly #clock: Pick<Clock, "now">;
	/** Until when, by fingerprint, the oldest first. */
	readonly #until = new Map<string, number>();
	/** Requests that failed the binding, of links that had none that passed. */
	readonly #failures = new WeakMap<Link, number>();

	constructor(clock: Pick<Clock, "now">) {
		this.#clock = clock;
	}

	/** A request on a link that no listed peer opened passed the binding, or did not. True where that was one failure too many. */
	judged(link: Link, passed: boolean): boolean {
		if (link.admittedAs.length > 0) return false;
		const before = this.#failures.get(link) ?? 0;
		// One that passed is enough for the life of the connection.
		if (before < 0) return false;
		if (passed) {
			this.#failures.set(link, -1);
			return false;
		}
		this.#failures.set(link, before + 1);
		if (before + 1 < FIRST_REQUESTS) return false;
		this.reject(link.identity.fingerprint);
		return true;
	}

	/** Whether requests failed on this link and none passed. */
	hasOnlyFailed(link: Link): boolean {
		return (this.#failures.get(link) ?? 0) > 0;
	}

	reject(fingerprint: string): void {
		if (this.#until.size >= MOST_CERTIFICATES) {
			let purged = 0;
			for (const oldest of this.#until.keys()) {
				if (purged >= PURGED_AT_ONCE) break;
				this.#until.delete(oldest);
				purged += 1;
			}
		}
		this.#until.delete(fingerprint);
		this.#until.set(fingerprint, this.#clock.now() + KEPT_OUT_MS);
	}

	isRejected(fingerprint: string): boolean {
		const until = this.#until.get(fingerprint);
		if (until === undefined) return false;
		if (until > this.#clock.now()) return true;
		this.#until.delete(fingerprint);
		return false;
	}

	/** Product contract 9: any policy edit gives everybody another chance. */
	clear(): void {
		this.#until.clear();
	}
}

/** What is said of a certificate that is kept out. */
export const keptOut: CertificateFault = {
	code: "kept-out",
	whose: "peer",
	text: "this certificate is kept out for a quarter of an hour: its requests named no domain that it may speak for",
	remedy:
		"the peer's SRV record must name its edge inside its domain, as the certificate does; here, listing the peer or any policy edit lets it in again",
};
