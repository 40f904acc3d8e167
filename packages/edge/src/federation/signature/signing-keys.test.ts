import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Logger } from "@causeway/sip";
import { SimClock, SimRandom } from "@causeway/sip/testing";
import { readKeyFile } from "./key-file.ts";
import { MOST_KEYS } from "./key-ring.ts";
import { systemKeySource } from "./key-source.ts";
import { formatRouteToken, type TokenVerdict, verifyRouteToken } from "./route-token.ts";
import { SigningKeys, type SigningKeysOptions } from "./signing-keys.ts";
import { createCountingKeySource, TEST_CLAIMS, TEST_FIELDS } from "./testing.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

interface World {
	readonly path: string;
	readonly clock: SimClock;
	readonly lines: string[];
	readonly open: (parts?: Partial<SigningKeysOptions>) => Promise<SigningKeys>;
	readonly refusal: (parts?: Partial<SigningKeysOptions>) => Promise<string>;
}

async function createWorld(t: TestContext): Promise<World> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-keys-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const path = join(folder, "signing-keys.json");
	const clock = new SimClock();
	const lines: string[] = [];
	const line = (event: string): void => void lines.push(event);
	const log: Logger = { debug: line, info: line, warn: line, error: (event) => line(`error: ${event}`) };
	const source = createCountingKeySource();
	const options = (parts: Partial<SigningKeysOptions>): SigningKeysOptions => ({
		clock,
		log,
		folder,
		source,
		rules: { rotateMs: 6 * HOUR, dialogMs: 24 * HOUR, expiry: "dialog" },
		...parts,
	});
	return {
		path,
		clock,
		lines,
		async open(parts = {}) {
			const opened = await SigningKeys.open(options(parts));
			assert.ok(opened.ok, opened.ok ? "" : opened.reason);
			return opened.keys;
		},
		async refusal(parts = {}) {
			const opened = await SigningKeys.open(options(parts));
			assert.equal(opened.ok, false);
			return opened.ok ? "" : opened.reason;
		},
	};
}

/** A token of a dialog that begins now. */
function sign(keys: SigningKeys, callId = TEST_FIELDS.callId): string {
	const issuedAtMs = keys.now();
	return formatRouteToken(keys.active, { ...TEST_FIELDS, callId, issuedAtMs });
}

function outcome(keys: SigningKeys, token: string, callId = TEST_FIELDS.callId): string {
	const nowMs = keys.now();
	const verdict: TokenVerdict = verifyRouteToken(keys, token, { ...TEST_CLAIMS, callId }, nowMs);
	return verdict.ok ? "ok" : `${verdict.status} ${verdict.code}`;
}

test("REQ-64: keys rotated during 1,000 live dialogs: none is lost before its 24 hours, none lives longer", async (t) => {
	const { clock, open } = await createWorld(t);
	const keys = await open();
	const dialogs: { readonly callId: string; readonly token: string; readonly atMs: number }[] = [];
	for (let index = 0; index < 1_000; index++) {
		const callId = `call-${index}`;
		dialogs.push({ callId, token: sign(keys, callId), atMs: keys.now() });
		clock.advance(90_000);
	}
	const signers = new Set(dialogs.map(({ token }) => token.split(".")[1]));
	assert.equal(signers.size, 5, "25 hours at six hours a key");
	for (let hour = 0; hour < 27; hour++) {
		for (const { callId, token, atMs } of dialogs) {
			const age = keys.now() - atMs;
			if (age <= 24 * HOUR) assert.equal(outcome(keys, token, callId), "ok", `${callId} at ${age} ms`);
			// Tokens carry minutes and clocks may differ by two.
			if (age > 24 * HOUR + 3 * MINUTE) assert.match(outcome(keys, token, callId), /^481/);
		}
		if (hour % 3 === 0) await keys.rotate();
		clock.advance(HOUR);
	}
	await keys.close();
});

test('key_expiry = "profile": a dialog dies between 18 and 24 hours of age, with its key', async (t) => {
	const { clock, open } = await createWorld(t);
	const keys = await open({ rules: { rotateMs: 6 * HOUR, dialogMs: 24 * HOUR, expiry: "profile" } });
	clock.advance(5 * HOUR);
	const token = sign(keys);
	clock.advance(19 * HOUR - MINUTE);
	assert.equal(outcome(keys, token), "ok");
	clock.advance(MINUTE);
	assert.equal(outcome(keys, token), "481 token-key-unknown");
	assert.equal(outcome(keys, sign(keys)), "ok");
	await keys.close();
});

test("REQ-64: keys survive a restart, and what was signed before is no forgery after it", async (t) => {
	const { clock, open } = await createWorld(t);
	const first = await open();
	const token = sign(first);
	clock.advance(7 * HOUR);
	const younger = sign(first);
	await first.close();
	assert.equal(first.find(token.split(".")[1] ?? ""), undefined, "a closed edge holds no secrets");
	clock.advance(2 * HOUR);
	const second = await open();
	assert.deepEqual([outcome(second, token), outcome(second, younger)], ["ok", "ok"]);
	await second.close();
});

test("a clock stepped 25 hours ahead: dialogs end with 481, new ones work, without waiting for a timer", async (t) => {
	const { clock, open } = await createWorld(t);
	const keys = await open();
	const token = sign(keys);
	const before = keys.active.kid;
	clock.stepWall(25 * HOUR);
	assert.equal(outcome(keys, token), "481 token-expired");
	assert.notEqual(keys.active.kid, before);
	assert.equal(outcome(keys, sign(keys)), "ok");
	clock.stepWall(25 * HOUR);
	assert.equal(outcome(keys, token), "481 token-key-unknown");
	await keys.close();
});

test("a clock stepped 25 hours back: nothing lives longer than its life, and an alarm is raised", async (t) => {
	const { clock, lines, open } = await createWorld(t);
	const keys = await open();
	const old = sign(keys);
	clock.advance(20 * HOUR);
	const young = sign(keys);
	clock.stepWall(-25 * HOUR);
	assert.deepEqual(
		[outcome(keys, old), outcome(keys, young)],
		["ok", "ok"],
		"age is counted by the clock that cannot be set",
	);
	assert.ok(lines.includes("error: the clock was set back: dialogs age by the steady clock"), lines.join("\n"));
	assert.equal(keys.alarms.clockBehindMs, 25 * HOUR);
	clock.advance(4 * HOUR + 3 * MINUTE);
	assert.deepEqual([outcome(keys, old), outcome(keys, young)], ["481 token-expired", "ok"]);
	assert.equal(outcome(keys, sign(keys)), "ok");
	clock.advance(21 * HOUR);
	assert.deepEqual([outcome(keys, old), outcome(keys, young)], ["481 token-key-unknown", "481 token-expired"]);
	clock.stepWall(25 * HOUR);
	assert.equal(keys.alarms.clockBehindMs, 0);
	assert.ok(lines.includes("the clock is right again"));
	await keys.close();
});

test("a clock set back by less than two minutes is no alarm", async (t) => {
	const { clock, open } = await createWorld(t);
	const keys = await open();
	const nowMs = keys.now();
	clock.stepWall(-100_000);
	assert.equal(keys.alarms.clockBehindMs, 0);
	assert.ok(keys.now() >= nowMs);
	await keys.close();
});

test("a clock set back while the edge was down: every dialog from before is over, an alarm is raised, new ones work", async (t) => {
	const { clock, lines, open } = await createWorld(t);
	const first = await open();
	const token = sign(first);
	clock.advance(HOUR);
	await first.close();
	clock.stepWall(-30 * MINUTE);
	const second = await open();
	assert.equal(outcome(second, token), "481 token-key-unknown");
	assert.equal(second.alarms.keysDiscarded, true);
	assert.ok(lines.some((line) => line.startsWith("error: the clock was set back while the edge was down")));
	assert.equal(outcome(second, sign(second)), "ok");
	await second.close();
	const third = await open();
	assert.equal(third.alarms.keysDiscarded, false);
	await third.close();
});

test("the time seen is on disk at most five minutes late, though the edge is killed", async (t) => {
	const { path, clock, open } = await createWorld(t);
	const keys = await open();
	for (let minutes = 6; minutes < 30; minutes += 6) {
		const seenMs = clock.wall();
		for (let minute = 0; minute < 6; minute++) clock.advance(MINUTE);
		let written = await readKeyFile(path);
		while (written.kind !== "read" || written.content.seenMs < seenMs + 5 * MINUTE) {
			await new Promise((resolve) => setImmediate(resolve));
			written = await readKeyFile(path);
		}
	}
	await keys.close();
});

test("a start is refused where the clock is before the program's own time, the file is damaged, or the disk refuses", async (t) => {
	const { path, open, refusal } = await createWorld(t);
	const early = new SimClock({ wallMs: Date.UTC(1970, 0, 1) });
	assert.match(await refusal({ clock: early }), /^the clock says 1970-01-01T00:00:00.000Z, .*set it/);
	await writeFile(path, "{}", { mode: 0o600 });
	assert.match(await refusal(), /is damaged/);
	await rm(path);
	await mkdir(path);
	await chmod(path, 0o700);
	assert.match(await refusal(), /cannot be read: Error: EISDIR/);
	await rm(path, { recursive: true });
	assert.match(await refusal({ folder: join(path, "absent") }), /cannot be written: Error: ENOENT/);
	await (await open()).close();
});

test("where the disk refuses later, the keys go on in memory, the alarm says so, and writing is tried again", async (t) => {
	const { path, clock, lines, open } = await createWorld(t);
	const keys = await open();
	const token = sign(keys);
	const before = keys.active.kid;
	await mkdir(`${path}.new`);
	await assert.rejects(keys.rotate(), "a rotation asked for is not made by halves");
	assert.equal(keys.active.kid, before);
	assert.equal(keys.alarms.notOnDisk, true);
	clock.advance(7 * HOUR);
	assert.notEqual(keys.active.kid, before);
	assert.equal(outcome(keys, token), "ok");
	await rm(`${path}.new`, { recursive: true });
	await keys.rotate();
	assert.equal(keys.alarms.notOnDisk, false);
	assert.ok(
		lines.includes("error: the signing keys could not be written: a restart would end dialogs"),
		lines.join("\n"),
	);
	await keys.close();
});

test("a stop at which the disk refuses is a stop", async (t) => {
	const { path, lines, open } = await createWorld(t);
	const keys = await open();
	await mkdir(`${path}.new`);
	await keys.close();
	assert.equal(lines.at(-1), "error: the signing keys could not be written: a restart would end dialogs");
});

test("listings show every key and no secret", async (t) => {
	const { path, clock, open } = await createWorld(t);
	const keys = await open();
	clock.advance(5 * HOUR + 55 * MINUTE);
	const startMs = clock.wall() - 5 * HOUR - 55 * MINUTE;
	assert.deepEqual(keys.list(), [
		{
			kid: "0001",
			state: "active",
			createdAtMs: startMs,
			activatedAtMs: startMs,
			retiredAtMs: undefined,
			diesAtMs: startMs + 30 * HOUR + 10 * MINUTE,
			rotatesAtMs: startMs + 6 * HOUR,
		},
		{
			kid: "0002",
			state: "next",
			createdAtMs: startMs + 5 * HOUR + 50 * MINUTE,
			activatedAtMs: undefined,
			retiredAtMs: undefined,
			diesAtMs: undefined,
			rotatesAtMs: undefined,
		},
	]);
	clock.advance(30 * HOUR);
	const first = keys.list()[0];
	assert.deepEqual([first?.state, first?.diesAtMs], ["destroyed", startMs + 30 * HOUR + 10 * MINUTE]);
	await keys.rotate();
	const secrets = [...(await readFile(path, "utf8")).matchAll(/"secret": "([^"]+)"/g)].map((match) => match[1] ?? "-");
	const listing = JSON.stringify(keys.list());
	assert.ok(secrets.length > 0 && secrets.every((secret) => !listing.includes(secret)));
	await keys.close();
});

test("rotations without end are refused", async (t) => {
	const { open } = await createWorld(t);
	const keys = await open();
	let rotations = 0;
	while (rotations <= MOST_KEYS && (await keys.rotate()) !== undefined) rotations += 1;
	assert.equal(rotations, MOST_KEYS - 1);
	await keys.close();
});

test("secrets come from the system, names are random and of four characters", () => {
	const source = systemKeySource(new SimRandom(1));
	const kids = new Set(Array.from({ length: 200 }, () => source.kid()));
	assert.ok(kids.size > 190);
	for (const kid of kids) assert.match(kid, /^[0-9a-z]{4}$/);
	assert.equal(source.secret().length, 32);
	assert.notDeepEqual(source.secret(), source.secret());
});
