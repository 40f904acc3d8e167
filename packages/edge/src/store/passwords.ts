import assert from "node:assert/strict";
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** Cost of one password hash (RFC 7914 §2): memory is 128 · `cost` · `blockSize` octets. */
export interface ScryptCost {
	readonly cost: number;
	readonly blockSize: number;
	readonly parallelization: number;
}

/** 32 MiB and about a tenth of a second: slow enough for a guesser, bearable for a login. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { cost: 32_768, blockSize: 8, parallelization: 3 };

const SALT_OCTETS = 16;
const HASH_OCTETS = 32;
/** Hashes worked on at once: half the thread pool, so that a flood of logins leaves the file system and DNS their share. */
const AT_ONCE = 2;

/** Makes and checks password hashes off the main thread, a bounded number at once. */
export interface Passwords {
	/** A new hash, `scrypt$cost$blockSize$parallelization$salt$hash`, the last two in base64url. */
	hash(password: string): Promise<string>;
	/** Compares in constant time. Without a stored hash it works as long and answers false. */
	verify(password: string, stored: string | undefined): Promise<boolean>;
}

export function createPasswords(cost: ScryptCost = DEFAULT_SCRYPT_COST): Passwords {
	const derive = createGate(AT_ONCE);
	const decoy = formatHash(cost, randomBytes(SALT_OCTETS), randomBytes(HASH_OCTETS));
	return {
		async hash(password) {
			const salt = randomBytes(SALT_OCTETS);
			return formatHash(cost, salt, await derive(() => deriveKey(password, salt, cost)));
		},
		async verify(password, stored) {
			const { cost: storedCost, salt, hash } = parseHash(stored ?? decoy);
			const derived = await derive(() => deriveKey(password, salt, storedCost));
			return timingSafeEqual(derived, hash) && stored !== undefined;
		},
	};
}

function deriveKey(password: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
	// NFKC: the same password typed on another keyboard is the same password (RFC 8265 §4.2 asks for a normal form).
	const options: ScryptOptions = { ...cost, maxmem: 256 * cost.cost * cost.blockSize };
	return new Promise((resolve, reject) => {
		scrypt(password.normalize("NFKC"), salt, HASH_OCTETS, options, (error, key) => {
			if (error === null) resolve(key);
			else reject(error);
		});
	});
}

function formatHash(cost: ScryptCost, salt: Buffer, hash: Buffer): string {
	const numbers = `${cost.cost}$${cost.blockSize}$${cost.parallelization}`;
	return `scrypt$${numbers}$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}

function parseHash(stored: string): { cost: ScryptCost; salt: Buffer; hash: Buffer } {
	const [scheme, cost, blockSize, parallelization, salt, hash] = stored.split("$");
	assert(scheme === "scrypt" && salt !== undefined && hash !== undefined, "a stored password hash has our form");
	return {
		cost: { cost: Number(cost), blockSize: Number(blockSize), parallelization: Number(parallelization) },
		salt: Buffer.from(salt, "base64url"),
		hash: Buffer.from(hash, "base64url"),
	};
}

/** Runs at most `width` tasks at once, the others in the order they came. */
function createGate(width: number): <Value>(task: () => Promise<Value>) => Promise<Value> {
	let running = 0;
	const waiting: (() => void)[] = [];
	return async (task) => {
		if (running < width) running += 1;
		else await new Promise<void>((resolve) => waiting.push(resolve));
		try {
			return await task();
		} finally {
			// The place passes to the next one without being counted down.
			const next = waiting.shift();
			if (next === undefined) running -= 1;
			else next();
		}
	};
}
