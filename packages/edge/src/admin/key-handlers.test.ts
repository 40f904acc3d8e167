import assert from "node:assert/strict";
import { test } from "node:test";
import type { SigningAlarms, SigningKeyListing } from "../federation/signature/signing-keys.ts";
import type { AuditRecord } from "../store/audit.ts";
import { type AdminCaller, ApiProblem } from "./handlers.ts";
import { createKeyHandlers } from "./key-handlers.ts";
import { createKeptLog } from "./testing.ts";

const at = Date.UTC(2026, 0, 5, 9);
const listing: SigningKeyListing = {
	kid: "q7zk",
	state: "active",
	createdAtMs: at,
	activatedAtMs: at,
	retiredAtMs: undefined,
	diesAtMs: at + 1,
	rotatesAtMs: at + 2,
};
const noAlarm: SigningAlarms = { clockBehindMs: 0, keysDiscarded: false, notOnDisk: false };
const request = { caller: { kind: "admin", name: "admin" } as AdminCaller } as never;

function handlers(
	rotate: () => Promise<string | undefined>,
	alarms = noAlarm,
	append: (record: AuditRecord) => Promise<void> = async () => {},
) {
	const { log, lines } = createKeptLog();
	const keys = { list: () => [listing], alarms, rotate };
	return { lines, ...createKeyHandlers({ keys, audit: { append }, log }) };
}

test("a rotation is recorded with its actor and its key, and answers with the key", async () => {
	const records: AuditRecord[] = [];
	const { rotateKeys } = handlers(
		async () => "q7zk",
		noAlarm,
		async (record) => void records.push(record),
	);
	assert.deepEqual(await rotateKeys(request), {
		status: 201,
		body: {
			kid: "q7zk",
			state: "active",
			created_at: "2026-01-05T09:00:00.000Z",
			activated_at: "2026-01-05T09:00:00.000Z",
			rotates_at: "2026-01-05T09:00:00.002Z",
			ends_at: "2026-01-05T09:00:00.001Z",
		},
	});
	assert.deepEqual(records, [{ actor: "admin", action: "key.rotate", target: "q7zk", details: {} }]);
});

test("a rotation that was made stands, though its record is lost", async () => {
	const { rotateKeys, lines } = handlers(
		async () => "q7zk",
		noAlarm,
		() => Promise.reject(new Error("full")),
	);
	assert.equal((await rotateKeys(request)).status, 201);
	assert.equal(lines[0]?.event, "audit record lost");
});

test("a rotation that could not be made is a problem of its own kind", async () => {
	const failing = handlers(() => Promise.reject(new Error("ENOSPC")));
	await assert.rejects(
		async () => failing.rotateKeys(request),
		(problem) => problem instanceof ApiProblem && problem.code === "store-unavailable",
	);
	const tired = handlers(async () => undefined);
	await assert.rejects(
		async () => tired.rotateKeys(request),
		(problem) => problem instanceof ApiProblem && problem.code === "too-many-requests",
	);
});

test("alarms are told in words", async () => {
	const all = handlers(async () => undefined, { clockBehindMs: 90_000_000, keysDiscarded: true, notOnDisk: true });
	const { body } = await all.listKeys(request);
	assert.equal(body.alarms.length, 3);
	assert.match(body.alarms[0] ?? "", /set back by 90000 s/);
	assert.deepEqual((await handlers(async () => undefined).listKeys(request)).body.alarms, []);
});
