/** Via: RFC 3261 §20.42. */
import type { Params } from "../uri/params.ts";

export interface Via {
	/** Upper case: `TLS`. */
	readonly transport: string;
	/** Lower case; an IPv6 reference without its brackets. */
	readonly host: string;
	/** Undefined where absent. */
	readonly port: number | undefined;
	/** Undefined where absent (RFC 2543 elements; COMPAT(rtc-clients)). */
	readonly branch: string | undefined;
	readonly params: Params;
}
