/**
 * Signing keys on disk: one file in the data directory, for its owner alone, replaced in one step. A damaged file is refused: to
 * start without it would end every dialog, and to guess would be worse.
 */
import { open, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isBase36 } from "./base36.ts";
import type { KeyRing, SigningKey } from "./key-ring.ts";
import { SECRET_BYTES } from "./mac-key.ts";

export const KEY_FILE_NAME = "signing-keys.json";

const VERSION = 1;
const MOST_BYTES = 1_000_000;
const LONGEST_KID = 4;

type JsonRecord = { readonly [name in "version" | "seenMs" | "keys" | keyof AnyKey]?: unknown };
type AnyKey = Record<
	"state" | "kid" | "secret" | "createdAtMs" | "activatedAtMs" | "retiredAtMs" | "destroyedAtMs",
	unknown
>;

export interface KeyFileContent {
	readonly ring: KeyRing;
	/** The latest time this edge has seen, milliseconds since 1970: the calendar must not be behind it at a start. */
	readonly seenMs: number;
}

export type KeyFileRead =
	| { readonly kind: "read"; readonly content: KeyFileContent }
	| { readonly kind: "absent" }
	/** In words for the administrator, with the remedy. */
	| { readonly kind: "refused"; readonly reason: string };

/** Reads the keys; rejects with the operating system's error where the file is there and cannot be read. */
export async function readKeyFile(path: string): Promise<KeyFileRead> {
	let text: string;
	try {
		const { mode, size } = await stat(path);
		// Windows has no such modes and reports none.
		if (process.platform !== "win32" && (mode & 0o077) !== 0) {
			return refused(path, `can be read by others than its owner (mode ${(mode & 0o777).toString(8)})`, `chmod 600`);
		}
		if (size > MOST_BYTES) return damaged(path, "it is too large");
		text = await readFile(path, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "absent" };
		throw error;
	}
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return damaged(path, "it is no JSON");
	}
	return readContent(path, value);
}

/** Replaces the file in one step, on disk before the promise settles; rejects with the operating system's error. */
export async function writeKeyFile(path: string, content: KeyFileContent): Promise<void> {
	const text = JSON.stringify(
		{ version: VERSION, seenMs: Math.floor(content.seenMs), keys: content.ring.map(keyJson) },
		undefined,
		"\t",
	);
	const unfinished = `${path}.new`;
	const file = await open(unfinished, "w", 0o600);
	try {
		// The mode above counts for a new file alone; one left behind by a crash keeps its own.
		await file.chmod(0o600);
		await file.writeFile(`${text}\n`);
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(unfinished, path);
	// Windows opens no folders; there the replacement is on disk when the system writes it.
	if (process.platform !== "win32") await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
	const folder = await open(path, "r");
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}

function keyJson(key: SigningKey): unknown {
	return "secret" in key ? { ...key, secret: Buffer.from(key.secret).toString("base64url") } : key;
}

function readContent(path: string, value: unknown): KeyFileRead {
	const { version, seenMs, keys } = isRecord(value) ? value : {};
	if (version !== VERSION) return damaged(path, `its version is not ${VERSION}`);
	if (!isTime(seenMs) || !Array.isArray(keys)) return damaged(path, "a part is missing");
	const ring: SigningKey[] = [];
	for (const [index, entry] of keys.entries()) {
		const key = readKey(entry);
		if (key === undefined || ring.some(({ kid }) => kid === key.kid))
			return damaged(path, `key ${index + 1} is no key`);
		ring.push(key);
	}
	for (const state of ["active", "next"]) {
		if (ring.filter((key) => key.state === state).length > 1) return damaged(path, `more than one key is ${state}`);
	}
	return { kind: "read", content: { ring, seenMs } };
}

function readKey(entry: unknown): SigningKey | undefined {
	if (!isRecord(entry)) return undefined;
	const { state, kid, createdAtMs, activatedAtMs, retiredAtMs, destroyedAtMs } = entry;
	if (typeof kid !== "string" || !isBase36(kid, 0, kid.length, LONGEST_KID) || !isTime(createdAtMs)) return undefined;
	if (state === "destroyed") return isTime(destroyedAtMs) ? { state, kid, createdAtMs, destroyedAtMs } : undefined;
	const { secret: secretText } = entry;
	const secret = readSecret(secretText);
	if (secret === undefined) return undefined;
	if (state === "next") return { state, kid, secret, createdAtMs };
	if (!isTime(activatedAtMs)) return undefined;
	if (state === "active") return { state, kid, secret, createdAtMs, activatedAtMs };
	return state === "verify-only" && isTime(retiredAtMs)
		? { state, kid, secret, createdAtMs, activatedAtMs, retiredAtMs }
		: undefined;
}

function readSecret(value: unknown): Uint8Array | undefined {
	if (typeof value !== "string") return undefined;
	const secret = Buffer.from(value, "base64url");
	return secret.length === SECRET_BYTES && secret.toString("base64url") === value ? secret : undefined;
}

function isRecord(value: unknown): value is JsonRecord {
	return typeof value === "object" && value !== null;
}

function isTime(value: unknown): value is number {
	return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function damaged(path: string, what: string): KeyFileRead {
	return refused(
		path,
		`is damaged: ${what}`,
		"restore it from a backup, or remove it: then every dialog that is open ends with 481 and is made anew",
	);
}

function refused(path: string, what: string, remedy: string): KeyFileRead {
	return { kind: "refused", reason: `${path} ${what}; ${remedy}` };
}
