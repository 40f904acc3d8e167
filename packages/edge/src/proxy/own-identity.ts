/** Our edge as it names itself in Via and Record-Route (REQ-50), and how it knows itself in what comes back. */
import { isSipUri, paramValue, type SipUri, type Uri } from "@causeway/sip";
import type { TokenUri } from "../federation/signature/route-token.ts";

export interface OwnIdentity {
	/** `[edge] fqdn`, lower case. */
	readonly fqdn: string;
	/** Where peers reach our listener. */
	readonly port: number;
}

/** URI parameter that holds the route token (protocol sheet 4.4). */
export const TOKEN_PARAMETER = "fs";
const DEFAULT_TLS_PORT = 5061;

export function sentBy({ fqdn, port }: OwnIdentity): string {
	return `${fqdn}:${port}`;
}

/** Value of a Record-Route of ours. */
export function recordRouteValue({ fqdn, port }: OwnIdentity, token: string): string {
	return `<sip:${fqdn}:${port};transport=tls;lr;${TOKEN_PARAMETER}=${token}>`;
}

/** The URI as the token signs it. */
export function tokenUri({ fqdn, port }: OwnIdentity): TokenUri {
	return { host: fqdn, port, transport: "tls" };
}

/** Whether a URI names this edge. */
export function namesUs({ fqdn, port }: OwnIdentity, uri: Uri): uri is SipUri {
	return isSipUri(uri) && uri.host === fqdn && (uri.port ?? DEFAULT_TLS_PORT) === port;
}

/** The route token of a URI of ours; undefined where it has none. */
export function tokenOf(uri: SipUri): string | undefined {
	return paramValue(uri.params, TOKEN_PARAMETER);
}
