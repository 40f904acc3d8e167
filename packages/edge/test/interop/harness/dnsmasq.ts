import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";
import type { Program } from "./process.ts";

export interface FederatedDomain {
	readonly domain: string;
	/** Edge FQDN and the address it resolves to. */
	readonly edge: string;
	readonly address: string;
	readonly port: number;
}

/** DNS on 127.0.0.1:53 of the namespace: SRV and A records of each domain, A records alone of the other edges, NXDOMAIN for every other name. */
export async function startDns(
	lab: Lab,
	domains: readonly FederatedDomain[],
	otherEdges: readonly Pick<FederatedDomain, "edge" | "address">[] = [],
): Promise<Program> {
	requirePackages(["dnsmasq-base"]);
	const records = domains.flatMap(({ domain, edge, address, port }) => [
		`--srv-host=_sipfederationtls._tcp.${domain},${edge},${port},0,10`,
		`--host-record=${edge},${address}`,
	]);
	const others = otherEdges.map(({ edge, address }) => `--host-record=${edge},${address}`);
	const program = await lab.run({
		name: "dnsmasq",
		command: "dnsmasq",
		args: [
			...["--conf-file=/dev/null", "--no-daemon", "--log-facility=-", "--log-queries"],
			...["--no-resolv", "--no-hosts", "--local=/example/", "--listen-address=127.0.0.1", "--bind-interfaces"],
			...[`--pid-file=${lab.path("dnsmasq.pid")}`, ...records, ...others],
		],
	});
	await program.waitForLine("its start", (line) => line.includes("started, version"));
	return program;
}
