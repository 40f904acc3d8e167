/** The name servers of a configuration, asked by a command. */
import type { Clock, Logger } from "@causeway/sip";
import { parseHostPort } from "../config/host-port.ts";
import type { Config } from "../config/schema.ts";
import { DnsClient } from "../federation/dns/dns-client.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const DNS_PORT = 53;

export function createLookup(config: Config, clock: Clock): DnsClient {
	const servers = config.dns.servers.map((text) => {
		const read = parseHostPort(text);
		return { address: read?.host ?? text, port: read?.port ?? DNS_PORT };
	});
	return new DnsClient({ servers, clock, log: silent });
}
