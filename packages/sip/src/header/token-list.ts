/** Lists of tokens: Require, Proxy-Require, Supported, Unsupported, Allow, Allow-Events. */
import { type Result, refusal, success } from "../fault.ts";
import { isToken } from "../text/char-class.ts";

/** Checks that every value is a token and returns them. An empty list is a list (RFC 3261 §20.37 allows it). */
export function parseTokenList(values: readonly string[]): Result<readonly string[]> {
	for (const value of values) {
		if (!isToken(value)) return refusal("bad-token", "RFC 3261 §25.1", 0, "A list of tokens holds something else.");
	}
	return success(values);
}

/** Tokens as a comma list: `INVITE, ACK` (RFC 3261 §7.3.1). */
export function formatTokenList(tokens: readonly string[]): string {
	return tokens.join(", ");
}
