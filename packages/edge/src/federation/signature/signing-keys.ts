/** The signing keys of a running edge: steps the ring as time passes, keeps it on disk, and finds keys for whoever signs and verifies. */
import { join } from "node:path";
import type { Clock, Logger, Timer } from "@causeway/sip";
import { KEY_FILE_NAME, type KeyFileContent, readKeyFile, writeKeyFile } from "./key-file.ts";
import {
	destroyAllKeys,
	diesAtMs,
	type KeyEvent,
	type KeyRing,
	type KeyRules,
	type KeySource,
	type KeyStep,
	MOST_KEYS,
	nextStepMs,
	prepareKeyRing,
	rotateKeyRing,
	rotationDueMs,
	type SigningKey,
	stepKeyRing,
} from "./key-ring.ts";
import { MacKey } from "./mac-key.ts";
import { type KeyLookup, SKEW_MS, type TokenKey } from "./route-token.ts";
import { EARLIEST_TIME_MS, SigningClock } from "./signing-clock.ts";

export interface SigningKeysOptions {
	readonly clock: Clock;
	readonly log: Logger;
	/** The folder of the key file: `[edge] data_dir`. */
	readonly folder: string;
	readonly source: KeySource;
	readonly rules: KeyRules & {
		/** Longest life of a dialog. */
		readonly dialogMs: number;
	};
}

/** A key as listings show it; its secret is nowhere. Times are milliseconds since 1970. */
export interface SigningKeyListing {
	readonly kid: string;
	readonly state: SigningKey["state"];
	readonly createdAtMs: number;
	/** When it began and ceased to sign; undefined where it did not yet. */
	readonly activatedAtMs: number | undefined;
	readonly retiredAtMs: number | undefined;
	/** When it ceases, or ceased, to verify; undefined for a key that does not sign yet. */
	readonly diesAtMs: number | undefined;
	/** When the next key takes its place; for the active one. */
	readonly rotatesAtMs: number | undefined;
}

/** What an administrator has to look at. */
export interface SigningAlarms {
	/** The calendar was set back by so much while the edge ran; 0 where it was not. */
	readonly clockBehindMs: number;
	/** At the start the calendar was behind what this edge had seen: every key from before was destroyed. */
	readonly keysDiscarded: boolean;
	/** The keys could not be written: a restart would end dialogs. */
	readonly notOnDisk: boolean;
}

/** The time seen last is written so often, so that a calendar that is set back while the edge is down is noticed. */
const SEEN_EVERY_MS = 5 * 60_000;
const TICK_MS = 60_000;

/** What a start reads, and whether it may go on: the clock and the key file. Creates and changes nothing. */
export async function readSigningKeys(
	folder: string,
	wallMs: number,
): Promise<{ readonly ok: true; readonly content: KeyFileContent } | { readonly ok: false; readonly reason: string }> {
	const path = join(folder, KEY_FILE_NAME);
	if (wallMs < EARLIEST_TIME_MS) {
		const reason = `the clock says ${new Date(wallMs).toISOString()}, which is before this program was built; set it (NTP), then start again`;
		return { ok: false, reason };
	}
	try {
		const read = await readKeyFile(path);
		if (read.kind === "refused") return { ok: false, reason: read.reason };
		return { ok: true, content: read.kind === "read" ? read.content : { ring: [], seenMs: wallMs } };
	} catch (error) {
		return { ok: false, reason: `${path} cannot be read: ${String(error)}` };
	}
}

export class SigningKeys implements KeyLookup {
	readonly dialogMs: number;
	readonly #options: SigningKeysOptions;
	readonly #path: string;
	readonly #clock: SigningClock;
	readonly #found = new Map<string, TokenKey>();
	#ring: KeyRing;
	#active: TokenKey | undefined;
	#nextStepMs = 0;
	#writtenMs = 0;
	#writeFailed = false;
	#writing: Promise<void> = Promise.resolve();
	#keysDiscarded = false;
	#isBehind = false;
	#tick: Timer | undefined;

	/** Reads the keys, or makes the first. `reason` is for the administrator: the start must not go on. */
	static async open(
		options: SigningKeysOptions,
	): Promise<{ readonly ok: true; readonly keys: SigningKeys } | { readonly ok: false; readonly reason: string }> {
		const start = await readSigningKeys(options.folder, options.clock.wall());
		if (!start.ok) return start;
		const keys = new SigningKeys(options, start.content);
		try {
			await keys.#save();
		} catch (error) {
			return { ok: false, reason: `${keys.#path} cannot be written: ${String(error)}` };
		}
		keys.#schedule();
		return { ok: true, keys };
	}

	private constructor(options: SigningKeysOptions, { ring, seenMs }: KeyFileContent) {
		this.#options = options;
		this.#path = join(options.folder, KEY_FILE_NAME);
		this.dialogMs = options.rules.dialogMs;
		this.#clock = new SigningClock(options.clock);
		this.#ring = ring;
		const nowMs = this.#clock.now();
		if (seenMs > nowMs + SKEW_MS) {
			// How long the edge was down cannot be told any more, nor how old a token is: what was signed before is over.
			this.#keysDiscarded = true;
			this.#apply(destroyAllKeys(ring, nowMs));
			options.log.error("the clock was set back while the edge was down: signing keys destroyed, open dialogs end", {
				seen: new Date(seenMs).toISOString(),
				clock: new Date(nowMs).toISOString(),
			});
		}
		this.#step(nowMs);
	}

	/** The key that signs. */
	get active(): TokenKey {
		this.now();
		return this.#active as TokenKey;
	}

	find(kid: string): TokenKey | undefined {
		return this.#found.get(kid);
	}

	/** The time to sign and to verify by: milliseconds since 1970, never less than before. What is due by it has been done. */
	now(): number {
		const nowMs = this.#clock.now();
		// A calendar that jumps makes timers wait for nothing.
		if (nowMs >= this.#nextStepMs) this.#step(nowMs);
		if (this.#clock.isSetBack !== this.#isBehind) this.#behindChanged();
		return nowMs;
	}

	get alarms(): SigningAlarms {
		this.now();
		return {
			clockBehindMs: this.#isBehind ? this.#clock.behindMs : 0,
			keysDiscarded: this.#keysDiscarded,
			notOnDisk: this.#writeFailed,
		};
	}

	list(): readonly SigningKeyListing[] {
		this.now();
		const { rules } = this.#options;
		return this.#ring.map((key) => {
			const dies = key.state === "destroyed" ? key.destroyedAtMs : diesAtMs(key, rules);
			return {
				kid: key.kid,
				state: key.state,
				createdAtMs: key.createdAtMs,
				activatedAtMs: "activatedAtMs" in key ? key.activatedAtMs : undefined,
				retiredAtMs: "retiredAtMs" in key ? key.retiredAtMs : undefined,
				diesAtMs: Number.isFinite(dies) ? dies : undefined,
				rotatesAtMs: key.state === "active" ? rotationDueMs(key, rules) : undefined,
			};
		});
	}

	/** Lets a new key sign from now on, once it is on disk; the id of the key. Undefined where there were too many rotations; rejects where the disk refuses. */
	async rotate(): Promise<string | undefined> {
		if (this.#ring.length >= MOST_KEYS) return undefined;
		this.#apply(prepareKeyRing(this.#ring, this.now(), this.#options.source));
		await this.#save();
		this.#apply(rotateKeyRing(this.#ring, this.now()));
		await this.#save();
		return this.active.kid;
	}

	/** Writes the time seen last, and forgets the secrets. */
	async close(): Promise<void> {
		this.#tick?.stop();
		await this.#save().catch((error: unknown) => this.#notWritten(error));
		for (const { mac } of this.#found.values()) mac.destroy();
		this.#found.clear();
	}

	#schedule(): void {
		this.#tick = this.#options.clock.setTimer(TICK_MS, () => {
			const nowMs = this.now();
			if (this.#writeFailed || nowMs >= this.#writtenMs + SEEN_EVERY_MS) this.#saveLater();
			this.#schedule();
		});
	}

	#step(nowMs: number): void {
		const { rules, source } = this.#options;
		const step = stepKeyRing(this.#ring, nowMs, rules, source);
		this.#apply(step);
		if (step.events.length > 0 && this.#tick !== undefined) this.#saveLater();
	}

	#apply({ ring, events }: KeyStep): void {
		this.#ring = ring;
		this.#nextStepMs = nextStepMs(ring, this.#options.rules);
		const living = ring.filter((key) => key.state !== "destroyed");
		for (const [kid, { mac }] of this.#found) {
			if (living.some((key) => key.kid === kid)) continue;
			mac.destroy();
			this.#found.delete(kid);
		}
		for (const { kid, secret } of living) {
			if (!this.#found.has(kid)) this.#found.set(kid, { kid, mac: new MacKey(secret) });
		}
		const active = living.find(({ state }) => state === "active");
		this.#active = active && this.#found.get(active.kid);
		for (const { kind, kid } of events) this.#options.log.info(WORDS[kind], { kid });
	}

	#behindChanged(): void {
		this.#isBehind = this.#clock.isSetBack;
		if (this.#isBehind) {
			const seconds = Math.round(this.#clock.behindMs / 1000);
			this.#options.log.error("the clock was set back: dialogs age by the steady clock", { seconds });
		} else this.#options.log.info("the clock is right again");
	}

	#saveLater(): void {
		this.#save().catch((error: unknown) => this.#notWritten(error));
	}

	/** One write at a time, each of the newest state. */
	#save(): Promise<void> {
		const write = async (): Promise<void> => {
			const seenMs = this.#clock.now();
			this.#writeFailed = true;
			await writeKeyFile(this.#path, { ring: this.#ring, seenMs });
			this.#writtenMs = seenMs;
			this.#writeFailed = false;
		};
		this.#writing = this.#writing.then(write, write);
		return this.#writing;
	}

	#notWritten(error: unknown): void {
		this.#options.log.error("the signing keys could not be written: a restart would end dialogs", {
			path: this.#path,
			reason: String(error),
		});
	}
}

const WORDS: Readonly<Record<KeyEvent["kind"], string>> = {
	created: "signing key made",
	activated: "signing key signs",
	retired: "signing key verifies only",
	destroyed: "signing key destroyed",
};
