/** Draws SIP messages between two elements as a ladder, one line a message, for a terminal. */

/** One rung: a message that was sent. */
export interface LadderEntry {
	/** Milliseconds since 1970. */
	readonly at: number;
	/** Names of the elements. */
	readonly from: string;
	readonly to: string;
	/** What it was: `SUBSCRIBE sip:bob@fabrikam.example`, `200 OK (SUBSCRIBE)`. */
	readonly text: string;
	/** Shown behind the rung: `away`, `typing`. */
	readonly note?: string;
}

const ARROW_WIDTH = 62;

/** The two names above their lines. */
export function formatLadderHead(left: string, right: string): string {
	const gap = Math.max(1, ARROW_WIDTH + 2 - left.length);
	return `${" ".repeat(10)}${left}${" ".repeat(gap)}${right}`;
}

/** One line. `start` is the time that counts as zero; what does not come from `left` is drawn from right to left. */
export function formatLadderEntry(entry: LadderEntry, left: string, start: number): string {
	const seconds = ((entry.at - start) / 1000).toFixed(3).padStart(8);
	const text = entry.text.length > ARROW_WIDTH - 6 ? `${entry.text.slice(0, ARROW_WIDTH - 9)}...` : entry.text;
	const line = "-".repeat(Math.max(1, ARROW_WIDTH - 4 - text.length));
	const rung = entry.from === left ? `| ${text} ${line}> |` : `| <${line} ${text} |`;
	return entry.note === undefined ? `${seconds}  ${rung}` : `${seconds}  ${rung}  ${entry.note}`;
}
