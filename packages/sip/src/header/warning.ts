/** Warning: RFC 3261 §20.43. */
import { type Result, refusal, success } from "../fault.ts";
import { CharClass, skipClass } from "../text/char-class.ts";
import { quote, unquote } from "../text/quoting.ts";
import { parseDecimal, skipLws, skipQuoted } from "../text/scan.ts";

/** A Warning value (RFC 3261 §20.43). */
export interface Warning {
	/** Three digits: 304, 399. */
	readonly code: number;
	/** Host or pseudonym of the element that speaks. */
	readonly agent: string;
	/** Without quotes. */
	readonly text: string;
}

/** Reads one Warning value that fills `text` from `start` to `end`. Faults: `bad-warning` (RFC 3261 §20.43). */
export function parseWarning(text: string, start: number, end: number): Result<Warning> {
	const from = skipLws(text, start, end);
	const codeEnd = skipClass(text, from, end, CharClass.digit);
	const code = codeEnd - from === 3 ? parseDecimal(text, from, codeEnd, 3) : undefined;
	const agentStart = skipLws(text, codeEnd, end);
	const agentEnd = skipClass(text, agentStart, end, CharClass.paramValue);
	const textStart = skipLws(text, agentEnd, end);
	const isQuote = textStart > agentEnd && textStart < end && text.charCodeAt(textStart) === 0x22;
	const textEnd = isQuote ? skipQuoted(text, textStart, end) : undefined;
	if (code === undefined || agentStart === codeEnd || textEnd === undefined || skipLws(text, textEnd, end) !== end) {
		return refusal("bad-warning", "RFC 3261 §20.43", from, "Warning is no code, agent and quoted text.");
	}
	return success({ code, agent: text.slice(agentStart, agentEnd), text: unquote(text.slice(textStart, textEnd)) });
}

/** A Warning value as text: `304 sip.contoso.example "Media type not available"` (RFC 3261 §20.43). */
export function formatWarning(warning: Warning): string {
	return `${warning.code} ${warning.agent} ${quote(warning.text)}`;
}
