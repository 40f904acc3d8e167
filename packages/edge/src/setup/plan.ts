/** What a new edge is to be: the answers that `init` asks for. */
import { normaliseHostName } from "@causeway/sip";
import { parseHostPort } from "../config/host-port.ts";

export interface SetupPlan {
	/** Our name in certificate, Via, Record-Route and Contact; lower case. */
	readonly fqdn: string;
	/** Hosted domains, lower case, at least one. */
	readonly domains: readonly string[];
	/** Federation listener, `0.0.0.0:5061`. */
	readonly listen: string;
	/** Where browsers and programs reach the API. */
	readonly httpListen: string;
	/** Domains of partners whose edges the DNS names. */
	readonly partners: readonly string[];
	/** `request`: a key and a signing request for an authority; `test-authority`: an authority of our own, for labs. */
	readonly certificate: "request" | "test-authority";
}

/** Why a text is no name of an edge; undefined where it is one. */
export function fqdnFault(text: string): string | undefined {
	const name = normaliseHostName(text);
	return name?.includes(".") === true
		? undefined
		: `"${text}" is no host name with a domain, such as sip.contoso.example`;
}

/** Why a text is no domain; undefined where it is one. */
export function domainFault(text: string): string | undefined {
	const name = normaliseHostName(text);
	return name?.includes(".") === true ? undefined : `"${text}" is no domain, such as contoso.example`;
}

/** Why a text is no address to listen on; undefined where it is one. */
export function listenFault(text: string): string | undefined {
	return parseHostPort(text)?.port === undefined ? `"${text}" is no address and port, such as 0.0.0.0:5061` : undefined;
}

/** The names that the certificate carries: the edge's own, then the recommended one of each domain it is not in (REQ-47). */
export function certificateNamesOf({ domains, fqdn }: Pick<SetupPlan, "domains" | "fqdn">): readonly string[] {
	const others = domains.filter((domain) => !fqdn.endsWith(`.${domain}`)).map((domain) => `sip.${domain}`);
	return [...new Set([fqdn, ...others])];
}

/** The name that a domain's SRV record points to. */
export function edgeNameFor(domain: string, fqdn: string): string {
	return fqdn.endsWith(`.${domain}`) ? fqdn : `sip.${domain}`;
}
