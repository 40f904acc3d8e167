import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	type Arrival,
	type Fate,
	isUnfinished,
	type MessageFinish,
	type Messages,
	type Submission,
} from "./messages.ts";
import { createTestCalendar, openTestStore } from "./testing.ts";

const OMAR = "omar@contoso.example";
const LENA = "lena@fabrikam.example";

function submission(change: Partial<Submission> = {}): Submission {
	return { owner: OMAR, to: LENA, contentType: "text/plain", body: "Salut", ...change };
}

function arrival(change: Partial<Arrival> = {}): Arrival {
	return {
		owner: OMAR,
		from: LENA,
		contentType: "text/plain",
		body: "Bonjour",
		callId: "a84b4c76@sip.fabrikam.example",
		fromTag: "77d2",
		sequence: 2,
		...change,
	};
}

async function submit(messages: Messages, change: Partial<Submission> = {}): Promise<string> {
	const result = await messages.submit(submission(change));
	assert(result.kind === "queued");
	return result.message.id;
}

async function receive(messages: Messages, change: Partial<Arrival> = {}): Promise<string> {
	const result = await messages.receive(arrival(change));
	assert(result.kind !== "held-full");
	return result.message.id;
}

test("a submitted message is queued and reads back as it was answered", async () => {
	const { messages } = await openTestStore();
	const result = await messages.submit(submission({ owner: "Omar@Contoso.example", to: "Lena@fabrikam.example" }));
	assert(result.kind === "queued");
	assert.deepEqual(messages.get(OMAR, result.message.id), result.message);
	assert.equal(result.message.owner, OMAR);
	assert.equal(result.message.peer, LENA);
	assert.equal(result.message.peerAddress, "Lena@fabrikam.example");
	assert.equal(result.message.fate, "queued");
	assert.equal(result.message.direction, "out");
});

test("a received message reads back as it was answered", async () => {
	const { messages } = await openTestStore();
	const result = await messages.receive(arrival({ from: "Lena@Fabrikam.example" }));
	assert.equal(result.kind, "stored");
	assert.deepEqual(messages.get(OMAR, result.message.id), result.message);
	assert.equal(result.message.fate, "received");
	assert.equal(result.message.direction, "in");
});

test("any body of text reads back unchanged", async () => {
	const { messages } = await openTestStore();
	const body = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "a\0b", "😀".repeat(20_000)));
	await fc.assert(
		fc.asyncProperty(body, async (text) => {
			const id = await submit(messages, { body: text });
			assert.equal(messages.get(OMAR, id)?.body, text);
			await messages.finish(id, { fate: "failed", reason: "test", blame: "us" });
		}),
		{ numRuns: 100 },
	);
});

test("only its owner reads a message", async () => {
	const { messages } = await openTestStore();
	const id = await submit(messages);
	assert.equal(messages.get("anna@contoso.example", id), undefined);
});

test("the same idempotency key with the same content is the same message", async () => {
	const { messages } = await openTestStore();
	const id = await submit(messages, { idempotencyKey: "k1" });
	const again = await messages.submit(submission({ idempotencyKey: "k1" }));
	assert(again.kind === "repeated");
	assert.equal(again.message.id, id);
	assert.equal(messages.list(OMAR, { limit: 10 }).length, 1);
});

test("the same key twice in one turn of the loop makes one message", async () => {
	const { messages } = await openTestStore();
	const results = await Promise.all([1, 2, 3].map(() => messages.submit(submission({ idempotencyKey: "k1" }))));
	assert.deepEqual(
		results.map((result) => result.kind),
		["queued", "repeated", "repeated"],
	);
});

for (const [what, change] of [
	["text", { body: "Adieu" }],
	["recipient", { to: "anna@fabrikam.example" }],
	["content type", { contentType: "text/html" }],
] as const) {
	test(`the same key with another ${what} is a conflict and stores nothing`, async () => {
		const { messages } = await openTestStore();
		const id = await submit(messages, { idempotencyKey: "k1" });
		const other = await messages.submit(submission({ idempotencyKey: "k1", ...change }));
		assert.deepEqual(other, { kind: "conflict", id });
		assert.equal(messages.list(OMAR, { limit: 10 }).length, 1);
	});
}

test("an idempotency key is its owner's alone", async () => {
	const { messages } = await openTestStore();
	await submit(messages, { idempotencyKey: "k1" });
	const other = await messages.submit(submission({ owner: "anna@contoso.example", idempotencyKey: "k1" }));
	assert.equal(other.kind, "queued");
});

test("a repeated key answers with the fate the message has by then", async () => {
	const { messages } = await openTestStore();
	const id = await submit(messages, { idempotencyKey: "k1" });
	await messages.markSending(id);
	await messages.finish(id, { fate: "delivered", code: 200 });
	const again = await messages.submit(submission({ idempotencyKey: "k1" }));
	assert(again.kind === "repeated");
	assert.equal(again.message.fate, "delivered");
});

test("a recipient's full queue refuses the next message, whoever sends it, until one has ended", async () => {
	const { messages } = await openTestStore({ queueLimit: 3 });
	const first = await submit(messages);
	await submit(messages, { owner: "anna@contoso.example" });
	await messages.markSending(await submit(messages));
	assert.deepEqual(await messages.submit(submission()), { kind: "queue-full", limit: 3 });
	assert.equal((await messages.submit(submission({ to: "anna@fabrikam.example" }))).kind, "queued");
	await messages.finish(first, { fate: "failed", reason: "no route", blame: "network" });
	assert.equal((await messages.submit(submission())).kind, "queued");
});

const DELIVERED: MessageFinish = { fate: "delivered", code: 200 };
const ACCEPTED: MessageFinish = { fate: "accepted", code: 202 };
const FAILED: MessageFinish = { fate: "failed", code: 480, reason: "Temporarily Unavailable", blame: "recipient" };
const UNKNOWN: MessageFinish = { fate: "unknown", reason: "connection lost", blame: "network" };

/** From each fate: which steps are legal. */
const STEPS: readonly (readonly [from: Fate, prepare: readonly string[], legal: readonly string[]])[] = [
	["queued", [], ["sending", "failed"]],
	["sending", ["sending"], ["queued", "delivered", "accepted", "failed", "unknown"]],
	["delivered", ["sending", "delivered"], []],
	["accepted", ["sending", "accepted"], []],
	["failed", ["sending", "failed"], []],
	["unknown", ["sending", "unknown"], []],
];

function take(messages: Messages, id: string, step: string) {
	switch (step) {
		case "sending":
			return messages.markSending(id);
		case "queued":
			return messages.requeue(id);
		default: {
			const finish = [DELIVERED, ACCEPTED, FAILED, UNKNOWN].find(({ fate }) => fate === step);
			assert(finish !== undefined);
			return messages.finish(id, finish);
		}
	}
}

for (const [from, prepare, legal] of STEPS) {
	for (const step of ["sending", "queued", "delivered", "accepted", "failed", "unknown"]) {
		const isLegal = legal.includes(step);
		test(`fate ${from}: ${step} is ${isLegal ? "taken" : "refused and changes nothing"}`, async () => {
			const { messages } = await openTestStore();
			const id = await submit(messages);
			for (const earlier of prepare) assert.deepEqual(await take(messages, id, earlier), { done: true });
			const before = messages.get(OMAR, id);
			const result = await take(messages, id, step);
			const after = messages.get(OMAR, id);
			if (isLegal) {
				assert.deepEqual(result, { done: true });
				assert.equal(after?.fate, step);
				assert.equal(after.finishedAt === undefined, isUnfinished(after.fate));
			} else {
				assert.deepEqual(result, { done: false, fate: from });
				assert.deepEqual(after, before);
			}
		});
	}
}

test("an end is kept with its code, reason, blame and time", async () => {
	const clock = createTestCalendar();
	const { messages } = await openTestStore({ clock });
	const id = await submit(messages);
	clock.advance(1_500);
	await messages.finish(id, FAILED);
	const message = messages.get(OMAR, id);
	assert(message !== undefined);
	const { fate, code, reason, blame, createdAt, finishedAt } = message;
	assert.deepEqual([fate, code, reason, blame], ["failed", 480, "Temporarily Unavailable", "recipient"]);
	assert.equal((finishedAt ?? 0) - createdAt, 1_500);
});

test("a message that is not there, and one that arrived, have no fate to change", async () => {
	const { messages } = await openTestStore();
	assert.deepEqual(await messages.markSending("nothing"), { done: false, fate: undefined });
	const id = await receive(messages);
	assert.deepEqual(await messages.finish(id, FAILED), { done: false, fate: "received" });
});

test("the same MESSAGE again is answered with the row of the first and stored once", async () => {
	const { messages } = await openTestStore();
	const first = await messages.receive(arrival());
	const again = await messages.receive(arrival({ body: "altered on the way" }));
	assert(first.kind === "stored" && again.kind === "duplicate");
	assert.deepEqual(again.message, first.message);
	assert.equal(messages.list(OMAR, { limit: 10 }).length, 1);
});

for (const [what, change] of [
	["CSeq", { sequence: 3 }],
	["Call-ID", { callId: "b@sip.fabrikam.example" }],
	["From tag", { fromTag: "88" }],
	["sender", { from: "anna@fabrikam.example" }],
	["recipient", { owner: "anna@contoso.example" }],
] as const) {
	test(`a MESSAGE with another ${what} is another message`, async () => {
		const { messages } = await openTestStore();
		await receive(messages);
		assert.equal((await messages.receive(arrival(change))).kind, "stored");
	});
}

test("pages: the latest without a bound, then backwards and forwards, all of it oldest first", async () => {
	const { messages } = await openTestStore();
	const ids: string[] = [];
	for (let sequence = 0; sequence < 6; sequence += 1) {
		const other = sequence % 2 === 0 ? LENA : "anna@fabrikam.example";
		ids.push(sequence < 3 ? await submit(messages, { to: other }) : await receive(messages, { from: other, sequence }));
	}
	await receive(messages, { owner: "anna@contoso.example" });
	const [a, b, c, d, e, f] = ids;
	assert(a !== undefined && c !== undefined && e !== undefined);
	const page = (wanted: Parameters<Messages["list"]>[1]) => messages.list(OMAR, wanted).map(({ id }) => id);
	assert.deepEqual(page({ limit: 10 }), ids);
	assert.deepEqual(page({ limit: 2 }), [e, f]);
	assert.deepEqual(page({ before: e, limit: 2 }), [c, d]);
	assert.deepEqual(page({ after: "", limit: 2 }), [a, b]);
	assert.deepEqual(page({ after: c, limit: 10 }), [d, e, f]);
	assert.deepEqual(page({ with: "Lena@fabrikam.example", limit: 10 }), [a, c, e]);
	assert.deepEqual(page({ with: LENA, after: a, limit: 1 }), [c]);
	assert.deepEqual(page({ with: LENA, before: e, limit: 1 }), [c]);
	assert.deepEqual(page({ with: "nobody@fabrikam.example", limit: 10 }), []);
	assert.deepEqual(page({ limit: 0 }), []);
	assert.deepEqual(messages.list("nobody@contoso.example", { limit: 10 }), []);
});

test("conversations are listed by their last message, latest first, with its beginning; another user's are not", async () => {
	const { messages } = await openTestStore();
	await submit(messages, { body: "to Lena, first" });
	const toAnna = await submit(messages, { to: "anna@fabrikam.example", body: "x".repeat(300) });
	const fromLena = await receive(messages, { body: "from Lena" });
	await receive(messages, { owner: "anna@contoso.example" });
	const list = (limit: number) =>
		messages.conversations(OMAR, { limit, previewLength: 200 }).map(({ id, peer, preview }) => [id, peer, preview]);
	const lena = [fromLena, LENA, "from Lena"];
	assert.deepEqual(list(10), [lena, [toAnna, "anna@fabrikam.example", "x".repeat(200)]]);
	assert.deepEqual(list(1), [lena]);
	assert.deepEqual(messages.conversations("nobody@contoso.example", { limit: 10, previewLength: 200 }), []);
});

test("a page goes on after a message that was pruned", async () => {
	const clock = createTestCalendar();
	const { messages } = await openTestStore({ clock });
	const gone = await receive(messages);
	clock.advance(10);
	const kept = await receive(messages, { sequence: 3 });
	assert.equal(await messages.prune(clock.wall()), 1);
	assert.deepEqual(
		messages.list(OMAR, { after: gone, limit: 10 }).map(({ id }) => id),
		[kept],
	);
});

test("pruning deletes what ended before a time and nothing that waits", async () => {
	const clock = createTestCalendar();
	const { messages } = await openTestStore({ clock });
	const waiting = await submit(messages);
	await receive(messages);
	clock.advance(1_000);
	const later = await receive(messages, { sequence: 3 });
	assert.equal(await messages.prune(clock.wall()), 1);
	assert.equal(await messages.prune(clock.wall()), 0);
	assert.deepEqual(
		messages.list(OMAR, { limit: 10 }).map(({ id }) => id),
		[waiting, later],
	);
});

test("the queue hands out what is queued, oldest first and by pages, and nothing else", async () => {
	const { messages } = await openTestStore();
	const first = await submit(messages);
	const sending = await submit(messages);
	const other = await submit(messages, { to: "anna@fabrikam.example" });
	const failed = await submit(messages);
	const last = await submit(messages, { owner: "anna@contoso.example" });
	await receive(messages);
	await messages.markSending(sending);
	await messages.finish(failed, FAILED);
	const ids = (found: readonly { readonly id: string }[]) => found.map(({ id }) => id);
	assert.deepEqual(ids(messages.queued("", 10)), [first, other, last]);
	assert.deepEqual(ids(messages.queued("", 2)), [first, other]);
	assert.deepEqual(ids(messages.queued(other, 2)), [last]);
	assert.deepEqual(ids(messages.queuedFor(LENA, 10)), [first, last]);
	await messages.requeue(sending);
	assert.deepEqual(ids(messages.queuedFor(LENA, 10)), [first, sending, last]);
});
