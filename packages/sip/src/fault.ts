/** What a peer can cause is a value, never an exception: readers return {@link Result}. */
import { invariant } from "./text/assert.ts";

/** Why an input was refused. */
export interface Fault {
	/** Stable, lower-case, for logs and metric labels: `bad-uri`, `head-too-large`. */
	readonly code: string;
	/** The rule that refuses, in searchable form: `RFC 3261 §20.14`, `REQ-52`. */
	readonly rule: string;
	/** Octets from the start of what was read to the place of the fault. */
	readonly offset: number;
	/** Status code that answers a request with this fault. */
	readonly status: number;
	/** One sentence for a person; carries no body and no credential. */
	readonly detail: string;
}

/** The outcome of reading something that came from outside. */
export type Result<Value> =
	| { readonly ok: true; readonly value: Value }
	| { readonly ok: false; readonly fault: Fault };

/** A success. */
export function success<Value>(value: Value): Result<Value> {
	return { ok: true, value };
}

let lastFault: Fault | undefined;

/**
 * Refuses as readers of octets do, which give a value or undefined: a record around each value of each message would cost
 * as much as reading it. Why is kept until the next refusal, for {@link outcomeOf} and {@link refused}.
 */
export function refuse(code: string, rule: string, offset: number, detail: string, status = 400): undefined {
	lastFault = refusal(code, rule, offset, detail, status).fault;
	return undefined;
}

/** Why the reader that gave undefined just now refused. */
export function refused(): { readonly ok: false; readonly fault: Fault } {
	invariant(lastFault !== undefined, "a reader refused without a reason");
	return { ok: false, fault: lastFault };
}

/** What a reader of octets gave, as a {@link Result}. */
export function outcomeOf<Value>(value: Value | undefined): Result<Value> {
	return value === undefined ? refused() : success(value);
}

/** A refusal; `status` is 400 unless the rule names another. */
export function refusal(
	code: string,
	rule: string,
	offset: number,
	detail: string,
	status = 400,
): { readonly ok: false; readonly fault: Fault } {
	return { ok: false, fault: { code, rule, offset, status, detail } };
}
