/** Good judgements of this moment, so that a peer that opens many connections at once is judged once for each question. */
import { hash } from "node:crypto";
import type { PresentedPeer } from "@causeway/sip/node";
import type { CertificateExpectation } from "./certificate-expectation.ts";
import type { CertificateJudgement } from "./certificate-judge.ts";

type GoodJudgement = Extract<CertificateJudgement, { ok: true }>;

/**
 * A judgement says what holds at a moment: dates and lists of revoked certificates count anew after this time, the certificate's own end at
 * once. Trust and lists that are replaced come with another judge, which remembers nothing.
 */
const LONGEST_MS = 1_000;
const MOST_CHAINS = 1_000;
/** Of one chain; a peer's certificate is judged for itself and for each peer whose name it carries. */
const MOST_QUESTIONS = 16;
/** Most certificates are shorter. */
const MOST_KEPT_OCTETS = 1_024;

interface Remembered {
	readonly judgement: GoodJudgement;
	readonly at: number;
}

export class RecentJudgements {
	/** By chain, then by question; the oldest first. */
	readonly #judgements = new Map<string, Map<string, Remembered>>();
	/** One presentation is judged several times behind each other, for one peer after the other. */
	#presented: PresentedPeer | undefined;
	#chain = "";
	/** Expectations are made once for each peer. */
	readonly #questions = new WeakMap<CertificateExpectation, string>();

	/** What `judge` said a moment ago about the same certificates and the same question, else what it says now. `now` is the calendar's. */
	recall(
		presented: PresentedPeer,
		expectation: CertificateExpectation,
		now: number,
		judge: () => CertificateJudgement,
	): CertificateJudgement {
		const chain = this.#chainOf(presented);
		const question = this.#questionOf(expectation);
		const known = this.#judgements.get(chain)?.get(question);
		// A calendar that was set back makes nothing of before true.
		const age = known === undefined ? Number.NaN : now - known.at;
		if (known !== undefined && age >= 0 && age < LONGEST_MS && now < known.judgement.identity.validUntil) {
			return known.judgement;
		}
		const judgement = judge();
		// Refusals are told with the moment they happened, and are no hurry.
		if (judgement.ok) this.#remember(chain, question, { judgement, at: now });
		else this.#judgements.get(chain)?.delete(question);
		return judgement;
	}

	#remember(chain: string, question: string, remembered: Remembered): void {
		const answers = this.#judgements.get(chain) ?? new Map<string, Remembered>();
		setLast(this.#judgements, chain, answers, MOST_CHAINS);
		setLast(answers, question, remembered, MOST_QUESTIONS);
	}

	#questionOf(expectation: CertificateExpectation): string {
		let question = this.#questions.get(expectation);
		if (question === undefined) {
			question = JSON.stringify(expectation);
			this.#questions.set(expectation, question);
		}
		return question;
	}

	#chainOf(presented: PresentedPeer): string {
		if (presented !== this.#presented) {
			this.#presented = presented;
			this.#chain = presented.chain.map(keyOf).join(" ");
		}
		return this.#chain;
	}
}

/** Sets what is newest now; the oldest goes where there are too many. */
function setLast<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
	map.delete(key);
	map.set(key, value);
	for (const oldest of map.keys()) {
		if (map.size <= most) break;
		map.delete(oldest);
	}
}

/** The octets themselves where they are few, which is quicker than their hash. The length tells where they end. */
function keyOf(der: Uint8Array): string {
	if (der.length > MOST_KEPT_OCTETS) return `hash ${hash("sha256", der, "base64url")}`;
	return `${der.length} ${octetsToText(der)}`;
}

function octetsToText({ buffer, byteOffset, byteLength }: Uint8Array): string {
	return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
