/** What becomes of sessions that grow old and of messages that do not arrive. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { UserEvent } from "@causeway/admin";
import type { SipRequest } from "@causeway/sip";
import { JumpClock } from "./jump-clock.ts";
import { bodyText, formatAnswer, type Link, MESSAGE_LINE, sdp, startWireWorld, type WireUser } from "./wire-world.ts";

const HOUR_MS = 3_600_000;
const LENA = "lena@fabrikam.example";

async function oldWorld(context: TestContext) {
	const clock = new JumpClock();
	// So that the age of a session is looked at, and not that nobody writes.
	const world = await startWireWorld(context, "[im]\nidle_minutes = 1440\n", () => {}, "", clock);
	return { clock, world, alice: await world.createUser("alice@contoso.example", "Alice") };
}

async function send(alice: WireUser, text: string, to = LENA): Promise<string> {
	return (await alice.client.call("submitMessage", { body: { to, text } })).id;
}

async function fateOf(alice: WireUser, id: string) {
	const { fate, code } = await alice.event("fate", (event) => event.id === id && event.fate !== "sending");
	return { fate, code };
}

/** The next request of that method; a BYE on the way is answered. */
async function nextOf(link: Link, method: string): Promise<SipRequest> {
	for (;;) {
		const request = await link.request();
		if (request.method === method) return request;
		assert.equal(request.method, "BYE");
		link.write(formatAnswer(request, "200 OK"));
	}
}

async function answerInvite(link: Link, toTag: string): Promise<SipRequest> {
	const invite = await nextOf(link, "INVITE");
	link.write(formatAnswer(invite, "200 OK", { toTag, body: sdp(MESSAGE_LINE) }));
	await nextOf(link, "ACK");
	return invite;
}

test("REQ-66: a session is left by BYE after 23 hours, before it is a day old, and the next message opens another", async (context) => {
	const { clock, world, alice } = await oldWorld(context);
	const first = await send(alice, "in the first session");
	const link = await world.accepted();
	const invite = await answerInvite(link, "t1");
	link.write(formatAnswer(await nextOf(link, "MESSAGE"), "200 OK"));
	assert.equal((await fateOf(alice, first)).fate, "delivered");

	clock.jump(22.5 * HOUR_MS);
	const second = await send(alice, "still in the first session");
	const message = await link.request();
	assert.deepEqual([message.method, message.callId], ["MESSAGE", invite.callId]);
	link.write(formatAnswer(message, "200 OK"));
	assert.equal((await fateOf(alice, second)).fate, "delivered");

	clock.jump(0.75 * HOUR_MS);
	const bye = await link.request();
	assert.deepEqual([bye.method, bye.callId], ["BYE", invite.callId]);
	link.write(formatAnswer(bye, "200 OK"));
	const third = await send(alice, "in the second session");
	const again = await answerInvite(link, "t2");
	assert.notEqual(again.callId, invite.callId);
	link.write(formatAnswer(await nextOf(link, "MESSAGE"), "200 OK"));
	assert.equal((await fateOf(alice, third)).fate, "delivered");
});

for (const [hours, isOld] of [
	[1, false],
	[13, true],
] as const) {
	const outcome = isOld ? "sent once more, in a new session" : "failed, for 403 is no word about its age";
	test(`REQ-67: a MESSAGE answered 403 in a session ${hours} h old is ${outcome}`, async (context) => {
		const { clock, world, alice } = await oldWorld(context);
		await send(alice, "first");
		const link = await world.accepted();
		const invite = await answerInvite(link, "t1");
		link.write(formatAnswer(await nextOf(link, "MESSAGE"), "200 OK"));
		await alice.event("fate", ({ fate }) => fate === "delivered");
		clock.jump(hours * HOUR_MS);
		const id = await send(alice, "second");
		link.write(formatAnswer(await nextOf(link, "MESSAGE"), "403 Forbidden"));
		if (isOld) {
			const again = await answerInvite(link, "t2");
			assert.notEqual(again.callId, invite.callId);
			const message = await nextOf(link, "MESSAGE");
			assert.equal(bodyText(message), "second");
			link.write(formatAnswer(message, "403 Forbidden"));
		}
		// A second refusal is the end in both.
		assert.deepEqual(await fateOf(alice, id), { fate: "failed", code: 403 });
	});
}

test("REQ-95, product contract 8: each message that was not delivered is reported once, with its id", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const reports: UserEvent[] = [];
	const stop = await new Promise<() => void>((resolve, reject) => {
		const close = alice.client.open(
			"watchEvents",
			{},
			{
				frame: (frame) => ("epoch" in frame ? resolve(close) : reports.push(frame)),
				closed: reject,
			},
		);
	});
	context.after(stop);
	const refused: (readonly [id: string, fate: string, code: number])[] = [];
	// Refused in the session, one after the other.
	const ids = [await send(alice, "415"), await send(alice, "486"), await send(alice, "606")];
	const link = await world.accepted();
	await answerInvite(link, "t1");
	for (const [index, [status, phrase]] of (
		[
			[415, "Unsupported Media Type"],
			[486, "Busy Here"],
			[606, "Not Acceptable"],
		] as const
	).entries()) {
		const message = await nextOf(link, "MESSAGE");
		assert.equal(bodyText(message), String(status));
		link.write(formatAnswer(message, `${status} ${phrase}`));
		refused.push([ids[index] ?? "", "failed", status]);
	}
	// Refused with the call: both that waited for it.
	const called = [await send(alice, "one", "ben@fabrikam.example"), await send(alice, "two", "ben@fabrikam.example")];
	link.write(formatAnswer(await nextOf(link, "INVITE"), "404 Not Found", { toTag: "t2" }));
	await nextOf(link, "ACK");
	for (const id of called) refused.push([id, "failed", 404]);
	// The way is lost behind the MESSAGE.
	const lost = await send(alice, "lost", "mia@fabrikam.example");
	await answerInvite(link, "t3");
	assert.equal(bodyText(await nextOf(link, "MESSAGE")), "lost");
	link.destroy();
	refused.push([lost, "unknown", 503]);
	for (const [id, fate, code] of refused) assert.deepEqual(await fateOf(alice, id), { fate, code });
	// One that arrives comes behind whatever else would be told of the others.
	const last = await send(alice, "arrives", "tom@fabrikam.example");
	const other = await world.accepted();
	await answerInvite(other, "t4");
	other.write(formatAnswer(await nextOf(other, "MESSAGE"), "200 OK"));
	assert.equal((await fateOf(alice, last)).fate, "delivered");
	const ends = reports.flatMap((event) =>
		event.kind === "fate" && event.fate !== "sending" && event.id !== last
			? [[event.id, event.fate, event.code] as const]
			: [],
	);
	const byId = (a: readonly [string, ...unknown[]], b: readonly [string, ...unknown[]]) => a[0].localeCompare(b[0]);
	assert.deepEqual(ends.toSorted(byId), refused.toSorted(byId));
	for (const [id, fate, code] of refused) {
		const message = await alice.client.call("getMessage", { params: { id } });
		assert.deepEqual([message.fate, message.code], [fate, code]);
	}
});
