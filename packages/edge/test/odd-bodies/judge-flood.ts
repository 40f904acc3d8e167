/** What a flood of odd bodies may have led to. */
import type { Outcome } from "./flood-link.ts";
import { HIDDEN, type OddBody, wordsIn } from "./odd-body.ts";

export interface Answered {
	readonly body: OddBody;
	readonly outcome: Outcome;
}

export interface Stored {
	readonly from: string;
	readonly text: string;
}

/** Faults of one kind that are told each by itself. */
const MOST_TOLD = 20;

/** Every promise that was broken, in words. */
export function judgeFlood(answered: readonly Answered[], stored: readonly Stored[]): string[] {
	const broken: string[] = [];
	const tell = (fault: string): void => {
		if (broken.length < MOST_TOLD) broken.push(fault);
	};
	const told = new Map<number, number>();
	for (const { from, text } of stored) {
		for (const number of wordsIn(text)) told.set(number, (told.get(number) ?? 0) + 1);
		const shown = JSON.stringify(text.slice(0, 60));
		if (!text.isWellFormed()) tell(`a text of ${from} is no Unicode: ${shown}`);
		if (/[^\P{Cc}\t\n\r]/u.test(text)) tell(`a text of ${from} holds control characters: ${shown}`);
		if (text.includes(HIDDEN)) tell(`a text of ${from} shows what was hidden: ${shown}`);
		if (text.trim() === "") tell(`a text of ${from} has no word`);
		if (text.length > 131_072) tell(`a text of ${from} has ${text.length} characters`);
	}
	let texts = 0;
	for (const { body, outcome } of answered) {
		const { number, kind, statuses } = body;
		const status = typeof outcome === "string" ? outcome : outcome.statusCode;
		if (typeof status === "string" || !statuses.includes(status)) {
			tell(`${kind} (${number}) was answered with ${status}, and ${statuses.join(" or ")} was right`);
		}
		const count = told.get(number) ?? 0;
		const isTaken = status === 200 && body.method === "MESSAGE" && body.stored !== "nothing";
		if (isTaken) texts += 1;
		if (body.stored === "word" && count !== 1) tell(`${kind} (${number}) is stored ${count} times`);
		if (count > (isTaken ? 1 : 0)) tell(`${kind} (${number}) is stored ${count} times, answered with ${status}`);
	}
	if (stored.length > texts) tell(`${stored.length} texts are stored, and ${texts} were taken`);
	return broken;
}
