/** Event: RFC 6665 §8.2.1. */
import { type Result, refusal, success } from "../fault.ts";
import { CharClass, skipClass } from "../text/char-class.ts";
import { skipLws } from "../text/scan.ts";
import { type Params, paramValue } from "../uri/params.ts";
import { parseParams } from "./params.ts";

/** An Event value (RFC 6665 §8.2.1). */
export interface Event {
	/** With its templates, as written: `presence`, `presence.winfo`. Compared octet by octet. */
	readonly package: string;
	/** The `id` parameter; undefined where absent. */
	readonly id: string | undefined;
	readonly params: Params;
}

/** Reads an Event value that fills `text` from `start` to `end`. Faults: `bad-event`. */
export function parseEvent(text: string, start: number, end: number): Result<Event> {
	const from = skipLws(text, start, end);
	const nameEnd = skipClass(text, from, end, CharClass.token);
	const params = nameEnd === from ? undefined : parseParams(text, nameEnd, end);
	if (params === undefined) {
		return refusal("bad-event", "RFC 6665 §8.2.1", nameEnd, "Event is no package name with parameters.");
	}
	return success({ package: text.slice(from, nameEnd), id: paramValue(params, "id"), params });
}

/** An Event value as text: `presence;id=7` (RFC 6665 §8.2.1). */
export function formatEvent(event: { readonly package: string; readonly params?: Params }): string {
	return event.package + (event.params ?? "");
}
