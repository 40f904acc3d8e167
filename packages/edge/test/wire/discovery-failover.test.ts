/** Protocol sheet 1.2, 6.3: the next SRV target after a 503 to a request that begins a dialog, and after no other answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nextRequest, startDiscoveryWorld, startTwo } from "./discovery-world.ts";
import { until } from "./trust-world.ts";
import { formatAnswer, MESSAGE_LINE, sdp } from "./wire-world.ts";

const LENA = "lena@fabrikam.example";
const ALLOWED = `[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\n`;

test("protocol 1.2: after 503 our INVITE goes to the next target with a new branch, and the message arrives", async (context) => {
	const world = await startDiscoveryWorld(context, ALLOWED);
	const [first, second] = await startTwo(world);
	const alice = await world.user();
	const { id } = await alice.call("submitMessage", { body: { to: LENA, text: "hello" } });
	const busy = await first.accepted();
	const refused = await nextRequest(busy);
	busy.write(formatAnswer(refused, "503 Service Unavailable", { toTag: "busy" }));
	assert.equal((await nextRequest(busy)).method, "ACK");
	const link = await second.accepted();
	const invite = await nextRequest(link);
	assert.equal(invite.method, "INVITE");
	assert.notEqual(invite.topVia.branch, refused.topVia.branch);
	link.write(formatAnswer(invite, "200 OK", { toTag: "t1", body: sdp(MESSAGE_LINE) }));
	assert.equal((await nextRequest(link)).method, "ACK");
	const message = await nextRequest(link);
	link.write(formatAnswer(message, "200 OK"));
	await until("the fate", async () =>
		(await alice.call("getMessage", { params: { id } })).fate === "delivered" ? true : undefined,
	);
});

test("protocol 1.2: after 503 of every target the message has failed with what the last one said, each asked once", async (context) => {
	const world = await startDiscoveryWorld(context, ALLOWED);
	const partners = await startTwo(world);
	const alice = await world.user();
	const { id } = await alice.call("submitMessage", { body: { to: LENA, text: "hello" } });
	for (const partner of partners) {
		const link = await partner.accepted();
		link.write(formatAnswer(await nextRequest(link), "503 Service Unavailable", { toTag: "busy" }));
		assert.equal((await nextRequest(link)).method, "ACK");
	}
	const failed = await until("the fate", async () => {
		const message = await alice.call("getMessage", { params: { id } });
		return message.fate === "failed" ? message : undefined;
	});
	assert.equal(failed.code, 503);
});

test("protocol 1.2: no other answer than 503 is tried elsewhere", async (context) => {
	const world = await startDiscoveryWorld(context, ALLOWED);
	const [first] = await startTwo(world);
	const alice = await world.user();
	const { id } = await alice.call("submitMessage", { body: { to: LENA, text: "hello" } });
	const link = await first.accepted();
	link.write(formatAnswer(await nextRequest(link), "500 Server Internal Error", { toTag: "broken" }));
	await until("the fate", async () =>
		(await alice.call("getMessage", { params: { id } })).fate === "failed" ? true : undefined,
	);
	const { connections } = await world.admin.call("listConnections");
	assert.deepEqual(
		connections.map(({ remote_address }) => remote_address),
		[`127.0.0.1:${first.port}`],
	);
});

test("protocol 1.2: after 503 our SUBSCRIBE goes to the next target, and the contact is seen", async (context) => {
	const world = await startDiscoveryWorld(context, ALLOWED);
	const [first, second] = await startTwo(world);
	const alice = await world.user();
	await alice.call("putContact", { params: { aor: LENA }, body: {} });
	const busy = await first.accepted();
	const refused = await nextRequest(busy);
	busy.write(formatAnswer(refused, "503 Service Unavailable", { toTag: "busy", headers: ["Retry-After: 600"] }));
	const link = await second.accepted();
	const subscribe = await nextRequest(link);
	assert.equal(subscribe.method, "SUBSCRIBE");
	assert.notEqual(subscribe.topVia.branch, refused.topVia.branch);
	link.write(formatAnswer(subscribe, "200 OK", { toTag: "n1", headers: ["Expires: 3600"] }));
	await until("the subscription", async () => {
		const { subscriptions } = await world.admin.call("listSubscriptions");
		return subscriptions.find(({ presentity, state }) => presentity === LENA && state !== "terminated");
	});
});
