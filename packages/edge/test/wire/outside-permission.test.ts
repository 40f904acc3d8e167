/** Whom outside a user may talk with (protocol sheet 7.2): the user is told why, the outside learns nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "../cli/run-command.ts";
import { formatAnswer, formatRequest, MESSAGE_LINE, sdp, startWireWorld } from "./wire-world.ts";

const alice = "alice@contoso.example";
const watch = { method: "SUBSCRIBE", headers: ["Event: presence", "Expires: 3600"] };

test("a user who is not let out is nobody for partners, learns why, and what was open ends", async (context) => {
	const world = await startWireWorld(context);
	const user = await world.createUser(alice, "Alice");
	const link = await world.connect();
	link.write(formatRequest(watch));
	assert.equal((await link.response()).statusCode, 200);
	link.write(formatAnswer(await link.request(), "200 OK"));

	const set = async (whom: string) => {
		const { code, stdout, stderr } = await runCommand(world.admin, ["user", "outside", alice, whom]);
		assert.equal(code, 0, stderr);
		return stdout;
	};
	assert.equal(await set("public"), `${alice} may talk with public IM networks, not with federated partners\n`);
	const ended = await link.request();
	assert.equal(ended.method, "NOTIFY");
	assert.match(ended.head.text, /^subscription-state: *terminated;.*reason=rejected/im);
	link.write(formatAnswer(ended, "200 OK"));

	link.write(formatRequest(watch));
	assert.equal((await link.response()).statusCode, 404);
	link.write(formatRequest({ method: "INVITE", callId: "talk", body: sdp(MESSAGE_LINE) }));
	let answer = await link.response();
	while (answer.statusCode < 200) answer = await link.response();
	assert.equal(answer.statusCode, 404);

	await user.client.call("submitMessage", { body: { to: "lena@fabrikam.example", text: "hello" } });
	const failed = await user.event("fate", ({ fate }) => fate === "failed");
	assert.equal(failed.code, 403);
	assert.match(failed.reason ?? "", /not enabled for federated partners/);
	const tested = await world.admin.call("getPolicyTest", { query: { from: alice, to: "lena@fabrikam.example" } });
	assert.deepEqual(
		[tested.allowed, tested.code, tested.status, tested.diagnostics],
		[false, "not-for-partners", 403, 1002],
	);

	await set("partners");
	link.write(formatRequest({ ...watch, callId: "again" }));
	assert.equal((await link.response()).statusCode, 200);
});

test("protocol 7.7: a user who is let out to partners alone is told 1001 for a public IM network, and nothing is dialled", async (context) => {
	const world = await startWireWorld(context);
	const user = await world.createUser(alice, "Alice");
	const edge = "edge.network.example";
	await world.admin.call("putPeer", {
		params: { name: edge },
		body: { kind: "provider", edge, connect: "127.0.0.1:9", domains: ["im.example"], public: true },
	});
	const { code, stderr } = await runCommand(world.admin, ["user", "outside", alice, "partners"]);
	assert.equal(code, 0, stderr);
	await user.client.call("submitMessage", { body: { to: "bob@im.example", text: "hello" } });
	const failed = await user.event("fate", ({ fate }) => fate === "failed");
	assert.equal(failed.code, 403);
	assert.match(failed.reason ?? "", /not enabled for public IM networks such as edge\.network\.example/);
	const tested = await world.admin.call("getPolicyTest", { query: { from: alice, to: "bob@im.example" } });
	assert.deepEqual(
		[tested.allowed, tested.code, tested.status, tested.diagnostics],
		[false, "not-for-public", 403, 1001],
	);
	const inbound = await world.admin.call("getPolicyTest", { query: { from: "bob@im.example", to: alice } });
	assert.equal(inbound.allowed, false);
	const { refused } = await world.admin.call("listRefusedConnections");
	assert.deepEqual(refused, []);
});
