/** `causeway requests` and `causeway settings`: the word about a stranger's messages, given by command. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue } from "@causeway/sip";
import { formatRequest, type Link, MESSAGE_LINE, sdp, startWireWorld } from "../wire/wire-world.ts";
import { runCommand } from "./run-command.ts";

const ALICE = "alice@contoso.example";
const offer = sdp(MESSAGE_LINE);

/** A stranger calls, and writes where the call is taken; the status of the last answer. */
async function write(link: Link, name: string, text: string): Promise<number> {
	const from = `${name}@fabrikam.example`;
	const callId = `${name} ${text}`.replaceAll(" ", "-");
	link.write(formatRequest({ method: "INVITE", from, callId, body: offer, verification: "unverified" }));
	let answer = await link.response();
	while (answer.statusCode < 200) answer = await link.response();
	const toTag = answer.to.tag ?? "";
	link.write(formatRequest({ method: "ACK", from, callId, toTag }));
	if (answer.statusCode !== 200) return answer.statusCode;
	const more = { from, callId, toTag, cseq: 2, body: text, contentType: "text/plain" };
	link.write(formatRequest({ method: "MESSAGE", ...more }));
	const response = await link.response();
	assert.equal(headerValue(response, HeaderId.callId), callId);
	return response.statusCode;
}

test("protocol 7.6: a stranger's first messages are listed, and accepted, declined or blocked by command", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser(ALICE, "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const run = async (...args: readonly string[]) => {
		const { code, stdout, stderr } = await runCommand(world.admin, ["requests", ...args]);
		return code === 0 ? stdout.replaceAll(/\d{4}-\d\d-\d\dT\S+Z/g, "NOW") : `${code}: ${stderr}`;
	};
	const texts = async (aor: string) =>
		(await alice.client.call("listMessages", { query: { with: aor } })).messages.map(({ text }) => text);
	assert.equal(await run("list", ALICE), "no requests\n");
	const link = await world.connect();
	assert.equal(await write(link, "ben", "hello"), 202);
	assert.equal(await write(link, "mia", "hello"), 202);
	assert.equal(await write(link, "spam", "hello"), 202);
	assert.equal(
		await run("list", ALICE),
		`FROM                   VERIFICATION  REQUESTED             MESSAGES
ben@fabrikam.example   unverified    NOW  1
mia@fabrikam.example   unverified    NOW  1
spam@fabrikam.example  unverified    NOW  1
`,
	);
	assert.match(await run("list", ALICE, "--json"), /^\[\{"aor":"ben@fabrikam\.example".*\}\]\n$/);

	assert.equal(await run("accept", ALICE, "ben@fabrikam.example"), `${ALICE}: accept ben@fabrikam.example\n`);
	assert.deepEqual(await texts("ben@fabrikam.example"), ["hello"]);
	assert.equal(await write(link, "ben", "again"), 200);

	assert.equal(await run("decline", ALICE, "mia@fabrikam.example"), `${ALICE}: decline mia@fabrikam.example\n`);
	assert.deepEqual(await texts("mia@fabrikam.example"), []);
	assert.equal(await write(link, "mia", "again"), 202);

	assert.equal(await run("block", ALICE, "spam@fabrikam.example"), `${ALICE}: block spam@fabrikam.example\n`);
	assert.equal(await write(link, "spam", "again"), 480);
	assert.match(await run("list", ALICE), /^FROM.*\nmia@fabrikam\.example [^\n]*\n$/);
	assert.match(await run("accept", ALICE, "nobody@fabrikam.example"), /^1: .*has not written/);
	assert.match(await run("list", "nobody@contoso.example"), /^1: .*is not a hosted user/);
});

test("a user's settings are shown and changed by command, and hold for the next call", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser(ALICE, "Alice");
	const run = async (...args: readonly string[]) => await runCommand(world.admin, ["settings", ALICE, ...args]);
	const unchanged = "messages from             everyone\na blocked sender is told  unavailable\n";
	assert.deepEqual(await run(), { code: 0, stdout: unchanged, stderr: "" });
	const changed = "messages from             contacts\na blocked sender is told  unavailable\n";
	assert.equal((await run("--messages-from", "contacts")).stdout, changed);
	assert.equal(
		(await run("--blocked-answer", "declined", "--json")).stdout,
		'{"messages_from":"contacts","blocked_answer":"declined"}\n',
	);
	assert.equal((await run("--messages-from", "nobody")).code, 2);
	assert.equal(await write(await world.connect(), "ben", "hello"), 480);
});
