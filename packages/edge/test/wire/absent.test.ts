/** A contact whose server said 604: the memory of it holds for every user of ours (REQ-84). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAnswer, startWireWorld } from "./wire-world.ts";

const CONTACT = { aor: "nobody@fabrikam.example" };

test("REQ-84: after a 604 nobody here asks again; the next user is answered 404 by ourselves", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const carol = await world.createUser("carol@contoso.example", "Carol");
	await alice.client.call("putContact", { params: CONTACT, body: {} });
	const link = await world.accepted();
	link.write(formatAnswer(await link.request(), "604 Does Not Exist Anywhere", { toTag: "n1" }));
	const first = await alice.event("presence", ({ code }) => code !== undefined);
	assert.deepEqual([first.state, first.code, first.blame], ["unknown", 604, "recipient"]);

	const added = await carol.client.call("putContact", { params: CONTACT, body: {} });
	assert.deepEqual([added.state, added.code, added.reason], ["unknown", 404, "Their server knows no such user."]);
	// The next thing that leaves is about somebody else.
	await carol.client.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	assert.match((await link.request()).head.text, /^SUBSCRIBE sip:lena@/);
});
