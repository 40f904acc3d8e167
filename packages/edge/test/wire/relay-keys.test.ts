import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipRequest } from "@causeway/sip";
import { JumpClock } from "./jump-clock.ts";
import { final, invite, openSession } from "./relay-session.ts";
import { linesOf, relayedAnswer, relayedRequest } from "./relay-world.ts";
import type { Link } from "./wire-world.ts";

const HOUR_MS = 3_600_000;
const DIALOGS = 1_000;

type Session = Awaited<ReturnType<typeof invite>>;

/** A MESSAGE and its answer; the status that its sender hears. */
async function say(
	from: Link,
	to: Link,
	parts: Session["byPartner"] | Session["byInside"],
	cseq: number,
): Promise<number> {
	from.write(relayedRequest({ method: "MESSAGE", ...parts, cseq, body: "hello", contentType: "text/plain" }));
	const answer = final(from);
	const first = await Promise.race([answer, to.request()]);
	if (first.kind === "request") to.write(relayedAnswer(first, "200 OK"));
	return (await answer).statusCode;
}

function kidsOf(request: SipRequest): readonly string[] {
	return linesOf(request, "record-route").map((line) => /;fs=1\.([^.]+)\./.exec(line)?.[1] ?? "");
}

test("REQ-64: keys rotate during a thousand live dialogs, and none is lost; each says by which key it was signed", async (context) => {
	const opened = await openSession(context);
	const { world, partner, inside } = opened;
	const sessions: Session[] = [opened];
	while (sessions.length < DIALOGS / 2) sessions.push(await invite(world, partner, inside));
	await world.admin.call("rotateKeys", {});
	while (sessions.length < DIALOGS) sessions.push(await invite(world, partner, inside));
	assert.equal(await world.dialogs(), DIALOGS);
	let cseq = 10;
	for (let rotation = 0; rotation < 3; rotation++) {
		cseq += 1;
		// Every dialog both ways, the rotation in the midst of them.
		for (const [index, session] of sessions.entries()) {
			if (index === DIALOGS / 2) await world.admin.call("rotateKeys", {});
			assert.equal(await say(partner, inside, session.byPartner, cseq), 200, `${index}`);
			assert.equal(await say(inside, partner, session.byInside, cseq), 200, `${index}`);
		}
	}
	const kids = new Set(
		[sessions[0], sessions.at(-1), await invite(world, partner, inside)].map((one) => one && kidsOf(one.invite).join()),
	);
	assert.equal(kids.size, 3, [...kids].join(" "));
	for (const kid of kids) assert.match(kid ?? "", /^(\w+),\1$/);
});

test("REQ-65: the clock is set 25 hours ahead: dialogs end with 481 and diagnostics 1004, new ones work", async (context) => {
	const clock = new JumpClock();
	const opened = await openSession(context, { clock });
	const { world, partner, inside, byPartner, byInside } = opened;
	assert.equal(await say(partner, inside, byPartner, 10), 200);
	clock.stepWall(25 * HOUR_MS);
	for (const [link, parts] of [
		[partner, byPartner],
		[inside, byInside],
	] as const) {
		link.write(relayedRequest({ method: "MESSAGE", ...parts, cseq: 11, body: "late", contentType: "text/plain" }));
		const answer = await final(link);
		assert.equal(answer.statusCode, 481);
		assert.match(linesOf(answer, "ms-diagnostics-public")[0] ?? "", /: 1004;/);
	}
	const next = await invite(world, partner, inside);
	assert.equal(await say(partner, inside, next.byPartner, 10), 200);
	assert.equal(await say(inside, partner, next.byInside, 10), 200);
});

test("REQ-65: the clock is set back by 25 hours: an alarm is raised, and no dialog becomes younger than it is", async (context) => {
	const clock = new JumpClock();
	const opened = await openSession(context, { clock });
	const { world, partner, inside, byPartner, byInside } = opened;
	// It is 23 hours old when the calendar goes back to before it began.
	clock.stepWall(23 * HOUR_MS);
	assert.equal(await say(partner, inside, byPartner, 10), 200);
	clock.stepWall(-25 * HOUR_MS);
	assert.equal(await say(partner, inside, byPartner, 11), 200);
	assert.equal(await say(inside, partner, byInside, 11), 200);
	const alarm = world.log.find(({ event }) => event.startsWith("the clock was set back"));
	assert.ok(Math.abs(Number(alarm?.fields["seconds"]) - 90_000) < 60, JSON.stringify(alarm));
	const { alarms } = await world.admin.call("listKeys", {});
	assert.match(alarms.join("\n"), /set back by \d+ s/);
	const young = await invite(world, partner, inside);
	assert.equal(await say(partner, inside, young.byPartner, 10), 200);
	// Two hours on by the steady clock, the calendar still a day behind: the one is over, the other is not.
	clock.jump(2 * HOUR_MS);
	partner.write(relayedRequest({ method: "MESSAGE", ...byPartner, cseq: 12, body: "late", contentType: "text/plain" }));
	assert.equal((await final(partner)).statusCode, 481);
	assert.equal(await say(partner, inside, young.byPartner, 11), 200);
});
