/** What a peer can cause is a value, never an exception: readers return {@link Result}. */
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
