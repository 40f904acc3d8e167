/** Writes private keys so that nobody but the owner of the process can read them. */
import { chmod, rename, writeFile } from "node:fs/promises";

/** Replaces the file at `path` in one step; mode 0600 from the first octet on. */
export async function writeKeyFile(path: string, pem: string): Promise<void> {
	const unfinished = `${path}.new`;
	await writeFile(unfinished, pem, { mode: 0o600 });
	// The mode above counts for a new file alone; one left behind by a crash keeps its own.
	await chmod(unfinished, 0o600);
	await rename(unfinished, path);
}
