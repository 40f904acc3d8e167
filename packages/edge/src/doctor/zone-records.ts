/** DNS records as an administrator publishes them (profile, "Server discovery"; REQ-34 to REQ-39). */
import { federationServiceName } from "@causeway/sip";

const TTL_SECONDS = 3_600;

/** The SRV record that leads to a domain's edge. */
export function srvRecordLine(domain: string, target: string, port: number): string {
	return `${federationServiceName(domain)}. ${TTL_SECONDS} IN SRV 10 50 ${port} ${target}.`;
}

/** The address record of an edge; `address` undefined where only its administrator knows it. */
export function addressRecordLine(host: string, address: string | undefined): string {
	const type = address?.includes(":") === true ? "AAAA" : "A";
	return `${host}. ${TTL_SECONDS} IN ${type} ${address ?? "<public address of this edge>"}`;
}

/** The recommended name of a domain's edge (REQ-39). */
export function recommendedTarget(domain: string): string {
	return `sip.${domain}`;
}

/** A shell command that makes a key and a request for a certificate with these names, the first as its common name. */
export function signingRequestCommand(names: readonly string[]): string {
	const [first = ""] = names;
	const alternatives = names.map((name) => `DNS:${name}`).join(",");
	return `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout edge.key -out edge.csr -subj "/CN=${first}" -addext "subjectAltName=${alternatives}" -addext "extendedKeyUsage=serverAuth,clientAuth"`;
}
