/** `name-addr` and `addr-spec` with header parameters: From, To, Contact, Route, Record-Route (RFC 3261 §20.10, §25.1). */
import type { Params } from "../uri/params.ts";
import type { Uri } from "../uri/uri.ts";

export interface NameAddr {
	/** Unquoted, as octets in latin1 characters; undefined where absent. */
	readonly displayName: string | undefined;
	readonly uri: Uri;
	/** Header parameters, those behind the angle brackets. */
	readonly params: Params;
	/** The `tag` parameter; undefined where absent. */
	readonly tag: string | undefined;
}
