/** `ms-diagnostics` and `ms-diagnostics-public`: why a request failed, as LCS and its descendants say it. */
import { type Result, refusal, success } from "../fault.ts";
import { CharClass, skipClass } from "../text/char-class.ts";
import { quote } from "../text/quoting.ts";
import { parseDecimal, skipLws } from "../text/scan.ts";
import type { Params } from "../uri/params.ts";
import { parseParams, unquotedParam } from "./params.ts";

/**
 * A value of `ms-diagnostics` or `ms-diagnostics-public` (protocol sheet 7.7): texts are octets as latin1 characters.
 */
export interface Diagnostics {
	readonly id: number;
	/** Words for a person; undefined where absent. */
	readonly reason: string | undefined;
	/** FQDN of the element that speaks; never in the public form. */
	readonly source: string | undefined;
	readonly params: Params;
}

/** Reads one value of either header that fills `text` from `start` to `end`. Faults: `bad-diagnostics`. */
export function parseDiagnostics(text: string, start: number, end: number): Result<Diagnostics> {
	const from = skipLws(text, start, end);
	const idEnd = skipClass(text, from, end, CharClass.digit);
	const id = parseDecimal(text, from, idEnd, 9);
	const params = id === undefined ? undefined : parseParams(text, idEnd, end);
	if (id === undefined || params === undefined) {
		return refusal("bad-diagnostics", "MS-OCER §2.2.1", idEnd, "Diagnostics are no number with parameters.");
	}
	return success({ id, reason: unquotedParam(params, "reason"), source: unquotedParam(params, "source"), params });
}

/** The public form, the only one that crosses our boundary. */
export function formatDiagnosticsPublic(id: number, reason: string): string {
	return `${id};reason=${quote(reason)}`;
}
