/** Subscription-State: RFC 6665 §8.2.3. */
import { type Result, refusal, success } from "../fault.ts";
import { lowerAscii } from "../text/ascii.ts";
import { CharClass, skipClass } from "../text/char-class.ts";
import { skipLws } from "../text/scan.ts";
import type { Params } from "../uri/params.ts";
import { parseDeltaSeconds } from "./number.ts";
import { parseParams, unquotedParam } from "./params.ts";

/** A Subscription-State value (RFC 6665 §8.2.3). */
export interface SubscriptionState {
	/** Lower case: `active`, `pending`, `terminated`, or another word. */
	readonly state: string;
	/** Lower case; undefined where absent. */
	readonly reason: string | undefined;
	/** Seconds; undefined where absent or no number. */
	readonly expires: number | undefined;
	/** Seconds; undefined where absent or no number. */
	readonly retryAfter: number | undefined;
	readonly params: Params;
}

/** Reads a Subscription-State value that fills `text` from `start` to `end`. Faults: `bad-subscription-state` (RFC 6665 §8.2.3). */
export function parseSubscriptionState(text: string, start: number, end: number): Result<SubscriptionState> {
	const from = skipLws(text, start, end);
	const stateEnd = skipClass(text, from, end, CharClass.token);
	const params = stateEnd === from ? undefined : parseParams(text, stateEnd, end);
	if (params === undefined) {
		const detail = "Subscription-State is no state with parameters.";
		return refusal("bad-subscription-state", "RFC 6665 §8.2.3", stateEnd, detail);
	}
	const reason = unquotedParam(params, "reason");
	return success({
		state: lowerAscii(text.slice(from, stateEnd)),
		reason: reason === undefined ? undefined : lowerAscii(reason),
		expires: secondsParam(params, "expires"),
		retryAfter: secondsParam(params, "retry-after"),
		params,
	});
}

/** What a Subscription-State value of ours says; times in seconds. */
export interface SubscriptionStateParts {
	readonly state: "active" | "pending" | "terminated";
	readonly reason?: string | undefined;
	/** Seconds. */
	readonly expires?: number | undefined;
	/** Seconds. */
	readonly retryAfter?: number | undefined;
}

/** A Subscription-State value as text: `active;expires=3600` (RFC 6665 §8.2.3). */
export function formatSubscriptionState(parts: SubscriptionStateParts): string {
	let text: string = parts.state;
	if (parts.reason !== undefined) text += `;reason=${parts.reason}`;
	if (parts.expires !== undefined) text += `;expires=${parts.expires}`;
	if (parts.retryAfter !== undefined) text += `;retry-after=${parts.retryAfter}`;
	return text;
}

function secondsParam(params: Params, name: string): number | undefined {
	const value = unquotedParam(params, name);
	if (value === undefined) return undefined;
	const seconds = parseDeltaSeconds(value, 0, value.length);
	return seconds.ok ? seconds.value : undefined;
}
