/** Good judgements of this moment, so that a peer that opens many connections at once is judged once for each question. */
import { hash } from "node:crypto";
import type { PresentedPeer } from "@causeway/sip/node";
import type { CertificateExpectation, CertificateJudgement } from "./certificate-judge.ts";

type GoodJudgement = Extract<CertificateJudgement, { ok: true }>;

/**
 * A judgement says what holds at a moment: dates and lists of revoked certificates count anew after this time, the certificate's own end at
 * once. Trust and lists that are replaced come with another judge, which remembers nothing.
 */
const LONGEST_MS = 1_000;
const MOST = 1_000;

export class RecentJudgements {
	readonly #judgements = new Map<string, { readonly judgement: GoodJudgement; readonly at: number }>();
	/** Each presentation is judged several times, for one peer after the other. */
	readonly #chains = new WeakMap<PresentedPeer, string>();

	/** What `judge` said a moment ago about the same certificates and the same question, else what it says now. `now` is the calendar's. */
	recall(
		presented: PresentedPeer,
		expectation: CertificateExpectation,
		now: number,
		judge: () => CertificateJudgement,
	): CertificateJudgement {
		const key = `${this.#chainOf(presented)} ${JSON.stringify(expectation)}`;
		const known = this.#judgements.get(key);
		// A calendar that was set back makes nothing of before true.
		const age = known === undefined ? Number.NaN : now - known.at;
		if (known !== undefined && age >= 0 && age < LONGEST_MS && now < known.judgement.identity.validUntil) {
			return known.judgement;
		}
		this.#judgements.delete(key);
		const judgement = judge();
		// Refusals are told with the moment they happened, and are no hurry.
		if (judgement.ok) {
			this.#judgements.set(key, { judgement, at: now });
			for (const oldest of this.#judgements.keys()) {
				if (this.#judgements.size <= MOST) break;
				this.#judgements.delete(oldest);
			}
		}
		return judgement;
	}

	#chainOf(presented: PresentedPeer): string {
		let chain = this.#chains.get(presented);
		if (chain === undefined) {
			chain = presented.chain.map((der) => hash("sha256", der, "base64url")).join(" ");
			this.#chains.set(presented, chain);
		}
		return chain;
	}
}
