/** Our own certificate as partners will see it. */
import { readFile } from "node:fs/promises";
import type { TlsCredentials } from "@causeway/sip/node";
import { type Certificate, parseCertificate } from "../federation/certificate/certificate.ts";
import { readPemBlocks } from "../federation/certificate/pem.ts";

export type OwnCertificate =
	| { readonly ok: true; readonly chain: readonly Certificate[]; readonly credentials: TlsCredentials }
	| { readonly ok: false; readonly reason: string };

/** Reads `[edge.tls] certificate` and `key`. */
export async function readOwnCertificate(certificateFile: string, keyFile: string): Promise<OwnCertificate> {
	try {
		const certificate = await readFile(certificateFile, "latin1");
		const key = await readFile(keyFile, "latin1");
		const chain = (readPemBlocks(certificate, "CERTIFICATE") ?? []).flatMap((der) => parseCertificate(der) ?? []);
		if (chain.length === 0) return { ok: false, reason: `${certificateFile} holds no certificate that can be read` };
		return { ok: true, chain, credentials: { certificate, key } };
	} catch (error) {
		return { ok: false, reason: error instanceof Error ? error.message : String(error) };
	}
}
