/** Certificates of a benchmark, P-256, from an authority of its own. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createEdgeCertificate, createRootAuthority, type Issued } from "../../src/pki/authority.ts";
import { writeKeyFile } from "../../src/pki/key-file.ts";

const DAY_MS = 86_400_000;

export interface BenchCredentials {
	/** `ca.pem`, `edge.pem` and `edge.key` of the server are in this folder. */
	readonly folder: string;
	/** The certificate of one more name, from the same authority. */
	issue(name: string): Promise<Issued>;
}

/** Makes an authority and the certificate of the server called `fqdn`, and writes both into the folder. */
export async function createCredentials(folder: string, fqdn: string): Promise<BenchCredentials> {
	const now = Date.now();
	const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 90 * DAY_MS) };
	const authority = await createRootAuthority({ commonName: "Benchmark authority", ...validity });
	const own = await createEdgeCertificate(authority, { names: [fqdn], ...validity });
	await writeFile(join(folder, "edge.pem"), own.chain);
	await writeKeyFile(join(folder, "edge.key"), own.key);
	await writeFile(join(folder, "ca.pem"), authority.certificate);
	return { folder, issue: (name) => createEdgeCertificate(authority, { names: [name], ...validity }) };
}
