/** Our edge as it names itself in Via and Contact (REQ-50, REQ-70). */
import { escapeUser, formatNameAddr, formatSipUri } from "@causeway/sip";

export interface LocalIdentity {
	/** `[edge] fqdn`, lower case. */
	readonly fqdn: string;
	/** Where peers reach our listener. */
	readonly port: number;
}

/** Of our URIs: holds the route token (protocol sheet 4.4). */
export const TOKEN_PARAMETER = "fs";

/** Value of the Via we put on a request; `alias` offers the connection for the way back (RFC 5923). */
export function viaValue(identity: LocalIdentity, branch: string): string {
	return `SIP/2.0/TLS ${identity.fqdn}:${identity.port};branch=${branch};alias`;
}

/** URI of our Contact for a user (part before the @, as written), with the token of its dialog. */
export function contactUri(identity: LocalIdentity, user: string, token: string): string {
	const params = [
		{ name: "transport", value: "tls" },
		{ name: TOKEN_PARAMETER, value: token },
	];
	return formatSipUri({ user, host: identity.fqdn, port: identity.port, params });
}

/** Value of our Contact. */
export function contactValue(identity: LocalIdentity, user: string, token: string): string {
	return formatNameAddr({ uri: contactUri(identity, user, token) });
}

/** `sip:user@domain` of an address `user@domain` that a person or program wrote. */
export function aorUri(address: string): string {
	const at = address.lastIndexOf("@");
	return `sip:${escapeKept(address.slice(0, at))}@${address.slice(at + 1).toLowerCase()}`;
}

/** The user part of an address, ready for a URI. */
export function userPart(address: string): string {
	return escapeKept(address.slice(0, address.lastIndexOf("@")));
}

/** The domain of an address, lower case. */
export function domainOf(address: string): string {
	return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}

/** Escapes that stand in an address already are kept as they are. */
function escapeKept(user: string): string {
	return user.split("%").map(escapeUser).join("%");
}
