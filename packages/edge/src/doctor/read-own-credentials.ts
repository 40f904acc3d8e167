/** Our own certificate and key, as the configuration names them. */
import { readFile } from "node:fs/promises";
import type { TlsCredentials } from "@causeway/sip/node";

export type OwnCredentials =
	| { readonly ok: true; readonly credentials: TlsCredentials }
	| { readonly ok: false; readonly reason: string };

/** Reads `[edge.tls] certificate` and `key`; whether they belong together is not looked at. */
export async function readOwnCredentials(certificateFile: string, keyFile: string): Promise<OwnCredentials> {
	try {
		const [certificate, key] = [await readFile(certificateFile, "utf8"), await readFile(keyFile, "utf8")];
		return { ok: true, credentials: { certificate, key } };
	} catch (error) {
		return { ok: false, reason: error instanceof Error ? error.message : String(error) };
	}
}
