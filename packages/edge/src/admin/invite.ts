/** What a partner needs to list us, from our own configuration and certificate. */
import { X509Certificate } from "node:crypto";
import type { Invite } from "@causeway/admin";
import { federationServiceName } from "@causeway/sip";

export interface InviteParts {
	readonly fqdn: string;
	readonly port: number;
	readonly domains: readonly string[];
	/** PEM, leaf first. */
	readonly certificate: string;
}

export function createInvite({ fqdn, port, domains, certificate }: InviteParts): Invite {
	const leaf = new X509Certificate(certificate);
	return {
		causeway_invite: 1,
		edge: fqdn,
		port,
		domains: [...domains],
		certificate: {
			subject: oneLine(leaf.subject),
			issuer: oneLine(leaf.issuer),
			fingerprint_sha256: leaf.fingerprint256,
			not_after: new Date(leaf.validTo).toISOString(),
		},
		srv: domains.map((domain) => `${federationServiceName(domain)}. 3600 IN SRV 10 50 ${port} ${fqdn}.`),
	};
}

function oneLine(name: string): string {
	return name.split("\n").join(", ");
}
