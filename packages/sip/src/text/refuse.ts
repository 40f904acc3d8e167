/** Refusals of readers of octets, of which a message asks many: why is kept aside, so that a value needs no record around it. */
import { type Fault, type Result, refusal, success } from "../fault.ts";
import { invariant } from "./assert.ts";

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
