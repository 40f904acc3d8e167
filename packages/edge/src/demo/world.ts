/** The demonstration's world: an authority, a name server and two organisations, all on loopback. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ZoneServer } from "../federation/dns/zone-server.ts";
import { type Authority, createRootAuthority } from "../pki/authority.ts";
import { Organisation } from "./organisation.ts";

export interface World {
	readonly folder: string;
	readonly contoso: Organisation;
	readonly fabrikam: Organisation;
	readonly nameServer: string;
	/** What the name server publishes; may be changed. */
	readonly zone: ZoneServer;
	readonly authority: Authority;
	close(): Promise<void>;
}

const DAY_MS = 86_400_000;

/** Builds and starts everything. `progress` is told each step; `folder` is kept when given, else removed at the end. */
export async function startWorld(folder: string | undefined, progress: (text: string) => void): Promise<World> {
	const place = folder ?? (await mkdtemp(join(tmpdir(), "causeway-demo-")));
	const zone = new ZoneServer({ address: "127.0.0.1", port: 0 });
	const organisations: Organisation[] = [];
	const close = async (): Promise<void> => {
		await Promise.all(organisations.map((organisation) => organisation.stop()));
		await zone.close();
		if (folder === undefined) await rm(place, { recursive: true, force: true });
	};
	try {
		progress("making a certification authority and two certificates");
		const now = Date.now();
		const authority = await createRootAuthority({
			commonName: "Causeway demonstration authority",
			notBefore: new Date(now - DAY_MS),
			notAfter: new Date(now + 30 * DAY_MS),
		});
		const bound = await zone.start();
		const nameServer = `${bound.address}:${bound.port}`;
		const plan = (domain: string, partner: string, name: string, displayName: string): Organisation =>
			new Organisation({
				domain,
				partner,
				user: { name, displayName },
				folder: join(place, domain),
				authority,
				certificateOfAuthority: authority.certificate,
				nameServer,
			});
		const contoso = plan("contoso.example", "fabrikam.example", "alice", "Alice at Contoso");
		const fabrikam = plan("fabrikam.example", "contoso.example", "bob", "Bob at Fabrikam");
		organisations.push(contoso, fabrikam);
		progress("starting two edges, one process each");
		await Promise.all(organisations.map((organisation) => organisation.start()));
		progress(`publishing their SRV and A records on the name server ${nameServer}`);
		zone.setRecords(
			organisations.flatMap(({ domain, fqdn, sipPort }) => [
				{
					name: `_sipfederationtls._tcp.${domain}`,
					type: "SRV",
					priority: 10,
					weight: 50,
					port: sipPort,
					target: fqdn,
				},
				{ name: fqdn, type: "A", address: "127.0.0.1" },
			]),
		);
		return { folder: place, contoso, fabrikam, nameServer, zone, authority, close };
	} catch (error) {
		await close();
		throw error;
	}
}
