/** RFC 3263 §4.3, RFC 3261 §16.7: the next SRV target for a relayed request that opens a dialog, and for no other. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { HeaderId, headerValues, type SipResponse } from "@causeway/sip";
import {
	type DiscoveryWorld,
	nextRequest,
	type PartnerLink,
	startDiscoveryWorld,
	startTwo,
} from "./discovery-world.ts";
import { linesOf, type RelayedRequestParts, relayedAnswer, relayedRequest, routeFields } from "./relay-world.ts";
import { MESSAGE_LINE, sdp } from "./wire-world.ts";

const ALLOWED = `[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\n`;

const UNAVAILABLE = "503 Service Unavailable";
const INVITE: RelayedRequestParts = { method: "INVITE", by: "inside", callId: "opened", body: sdp(MESSAGE_LINE) };
const SUBSCRIBE: RelayedRequestParts = {
	method: "SUBSCRIBE",
	by: "inside",
	headers: ["Event: presence", "Expires: 600"],
};

/** An inside server, and a partner with two edges, each of which has accepted nothing yet. */
async function startWorld(context: TestContext) {
	const world = await startDiscoveryWorld(context, ALLOWED);
	const [first, second] = await startTwo(world);
	const server = await world.partner(["home.corp.contoso.example"]);
	await world.reload(`${ALLOWED}[[domain]]
name = "corp.contoso.example"
kind = "relay"
inside = "home.corp.contoso.example:5061"
connect = "127.0.0.1:${server.port}"
`);
	return { world, first, second, inside: await server.connect(world.port) };
}

async function final(link: PartnerLink): Promise<SipResponse> {
	for (;;) {
		const message = await link.next();
		if (message.kind === "response" && message.statusCode >= 200) return message;
	}
}

async function connectionsOf({ admin }: DiscoveryWorld, port: number): Promise<number> {
	const { connections } = await admin.call("listConnections");
	return connections.filter(({ remote_address }) => remote_address === `127.0.0.1:${port}`).length;
}

test("§16.7: after 503 an INVITE goes to the next target with another branch and other routes, and the session stands there", async (context) => {
	const { first, second, inside } = await startWorld(context);
	inside.write(relayedRequest(INVITE));
	const busy = await first.accepted();
	const refused = await nextRequest(busy);
	busy.write(relayedAnswer(refused, UNAVAILABLE, { toTag: "busy" }));
	assert.equal((await nextRequest(busy)).method, "ACK");
	const link = await second.accepted();
	const invite = await nextRequest(link);
	assert.equal(invite.method, "INVITE");
	assert.notEqual(invite.topVia.branch, refused.topVia.branch);
	assert.equal(headerValues(invite, HeaderId.via).length, headerValues(refused, HeaderId.via).length);
	assert.deepEqual(linesOf(invite, "max-forwards"), linesOf(refused, "max-forwards"));
	assert.equal(headerValues(invite, HeaderId.recordRoute).length, 2);
	assert.notDeepEqual(headerValues(invite, HeaderId.recordRoute), headerValues(refused, HeaderId.recordRoute));
	link.write(relayedAnswer(invite, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
	const ok = await final(inside);
	assert.equal(ok.statusCode, 200);
	const parts = {
		callId: "opened",
		fromTag: "a1",
		toTag: "b1",
		by: "inside",
		uri: "sip:far@198.51.100.4:5061",
	} as const;
	inside.write(relayedRequest({ method: "ACK", ...parts, headers: routeFields(ok) }));
	assert.equal((await nextRequest(link)).method, "ACK");
	inside.write(relayedRequest({ method: "BYE", ...parts, cseq: 2, headers: routeFields(ok) }));
	link.write(relayedAnswer(await nextRequest(link), "200 OK"));
	assert.equal((await final(inside)).statusCode, 200);
});

test("§16.9: a SUBSCRIBE whose connection is lost before any answer goes to the next target", async (context) => {
	const { first, second, inside } = await startWorld(context);
	inside.write(relayedRequest(SUBSCRIBE));
	const lost = await first.accepted();
	await nextRequest(lost);
	lost.close();
	const link = await second.accepted();
	const subscribe = await nextRequest(link);
	assert.equal(subscribe.method, "SUBSCRIBE");
	link.write(relayedAnswer(subscribe, "200 OK", { toTag: "b1", headers: ["Expires: 600"] }));
	assert.equal((await final(inside)).statusCode, 200);
});

test("§16.9: an INVITE that rings somewhere rings nowhere else when that connection is lost", async (context) => {
	const { world, first, second, inside } = await startWorld(context);
	inside.write(relayedRequest(INVITE));
	const ringing = await first.accepted();
	ringing.write(relayedAnswer(await nextRequest(ringing), "180 Ringing", { toTag: "b1" }));
	for (;;) {
		const message = await inside.next();
		if (message.kind === "response" && message.statusCode === 180) break;
	}
	ringing.close();
	const answer = await final(inside);
	assert.equal(answer.statusCode, 504);
	assert.match(headerValues(answer, HeaderId.msDiagnosticsPublic)[0] ?? "", /^1007;/);
	assert.equal(await connectionsOf(world, second.port), 0);
});

test("§16.7: after 503 of every target the answer is 500, and each was asked once", async (context) => {
	const { world, first, second, inside } = await startWorld(context);
	inside.write(relayedRequest(SUBSCRIBE));
	const links: PartnerLink[] = [];
	for (const partner of [first, second]) {
		const link = await partner.accepted();
		links.push(link);
		link.write(relayedAnswer(await nextRequest(link), UNAVAILABLE, { toTag: "busy" }));
	}
	assert.equal((await final(inside)).statusCode, 500);
	// Nothing came behind: what is asked now is the first that each sees.
	const { connections } = await world.admin.call("listConnections");
	const counts = [first, second].map(
		({ port }) => connections.find(({ remote_address }) => remote_address === `127.0.0.1:${port}`)?.requests_out,
	);
	assert.deepEqual(counts, [1, 1]);
});

test("REQ-48: a request in a dialog goes nowhere else, whatever its connection answers", async (context) => {
	const { world, first, second, inside } = await startWorld(context);
	inside.write(relayedRequest(INVITE));
	const link = await first.accepted();
	link.write(relayedAnswer(await nextRequest(link), "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
	const headers = routeFields(await final(inside));
	const parts = {
		callId: "opened",
		fromTag: "a1",
		toTag: "b1",
		by: "inside",
		uri: "sip:far@198.51.100.4:5061",
	} as const;
	inside.write(relayedRequest({ method: "ACK", ...parts, headers }));
	assert.equal((await nextRequest(link)).method, "ACK");
	inside.write(
		relayedRequest({ method: "MESSAGE", ...parts, cseq: 2, headers, body: "hi", contentType: "text/plain" }),
	);
	link.write(relayedAnswer(await nextRequest(link), UNAVAILABLE));
	assert.equal((await final(inside)).statusCode, 500);
	inside.write(relayedRequest({ ...INVITE, ...parts, cseq: 3, headers }));
	link.write(relayedAnswer(await nextRequest(link), UNAVAILABLE));
	assert.equal((await final(inside)).statusCode, 500);
	assert.equal(await connectionsOf(world, second.port), 0);
});
