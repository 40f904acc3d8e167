/** Writes what `init` promises: configuration, key, and a signing request or a test authority. Replaces nothing that is there. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createEdgeCertificate, createRootAuthority, createSigningRequest } from "../pki/authority.ts";
import { writeKeyFile } from "../pki/key-file.ts";
import { certificateNamesOf, type SetupPlan } from "./plan.ts";
import { formatConfiguration } from "./write-configuration.ts";

const DAY_MS = 86_400_000;
/** Partners' verifiers refuse nothing younger; a lab outlives less. */
const AUTHORITY_DAYS = 3_650;
const CERTIFICATE_DAYS = 397;

export interface SetupFiles {
	readonly configuration: string;
	/** Everything that was written, in order. */
	readonly written: readonly string[];
}

/** Files of this plan that are in the folder already: `init` stops before it writes any. */
export function existingFiles(plan: SetupPlan, folder: string): readonly string[] {
	return fileNames(plan)
		.map((name) => join(folder, name))
		.filter((path) => existsSync(path));
}

/** `wallMs`: now, milliseconds since 1970. */
export async function writeSetup(plan: SetupPlan, folder: string, wallMs: number): Promise<SetupFiles> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const names = certificateNamesOf(plan);
	const configuration = join(folder, "causeway.toml");
	if (plan.certificate === "request") {
		const { key, request } = await createSigningRequest(names);
		await writeKeyFile(join(folder, "edge.key"), key);
		await writeFile(join(folder, "edge.csr"), request);
	} else {
		const notBefore = new Date(wallMs - DAY_MS);
		const authority = await createRootAuthority({
			commonName: `${plan.fqdn} test authority`,
			notBefore,
			notAfter: new Date(wallMs + AUTHORITY_DAYS * DAY_MS),
		});
		const issued = await createEdgeCertificate(authority, {
			names,
			notBefore,
			notAfter: new Date(wallMs + CERTIFICATE_DAYS * DAY_MS),
		});
		await writeKeyFile(join(folder, "test-ca.key"), authority.key);
		await writeFile(join(folder, "test-ca.pem"), authority.certificate);
		await writeKeyFile(join(folder, "edge.key"), issued.key);
		await writeFile(join(folder, "edge.pem"), issued.chain);
	}
	await writeFile(configuration, formatConfiguration(plan));
	return { configuration, written: fileNames(plan).map((name) => join(folder, name)) };
}

function fileNames({ certificate }: SetupPlan): readonly string[] {
	return certificate === "request"
		? ["edge.key", "edge.csr", "causeway.toml"]
		: ["test-ca.key", "test-ca.pem", "edge.key", "edge.pem", "causeway.toml"];
}
