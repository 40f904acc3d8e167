import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";
import type { SecondHost } from "./namespace.ts";
import type { Program } from "./process.ts";

export interface FederatedDomain {
	readonly domain: string;
	/** Edge FQDN and the address it resolves to. */
	readonly edge: string;
	readonly address: string;
	readonly port: number;
}

export interface DnsOptions {
	/** Edges with an A record alone. */
	readonly otherEdges?: readonly Pick<FederatedDomain, "edge" | "address">[];
	/** The host that it runs on, where a test has several. */
	readonly host?: SecondHost;
}

/** DNS on 127.0.0.1:53 of a host: SRV and A records of each domain, NXDOMAIN for every other name. */
export async function startDns(
	lab: Lab,
	domains: readonly FederatedDomain[],
	{ otherEdges = [], host }: DnsOptions = {},
): Promise<Program> {
	requirePackages(["dnsmasq-base"]);
	const records = domains.flatMap(({ domain, edge, address, port }) => [
		`--srv-host=_sipfederationtls._tcp.${domain},${edge},${port},0,10`,
		`--host-record=${edge},${address}`,
	]);
	const others = otherEdges.map(({ edge, address }) => `--host-record=${edge},${address}`);
	const name = host === undefined ? "dnsmasq" : `dnsmasq-${host.name}`;
	const [command = "", ...args] = [
		...(host?.enter ?? []),
		...["dnsmasq", "--conf-file=/dev/null", "--no-daemon", "--log-facility=-", "--log-queries"],
		...["--no-resolv", "--no-hosts", "--local=/example/", "--listen-address=127.0.0.1", "--bind-interfaces"],
		...[`--pid-file=${lab.path(`${name}.pid`)}`, ...records, ...others],
	];
	const program = await lab.run({ name, command, args });
	await program.waitForLine("its start", (line) => line.includes("started, version"));
	return program;
}
