/** What line ends between messages may cost: each ping wants an answer, and nobody needs many (RFC 5626 §4.4.1 asks for one in two minutes). */

/** In any one of our seconds: pings that are answered, and line ends after which nothing more is read in it. */
export const MOST_PONGS = 4;
export const MOST_LINE_ENDS = 1_000;
const SECOND_MS = 1_000;

/** Counts one connection's line ends by seconds that begin with the first of them. */
export class KeepAliveBudget {
	#endsAt = Number.NEGATIVE_INFINITY;
	#lineEnds = 0;
	#pongs = 0;

	/** Line ends came, `pings` pairs of which ask: how many of these are answered, and how long nothing is to be read, in milliseconds. */
	spend(now: number, lineEnds: number, pings: number): { readonly pongs: number; readonly pauseMs: number } {
		if (now >= this.#endsAt) {
			this.#endsAt = now + SECOND_MS;
			this.#lineEnds = 0;
			this.#pongs = 0;
		}
		const pongs = Math.min(pings, MOST_PONGS - this.#pongs);
		this.#pongs += pongs;
		this.#lineEnds += lineEnds;
		return { pongs, pauseMs: this.#lineEnds > MOST_LINE_ENDS ? this.#endsAt - now : 0 };
	}
}
