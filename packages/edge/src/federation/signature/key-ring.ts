/**
 * The signing keys and what becomes of them (protocol sheet 4.6): next → active → verify-only → destroyed. Pure: time and new
 * secrets come from outside, a step returns the next ring.
 */

/** A key that lives has its secret. Times are milliseconds since 1970. */
export type SigningKey =
	/** Made and kept on disk before it signs, so that nothing it signs can outlive it. */
	| { readonly state: "next"; readonly kid: string; readonly secret: Uint8Array; readonly createdAtMs: number }
	/** Signs and verifies. There is exactly one. */
	| {
			readonly state: "active";
			readonly kid: string;
			readonly secret: Uint8Array;
			readonly createdAtMs: number;
			readonly activatedAtMs: number;
	  }
	| {
			readonly state: "verify-only";
			readonly kid: string;
			readonly secret: Uint8Array;
			readonly createdAtMs: number;
			readonly activatedAtMs: number;
			readonly retiredAtMs: number;
	  }
	/** Only its name is left, so that no other key takes it for a while. */
	| { readonly state: "destroyed"; readonly kid: string; readonly createdAtMs: number; readonly destroyedAtMs: number };

/** In the order in which they were made. */
export type KeyRing = readonly SigningKey[];

export interface KeyRules {
	/** How long a key signs. */
	readonly rotateMs: number;
	/** `dialog`: a key verifies for the time it signs and 24 hours more. `profile`: it dies 24 hours after it was made. */
	readonly expiry: "dialog" | "profile";
}

/** New secrets and names. */
export interface KeySource {
	/** 32 octets from the operating system. */
	secret(): Uint8Array;
	/** A name of four characters `0-9a-z`, each equally likely. */
	kid(): string;
}

export type KeyEvent = { readonly kind: "created" | "activated" | "retired" | "destroyed"; readonly kid: string };

export interface KeyStep {
	readonly ring: KeyRing;
	/** What happened, in order; empty where nothing did. */
	readonly events: readonly KeyEvent[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The next key is made so long before it signs. */
export const LEAD_MS = 10 * MINUTE_MS;
/** A key verifies so much longer than the last dialog it signed. */
const GRACE_MS = 10 * MINUTE_MS;
/** No name is used again before. */
const NAME_MS = 72 * HOUR_MS;
/** So many keys may have a name at once; more rotations by hand than that in three days are refused. */
export const MOST_KEYS = 1_000;

/** Lets time pass: makes, activates, retires and destroys what is due. An empty ring gets its first key. */
export function stepKeyRing(ring: KeyRing, nowMs: number, rules: KeyRules, source: KeySource): KeyStep {
	const events: KeyEvent[] = [];
	let keys = destroyDue(ring, nowMs, rules, events);
	const active = keys.find(({ state }) => state === "active");
	const due = active?.state === "active" ? rotationDueMs(active, rules) : nowMs;
	if (nowMs >= due - LEAD_MS && !keys.some(({ state }) => state === "next")) {
		keys = [...keys, createKey(keys, nowMs, source, events)];
	}
	return { ring: nowMs >= due ? activate(keys, nowMs, events) : keys, events };
}

/** Before the administrator's rotation: makes the key that is to sign, where there is none yet. */
export function prepareKeyRing(ring: KeyRing, nowMs: number, source: KeySource): KeyStep {
	const events: KeyEvent[] = [];
	const hasNext = ring.some(({ state }) => state === "next");
	return { ring: hasNext ? ring : [...ring, createKey(ring, nowMs, source, events)], events };
}

/** The administrator's rotation: the next key signs from now on; the old one verifies as long as it would have. */
export function rotateKeyRing(ring: KeyRing, nowMs: number): KeyStep {
	const events: KeyEvent[] = [];
	const hasNext = ring.some(({ state }) => state === "next");
	return { ring: hasNext ? activate(ring, nowMs, events) : ring, events };
}

/** Destroys every key that lives: what they signed is over. The ring is to be stepped next. */
export function destroyAllKeys(ring: KeyRing, nowMs: number): KeyStep {
	const events: KeyEvent[] = [];
	return { ring: ring.map((key) => (key.state === "destroyed" ? key : destroy(key, nowMs, events))), events };
}

/** When the next thing is due: milliseconds since 1970. */
export function nextStepMs(ring: KeyRing, rules: KeyRules): number {
	let next = Number.POSITIVE_INFINITY;
	const hasNext = ring.some(({ state }) => state === "next");
	for (const key of ring) {
		if (key.state === "active") next = Math.min(next, rotationDueMs(key, rules) - (hasNext ? 0 : LEAD_MS));
		next = Math.min(next, key.state === "destroyed" ? key.destroyedAtMs + NAME_MS : diesAtMs(key, rules));
	}
	return next;
}

/** When a key stops verifying; that of a key which does not sign yet is what is known today. */
export function diesAtMs(key: Exclude<SigningKey, { state: "destroyed" }>, rules: KeyRules): number {
	if (rules.expiry === "profile") return key.createdAtMs + DAY_MS;
	if (key.state === "next") return Number.POSITIVE_INFINITY;
	const signsUntilMs = key.activatedAtMs + rules.rotateMs;
	// Where the edge stood still or the pause was made shorter, the key signed for longer than planned.
	const signedUntilMs = key.state === "verify-only" ? Math.max(key.retiredAtMs, signsUntilMs) : signsUntilMs;
	return signedUntilMs + DAY_MS + GRACE_MS;
}

/** When the active key is to be replaced. A key that dies by the clock of the profile signs no longer than that. */
export function rotationDueMs(key: Extract<SigningKey, { state: "active" }>, rules: KeyRules): number {
	return Math.min(key.activatedAtMs + rules.rotateMs, diesAtMs(key, rules));
}

function destroyDue(ring: KeyRing, nowMs: number, rules: KeyRules, events: KeyEvent[]): KeyRing {
	return ring
		.filter((key) => key.state !== "destroyed" || nowMs < key.destroyedAtMs + NAME_MS)
		.map((key) => (key.state === "destroyed" || nowMs < diesAtMs(key, rules) ? key : destroy(key, nowMs, events)));
}

function destroy(key: SigningKey, nowMs: number, events: KeyEvent[]): SigningKey {
	const { kid, createdAtMs } = key;
	events.push({ kind: "destroyed", kid });
	return { state: "destroyed", kid, createdAtMs, destroyedAtMs: nowMs };
}

function createKey(ring: KeyRing, nowMs: number, source: KeySource, events: KeyEvent[]): SigningKey {
	let kid = source.kid();
	while (ring.some((key) => key.kid === kid)) kid = source.kid();
	events.push({ kind: "created", kid });
	return { state: "next", kid, secret: source.secret(), createdAtMs: nowMs };
}

/** The next key becomes the active one, and that one the last of those which verify. */
function activate(ring: KeyRing, nowMs: number, events: KeyEvent[]): KeyRing {
	return ring.map((key): SigningKey => {
		if (key.state === "active") {
			events.push({ kind: "retired", kid: key.kid });
			return { ...key, state: "verify-only", retiredAtMs: nowMs };
		}
		if (key.state !== "next") return key;
		events.push({ kind: "activated", kid: key.kid });
		return { ...key, state: "active", activatedAtMs: nowMs };
	});
}
