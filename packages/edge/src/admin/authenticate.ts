import { bearerProtocolPrefix } from "@causeway/admin";
import type { Tokens } from "../store/tokens.ts";
import { equalSecrets } from "./admin-token.ts";
import type { Caller } from "./handlers.ts";

/** Who a bearer token stands for; undefined for one that is wrong, expired, revoked, or of a suspended user. */
export type Authenticate = (token: string) => Caller | undefined;

/** What of the tokens authentication needs. */
export type TokenVerifier = Pick<Tokens, "verify">;

/** Longer ones are nobody's; they are not hashed. */
const longestToken = 1_024;

/** Knows the administrator by the token of the admin token file, users by the tokens of the store. */
export function createAuthenticate(options: {
	readonly adminToken: string;
	readonly tokens: TokenVerifier;
}): Authenticate {
	const { adminToken, tokens } = options;
	return (token) => {
		if (token === "" || token.length > longestToken) return undefined;
		if (equalSecrets(token, adminToken)) return { kind: "admin", name: "admin" };
		const found = tokens.verify(token);
		return found === undefined ? undefined : { kind: "user", aor: found.owner, tokenId: found.id };
	};
}

/** The token of an `Authorization: Bearer …` header (RFC 6750 §2.1); undefined where there is none. */
export function parseBearer(authorization: string | undefined): string | undefined {
	if (authorization === undefined || !/^bearer /i.test(authorization.slice(0, 7))) return undefined;
	const token = authorization.slice(7).trim();
	return token === "" ? undefined : token;
}

/** The token a browser offers as subprotocol of a WebSocket (`Sec-WebSocket-Protocol`); undefined where there is none. */
export function parseProtocolBearer(protocols: string | undefined): string | undefined {
	const offered = protocols?.split(",").map((protocol) => protocol.trim());
	const token = offered
		?.find((protocol) => protocol.startsWith(bearerProtocolPrefix))
		?.slice(bearerProtocolPrefix.length);
	return token === "" ? undefined : token;
}
