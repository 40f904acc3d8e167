import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Logger } from "@causeway/sip";

const tokenBytes = 32;

/**
 * The administrator's bearer token: read from its file, or made there at the first start (32 random octets in base64url,
 * readable by the owner alone). Rejects where the file can be neither read nor made, or holds less than 128 bits of text.
 */
export async function loadAdminToken(path: string, log: Logger): Promise<string> {
	const existing = await readToken(path, log);
	if (existing !== undefined) return existing;
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	const token = randomBytes(tokenBytes).toString("base64url");
	const draft = `${path}.${randomBytes(6).toString("hex")}.new`;
	const file = await open(draft, "wx", 0o600);
	try {
		await file.writeFile(`${token}\n`);
		await file.sync();
		// A link appears whole and replaces nothing: where another process was quicker, its token is the one.
		await link(draft, path);
	} catch (error) {
		if (!hasCode(error, "EEXIST")) throw error;
		const made = await readToken(path, log);
		if (made !== undefined) return made;
		throw error;
	} finally {
		await file.close();
		await unlink(draft);
	}
	log.info("admin token made", { file: path });
	return token;
}

/** The token of an existing file; undefined where there is no file. */
async function readToken(path: string, log: Logger): Promise<string | undefined> {
	let text: string;
	try {
		text = await readFile(path, "utf8");
	} catch (error) {
		if (hasCode(error, "ENOENT")) return undefined;
		throw error;
	}
	const token = text.trim();
	if (!/^[\x21-\x7e]{22,1024}$/.test(token)) {
		throw new Error(`${path} holds no admin token (22 printable characters at least); remove it to get a new one`);
	}
	if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) {
		log.warn("admin token readable by others", { file: path, remedy: `chmod 600 ${path}` });
	}
	return token;
}

function hasCode(error: unknown, code: string): boolean {
	return error instanceof Error && "code" in error && error.code === code;
}

/** Compares two secrets in a time that tells nothing about where they differ, nor about the length of the right one. */
export function equalSecrets(shown: string, right: string): boolean {
	return timingSafeEqual(createHash("sha256").update(shown).digest(), createHash("sha256").update(right).digest());
}
